// SPDX-License-Identifier: LGPL-2.0-or-later
//! A keystore's insides without its HTTP: a SQLite file, a ledger, a principal with a device.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use plombe_core::keystore::{
    DeviceId, DeviceThumbprint, Origin, PrincipalId, RequestId, SessionId, TenantId,
    calls::{
        custody::Context,
        login::{DeviceState, Role},
        principals::PrincipalState,
        revoke::Target,
    },
};
use plombe_keystore::{
    access_policy::{Action, Actor, Claimed, Refusal, seconds},
    fresh,
    instance::{self, Organisation},
    keychain::SharedKeychain,
    ledger::{Act, Ask, AskError, Clock, Effects, Granted, Ledger, Pace, RequestKey, Scene},
    registry::{Device, Principal, Record, Session},
    root_key::{FileRootKey, RootKey as _},
    store::{self, Location, Store},
};
use plombe_tests::{Postgres, peers};

pub(crate) const START: u64 = 1_800_000_000;

/// The folder, the database, and a clock that a test moves.
pub(crate) struct Stage {
    folder: tempfile::TempDir,
    location: Location,
    now: Arc<AtomicU64>,
    /// What went by, however the clock was set.
    passed: Arc<AtomicU64>,
}

impl Stage {
    /// One on SQLite, and one on PostgreSQL where that is installed.
    pub(crate) async fn on_each() -> Vec<Self> {
        let mut stages = vec![Self::new().await];
        match Postgres::shared() {
            Some(postgres) => stages.push(Self::on(Some(postgres.database())).await),
            None => peers::skip("PostgreSQL"),
        }
        stages
    }

    /// A keystore on SQLite that was set up, and is not running.
    pub(crate) async fn new() -> Self {
        Self::on(None).await
    }

    async fn on(url: Option<String>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let location =
            url.map_or_else(|| Location::Sqlite(folder.path().join("keystore.db")), Location::Postgres);
        let stage = Self { folder, location, now: Arc::new(AtomicU64::new(START)), passed: Arc::default() };
        let root = FileRootKey::create(&stage.root()).unwrap();
        assert!(root.id().starts_with("file:"));
        let organisation = Organisation {
            name: "example.org".into(),
            domains: vec!["example.org".into()],
            admin: "admin@example.org".into(),
            code_ttl: Duration::from_secs(3600),
        };
        let store = stage.store(true).await;
        instance::set_up(store, Arc::new(root), origin(), &organisation, stage.clock()).await.unwrap();
        stage
    }

    fn root(&self) -> PathBuf {
        self.folder.path().join("root.key")
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.folder.path().join("keystore.db")
    }

    pub(crate) fn location(&self) -> &Location {
        &self.location
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Another one, on a copy of a SQLite database, under the same root key.
    pub(crate) fn copy_with(&self, database: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let location = Location::Sqlite(folder.path().join("keystore.db"));
        let copy = Self { folder, location, now: Arc::clone(&self.now), passed: Arc::clone(&self.passed) };
        std::fs::copy(database, copy.database()).unwrap();
        std::fs::copy(self.root(), copy.root()).unwrap();
        copy
    }

    /// Another one under the same root key, whose database is empty: SQLite, and PostgreSQL where that is installed.
    pub(crate) fn empty_ones(&self) -> Vec<Self> {
        let urls = [None, Postgres::shared().map(Postgres::database)];
        let places = urls.into_iter().enumerate().filter(|(place, url)| *place == 0 || url.is_some());
        let empty = places.map(|(_, url)| {
            let folder = tempfile::tempdir().unwrap();
            let file = Location::Sqlite(folder.path().join("keystore.db"));
            let location = url.map_or(file, Location::Postgres);
            let empty =
                Self { folder, location, now: Arc::clone(&self.now), passed: Arc::clone(&self.passed) };
            std::fs::copy(self.root(), empty.root()).unwrap();
            empty
        });
        empty.collect()
    }

    /// What wraps its keys.
    pub(crate) fn root_key(&self) -> FileRootKey {
        FileRootKey::open(&self.root()).unwrap()
    }

    pub(crate) async fn store(&self, create: bool) -> Arc<dyn Store> {
        store::open(&self.location, create).await.unwrap()
    }

    pub(crate) fn clock(&self) -> Clock {
        let now = Arc::clone(&self.now);
        Arc::new(move || UNIX_EPOCH + Duration::from_secs(now.load(Ordering::Relaxed)))
    }

    /// So much time goes by that it is then.
    pub(crate) fn set_time(&self, seconds: u64) {
        let before = self.now.swap(seconds, Ordering::Relaxed);
        self.passed.fetch_add(seconds.saturating_sub(before), Ordering::Relaxed);
    }

    /// Time goes by.
    pub(crate) fn pass(&self, seconds: u64) {
        self.set_time(self.now.load(Ordering::Relaxed) + seconds);
    }

    /// Somebody sets the clock; no time goes by.
    pub(crate) fn set_clock(&self, seconds: u64) {
        self.now.store(seconds, Ordering::Relaxed);
    }

    /// As much time as a test says.
    fn pace(&self) -> Pace {
        let passed = Arc::clone(&self.passed);
        let steady = Arc::new(move || Duration::from_secs(passed.load(Ordering::Relaxed)));
        Pace { steady, ..Pace::default() }
    }

    /// A server that says often that it is alive.
    pub(crate) async fn lively_server(&self) -> Server {
        self.start(Pace { heartbeat: Duration::from_millis(50), ..self.pace() }).await.unwrap()
    }

    /// A server on this database.
    pub(crate) async fn try_server(&self) -> Result<Server, instance::InstanceError> {
        self.start(self.pace()).await
    }

    async fn start(&self, pace: Pace) -> Result<Server, instance::InstanceError> {
        let root = FileRootKey::open(&self.root()).unwrap();
        let store = self.store(false).await;
        let (keychain, ledger) =
            instance::start_with(store, Arc::new(root), origin(), self.clock(), pace).await?;
        Ok(Server { ledger, keychain })
    }

    /// The same, when it must come up.
    pub(crate) async fn server(&self) -> Server {
        self.try_server().await.unwrap()
    }
}

pub(crate) fn origin() -> Origin {
    "http://127.0.0.1:7420".parse().unwrap()
}

/// One server.
pub(crate) struct Server {
    pub(crate) ledger: Ledger,
    pub(crate) keychain: SharedKeychain,
}

/// Somebody with a confirmed device and a session.
#[derive(Clone)]
pub(crate) struct Person {
    pub(crate) principal: PrincipalId,
    pub(crate) device: DeviceId,
    pub(crate) actor: Actor,
}

impl Server {
    /// Adds somebody, with their first device and a session of an hour.
    pub(crate) async fn person(&self, address: &str) -> Person {
        let tenant = self.ledger.registry().tenants().next().unwrap().id;
        let now = SystemTime::now();
        let thumbprint = DeviceThumbprint(*fresh::random());
        let principal = principal(tenant, address, now);
        let device = Device {
            id: DeviceId(fresh::uuid(now)),
            tenant,
            principal: principal.id,
            name: "test".into(),
            thumbprint,
            state: DeviceState::Confirmed,
            enrolled_by: "test".into(),
            enrolled: START,
        };
        let session = Session {
            id: SessionId(fresh::random_uuid()),
            hash: *fresh::random(),
            before: None,
            tenant,
            device: device.id,
            expires: START + 3600,
            ends: START + 7200,
            provider: None,
            stepped_up: Default::default(),
        };
        let person = Person {
            principal: principal.id,
            device: device.id,
            actor: Actor::Device(Claimed {
                session: session.id,
                hash: session.hash,
                thumbprint,
                admins_need_passkeys: false,
            }),
        };
        let records = vec![Record::Principal(principal), Record::Device(device), Record::Session(session)];
        self.ledger.ask(instance::by_server(Put(records))).await.unwrap();
        person
    }

    /// The same, who administers.
    pub(crate) async fn admin(&self, address: &str) -> Person {
        let person = self.person(address).await;
        let principal = self.ledger.registry().principal(person.principal).unwrap().clone();
        let roles = [Role::User, Role::Admin].into();
        let admin = Principal { roles, admin_since: Some(START), ..principal };
        self.ledger.ask(instance::by_server(Put(vec![Record::Principal(admin)]))).await.unwrap();
        person
    }

    pub(crate) async fn ask<A: Act>(&self, actor: &Actor, act: A) -> Result<Granted<A>, AskError> {
        self.ledger.ask(Self::asking(actor, act)).await
    }

    /// An ask by `actor`, with a proof of its own.
    pub(crate) fn asking<A: Act>(actor: &Actor, act: A) -> Ask<A> {
        Ask {
            actor: actor.clone(),
            once: vec![(fresh::random::<32>().to_vec(), START + 10_000)],
            request: None,
            context: Context::default(),
            act,
        }
    }

    /// An ask that may come again under the same id.
    pub(crate) fn repeatable<A: Act>(actor: &Actor, act: A, id: u8, digest: u8) -> Ask<A> {
        let request = RequestKey {
            request_id: RequestId::from_random([id; 16]),
            id: vec![id; 32],
            digest: vec![digest; 32],
        };
        Ask { request: Some(request), ..Self::asking(actor, act) }
    }

    pub(crate) fn size(&self) -> u64 {
        self.ledger.checkpoint().map_or(0, |checkpoint| checkpoint.head().size)
    }
}

fn principal(tenant: TenantId, address: &str, now: SystemTime) -> Principal {
    Principal {
        id: PrincipalId(fresh::uuid(now)),
        tenant,
        name: String::new(),
        addresses: vec![address.into()],
        roles: [Role::User].into(),
        state: PrincipalState::Active,
        recovery: None,
        admin_since: None,
        subject: None,
        created: seconds(now),
    }
}

/// Records by the keystore itself.
pub(crate) struct Put(pub(crate) Vec<Record>);

impl Act for Put {
    type Answer = ();

    fn action(&self) -> Action {
        Action::SetUp
    }

    fn effects(&mut self, _scene: &Scene<'_>) -> Result<Effects<()>, Refusal> {
        Ok(Effects { put: std::mem::take(&mut self.0), ..Effects::none(()) })
    }
}

/// A new recovery code: something that any device of somebody may do, and that changes a record.
pub(crate) struct SetCode(pub(crate) [u8; 32]);

impl Act for SetCode {
    type Answer = u64;

    fn action(&self) -> Action {
        Action::SetRecoveryCode
    }

    fn effects(&mut self, scene: &Scene<'_>) -> Result<Effects<u64>, Refusal> {
        let principal = Principal { recovery: Some(self.0), ..scene.who()?.principal.clone() };
        Ok(Effects { put: vec![Record::Principal(principal)], ..Effects::none(scene.position) })
    }
}

/// The end of a device, as the API does it.
pub(crate) struct EndDevice(pub(crate) DeviceId);

impl Act for EndDevice {
    type Answer = u64;

    fn action(&self) -> Action {
        Action::Revoke { target: Target::Device(self.0), reason: String::new() }
    }

    fn effects(&mut self, scene: &Scene<'_>) -> Result<Effects<u64>, Refusal> {
        let device = scene.registry.device(self.0).unwrap();
        let put = vec![Record::Device(Device { state: DeviceState::Revoked, ..device.clone() })];
        Ok(Effects { put, ..Effects::none(scene.position) })
    }
}

/// Somebody new, let in by an administrator.
pub(crate) struct Admit(pub(crate) String);

impl Act for Admit {
    type Answer = u64;

    fn action(&self) -> Action {
        Action::CreatePrincipal { addresses: vec![self.0.clone()], roles: [Role::User].into() }
    }

    fn effects(&mut self, scene: &Scene<'_>) -> Result<Effects<u64>, Refusal> {
        let new = principal(scene.who()?.principal.tenant, &self.0, scene.now);
        Ok(Effects { put: vec![Record::Principal(new)], ..Effects::none(scene.position) })
    }
}
