// SPDX-License-Identifier: LGPL-2.0-or-later
//! New keys for old, while servers run, and whatever step the machine stops at.
//!
//! * [`root`]: another root key wraps the same tenants' keys. Both wrappings are there until the administrator says that every
//!   server starts with the new one.
//! * [`tenant`]: a tenant gets a new key, everything is sealed anew, and the old key goes when nothing needs it.
//!
//! Neither keeps notes of how far it is: each looks at what is in the database, does what is missing, and can be
//! stopped and started as one likes.

pub mod root;
pub mod tenant;

use crate::{
    instance::InstanceError, ledger::AskError, root_key::RootKeyError, store::StoreError,
    tenant_keys::TenantKeysError,
};

/// Why a rotation did not come to its end. Nothing is lost; it goes on where it was when it is started again.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RotationError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A root key.
    #[error(transparent)]
    Root(#[from] RootKeyError),
    /// What a root key wraps.
    #[error(transparent)]
    TenantKeys(#[from] TenantKeysError),
    /// The instance's secrets.
    #[error(transparent)]
    Instance(#[from] InstanceError),
    /// The ledger.
    #[error(transparent)]
    Ask(#[from] AskError),
    /// A key that the root key in use does not wrap.
    #[error(
        "{count} keys are not wrapped by this root key yet; run rotate-root with the old one as root_key first"
    )]
    NotWrapped {
        /// How many.
        count: usize,
    },
    /// Two root keys wrap keys.
    #[error("the root key is being changed; end that first, with rotate-root --finish")]
    RootChanging,
    /// Both are the same.
    #[error("next_root_key is the root key that is in use already")]
    SameRoot,
    /// No such tenant.
    #[error("there is no such tenant")]
    NoTenant,
    /// Something that does not open under the tenant's keys.
    #[error(
        "something in the database does not open under the tenant's keys (among the {place}); it stays, and so does the old key"
    )]
    Unreadable {
        /// Where.
        place: &'static str,
    },
    /// Something new was sealed with the old key each time that everything was done.
    #[error("the old key is in use still; is a server of an older version running?")]
    StillInUse,
}
