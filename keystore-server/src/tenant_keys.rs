// SPDX-License-Identifier: LGPL-2.0-or-later
//! Tenants' keys as the database has them: wrapped by the root key.

use std::collections::BTreeMap;

use plombe_core::{
    keystore::{TenantId, fields},
    secret::ResidentKey,
};
use uuid::Uuid;

use crate::{
    hierarchy::{TenantKey, TenantKeys},
    root_key::{RootKey, RootKeyError},
    store::{Store, StoreError, WrappedKeyRow},
};

/// Why there are no keys.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TenantKeysError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The root key.
    #[error(transparent)]
    Root(#[from] RootKeyError),
    /// There is nothing in the database.
    #[error("this database holds no keystore; `plombe-keystore init` makes one")]
    Empty,
    /// The root key is not the one that this keystore was made with, nor one that it was changed to.
    #[error("this root key does not open this keystore")]
    OtherRoot,
    /// A row that this program does not write.
    #[error("the database's list of keys is damaged")]
    Damaged,
}

/// A new random key, wrapped.
///
/// # Errors
/// When the root key's holder fails.
pub fn generate(
    root: &dyn RootKey,
    tenant: TenantId,
    generation: u32,
) -> Result<WrappedKeyRow, RootKeyError> {
    wrap(root, tenant, generation, &ResidentKey::generate())
}

/// A key under a root key.
///
/// # Errors
/// When the root key's holder fails.
pub fn wrap(
    root: &dyn RootKey,
    tenant: TenantId,
    generation: u32,
    key: &ResidentKey,
) -> Result<WrappedKeyRow, RootKeyError> {
    let wrapped = key.with(|bytes| root.wrap(&purpose(tenant, generation), bytes))?;
    Ok(WrappedKeyRow { tenant: tenant.0.as_bytes().to_vec(), generation, root: root.id(), wrapped })
}

/// The key of a row that this root key wrapped.
///
/// # Errors
/// When it did not, or the token fails.
pub fn unwrap(root: &dyn RootKey, row: &WrappedKeyRow) -> Result<ResidentKey, TenantKeysError> {
    Ok(root.unwrap(&purpose(tenant_of(row)?, row.generation), &row.wrapped)?)
}

/// Whose key a row is.
///
/// # Errors
/// When the row is damaged.
pub fn tenant_of(row: &WrappedKeyRow) -> Result<TenantId, TenantKeysError> {
    Uuid::from_slice(&row.tenant).map(TenantId).map_err(|_| TenantKeysError::Damaged)
}

/// Every tenant's keys that this root key opens. The newest generation is the current one.
///
/// # Errors
/// See [`TenantKeysError`].
pub async fn load(
    store: &dyn Store,
    root: &dyn RootKey,
) -> Result<BTreeMap<TenantId, TenantKeys>, TenantKeysError> {
    let rows = store.wrapped_keys().await?;
    if rows.is_empty() {
        return Err(TenantKeysError::Empty);
    }
    let root_id = root.id();
    let mut keys: BTreeMap<TenantId, TenantKeys> = BTreeMap::new();
    for row in rows.iter().filter(|row| row.root == root_id) {
        let tenant = tenant_of(row)?;
        let key = TenantKey::new(tenant.0, row.generation, unwrap(root, row)?);
        let all = match keys.remove(&tenant) {
            Some(others) => others.and_newest(TenantKeys::new(key)),
            None => TenantKeys::new(key),
        };
        keys.insert(tenant, all);
    }
    if keys.is_empty() { Err(TenantKeysError::OtherRoot) } else { Ok(keys) }
}

/// How a tenant's key is named where it is wrapped.
fn purpose(tenant: TenantId, generation: u32) -> Vec<u8> {
    fields(&[b"plombe keystore tenant key v1", tenant.0.as_bytes(), &generation.to_be_bytes()])
}
