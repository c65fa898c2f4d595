// SPDX-License-Identifier: LGPL-2.0-or-later
//! A new key for a tenant.
//!
//! 1. The new key is added to the database, wrapped. From here on it is a rotation that is under way, for whoever starts one.
//! 2. The tenant's records go through the ledger once more, and come out sealed under the new key. Every server reads changed
//!    records under the log's lock before it writes anything. So each meets the new key there, loads it, and seals with it from
//!    then on: once this step is through, nothing is sealed under the old key any more.
//! 3. Blobs, log entries and kept answers are sealed anew one by one. The content is the same, and so is what the log says of it. What
//!    changes meanwhile has the new key already and is left alone.
//! 4. Under the log's lock: when nothing is left under an old key, the old key goes.

use plombe_core::keystore::TenantId;

use super::RotationError;
use crate::{
    access_policy::{Action, Refusal},
    custody::BLOB_KINDS,
    hierarchy::{BlobName, OpenBlobError, TenantKeys, generation_of},
    instance::{self, by_server},
    keychain::Keychain,
    ledger::{Act, Effects, Ledger, Scene},
    registry::{INSTANCE, RecordKey},
    store::{Place, SealedRow, Store, WrappedKeyRow},
    tenant_keys,
};

/// Records per batch: others wait so long for the log's lock.
const RECORDS_AT_ONCE: usize = 500;
/// Rows per transaction, for the same reason.
const ROWS_AT_ONCE: u32 = 200;
/// How often it starts over when something is left.
const ROUNDS: usize = 3;

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rotated {
    /// Of the key that is in use now.
    pub generation: u32,
    /// Blobs, entries and answers that were sealed anew.
    pub rows: u64,
}

/// Gives a tenant, or the instance itself, a new key; goes on with what was begun before, if something was.
///
/// # Errors
/// See [`RotationError`].
pub async fn rotate(
    store: &dyn Store,
    keychain: &Keychain,
    ledger: &Ledger,
    tenant: TenantId,
) -> Result<Rotated, RotationError> {
    begin(store, keychain, tenant).await?;
    keychain.reload(store).await?;
    let keys = keychain.tenant(tenant).ok_or(RotationError::NoTenant)?;
    let generation = keys.current().generation();
    let rotation = Rotation { store, keychain, tenant, keys, generation };
    rotation.renew_records(ledger).await?;
    let mut rows = 0;
    for _ in 0..ROUNDS {
        for place in [Place::Blobs, Place::Entries, Place::Answers] {
            rows += rotation.renew_rows(place).await?;
        }
        if tenant == INSTANCE {
            instance::renew_secrets(store, keychain).await?;
        }
        if rotation.finish().await? {
            return Ok(Rotated { generation, rows });
        }
    }
    Err(RotationError::StillInUse)
}

/// Adds a new key, unless there is one that everything is not sealed under yet.
async fn begin(store: &dyn Store, keychain: &Keychain, tenant: TenantId) -> Result<(), RotationError> {
    let root = keychain.root();
    let newest = |rows: &[WrappedKeyRow]| rows.iter().map(|row| row.generation).max();
    let rows = of_tenant(store.wrapped_keys().await?, tenant);
    // Made before the lock is taken: a token takes its time.
    let next = newest(&rows).ok_or(RotationError::NoTenant)? + 1;
    let row = tenant_keys::generate(root, tenant, next)?;
    let mut transaction = store.begin().await?;
    let all = transaction.wrapped_keys().await?;
    if all.iter().any(|row| row.root != root.id()) {
        return Err(RotationError::RootChanging);
    }
    let rows = of_tenant(all, tenant);
    if rows.len() == 1 && newest(&rows) == Some(next - 1) {
        transaction.add_wrapped_key(&row).await?;
        transaction.commit().await?;
    }
    Ok(())
}

fn of_tenant(rows: Vec<WrappedKeyRow>, tenant: TenantId) -> Vec<WrappedKeyRow> {
    rows.into_iter().filter(|row| row.tenant == tenant.0.as_bytes()).collect()
}

struct Rotation<'a> {
    store: &'a dyn Store,
    keychain: &'a Keychain,
    tenant: TenantId,
    keys: TenantKeys,
    generation: u32,
}

impl Rotation<'_> {
    async fn renew_records(&self, ledger: &Ledger) -> Result<(), RotationError> {
        let mut keys: Vec<RecordKey> = {
            let registry = ledger.registry();
            let mine = registry.records().filter(|record| record.tenant() == self.tenant);
            mine.map(|record| record.key()).collect()
        };
        keys.sort();
        for some in keys.chunks(RECORDS_AT_ONCE) {
            ledger.ask(by_server(Renew { keys: some.to_vec() })).await?;
        }
        Ok(())
    }

    async fn renew_rows(&self, place: Place) -> Result<u64, RotationError> {
        let tenant = self.keychain.name_of_tenant(self.tenant);
        let mut renewed = 0;
        let mut after: Option<SealedRow> = None;
        loop {
            let page = self
                .store
                .sealed_otherwise(place, &tenant, self.generation, after.as_ref(), ROWS_AT_ONCE)
                .await?;
            let Some(last) = page.last().cloned() else { return Ok(renewed) };
            let mut rows = Vec::with_capacity(page.len());
            for row in page {
                let sealed = self.renew_row(place, &row)?;
                rows.push((row, sealed));
            }
            self.store.replace_sealed(place, &rows).await?;
            renewed += rows.len() as u64;
            after = Some(last);
        }
    }

    fn renew_row(&self, place: Place, row: &SealedRow) -> Result<Vec<u8>, RotationError> {
        let (kinds, word): (&[&str], _) = match place {
            Place::Blobs => (&BLOB_KINDS, "blobs"),
            Place::Entries => (&["entry"], "entries"),
            Place::Answers => (&["answer"], "answers"),
        };
        let name = |kind| BlobName { kind, id: &row.id, version: row.version };
        for kind in kinds {
            match self.keys.open(&name(kind), &row.sealed) {
                Ok(content) => return Ok(self.keys.seal(&name(kind), &content)),
                // The database does not say of what kind a blob is.
                Err(OpenBlobError::Unreadable) => {}
                Err(_) => break,
            }
        }
        Err(RotationError::Unreadable { place: word })
    }

    /// Drops the old keys if nothing needs them.
    async fn finish(&self) -> Result<bool, RotationError> {
        let name = self.keychain.name_of_tenant(self.tenant);
        let mut transaction = self.store.begin().await?;
        if self.tenant == INSTANCE {
            let head = transaction.head().await?;
            if head.is_some_and(|head| generation_of(&head.sealed) != Ok(self.generation)) {
                return Ok(false);
            }
        }
        if transaction.has_sealed_otherwise(&name, self.generation).await? {
            return Ok(false);
        }
        for row in of_tenant(transaction.wrapped_keys().await?, self.tenant) {
            if row.generation < self.generation {
                transaction.drop_wrapped_key(&row).await?;
            }
        }
        transaction.commit().await?;
        Ok(true)
    }
}

/// The same records again. What they say is looked up under the lock, so nothing is undone.
struct Renew {
    keys: Vec<RecordKey>,
}

impl Act for Renew {
    type Answer = ();

    fn action(&self) -> Action {
        Action::RenewSealing
    }

    fn effects(&mut self, scene: &Scene<'_>) -> Result<Effects<()>, Refusal> {
        let living = self.keys.iter().filter_map(|key| scene.registry.record(key));
        Ok(Effects { put: living.cloned().collect(), ..Effects::none(()) })
    }
}
