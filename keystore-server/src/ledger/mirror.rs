// SPDX-License-Identifier: LGPL-2.0-or-later
//! The writer's own copy of everything: what it decides on, and what it checks the database against.

use std::{collections::BTreeMap, sync::Arc};

use plombe_core::log::{ConsistencyProof, Frontier, SignedCheckpoint};

use super::{
    StartError,
    ends::Ends,
    head::{Halt, Head},
    replays::Replays,
};
use crate::{
    hierarchy::BlobName,
    keychain::{Keychain, NAME_LEN},
    proofs_of_history::consistency,
    registry::{INSTANCE, Kind, Record, RecordKey, Registry},
    store::{HeadRow, RecordRow, Store, StoreError, Transaction},
};

/// State as of the last batch that this server wrote or read.
pub(super) struct Mirror {
    registry: Registry,
    /// What the database holds of each record, by its kind and name there.
    rows: BTreeMap<RowName, Row>,
    head: Head,
    sealed_head: Vec<u8>,
    checkpoint: Option<SignedCheckpoint>,
    /// Of the log.
    pub(super) ends: Ends,
    /// Only this server's: each of them may record a few.
    pub(super) replays: Replays,
    /// Refusals of those who may do nothing, in the same way.
    pub(super) shut_out: Replays,
}

type RowName = (i16, [u8; NAME_LEN]);

struct Row {
    version: u64,
    digest: [u8; 32],
    /// A row that ended has no content to tell which record it was.
    record: Arc<Record>,
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
            rows: BTreeMap::new(),
            head: Head { digest: [0; 32], time: 0, frontier: Frontier::new() },
            sealed_head: Vec::new(),
            checkpoint: None,
            ends: Ends::default(),
            replays: Replays::at_most(6),
            shut_out: Replays::at_most(30),
        };
        let mut snapshot = store.snapshot().await?;
        let row = snapshot.head().await?;
        let head = row.as_ref().map(|row| genuine_head(keychain, row)).transpose()?;
        // By kind, and so tenants first: the others are theirs.
        let mut page = snapshot.records(None).await?;
        let is_empty = page.is_empty();
        while let Some(last) = page.last() {
            let next = snapshot.records(Some(last)).await?;
            mirror.take_records(keychain, &page)?;
            page = next;
        }
        // Rows came in order, which leaves a tree's nodes half empty; made at once they are full.
        mirror.rows = std::mem::take(&mut mirror.rows).into_iter().collect();
        match (row, head) {
            (Some(row), Some(head)) => mirror.take_head(keychain, &row, head)?,
            // Records without a head: not our doing.
            _ if !is_empty => return Err(Halt::Tampered.into()),
            _ => {}
        }
        Ok(mirror)
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

    /// Reads what other servers wrote meanwhile, if they did.
    pub(super) async fn catch_up(
        &mut self,
        store: &dyn Store,
        keychain: &Keychain,
        transaction: &mut dyn Transaction,
    ) -> Result<Result<bool, Halt>, StoreError> {
        let known = self.head.frontier.size();
        let Some(row) = transaction.head().await? else {
            return Ok(if known == 0 { Ok(false) } else { Err(Halt::RolledBack) });
        };
        if row.position < known {
            return Ok(Err(Halt::RolledBack));
        }
        if row.sealed == self.sealed_head {
            // The position beside the seal is for statements; it says what the seal says, or somebody wrote it.
            return Ok(if row.position == known { Ok(false) } else { Err(Halt::Tampered) });
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
        Ok(self.take(keychain, &row, head, records).map(|()| true))
    }

    /// Takes over a head and the records that changed since the one before.
    fn take(
        &mut self,
        keychain: &Keychain,
        row: &HeadRow,
        head: Head,
        records: Vec<RecordRow>,
    ) -> Result<(), Halt> {
        // Tenants first: the others are theirs.
        let (tenants, others): (Vec<_>, Vec<_>) =
            records.into_iter().partition(|record| record.kind == Kind::Tenant as i16);
        self.take_records(keychain, &tenants)?;
        self.take_records(keychain, &others)?;
        self.take_head(keychain, row, head)
    }

    /// Nothing is kept that does not fit the digest.
    fn take_head(&mut self, keychain: &Keychain, row: &HeadRow, head: Head) -> Result<(), Halt> {
        if self.head.digest != head.digest {
            return Err(Halt::Tampered);
        }
        let checkpoint =
            SignedCheckpoint::open(&row.checkpoint, keychain.verifier()).map_err(|_| Halt::Tampered)?;
        if *checkpoint.head() != head.frontier.head() {
            return Err(Halt::Tampered);
        }
        self.head = head;
        self.ends.forget();
        self.sealed_head.clone_from(&row.sealed);
        self.checkpoint = Some(checkpoint);
        Ok(())
    }

    fn take_records(&mut self, keychain: &Keychain, rows: &[RecordRow]) -> Result<(), Halt> {
        // An ended record has an empty row.
        let is_alike = |one: &RecordRow, next: &RecordRow| {
            one.tenant == next.tenant && one.sealed.is_empty() == next.sealed.is_empty()
        };
        for rows in rows.chunk_by(is_alike) {
            if rows[0].sealed.is_empty() {
                for row in rows {
                    if let Some(old) = self.forget_row(&row_name(row).ok_or(Halt::Tampered)?) {
                        self.registry.remove(&old.key());
                    }
                }
                continue;
            }
            let blobs = rows.iter().map(|row| {
                let kind = Kind::from_number(row.kind).ok_or(Halt::Tampered)?;
                let name = BlobName { kind: kind.as_str(), id: &row.name, version: row.version };
                Ok((name, &row.sealed[..]))
            });
            let blobs: Vec<_> = blobs.collect::<Result<_, Halt>>()?;
            let tenant = keychain.tenant_of(&rows[0].tenant).ok_or(Halt::Tampered)?;
            let opened = keychain.open_all(tenant, blobs).map_err(|_| Halt::Tampered)?;
            for (row, json) in rows.iter().zip(opened) {
                self.take_record(keychain, row, &json)?;
            }
        }
        Ok(())
    }

    fn take_record(&mut self, keychain: &Keychain, row: &RecordRow, json: &[u8]) -> Result<(), Halt> {
        let name = row_name(row).ok_or(Halt::Tampered)?;
        let record: Arc<Record> = Arc::new(serde_json::from_slice(json).map_err(|_| Halt::Tampered)?);
        // An older one that was put back.
        if self.rows.get(&name).is_some_and(|known| row.version < known.version) {
            return Err(Halt::Tampered);
        }
        self.forget_row(&name);
        let digest = keychain.record_digest(row.kind, &row.name, row.version, &row.sealed);
        self.head.digest = xor(self.head.digest, digest);
        self.rows.insert(name, Row { version: row.version, digest, record: Arc::clone(&record) });
        self.registry.put(record);
        Ok(())
    }

    fn forget_row(&mut self, name: &RowName) -> Option<Arc<Record>> {
        let row = self.rows.remove(name)?;
        self.head.digest = xor(self.head.digest, row.digest);
        Some(row.record)
    }

    /// Changes the registry only, for a batch that may still fail.
    pub(super) fn try_change(&mut self, key: &RecordKey, record: Option<Arc<Record>>) {
        match record {
            Some(record) => self.registry.put(record),
            None => self.registry.remove(key),
        }
    }

    /// Takes changes back that came to nothing.
    pub(super) fn put_back(&mut self, registry: Registry) {
        self.registry = registry;
    }

    /// The row that a changed record becomes in the batch that makes the log `position` entries long, and the digest after
    /// it. Nothing is kept before [`Mirror::commit`].
    pub(super) fn row(
        &self,
        keychain: &Keychain,
        key: &RecordKey,
        record: Option<&Record>,
        position: u64,
        digest: &mut [u8; 32],
    ) -> RecordRow {
        let kind = key.kind as i16;
        let name = keychain.name(key.kind.as_str(), &key.id);
        let old = <[u8; NAME_LEN]>::try_from(&name[..]).ok().and_then(|name| self.rows.get(&(kind, name)));
        // Above whatever it was before it ended: a server that missed the end would see an older one put back.
        let version = old.map_or(position, |row| position.max(row.version + 1));
        if let Some(row) = old {
            *digest = xor(*digest, row.digest);
        }
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
            let name = row_name(&row).expect("it was made by this server");
            match self.registry.shared(&key) {
                Some(record) => {
                    let digest = keychain.record_digest(row.kind, &row.name, row.version, &row.sealed);
                    let record = Arc::clone(record);
                    self.rows.insert(name, Row { version: row.version, digest, record });
                }
                None => drop(self.rows.remove(&name)),
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

fn row_name(row: &RecordRow) -> Option<RowName> {
    Some((row.kind, row.name[..].try_into().ok()?))
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
