// SPDX-License-Identifier: LGPL-2.0-or-later
//! New keys for old: killed at each write, and while others work.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use plombe_core::keystore::TenantId;
use plombe_keystore::{
    access_policy::{Action, Refusal},
    hierarchy::{BlobName, generation_of},
    instance,
    keychain::SharedKeychain,
    ledger::{Act, Blob, Effects, Ledger, Scene},
    registry::{INSTANCE, Record, RecordKey},
    root_key::{FileRootKey, RootKey},
    rotation::{self, RotationError},
    store::Store,
};
use zeroize::Zeroizing;

use crate::{
    crashing::{Crash, Crashing, Plan},
    stage::{Person, Server, SetCode, Stage, origin},
};

/// A server whose keys a test can look at.
struct Open {
    store: Arc<dyn Store>,
    keychain: SharedKeychain,
    server: Server,
}

impl Open {
    async fn with(
        stage: &Stage,
        store: Arc<dyn Store>,
        root: FileRootKey,
    ) -> Result<Self, instance::InstanceError> {
        let (keychain, ledger) =
            instance::start(Arc::clone(&store), Arc::new(root), origin(), stage.clock()).await?;
        let server = Server { ledger, keychain: Arc::clone(&keychain) };
        Ok(Self { store, keychain, server })
    }

    async fn on(stage: &Stage) -> Self {
        Self::with(stage, stage.store(false).await, stage.root_key()).await.unwrap()
    }

    fn ledger(&self) -> &Ledger {
        &self.server.ledger
    }

    fn tenant(&self) -> TenantId {
        self.ledger().registry().tenants().next().unwrap().id
    }

    async fn rotate(&self, tenant: TenantId) -> Result<rotation::tenant::Rotated, RotationError> {
        rotation::tenant::rotate(&*self.store, &self.keychain, self.ledger(), tenant).await
    }

    /// Everything that can be read, opened: as a server after a start sees it.
    async fn everything(&self) -> Everything {
        let records =
            self.ledger().registry().records().map(|record| (record.key(), Record::clone(record))).collect();
        let mut entries = Vec::new();
        for row in self.store.entries(0, 10_000).await.unwrap() {
            let tenant = self.keychain.tenant_of(&row.tenant).unwrap();
            let name = BlobName { kind: "entry", id: &row.seq.to_be_bytes(), version: 0 };
            let content = self.keychain.open(tenant, &name, &row.sealed.unwrap()).unwrap();
            entries.push(content.to_vec());
        }
        let name = self.keychain.name("tsk", b"a key");
        let row = self.store.blob(&name).await.unwrap().unwrap();
        let name = BlobName { kind: "tsk", id: &name, version: row.version };
        let blob = self.keychain.open(self.tenant(), &name, &row.sealed).unwrap().to_vec();
        Everything { records, entries, blob }
    }

    /// Under how many generations something of the tenant's lies, and how many keys are there for it.
    async fn generations(&self, tenant: TenantId) -> (Vec<u32>, usize) {
        let name = self.keychain.name_of_tenant(tenant);
        let mut snapshot = self.store.snapshot().await.unwrap();
        let head = snapshot.head().await.unwrap();
        let records = snapshot.records(None).await.unwrap();
        let entries = self.store.entries(0, 10_000).await.unwrap();
        let records = records.into_iter().filter(|row| row.tenant == name && !row.sealed.is_empty());
        let entries = entries.into_iter().filter(|row| row.tenant == name).filter_map(|row| row.sealed);
        let head = head.filter(|_| tenant == INSTANCE).map(|head| head.sealed);
        let sealed = records.map(|row| row.sealed).chain(entries).chain(head);
        let mut generations: Vec<_> = sealed.map(|sealed| generation_of(&sealed).unwrap()).collect();
        generations.sort_unstable();
        generations.dedup();
        let keys = self.store.wrapped_keys().await.unwrap();
        (generations, keys.iter().filter(|row| row.tenant == tenant.0.as_bytes()).count())
    }
}

#[derive(Debug, PartialEq, Eq)]
struct Everything {
    records: BTreeMap<RecordKey, Record>,
    entries: Vec<Vec<u8>>,
    blob: Vec<u8>,
}

/// Something of every place: records, a blob, entries, and an answer that is kept.
async fn furnish(open: &Open) -> Person {
    let alice = open.server.person("alice@example.org").await;
    open.server.person("bob@example.org").await;
    open.ledger().ask(instance::by_server(PutBlob(open.tenant()))).await.unwrap();
    open.ledger().ask(Server::repeatable(&alice.actor, SetCode([1; 32]), 1, 1)).await.unwrap();
    alice
}

struct PutBlob(TenantId);

impl Act for PutBlob {
    type Answer = ();

    fn action(&self) -> Action {
        Action::SetUp
    }

    fn effects(&mut self, _scene: &Scene<'_>) -> Result<Effects<()>, Refusal> {
        let plaintext = Some(Zeroizing::new(b"a TSK, say".to_vec()));
        let blob = Blob { kind: "tsk", id: b"a key".to_vec(), tenant: self.0, version: 3, plaintext };
        Ok(Effects { blobs: vec![blob], ..Effects::none(()) })
    }
}

#[tokio::test]
async fn after_a_rotation_everything_is_there_and_nothing_is_under_the_old_key() {
    for stage in Stage::on_each().await {
        let open = Open::on(&stage).await;
        let alice = furnish(&open).await;
        let before = open.everything().await;
        for tenant in [open.tenant(), INSTANCE] {
            assert_eq!(open.rotate(tenant).await.unwrap().generation, 2);
            assert_eq!(open.generations(tenant).await, (vec![2], 1));
        }
        let again = Open::on(&stage).await;
        let after = again.everything().await;
        assert_eq!(after.records, before.records);
        assert_eq!(after.blob, before.blob);
        assert_eq!(after.entries[..before.entries.len()], before.entries, "the log says what it said");
        // The kept answer is given again.
        let size = again.server.size();
        let repeated = again.ledger().ask(Server::repeatable(&alice.actor, SetCode([1; 32]), 1, 1)).await;
        assert!(repeated.unwrap().answer < size);
        assert_eq!(again.rotate(again.tenant()).await.unwrap().generation, 3);
    }
}

#[tokio::test]
async fn a_rotation_killed_at_any_write_loses_nothing_and_goes_on() {
    let stage = Stage::new().await;
    furnish(&Open::on(&stage).await).await;
    let pristine = stage.folder().join("pristine");
    stage.store(false).await.copy_to(&pristine).await.unwrap();
    let tenant = Open::on(&stage).await.tenant();
    let mut crashes = 0;
    for tenant in [tenant, INSTANCE] {
        for crash in (1..).flat_map(|n| [Crash::Before(n), Crash::After(n)]) {
            let (stage, before) = fresh_copy(&stage, &pristine).await;
            let plan = Plan::new(crash);
            let store = Arc::new(Crashing { inner: stage.store(false).await, plan: Arc::clone(&plan) });
            let killed = Open::with(&stage, store, stage.root_key()).await.unwrap();
            let done = killed.rotate(tenant).await;
            if !plan.is_dead() {
                done.unwrap();
                break;
            }
            crashes += 1;
            drop(killed);
            // A server comes up on what is there, and works.
            let open = Open::on(&stage).await;
            let there = open.everything().await;
            assert_eq!((&there.records, &there.blob), (&before.records, &before.blob), "{crash:?}");
            assert_eq!(there.entries[..before.entries.len()], before.entries, "{crash:?}");
            open.server.person("carol@example.org").await;
            // And the rotation comes to its end.
            open.rotate(tenant).await.unwrap_or_else(|error| panic!("{crash:?}: {error}"));
            let (generations, keys) = open.generations(tenant).await;
            assert_eq!((generations.len(), keys), (1, 1), "{crash:?}");
            Open::on(&stage).await.everything().await;
        }
    }
    assert!(crashes >= 30, "only {crashes} places to be killed at");
}

async fn fresh_copy(stage: &Stage, pristine: &Path) -> (Stage, Everything) {
    let copy = stage.copy_with(pristine);
    let before = Open::on(&copy).await.everything().await;
    (copy, before)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn servers_work_on_while_keys_change() {
    for stage in Stage::on_each().await {
        let busy = Arc::new(Open::on(&stage).await);
        let idle = Open::on(&stage).await;
        let alice = furnish(&busy).await;
        let stop = Arc::new(std::sync::atomic::AtomicBool::new(false));
        let work = tokio::spawn({
            let (busy, stop, alice) = (Arc::clone(&busy), Arc::clone(&stop), alice.clone());
            async move {
                let mut positions = Vec::new();
                while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                    positions.push(busy.server.ask(&alice.actor, SetCode([2; 32])).await.unwrap().answer);
                }
                positions
            }
        });
        // As the administrator's command does it: in a process of its own.
        let command = Open::on(&stage).await;
        for round in 0..3 {
            for tenant in [command.tenant(), INSTANCE] {
                assert_eq!(command.rotate(tenant).await.unwrap().generation, round + 2);
            }
        }
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
        let positions = work.await.unwrap();
        assert!(!positions.is_empty());
        // One that had nothing to do all the time goes on as well.
        idle.server.ask(&alice.actor, SetCode([3; 32])).await.unwrap();
        for open in [&*busy, &idle, &Open::on(&stage).await] {
            let entries = open.everything().await.entries;
            assert!(positions.iter().all(|position| (*position as usize) < entries.len()));
        }
        for tenant in [command.tenant(), INSTANCE] {
            assert_eq!(command.generations(tenant).await, (vec![4], 1));
        }
    }
}

#[tokio::test]
async fn a_stolen_old_key_opens_nothing_afterwards() {
    let stage = Stage::new().await;
    let thief = Open::on(&stage).await;
    furnish(&thief).await;
    let stolen = thief.keychain.tenant(thief.tenant()).unwrap();
    Open::on(&stage).await.rotate(thief.tenant()).await.unwrap();
    let name = thief.keychain.name("tsk", b"a key");
    let row = thief.store.blob(&name).await.unwrap().unwrap();
    let name = BlobName { kind: "tsk", id: &name, version: row.version };
    assert!(stolen.open(&name, &row.sealed).is_err());
}

#[tokio::test]
async fn another_root_key_killed_at_any_write_loses_nothing_and_goes_on() {
    let stage = Stage::new().await;
    furnish(&Open::on(&stage).await).await;
    let pristine = stage.folder().join("pristine");
    stage.store(false).await.copy_to(&pristine).await.unwrap();
    let new_file = stage.folder().join("new.key");
    FileRootKey::create(&new_file).unwrap();
    let new = || FileRootKey::open(&new_file).unwrap();
    let comes_up = async |stage: &Stage, root: FileRootKey| match Open::with(
        stage,
        stage.store(false).await,
        root,
    )
    .await
    {
        Ok(open) => !open.everything().await.entries.is_empty(),
        Err(_) => false,
    };
    let mut crashes = 0;
    for crash in (1..).flat_map(|n| [Crash::Before(n), Crash::After(n)]) {
        let (stage, _) = fresh_copy(&stage, &pristine).await;
        let plan = Plan::new(crash);
        let store = Crashing { inner: stage.store(false).await, plan: Arc::clone(&plan) };
        let first = rotation::root::wrap_all(&store, &stage.root_key(), &new()).await;
        if first.is_err() {
            assert!(comes_up(&stage, stage.root_key()).await, "{crash:?}");
            rotation::root::wrap_all(&*stage.store(false).await, &stage.root_key(), &new()).await.unwrap();
        }
        assert!(comes_up(&stage, stage.root_key()).await && comes_up(&stage, new()).await, "{crash:?}");
        let second = rotation::root::finish(&store, &new()).await;
        assert!(comes_up(&stage, new()).await, "{crash:?}");
        if second.is_err() {
            rotation::root::finish(&*stage.store(false).await, &new()).await.unwrap();
        }
        assert!(comes_up(&stage, new()).await && !comes_up(&stage, stage.root_key()).await, "{crash:?}");
        if !plan.is_dead() {
            break;
        }
        crashes += 1;
    }
    assert!(crashes >= 8, "only {crashes} places to be killed at");
}

#[tokio::test]
async fn a_key_that_the_new_root_key_does_not_wrap_is_not_dropped() {
    for stage in Stage::on_each().await {
        let open = Open::on(&stage).await;
        furnish(&open).await;
        let new = FileRootKey::create(&stage.folder().join("new.key")).unwrap();
        let all = open.store.wrapped_keys().await.unwrap();
        assert!(matches!(
            rotation::root::finish(&*open.store, &new).await,
            Err(RotationError::NotWrapped { count: 2 })
        ));
        assert!(matches!(
            rotation::root::wrap_all(&*open.store, &stage.root_key(), &stage.root_key()).await,
            Err(RotationError::SameRoot)
        ));
        rotation::root::wrap_all(&*open.store, &stage.root_key(), &new).await.unwrap();
        // One at a time: a tenant's new key would be under one of both only.
        assert!(matches!(open.rotate(open.tenant()).await, Err(RotationError::RootChanging)));
        let mut transaction = open.store.begin().await.unwrap();
        let one = all.first().unwrap();
        let row = transaction.wrapped_keys().await.unwrap().into_iter();
        let mut row = row.filter(|row| row.root == new.id() && row.tenant == one.tenant);
        transaction.drop_wrapped_key(&row.next().unwrap()).await.unwrap();
        transaction.commit().await.unwrap();
        assert!(matches!(
            rotation::root::finish(&*open.store, &new).await,
            Err(RotationError::NotWrapped { count: 1 })
        ));
        assert_eq!(open.store.wrapped_keys().await.unwrap().len(), 3, "nothing was dropped");
    }
}
