// SPDX-License-Identifier: LGPL-2.0-or-later
//! The writer's own copy of everything: what it decides on, and what it checks the database against.

use std::{collections::HashMap, sync::Arc};

use plombe_core::log::{ConsistencyProof, Frontier, SignedCheckpoint};

use super::{
    StartError,
    head::{Halt, Head},
    replays::Replays,
};
use crate::{
    hierarchy::BlobName,
    keychain::Keychain,
    proofs_of_history::consistency,
    registry::{INSTANCE, Kind, Record, RecordKey, Registry},
    store::{HeadRow, Name, RecordRow, Store, StoreError, Transaction},
};

/// A record that changed, or ended.
pub(super) type Change = (RecordKey, Option<Arc<Record>>);

/// In the order in which they were made.
pub(super) type Changes = Vec<Change>;

/// State as of the last batch that this server wrote or read.
pub(super) struct Mirror {
    registry: Registry,
    rows: HashMap<RecordKey, Row>,
    /// Which record a row of the database is: rows that ended have no content to tell.
    by_name: HashMap<(i16, Name), RecordKey>,
    head: Head,
    sealed_head: Vec<u8>,
    checkpoint: Option<SignedCheckpoint>,
    /// Only this server's: each of them may record a few.
    pub(super) replays: Replays,
    /// Refusals of those who may do nothing, in the same way.
    pub(super) shut_out: Replays,
}

#[derive(Clone, Copy)]
struct Row {
    version: u64,
    digest: [u8; 32],
}

/// A record's row before a batch, and the record.
pub(super) struct Undo {
    key: RecordKey,
    record: Option<Arc<Record>>,
}

/// How the head's blob is called. Its version is the position: an older head does not open as a newer one.
pub(crate) fn head_name(position: u64) -> BlobName<'static> {
    BlobName { kind: "head", id: b"head", version: position }
}

/// What the seal says, if it is the keystore's own and of this position.
fn genuine_head(keychain: &Keychain, row: &HeadRow) -> Result<Head, Halt> {
    let content =
        keychain.open(INSTANCE, &head_name(row.position), &row.sealed).map_err(|_| Halt::Tampered)?;
    let head = Head::from_bytes(&content).ok_or(Halt::Tampered)?;
    if head.frontier.size() == row.position { Ok(head) } else { Err(Halt::Tampered) }
}

impl Mirror {
    /// Everything that is in the database, checked against its head.
    pub(super) async fn load(store: &dyn Store, keychain: &Keychain) -> Result<Self, StartError> {
        let mut mirror = Self {
            registry: Registry::default(),
            rows: HashMap::new(),
            by_name: HashMap::new(),
            head: Head { digest: [0; 32], time: 0, frontier: Frontier::new() },
            sealed_head: Vec::new(),
            checkpoint: None,
            replays: Replays::at_most(6),
            shut_out: Replays::at_most(30),
        };
        match store.load().await? {
            (None, records) if records.is_empty() => Ok(mirror),
            // Records without a head, or a head that does not fit them: not our doing.
            (None, _) => Err(Halt::Tampered.into()),
            (Some(head), records) => {
                mirror.take(keychain, &head, records)?;
                Ok(mirror)
            }
        }
    }

    pub(super) fn registry(&self) -> &Registry {
        &self.registry
    }

    pub(super) fn checkpoint(&self) -> Option<&SignedCheckpoint> {
        self.checkpoint.as_ref()
    }

    pub(super) fn frontier(&self) -> &Frontier {
        &self.head.frontier
    }

    /// Of the newest entry, seconds since 1970.
    pub(super) fn time(&self) -> u64 {
        self.head.time
    }

    /// Reads what other servers wrote meanwhile. `Some`: which records changed, to be published.
    pub(super) async fn catch_up(
        &mut self,
        store: &dyn Store,
        keychain: &Keychain,
        transaction: &mut dyn Transaction,
    ) -> Result<Result<Option<Changes>, Halt>, StoreError> {
        let known = self.head.frontier.size();
        let Some(row) = transaction.head().await? else {
            return Ok(if known == 0 { Ok(None) } else { Err(Halt::RolledBack) });
        };
        if row.position < known {
            return Ok(Err(Halt::RolledBack));
        }
        if row.sealed == self.sealed_head {
            // The position beside the seal is for statements; it says what the seal says, or somebody wrote it.
            return Ok(if row.position == known { Ok(None) } else { Err(Halt::Tampered) });
        }
        let records = transaction.records_changed_after(known).await?;
        if lacks_keys(keychain, &row, &records) {
            keychain.reload(store).await.map_err(|error| StoreError::Keys(error.to_string()))?;
        }
        let head = match genuine_head(keychain, &row) {
            Ok(head) => head,
            Err(halt) => return Ok(Err(halt)),
        };
        // What another server wrote has to go on from what this one knows: a database that went back can have grown past it again. The
        // tiles alone prove nothing, whoever writes to the database writes them: they have to lead to the sealed head.
        if known > 0 {
            let proof = ConsistencyProof::try_from(consistency(store, known, row.position).await?);
            let (old, new) = (self.head.frontier.head(), head.frontier.head());
            if !proof.is_ok_and(|proof| proof.verify(&old, &new).is_ok()) {
                return Ok(Err(Halt::Forked));
            }
        }
        Ok(self.take(keychain, &row, records).map(Some))
    }

    /// Takes over a head and the records that changed since the one before; nothing is kept that does not fit the digest.
    fn take(&mut self, keychain: &Keychain, row: &HeadRow, records: Vec<RecordRow>) -> Result<Changes, Halt> {
        let head = genuine_head(keychain, row)?;
        // Tenants first: the others are theirs.
        let (tenants, others): (Vec<_>, Vec<_>) =
            records.into_iter().partition(|record| record.kind == Kind::Tenant as i16);
        let mut changes = Vec::new();
        for record in tenants.into_iter().chain(others) {
            changes.extend(self.take_record(keychain, record)?);
        }
        if self.head.digest != head.digest {
            return Err(Halt::Tampered);
        }
        let checkpoint =
            SignedCheckpoint::open(&row.checkpoint, keychain.verifier()).map_err(|_| Halt::Tampered)?;
        if *checkpoint.head() != head.frontier.head() {
            return Err(Halt::Tampered);
        }
        self.head = head;
        self.sealed_head.clone_from(&row.sealed);
        self.checkpoint = Some(checkpoint);
        Ok(changes)
    }

    fn take_record(&mut self, keychain: &Keychain, row: RecordRow) -> Result<Option<Change>, Halt> {
        let kind = Kind::from_number(row.kind).ok_or(Halt::Tampered)?;
        let name = (row.kind, row.name);
        if row.sealed.is_empty() {
            let Some(key) = self.by_name.remove(&name) else { return Ok(None) };
            self.forget_row(&key);
            self.registry.remove(&key);
            return Ok(Some((key, None)));
        }
        let tenant = keychain.tenant_of(&row.tenant).ok_or(Halt::Tampered)?;
        let blob = BlobName { kind: kind.as_str(), id: &name.1, version: row.version };
        let json = keychain.open(tenant, &blob, &row.sealed).map_err(|_| Halt::Tampered)?;
        let record: Record = serde_json::from_slice(&json).map_err(|_| Halt::Tampered)?;
        let digest = keychain.record_digest(row.kind, &name.1, row.version, &row.sealed);
        let key = record.key();
        // An older one that was put back.
        if self.rows.get(&key).is_some_and(|known| row.version < known.version) {
            return Err(Halt::Tampered);
        }
        self.forget_row(&key);
        self.head.digest = xor(self.head.digest, digest);
        self.rows.insert(key.clone(), Row { version: row.version, digest });
        self.by_name.insert(name, key.clone());
        let record = Arc::new(record);
        self.registry.put(Arc::clone(&record));
        Ok(Some((key, Some(record))))
    }

    fn forget_row(&mut self, key: &RecordKey) {
        if let Some(row) = self.rows.remove(key) {
            self.head.digest = xor(self.head.digest, row.digest);
        }
    }

    /// Changes the registry only, for a batch that may still fail.
    pub(super) fn try_change(&mut self, key: RecordKey, record: Option<Arc<Record>>) -> Undo {
        let old = match record {
            Some(record) => self.registry.put(record),
            None => self.registry.remove(&key),
        };
        Undo { key, record: old }
    }

    /// Takes changes back, newest first.
    pub(super) fn undo(&mut self, changes: Vec<Undo>) {
        for Undo { key, record } in changes.into_iter().rev() {
            match record {
                Some(record) => self.registry.put(record),
                None => self.registry.remove(&key),
            };
        }
    }

    /// The row that a changed record becomes, and the digest after it. Nothing is kept before [`Mirror::commit`].
    pub(super) fn row(
        &self,
        keychain: &Keychain,
        key: &RecordKey,
        record: Option<&Record>,
        digest: &mut [u8; 32],
    ) -> RecordRow {
        let old = self.rows.get(key);
        let version = old.map_or(1, |row| row.version + 1);
        if let Some(row) = old {
            *digest = xor(*digest, row.digest);
        }
        let kind = key.kind as i16;
        let name = keychain.name(key.kind.as_str(), &key.id);
        let tenant = record.map_or(INSTANCE, Record::tenant);
        // An ended record leaves an empty row, so that other servers hear of it.
        let sealed = record.map_or_else(Vec::new, |record| {
            let json = serde_json::to_vec(record).expect("records have a JSON form");
            let blob = BlobName { kind: key.kind.as_str(), id: &name, version };
            keychain.seal(tenant, &blob, &json).expect("a tenant's key is there before its records")
        });
        if !sealed.is_empty() {
            *digest = xor(*digest, keychain.record_digest(kind, &name, version, &sealed));
        }
        RecordRow { kind, name, version, tenant: keychain.name_of_tenant(tenant), sealed }
    }

    /// A batch is durable: its rows and its head are what this server knows from now on.
    pub(super) fn commit(
        &mut self,
        keychain: &Keychain,
        rows: impl Iterator<Item = (RecordKey, RecordRow)>,
        head: Head,
        sealed_head: Vec<u8>,
        checkpoint: SignedCheckpoint,
    ) {
        for (key, row) in rows {
            let name = (row.kind, row.name);
            if row.sealed.is_empty() {
                self.rows.remove(&key);
                self.by_name.remove(&name);
            } else {
                let digest = keychain.record_digest(row.kind, &name.1, row.version, &row.sealed);
                self.rows.insert(key.clone(), Row { version: row.version, digest });
                self.by_name.insert(name, key);
            }
        }
        self.head = head;
        self.sealed_head = sealed_head;
        self.checkpoint = Some(checkpoint);
    }

    /// Digest of all records.
    pub(super) fn digest(&self) -> [u8; 32] {
        self.head.digest
    }
}

/// Did another server change a tenant's key?
fn lacks_keys(keychain: &Keychain, head: &HeadRow, records: &[RecordRow]) -> bool {
    // A record that ended has an empty row.
    let mut living = records.iter().filter(|record| !record.sealed.is_empty());
    keychain.lacks(&keychain.name_of_tenant(INSTANCE), &head.sealed)
        || living.any(|record| keychain.lacks(&record.tenant, &record.sealed))
}

fn xor(a: [u8; 32], b: [u8; 32]) -> [u8; 32] {
    std::array::from_fn(|i| a[i] ^ b[i])
}
