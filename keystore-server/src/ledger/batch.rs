// SPDX-License-Identifier: LGPL-2.0-or-later
//! One batch: decide, record, write.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
    time::{Duration, SystemTime},
};

use plombe_core::{
    keystore::{KeyFingerprint, PrincipalId, ProblemCode, TenantId},
    log::{
        Checkpoint, Frontier, MAX_BODY_BYTES, NodeHash, NodeId, Salt, SignedCheckpoint, commitment,
        entry::Chain, leaf_hash,
    },
};
use zeroize::Zeroizing;

use super::{
    act::{Job, Outcome, Scene},
    concerned::{actor_principal, claimed, meant, tenant_of, whose},
    entry,
    head::Head,
    mirror::{Mirror, head_name},
    tiles::Tiles,
    time::STEP,
};
use crate::{
    access_policy::{self, Action, Actor, Refusal, refusal, seconds},
    custody::BLOB_KINDS,
    hierarchy::BlobName,
    keychain::Keychain,
    registry::{Grant, INSTANCE, Key, Record, RecordKey, Registry},
    store::{
        self, BlobRow, ChainRow, EntryRow, HeadRow, Name, RecordRow, RequestRow, StoreError, TileRow,
        Transaction,
    },
};

/// How long an answer is kept for a request that may come again.
const ANSWERS_KEPT_SECONDS: u64 = 600;

/// Everything that one transaction is about to write.
pub(super) struct Batch<'a> {
    keychain: &'a Keychain,
    mirror: &'a mut Mirror,
    /// What is decided by.
    now: SystemTime,
    /// What the log says. Never earlier than before, even if a server was ahead.
    stamp: SystemTime,
    frontier: Frontier,
    nodes: Vec<(NodeId, NodeHash)>,
    chains: HashMap<Name, ChainRow>,
    changes: BTreeMap<RecordKey, Option<Arc<Record>>>,
    /// As it is again when nothing comes of this.
    before: Registry,
    /// Entries by whose key is to seal them.
    unsealed: BTreeMap<TenantId, Vec<Unsealed>>,
    rows: store::Batch,
}

/// An entry before it is sealed.
struct Unsealed {
    seq: [u8; 8],
    content: Zeroizing<Vec<u8>>,
    lists: Vec<Name>,
}

/// A batch that is written and not yet committed.
pub(super) struct Written {
    before: Registry,
    record_rows: Vec<(RecordKey, RecordRow)>,
    chains: Vec<ChainRow>,
    tiles: Vec<TileRow>,
    head: Head,
    sealed_head: Vec<u8>,
    checkpoint: SignedCheckpoint,
}

impl<'a> Batch<'a> {
    pub(super) fn new(keychain: &'a Keychain, mirror: &'a mut Mirror, now: SystemTime) -> Self {
        let newest = SystemTime::UNIX_EPOCH + Duration::from_secs(mirror.time());
        // Servers differ a little, and nothing comes back to life in between. A log that is far ahead is somebody's wrong clock: what is
        // good for ten minutes would be good until the time has caught up.
        let now = if newest > now + STEP { now } else { now.max(newest) };
        Self {
            frontier: mirror.frontier().clone(),
            before: mirror.registry().clone(),
            keychain,
            mirror,
            now,
            stamp: now.max(newest),
            nodes: Vec::new(),
            chains: HashMap::new(),
            changes: BTreeMap::new(),
            unsealed: BTreeMap::new(),
            rows: store::Batch::default(),
        }
    }

    /// Decides all jobs in their order. Outcomes stand in the order of the jobs and are worth nothing before the commit.
    pub(super) async fn decide(
        &mut self,
        transaction: &mut dyn Transaction,
        jobs: &mut [Box<dyn Job>],
    ) -> Result<Vec<Outcome>, StoreError> {
        let once: Vec<_> = jobs.iter().flat_map(|job| job.once().to_vec()).collect();
        let mut fresh = transaction.insert_proofs(&once).await?.into_iter();
        let ids: Vec<Name> = jobs.iter().filter_map(|job| job.kept_request().map(|r| r.id.clone())).collect();
        let known: HashMap<Name, RequestRow> =
            transaction.requests(&ids).await?.into_iter().map(|row| (row.id.clone(), row)).collect();
        let keys = jobs.iter().filter_map(|job| job.action().key().map(|key| self.chain_name(key)));
        let mut unknown = Vec::new();
        for key in keys.collect::<BTreeSet<Name>>() {
            match self.mirror.ends.chain(&key) {
                Some(row) => _ = self.chains.insert(key, row.clone()),
                None => unknown.push(key),
            }
        }
        self.chains.extend(transaction.chains(&unknown).await?.into_iter().map(|row| (row.key.clone(), row)));

        let mut outcomes = Vec::with_capacity(jobs.len());
        for job in jobs {
            // The first is the proof that came with the request, the others are what the request hands in.
            let are_fresh: Vec<bool> = fresh.by_ref().take(job.once().len()).collect();
            let before = job.kept_request().and_then(|request| {
                let mine = self.rows.requests.iter().find(|row| row.id == request.id);
                mine.or_else(|| known.get(&request.id)).cloned()
            });
            outcomes.push(self.decide_one(&mut **job, &are_fresh, before));
        }
        Ok(outcomes)
    }

    /// Whoever can make entries as a stranger, as somebody who is shut out, or by sending what he has recorded, can fill the log with them.
    fn is_worth_an_entry(&mut self, actor: &Actor, action: &Action, refusal: &Refusal) -> bool {
        match actor {
            _ if action.is_from_outside() => false,
            _ if matches!(action, Action::LogOutByProvider { .. }) => !refusal.is_anybodys(),
            Actor::Newcomer { .. } => !refusal.is_anybodys(),
            Actor::Device(claimed) if refusal.rule == refusal::PROOF_REPLAYED.rule => {
                self.mirror.replays.is_worth_an_entry(claimed.session, seconds(self.now))
            }
            // A device that waits, a session that ran out, somebody who is suspended.
            Actor::Device(claimed)
                if matches!(refusal.problem, ProblemCode::DevicePending | ProblemCode::NotLoggedIn) =>
            {
                self.mirror.shut_out.is_worth_an_entry(claimed.session, seconds(self.now))
            }
            Actor::Device(_) | Actor::Server => true,
        }
    }

    fn decide_one(&mut self, job: &mut dyn Job, are_fresh: &[bool], before: Option<RequestRow>) -> Outcome {
        let action = job.action();
        // What is good once was used up by this very request, when it comes again. Its proof is another one each time.
        let is_again = match (&before, job.kept_request()) {
            (Some(row), Some(request)) => row.digest == request.digest,
            _ => false,
        };
        let is_fresh = are_fresh.iter().skip(usize::from(!are_fresh.is_empty())).all(|fresh| *fresh);
        let decision = if are_fresh.first().is_none_or(|proof| *proof) && (is_fresh || is_again) {
            access_policy::decide(self.mirror.registry(), job.actor(), &action, self.now)
        } else {
            Err(refusal::PROOF_REPLAYED.into())
        };
        // The same request again: the same answer, if it still may be had, and no second entry.
        if let (Some(row), Some(request)) = (&before, job.kept_request()) {
            let is_same = row.digest == request.digest;
            match &decision {
                Ok(_) if !is_same => return Outcome::Failed(super::AskError::RequestIdReused),
                Ok(_) => return self.repeated(row),
                Err(refusal) if is_same && refusal.may_be_ones_own_doing() => return self.repeated(row),
                Err(_) => {}
            }
        }
        let position = self.frontier.size();
        let outcome = match decision {
            Err(refusal) => Err(refusal),
            Ok(permitted) => {
                let actor = job.actor().clone();
                let scene =
                    Scene { registry: self.mirror.registry(), actor: &actor, now: self.now, position };
                job.effects(&scene).map(|(effects, kept)| (permitted, effects, kept))
            }
        };
        match outcome {
            Err(refusal) => {
                if !self.is_worth_an_entry(job.actor(), &action, &refusal) {
                    return Outcome::Failed(super::AskError::Unrecorded(refusal));
                }
                self.record(job, &action, Err(&refusal), &[], None);
                Outcome::Failed(super::AskError::Refused(refusal))
            }
            Ok((permitted, effects, kept)) => {
                // Looked up before the change: what an act ends still counts for who is told.
                let changed = effects.put.iter().map(Record::tenant).find(|tenant| *tenant != INSTANCE);
                self.record(job, &action, Ok(permitted.rule), &effects.concerns, changed);
                for record in effects.put {
                    self.change(record.key(), Some(Arc::new(record)));
                }
                for key in effects.ended {
                    self.change(key, None);
                }
                for blob in effects.blobs {
                    self.blob(blob);
                }
                if let (Some(kept), Some(request)) = (kept, job.kept_request()) {
                    let tenant = tenant_of(self.mirror.registry(), job.actor());
                    let name = BlobName { kind: "answer", id: &request.id, version: position };
                    let answer = self.keychain.seal(tenant, &name, &kept).unwrap_or_default();
                    self.rows.requests.push(RequestRow {
                        id: request.id.clone(),
                        digest: request.digest.clone(),
                        seq: position,
                        tenant: self.keychain.name_of_tenant(tenant),
                        answer,
                        expires: seconds(self.now) + ANSWERS_KEPT_SECONDS,
                    });
                }
                Outcome::Permitted { position, repeated: None }
            }
        }
    }

    fn repeated(&self, row: &RequestRow) -> Outcome {
        let name = BlobName { kind: "answer", id: &row.id, version: row.seq };
        let tenant = self.keychain.tenant_of(&row.tenant).unwrap_or(INSTANCE);
        match self.keychain.open(tenant, &name, &row.answer) {
            Ok(answer) => Outcome::Permitted { position: row.seq, repeated: Some(answer) },
            Err(_) => Outcome::Failed(super::AskError::Unavailable),
        }
    }

    fn change(&mut self, key: RecordKey, record: Option<Arc<Record>>) {
        self.mirror.try_change(&key, record.clone());
        self.changes.insert(key, record);
    }

    fn blob(&mut self, blob: super::Blob) {
        debug_assert!(BLOB_KINDS.contains(&blob.kind), "or nobody can seal it anew: {}", blob.kind);
        let name = self.keychain.name(blob.kind, &blob.id);
        let Some(plaintext) = blob.plaintext else {
            self.rows.erased.push(name);
            return;
        };
        let sealed = self.keychain.seal(
            blob.tenant,
            &BlobName { kind: blob.kind, id: &name, version: blob.version },
            &plaintext,
        );
        self.rows.blobs.push(BlobRow {
            version: blob.version,
            tenant: self.keychain.name_of_tenant(blob.tenant),
            sealed: sealed.expect("a tenant's key is there before its blobs"),
            name,
        });
    }

    fn chain_name(&self, key: &plombe_core::keystore::KeyFingerprint) -> Name {
        self.keychain.name("chain", key.as_fingerprint().as_bytes())
    }

    /// Appends the entry.
    fn record(
        &mut self,
        job: &dyn Job,
        action: &Action,
        decision: Result<&'static str, &Refusal>,
        concerns: &[PrincipalId],
        changed: Option<TenantId>,
    ) {
        let seq = self.frontier.size();
        let registry = self.mirror.registry();
        let tenant = whose(registry, job.actor(), action, concerns, changed);
        let mut lists: Vec<Name> = Vec::new();
        let list = |principal: PrincipalId| self.keychain.name("list", principal.0.as_bytes());
        lists.extend(actor_principal(registry, job.actor()).map(list));
        lists.extend(concerns.iter().copied().map(list));
        lists.extend(meant(registry, action).map(list));
        lists.extend(claimed(registry, action).map(list));
        let mut chain = None;
        if let Some(fingerprint) = action.key() {
            lists.extend(registry.key(fingerprint).map(|key| list(key.owner)));
        }
        // A stranger's refusal stands in the owner's list and is no link of the key's: its number would tell the stranger how often the
        // key is used.
        let asker = actor_principal(registry, job.actor());
        let may_know = |key: &Key| {
            let holds = |grant: &Grant| Some(grant.to) == asker;
            asker == Some(key.owner) || registry.grants_on(&key.id).any(holds)
        };
        let is_link = |key: &&KeyFingerprint| decision.is_ok() || registry.key(key).is_some_and(may_know);
        if let Some(fingerprint) = action.key().filter(is_link) {
            let name = self.chain_name(fingerprint);
            lists.push(self.keychain.name("key-list", fingerprint.as_fingerprint().as_bytes()));
            let row = self.chains.entry(name.clone()).or_insert(ChainRow { key: name, counter: 0, last: 0 });
            let previous = (row.counter > 0).then_some(row.last);
            row.counter += 1;
            row.last = seq;
            chain = Some(Chain { counter: row.counter, previous });
        }
        lists.sort();
        lists.dedup();

        let body = entry::body(registry, job, action, decision, chain, self.stamp);
        debug_assert!(body.len() <= MAX_BODY_BYTES, "entries are bounded where they are made");
        let mut salt = Zeroizing::new([0; 32]);
        aws_lc_rs::rand::fill(salt.as_mut_slice()).expect("a system without randomness cannot hold keys");
        let content = Zeroizing::new([&salt[..], &body].concat());
        let leaf = leaf_hash(seq, &commitment(&Salt::new(*salt), &body));
        self.nodes.extend(self.frontier.append(leaf));
        let seq = seq.to_be_bytes();
        self.unsealed.entry(tenant).or_default().push(Unsealed { seq, content, lists });
    }

    /// The entries as they are stored.
    fn seal_entries(&mut self) {
        for (tenant, entries) in std::mem::take(&mut self.unsealed) {
            let blobs = entries.iter().map(|entry| {
                (BlobName { kind: "entry", id: &entry.seq, version: 0 }, entry.content.as_slice())
            });
            let sealed = self.keychain.seal_all(tenant, blobs).expect("the actor's tenant has a key");
            let tenant = self.keychain.name_of_tenant(tenant);
            self.rows.entries.extend(entries.into_iter().zip(sealed).map(|(entry, sealed)| EntryRow {
                seq: u64::from_be_bytes(entry.seq),
                tenant: tenant.clone(),
                sealed: Some(sealed),
                lists: entry.lists,
            }));
        }
    }

    /// Takes everything back.
    pub(super) fn abandon(self) {
        self.mirror.put_back(self.before);
    }

    /// Writes everything; `None` when there is nothing to write.
    pub(super) async fn write(
        mut self,
        transaction: &mut dyn Transaction,
    ) -> Result<Option<Written>, StoreError> {
        if self.unsealed.is_empty() {
            return Ok(None);
        }
        self.seal_entries();
        let position = self.frontier.size();
        let mut digest = self.mirror.digest();
        let mut record_rows = Vec::with_capacity(self.changes.len());
        for (key, record) in &self.changes {
            let row = self.mirror.row(self.keychain, key, record.as_deref(), position, &mut digest);
            record_rows.push((*key, row));
        }
        let head = Head { digest, time: seconds(self.stamp), frontier: self.frontier };
        let sealed_head = self
            .keychain
            .seal(INSTANCE, &head_name(position), &head.to_bytes())
            .expect("the instance's key is there from the start");
        let checkpoint = self.keychain.sign(&Checkpoint {
            origin: self.keychain.verifier().name().to_owned(),
            head: head.frontier.head(),
            time: Some(self.stamp),
        });
        self.rows.records = record_rows.iter().map(|(_, row)| row.clone()).collect();
        self.rows.chains = self.chains.drain().map(|(_, row)| row).collect();
        self.rows.head =
            Some(HeadRow { position, sealed: sealed_head.clone(), checkpoint: checkpoint.note().to_owned() });
        let mut tiles = Tiles::default();
        let added = tiles.add(&self.mirror.ends, transaction, self.nodes).await;
        self.rows.tiles = tiles.into_rows();
        let written = match added {
            Ok(()) => transaction.write(&self.rows).await,
            Err(error) => Err(error),
        };
        if let Err(error) = written {
            self.mirror.put_back(self.before);
            return Err(error);
        }
        Ok(Some(Written {
            before: self.before,
            record_rows,
            chains: self.rows.chains,
            tiles: self.rows.tiles,
            head,
            sealed_head,
            checkpoint,
        }))
    }
}

impl Written {
    /// It is durable. Did any record change?
    pub(super) fn committed(self, keychain: &Keychain, mirror: &mut Mirror) -> bool {
        let has_changes = !self.record_rows.is_empty();
        mirror.ends.keep(self.chains, self.tiles);
        mirror.commit(keychain, self.record_rows.into_iter(), self.head, self.sealed_head, self.checkpoint);
        has_changes
    }

    /// It is not, or nobody knows: the next batch reads it again if it is.
    pub(super) fn failed(self, mirror: &mut Mirror) {
        mirror.put_back(self.before);
    }
}
