// SPDX-License-Identifier: LGPL-2.0-or-later
//! A keystore comes into being, and comes up again.

use std::{sync::Arc, time::Duration};

use plombe_core::{
    keystore::{
        EnrolmentCode, Origin, PrincipalId, SecretBytes, TenantId,
        calls::{
            custody::Context,
            login::Role,
            principals::{NewCode, PrincipalState},
        },
    },
    recipients::Address,
};
use zeroize::Zeroizing;

use crate::{
    access_policy::{Action, Actor, Refusal, seconds},
    api::MakeCode,
    backup, fresh,
    hierarchy::{BlobName, generation_of},
    keychain::{InstanceSecrets, Keychain, KeychainError, SharedKeychain},
    ledger::{Act, Ask, AskError, Clock, Effects, Ledger, Pace, Scene, StartError},
    registry::{INSTANCE, Principal, Record, Tenant},
    root_key::{RootKey, RootKeyError},
    store::{Store, StoreError},
    tenant_keys::{self, TenantKeysError},
};

/// The instance's secrets, sealed; a fact of the database.
const SECRETS: &str = "instance-secrets";
/// Name of the log; a fact of the database, since checkpoints are signed under it for ever.
const LOG_NAME: &str = "log-name";
const SECRETS_NAME: BlobName<'static> = BlobName { kind: "instance-secrets", id: b"instance", version: 0 };

/// Why a keystore does not come up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InstanceError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The root key.
    #[error(transparent)]
    Root(#[from] RootKeyError),
    /// What the root key wraps.
    #[error(transparent)]
    TenantKeys(#[from] TenantKeysError),
    /// There is one already.
    #[error("this database holds a keystore already")]
    Exists,
    /// It was stopped before it had checked what it had put there.
    #[error("a restore into this database did not come to its end; restore into an empty one")]
    Unfinished,
    /// Something sealed does not open.
    #[error("the keystore's own keys cannot be read")]
    Unreadable,
    /// Keys that do not fit together.
    #[error(transparent)]
    Keychain(#[from] KeychainError),
    /// The log or the records.
    #[error(transparent)]
    Start(#[from] StartError),
    /// It cannot be recorded.
    #[error(transparent)]
    Ask(#[from] AskError),
    /// An address that is none, or of another domain.
    #[error("{0} is not a mail address in one of the domains")]
    Address(String),
}

/// Makes a keystore: keys, log, one tenant, its first admin.
///
/// # Errors
/// `Exists` when there is one.
pub async fn set_up(
    store: Arc<dyn Store>,
    root: Arc<dyn RootKey>,
    origin: Origin,
    organisation: &Organisation,
    clock: Clock,
) -> Result<FirstCode, InstanceError> {
    if store.head().await?.is_some() || !store.wrapped_keys().await?.is_empty() {
        return Err(InstanceError::Exists);
    }
    let admin = Address::parse(&organisation.admin)
        .map_err(|_| InstanceError::Address(organisation.admin.clone()))?;
    let tenant = TenantId(fresh::uuid(clock()));
    for id in [INSTANCE, tenant] {
        store.add_wrapped_key(&tenant_keys::generate(&*root, id, 1)?).await?;
    }
    let keys = tenant_keys::load(&*store, &*root).await?;
    let secrets = InstanceSecrets::generate();
    let sealed =
        keys.get(&INSTANCE).ok_or(InstanceError::Unreadable)?.seal(&SECRETS_NAME, &secrets.to_bytes());
    store.put_fact(SECRETS, &hex(&sealed)).await?;
    store.put_fact(LOG_NAME, &log_name(organisation)).await?;

    let (_, ledger) = start(store, root, origin, Arc::clone(&clock)).await?;
    let now = seconds(clock());
    let record = Tenant {
        id: tenant,
        name: organisation.name.clone(),
        domains: organisation.domains.clone(),
        created: now,
    };
    if !record.has_address(&admin.to_string()) {
        return Err(InstanceError::Address(organisation.admin.clone()));
    }
    let principal = Principal {
        id: PrincipalId(fresh::uuid(clock())),
        tenant,
        name: "Administrator".to_owned(),
        addresses: vec![admin.to_string()],
        roles: [Role::User, Role::Admin].into(),
        state: PrincipalState::Active,
        recovery: None,
        admin_since: Some(now),
        subject: None,
        created: now,
    };
    let id = principal.id;
    ledger
        .ask(by_server(Found { records: vec![Record::Tenant(record), Record::Principal(principal)] }))
        .await?;
    make_code(&ledger, id, organisation.code_ttl).await
}

/// Who runs the keystore.
pub struct Organisation {
    /// For people.
    pub name: String,
    /// Mail domains.
    pub domains: Vec<String>,
    /// Address of the first admin.
    pub admin: String,
    /// How long the first code is good.
    pub code_ttl: Duration,
}

/// Lets the first admin in.
pub type FirstCode = NewCode;

/// A code made at the console, by whoever runs the keystore's own commands on its machine with its root key. For a principal who
/// has something to lose, the device that it lets in stays pending like any other.
///
/// # Errors
/// When it cannot be recorded.
pub async fn make_code(
    ledger: &Ledger,
    principal: PrincipalId,
    ttl: Duration,
) -> Result<NewCode, InstanceError> {
    let act = MakeCode { principal, ttl, secret: fresh::random() };
    Ok(ledger.ask(by_server(act)).await?.answer)
}

/// As people get it.
pub fn code_text(code: &NewCode, keychain: &Keychain) -> Option<Zeroizing<String>> {
    let secret: &SecretBytes = &code.secret;
    let secret = secret.expose().try_into().ok()?;
    Some(EnrolmentCode::new(secret, keychain.identity()).to_text())
}

/// Brings a keystore up: its keys from the root key, its records from the database.
///
/// # Errors
/// See [`InstanceError`].
pub async fn start(
    store: Arc<dyn Store>,
    root: Arc<dyn RootKey>,
    origin: Origin,
    clock: Clock,
) -> Result<(SharedKeychain, Ledger), InstanceError> {
    start_with(store, root, origin, clock, Pace::default()).await
}

/// The same, at another pace.
///
/// # Errors
/// See [`InstanceError`].
pub async fn start_with(
    store: Arc<dyn Store>,
    root: Arc<dyn RootKey>,
    origin: Origin,
    clock: Clock,
    pace: Pace,
) -> Result<(SharedKeychain, Ledger), InstanceError> {
    let keychain = Arc::new(keychain(&*store, root, origin).await?);
    let ledger = Ledger::start_with(store, Arc::clone(&keychain), clock, pace).await?;
    Ok((keychain, ledger))
}

/// The keys alone.
///
/// # Errors
/// See [`InstanceError`].
pub async fn keychain(
    store: &dyn Store,
    root: Arc<dyn RootKey>,
    origin: Origin,
) -> Result<Keychain, InstanceError> {
    if backup::is_unfinished(store).await? {
        return Err(InstanceError::Unfinished);
    }
    keychain_of_any(store, root, origin).await
}

/// The same of a database that nobody has checked yet.
pub(crate) async fn keychain_of_any(
    store: &dyn Store,
    root: Arc<dyn RootKey>,
    origin: Origin,
) -> Result<Keychain, InstanceError> {
    let mut keys = tenant_keys::load(store, &*root).await?;
    let instance = keys.remove(&INSTANCE).ok_or(TenantKeysError::Empty)?;
    let sealed = store.fact(SECRETS).await?.and_then(|text| unhex(&text)).ok_or(InstanceError::Unreadable)?;
    let bytes = instance.open(&SECRETS_NAME, &sealed).map_err(|_| InstanceError::Unreadable)?;
    let secrets = InstanceSecrets::from_bytes(&bytes).ok_or(InstanceError::Unreadable)?;
    let log_name = store.fact(LOG_NAME).await?.ok_or(InstanceError::Unreadable)?;
    let keychain = Keychain::new(root, instance, secrets, origin, &log_name)?;
    keys.into_iter().for_each(|(tenant, keys)| keychain.add(tenant, keys));
    Ok(keychain)
}

/// Seals the instance's secrets anew, when the instance's key has changed.
///
/// # Errors
/// When they cannot be read or written.
pub async fn renew_secrets(store: &dyn Store, keychain: &Keychain) -> Result<(), InstanceError> {
    let text = store.fact(SECRETS).await?.ok_or(InstanceError::Unreadable)?;
    let sealed = unhex(&text).ok_or(InstanceError::Unreadable)?;
    let keys = keychain.tenant(INSTANCE).ok_or(InstanceError::Unreadable)?;
    if generation_of(&sealed) == Ok(keys.current().generation()) {
        return Ok(());
    }
    let bytes = keys.open(&SECRETS_NAME, &sealed).map_err(|_| InstanceError::Unreadable)?;
    Ok(store.replace_fact(SECRETS, &text, &hex(&keys.seal(&SECRETS_NAME, &bytes))).await?)
}

/// An act of the keystore itself.
pub fn by_server<A: Act>(act: A) -> Ask<A> {
    Ask { actor: Actor::Server, once: Vec::new(), request: None, context: Context::default(), act }
}

struct Found {
    records: Vec<Record>,
}

impl Act for Found {
    type Answer = ();

    fn action(&self) -> Action {
        Action::SetUp
    }

    fn effects(&mut self, _scene: &Scene<'_>) -> Result<Effects<()>, Refusal> {
        Ok(Effects { put: std::mem::take(&mut self.records), ..Effects::none(()) })
    }
}

/// A log is called after whose it is, and keeps the name when the keystore moves.
fn log_name(organisation: &Organisation) -> String {
    let domain = organisation.domains.first().map_or("keystore", String::as_str);
    format!("{domain}/plombe-log")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return None };
    pairs.iter().map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}
