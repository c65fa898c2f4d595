// SPDX-License-Identifier: LGPL-2.0-or-later
//! Keys come into custody, and are listed. None goes out.

use std::{collections::BTreeSet, time::Duration};

use plombe_core::{
    cert::{self, LockedTsk, Tsk},
    crypto_policy::CryptoPolicy,
    custody::{self, Capability},
    keystore::{
        Bytes, KeyFingerprint, ProblemCode,
        calls::{
            grants::KeyUse,
            keys::{GenerateKey, ImportKey, KeyInCustody, KeyInfo, Keys, ListKeys, Profile},
        },
    },
};

use super::{Caller, Failure, Serve};
use crate::{
    access_policy::{self, Action, Refusal, refusal, seconds},
    app::App,
    custody::blob,
    ledger::{Act, Effects, Scene},
    registry::{Fingerprints, Grant, Key, KeyState, Principal, Record},
};

/// A key has a few user IDs; more are somebody's mistake.
const MOST_USER_IDS: usize = 10;

impl Serve for GenerateKey {
    async fn serve(self, app: &App, caller: &Caller) -> Result<KeyInCustody, Failure> {
        if self.user_ids.is_empty() || self.user_ids.len() > MOST_USER_IDS {
            return Err(unacceptable("a key has 1 to 10 user IDs"));
        }
        let now = app.now();
        let profile = match self.profile {
            Profile::Rfc4880 => cert::Profile::Rfc4880,
            Profile::Rfc9580 => cert::Profile::Rfc9580,
            Profile::Pqc => cert::Profile::Pqc,
        };
        let ttl = self.valid_for_seconds.map_or(cert::DEFAULT_TTL, Duration::from_secs);
        // Refuse before the work; what counts is decided again with the record.
        let addresses = addresses(&self.user_ids)?;
        early(app, caller, Action::GenerateKey { addresses: addresses.clone() }).await?;
        let made =
            tokio::task::spawn_blocking(move || Tsk::generate(profile, &self.user_ids, Some(ttl), now));
        let generated =
            made.await.map_err(|_| internal())?.map_err(|error| unacceptable(&error.to_string()))?;
        let mut act = Enter::new(app, generated.tsk, addresses, true)?;
        act.revocation = Some(generated.revocation.into_bytes().into());
        Ok(app.ledger.ask(caller.ask(act)).await?.answer)
    }
}

impl Serve for ImportKey {
    async fn serve(self, app: &App, caller: &Caller) -> Result<KeyInCustody, Failure> {
        let now = app.now();
        let policy = app.policy.clone();
        let prepared = tokio::task::spawn_blocking(move || {
            let mut tsks = LockedTsk::parse_all(self.tsk.expose()).map_err(|error| error.to_string())?;
            let Some(tsk) = tsks.pop().filter(|_| tsks.is_empty()) else {
                return Err("send one key at a time".to_owned());
            };
            custody::prepare_import(tsk, &policy, now).map_err(|error| error.to_string())
        });
        // Which key it is, nobody knows before it was read, so there is no entry about it.
        let refused = |why: String| unacceptable(&why).counted("import-refused");
        let imported = prepared.await.map_err(|_| internal())?.map_err(refused)?;
        let addresses = imported.tsk.certificate().addresses(&app.policy, now);
        let act = Enter::new(app, imported.tsk, addresses, false)?;
        Ok(app.ledger.ask(caller.ask(act)).await?.answer)
    }
}

impl Serve for ListKeys {
    async fn serve(self, app: &App, caller: &Caller) -> Result<Keys, Failure> {
        let now = seconds(app.now());
        let registry = app.ledger.registry();
        let who = caller.identified(app, &registry)?;
        let mut keys: Vec<KeyInfo> =
            registry.keys_of(who.principal.id).map(|key| describe(key, owner_uses(key), None)).collect();
        for key in &mut keys {
            let raw = registry.raw_use(&key.fingerprint, who.device.id);
            key.uses.extend(raw.filter(|raw| now < raw.expires).map(|_| KeyUse::Raw));
        }
        for grant in registry.grants_to(who.principal.id).filter(|grant| now < grant.expires) {
            if let Some(key) = registry.key(&grant.key) {
                keys.push(describe(key, grant.uses.clone(), Some(grant)));
            }
        }
        keys.sort_by(|a, b| a.fingerprint.cmp(&b.fingerprint));
        Ok(Keys { keys })
    }
}

/// A TSK enters custody.
struct Enter {
    tsk: Tsk,
    addresses: Vec<String>,
    made_here: bool,
    certificate: Bytes,
    /// Part of the answer that is kept: when the request comes again, this is the first key's, not that of one made in vain.
    revocation: Option<Bytes>,
    unwrapping: Fingerprints,
    signing: Fingerprints,
    id: KeyFingerprint,
}

impl Enter {
    fn new(app: &App, tsk: Tsk, addresses: Vec<String>, made_here: bool) -> Result<Self, Failure> {
        let (unwrapping, signing) = capabilities(&tsk, &app.policy, app.now());
        let id = tsk.fingerprint().try_into().map_err(|_| internal())?;
        let certificate = tsk.certificate().to_bytes().into();
        Ok(Self { tsk, addresses, made_here, certificate, revocation: None, unwrapping, signing, id })
    }
}

/// Which of a TSK's keys unwrap, and which sign.
pub(super) fn capabilities(
    tsk: &Tsk,
    policy: &CryptoPolicy,
    now: std::time::SystemTime,
) -> (Fingerprints, Fingerprints) {
    let (mut unwrapping, mut signing) = (Vec::new(), Vec::new());
    for key in custody::keys(tsk, policy, now) {
        let Ok(fingerprint) = KeyFingerprint::try_from(key.fingerprint) else { continue };
        match key.capability {
            Capability::Unwrap => unwrapping.push(fingerprint),
            Capability::Sign => signing.push(fingerprint),
        };
    }
    (unwrapping.into(), signing.into())
}

impl Act for Enter {
    type Answer = KeyInCustody;

    fn action(&self) -> Action {
        let addresses = self.addresses.clone();
        match self.made_here {
            true => Action::GenerateKey { addresses },
            false => Action::ImportKey { key: self.id.clone(), addresses },
        }
    }

    fn effects(&mut self, scene: &Scene<'_>) -> Result<Effects<KeyInCustody>, Refusal> {
        let who = scene.who()?;
        // A subkey that is in custody already would be used under another key's rules.
        let taken = |key: &KeyFingerprint| scene.registry.key_of_subkey(key).is_some();
        if scene.registry.key(&self.id).is_some() || self.unwrapping.iter().chain(&self.signing).any(taken) {
            return Err(refusal::EXISTS.into());
        }
        // What its owner published of it comes into custody with it; nobody else's place is taken, and no revocation goes away that is
        // not in the TSK that comes in.
        let published = scene.registry.certificate(&self.id);
        if published.is_some_and(|published| published.owner != who.principal.id || published.revoked) {
            return Err(refusal::EXISTS.into());
        }
        let ended = published.map(|published| Record::Certificate(published.clone()).key());
        let key = Key {
            id: self.id.clone(),
            tenant: who.principal.tenant,
            owner: who.principal.id,
            certificate: self.certificate.clone(),
            unwrapping: std::mem::take(&mut self.unwrapping),
            signing: std::mem::take(&mut self.signing),
            state: KeyState::Active,
            blob_version: 1,
            since: seconds(scene.now),
        };
        let blob = blob(&key, &self.tsk).map_err(|_| refusal::SUBKEY_UNFIT)?;
        let answer =
            KeyInCustody { key: describe(&key, owner_uses(&key), None), revocation: self.revocation.take() };
        let mut put = vec![Record::Key(key)];
        let new = |address: &&String| !who.principal.addresses.contains(address);
        let taken: Vec<String> = self.addresses.iter().filter(new).cloned().collect();
        if !taken.is_empty() {
            let addresses = who.principal.addresses.iter().cloned().chain(taken).collect();
            put.push(Record::Principal(Principal { addresses, ..who.principal.clone() }));
        }
        Ok(Effects { put, ended: ended.into_iter().collect(), blobs: vec![blob], ..Effects::none(answer) })
    }
}

fn describe(key: &Key, uses: BTreeSet<KeyUse>, grant: Option<&Grant>) -> KeyInfo {
    KeyInfo {
        fingerprint: key.id.clone(),
        certificate: key.certificate.clone(),
        owner: key.owner,
        since: key.since,
        unusable: (key.state == KeyState::Revoked).then(|| "it was revoked".to_owned()),
        signing: key.signing.iter().cloned().collect(),
        uses: uses.into_iter().collect(),
        grant: grant.map(|grant| grant.id),
    }
}

fn owner_uses(key: &Key) -> BTreeSet<KeyUse> {
    let mut uses = BTreeSet::from([KeyUse::Certify]);
    if !key.unwrapping.is_empty() {
        uses.insert(KeyUse::Unwrap);
    }
    if !key.signing.is_empty() && key.state == KeyState::Active {
        uses.insert(KeyUse::Sign);
    }
    uses
}

fn addresses(user_ids: &[String]) -> Result<Vec<String>, Failure> {
    let address = |user_id: &String| {
        cert::user_id_address(user_id)
            .ok_or_else(|| unacceptable("a user ID looks like: Alice <alice@example.org>"))
    };
    user_ids.iter().map(address).collect()
}

/// Refuses before work that would be in vain. The refusal is on record like any other.
async fn early(app: &App, caller: &Caller, action: Action) -> Result<(), Failure> {
    let decision = access_policy::decide(&app.ledger.registry(), &caller.actor, &action, app.now());
    if let Err(refusal) = decision {
        app.ledger.ask(caller.ask(Attempt { action, refusal })).await?;
    }
    Ok(())
}

/// Something that was refused before it was put before the ledger.
struct Attempt {
    action: Action,
    refusal: Refusal,
}

impl Act for Attempt {
    type Answer = ();
    const REPEATABLE: bool = false;

    fn action(&self) -> Action {
        self.action.clone()
    }

    fn effects(&mut self, _scene: &Scene<'_>) -> Result<Effects<()>, Refusal> {
        Err(self.refusal.clone())
    }
}

fn unacceptable(why: &str) -> Failure {
    Failure::new(ProblemCode::Unacceptable, why)
}

fn internal() -> Failure {
    Failure::new(ProblemCode::Internal, "the keystore could not do this")
}
