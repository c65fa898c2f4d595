// SPDX-License-Identifier: LGPL-2.0-or-later
//! Certificates (public) and TSKs (with secret keys): generate, import, lock, unlock, merge, rotate, revoke.
//!
//! A state is a type: [`LockedTsk`] → [`Tsk`]. A [`Certificate`] never holds secret key material, and what changes a
//! certificate takes a [`Tsk`] and gives a new one: nothing is edited in place.
//!
//! ```
//! # use plombe_core::{cert::{self, Profile, Tsk}, crypto_policy::CryptoPolicy, secret::Passphrase};
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let now = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_800_000_000);
//! let user_id = cert::user_id(Some("Alice"), "alice@example.org")?;
//! let alice = Tsk::generate(Profile::Rfc4880, &[user_id], Some(cert::DEFAULT_TTL), now)?.tsk;
//! assert!(alice.certificate().can_encrypt(&CryptoPolicy::standard(), now).is_ok());
//!
//! let on_disk = alice.lock(Some(&Passphrase::new("correct horse")))?.to_armored();
//! # assert!(on_disk.starts_with("-----BEGIN PGP PRIVATE KEY BLOCK-----"));
//! # Ok(())
//! # }
//! ```
//!
//! Reading order: [`certificate`](Certificate) and `parse`, then `tsk`, `generate`, `lock` (with `genuine`, the check
//! against key overwriting), `usable` (which key seals, which key signs), `check` and `describe` (what to tell a
//! person), and the changes: `expiry`, `user_id`, `rotate`, `revoke`, `merge`, `minimise`.

mod certificate;
mod certify;
mod check;
mod describe;
mod error;
mod expiry;
mod generate;
mod genuine;
mod hkp_index;
mod index;
mod lock;
mod merge;
mod minimise;
mod parse;
mod refresh;
mod resign;
mod revoke;
mod rotate;
mod tsk;
mod usable;
mod user_id;

pub use certificate::Certificate;
pub use certify::UserIdQuery;
pub use check::{Finding, Severity};
pub use describe::{Capabilities, Description, KeyDescription, SecretState, UserIdDescription};
pub use error::{CertError, UnlockError};
pub use generate::{DEFAULT_TTL, Generated, Profile, UnknownProfile, user_id, user_id_address};
pub use lock::SetAside;
pub use refresh::Refresh;
pub use revoke::Reason;
pub use rotate::{DEFAULT_OVERLAP, Rotated};
pub use tsk::{LockedTsk, Tsk};
pub use usable::Unusable;
