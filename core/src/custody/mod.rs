// SPDX-License-Identifier: LGPL-2.0-or-later
//! What a keystore does with a TSK that it holds: the few operations that whoever asks may get, and no others.
//!
//! ```text
//! unwrap_session_key(TSK, subkey, one PKESK packet)  → session key     no ECDH point, no RSA block
//! sign_digest(TSK, subkey, hash, digest)             → signature       only by a subkey that does nothing else
//! share_point(TSK, subkey, point)                    → ECDH point      only for front ends on the owner's device, when allowed
//! ```
//! Whatever certifies (binding, revoking, extending, vouching) is a function of [`Tsk`](crate::cert::Tsk) by name
//! (`rotate`, `set_expiry`, `add_user_id`, `revoke`, `revoke_subkey`, `revoke_user_id`) or of
//! [`Certificate::certify`](crate::cert::Certificate::certify), where the packet that is signed is built here and not
//! by whoever asks: with "sign this digest" on a primary key an outsider's encryption subkey was once bound to a certificate.
//!
//! Who may ask is not decided here. The other side of these functions is [`message::RemoteKey`](crate::message::RemoteKey) and
//! [`SealedMessage::accept_session_key`](crate::message::SealedMessage::accept_session_key).
//!
//! What these functions cannot tell: a PKESK says nothing of the message that it belongs to, so who may unwrap may read
//! whatever is sent to that key. A digest says nothing of what was hashed: type and date of a signature are claims of
//! whoever asked, and a back-signature, with which another certificate adopts the subkey, looks like any other.
//!
//! Files in reading order: `keys` (which key may do what), `unwrap` with `rsa`, `sign`, `raw`, `import`, `stored`.

mod error;
mod import;
mod keys;
#[cfg(feature = "crypto-openssl")]
mod raw;
#[cfg(feature = "crypto-openssl")]
mod rsa;
mod sign;
mod stored;
mod unwrap;

pub use error::CustodyError;
pub use import::{ImportRefused, Imported, prepare_import};
pub use keys::{Capability, CustodyKey, keys};
#[cfg(feature = "crypto-openssl")]
pub use raw::share_point;
pub use sign::{sign_digest, signs_with_curve};
pub use stored::{from_authenticated_bytes, to_bytes};
pub use unwrap::{is_rsa_wrapped, subkeys_for, unwrap_session_key};
