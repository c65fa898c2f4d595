// SPDX-License-Identifier: LGPL-2.0-or-later
//! Another root key.
//!
//! ```text
//! wrap_all      old root key in use      each key under both
//!               (servers change to the new root key, one after the other)
//! finish        new root key in use      each key under the new one alone
//! ```

use std::collections::BTreeSet;

use super::RotationError;
use crate::{
    root_key::RootKey,
    store::{Store, WrappedKeyRow},
    tenant_keys,
};

/// Wraps every key that `old` wraps under `new` too, and looks that it comes out again as the same key. Says how many it were.
///
/// # Errors
/// See [`RotationError`]. The keys under `old` stay whatever happens.
pub async fn wrap_all(
    store: &dyn Store,
    old: &dyn RootKey,
    new: &dyn RootKey,
) -> Result<usize, RotationError> {
    let (old_id, new_id) = (old.id(), new.id());
    if old_id == new_id {
        return Err(RotationError::SameRoot);
    }
    let rows = store.wrapped_keys().await?;
    let mut wrapped = 0;
    for row in rows.iter().filter(|row| row.root == old_id) {
        let key = tenant_keys::unwrap(old, row)?;
        let is_same =
            |other: &WrappedKeyRow| (&other.tenant, other.generation) == (&row.tenant, row.generation);
        let again = match rows.iter().find(|other| other.root == new_id && is_same(other)) {
            Some(done) => done.clone(),
            None => tenant_keys::wrap(new, tenant_keys::tenant_of(row)?, row.generation, &key)?,
        };
        let other = tenant_keys::unwrap(new, &again)?;
        // A token that gives another key back than it was given would cost everything.
        if !key.with(|key| other.with(|other| key == other)) {
            return Err(RotationError::NotWrapped { count: 1 });
        }
        store.add_wrapped_key(&again).await?;
        wrapped += 1;
    }
    Ok(wrapped)
}

/// Drops every wrapping that is not by `root`, all at once, when each key is under `root` and comes out. Says how many it were.
///
/// # Errors
/// `NotWrapped` when a key would be lost; nothing is dropped then.
pub async fn finish(store: &dyn Store, root: &dyn RootKey) -> Result<usize, RotationError> {
    let id = root.id();
    // Unwrapped before the lock is taken: a token takes its time.
    let mut sound = BTreeSet::new();
    for row in store.wrapped_keys().await?.iter().filter(|row| row.root == id) {
        tenant_keys::unwrap(root, row)?;
        sound.insert((row.tenant.clone(), row.generation));
    }
    let mut transaction = store.begin().await?;
    let rows = transaction.wrapped_keys().await?;
    let is_lost = |row: &&WrappedKeyRow| !sound.contains(&(row.tenant.clone(), row.generation));
    let count = rows.iter().filter(is_lost).count();
    if count > 0 {
        return Err(RotationError::NotWrapped { count });
    }
    let others: Vec<_> = rows.into_iter().filter(|row| row.root != id).collect();
    for row in &others {
        transaction.drop_wrapped_key(row).await?;
    }
    transaction.commit().await?;
    Ok(others.len())
}
