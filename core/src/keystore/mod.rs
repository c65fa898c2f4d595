// SPDX-License-Identifier: LGPL-2.0-or-later
//! What keystore and clients say to each other: pure, the same code on both sides.
//!
//! In reading order:
//!
//! * [`calls`]: everything that can be asked, one type per call. Start here.
//! * [`envelope`]: how a call is sealed to the keystore, and its reply to the caller.
//! * [`dpop`]: how a device shows that a request is its own.
//! * [`KeystoreIdentity`], [`Info`]: which keystore this is; [`ApiProblem`]: how it says no.
//! * [`access_rules`]: what an organisation forbids beyond what is built in.
//! * [`EnrolmentCode`] and its kin, [`comparison_words`]: what people copy and compare.
//! * [`fields()`], [`Bytes`], ids: what the rest is written in.

pub mod access_rules;
pub mod calls;
pub mod dpop;
pub mod envelope;

mod bytes;
mod code;
mod fields;
mod id;
mod identity;
mod info;
mod origin;
mod padding;
mod problem;
#[cfg(feature = "schema")]
mod schema;
mod session;

pub use bytes::{Bytes, SecretBytes};
pub use code::{BackupCode, CodeError, EnrolmentCode, RecoveryCode, comparison_words};
pub use dpop::{DevicePublicKey, DeviceThumbprint};
pub use fields::fields;
pub use id::{
    ApprovalId, CodeId, DeviceId, GrantId, KeyFingerprint, NotAFingerprint, PasskeyId, PrincipalId,
    RequestId, SessionId, TenantId,
};
pub use identity::{HpkePublicKey, IdentityFingerprint, KeystoreIdentity};
pub use info::{API_VERSION, INFO_PATH, Info, LoginMethods, OidcLogin};
pub use origin::{Origin, OriginError};
pub use problem::{ApiProblem, ProblemCode};
pub use session::{NotASessionToken, SessionHash, SessionToken};
