// SPDX-License-Identifier: LGPL-2.0-or-later
//! Key hierarchy: root key → tenant key → one key per blob.
//!
//! * The [root key](crate::root_key) stays outside the database and does one thing: it wraps tenant keys.
//! * A [`TenantKey`] seals everything that a tenant stores, and puts MACs under what must not be forged. It has a generation, so
//!   that it can be replaced while the server runs: [`TenantKeys`] holds those that are in use.
//! * Each blob has a key of its own, derived with HKDF from the tenant key, a random salt and the blob's [`BlobName`].
//!   A blob that is moved to another row, or an old one that is put back, does not open.
//!
//! Reasons: `docs/decisions/0020-key-hierarchy.md`; what the keys protect: `docs/keystore/keys.md`.

mod blob;
mod keyring;
mod mac;
mod tenant_key;

pub use self::{
    blob::{BlobName, MalformedBlob, generation_of},
    keyring::{OpenBlobError, TenantKeys},
    mac::{Mac, MacError},
    tenant_key::{TenantKey, Unreadable},
};
