// SPDX-License-Identifier: LGPL-2.0-or-later
//! Native client of a Plombe keystore: sessions, device proofs, sealed requests.
//!
//! The keystore's wire types and everything that is pure about them are in [`plombe_core::keystore`]; this crate does
//! the HTTP. It refuses to talk to a keystore whose pinned keys have changed, and believes nothing that is not sealed:
//! an answer from something in between is reported, never acted on.
//!
//! ```no_run
//! use plombe_client::{DeviceKey, Keystore, Options};
//! use plombe_core::keystore::{EnrolmentCode, calls::session::WhoAmI};
//!
//! # fn first_log_in(code: EnrolmentCode) -> Result<(), plombe_client::ClientError> {
//! let keystore = Keystore::connect("https://keys.example.org", None, Options::new(std::time::SystemTime::now))?;
//! // Show keystore.identity().fingerprint() to the user, or rely on the code, which names it.
//! let device = DeviceKey::generate();
//! let mut session = keystore.log_in_with_code(device, &code, "laptop")?;
//! println!("logged in as {}", session.call(&WhoAmI {})?.name);
//! # Ok(())
//! # }
//! ```
//!
//! Modules in reading order:
//!
//! * [`Keystore`]: one keystore, reached and recognised. Start here.
//! * [`Session`]: calls in somebody's name; [`SavedSession`] is what a program keeps of it.
//! * [`OidcLogin`]: a log-in through the browser. [`Browser`]: how a passkey is shown there.
//! * [`SeenLog`]: what is remembered of the keystore's log, so that it cannot go back.
//! * [`PublicLog`]: the log as everybody sees it.
//! * [`DeviceKey`], [`ClientError`].

mod checkpoints;
mod device;
mod error;
mod exchange;
mod http;
mod keystore;
mod log_in;
mod oidc;
mod passkey;
mod public_log;
mod session;

pub use checkpoints::SeenLog;
pub use device::{BadDeviceKey, DeviceKey};
pub use error::ClientError;
pub use http::Options;
pub use keystore::Keystore;
pub use oidc::OidcLogin;
pub use passkey::Browser;
pub use public_log::PublicLog;
pub use session::{SavedSession, Session};
