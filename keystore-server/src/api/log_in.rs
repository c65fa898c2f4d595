// SPDX-License-Identifier: LGPL-2.0-or-later
//! Log in: a name is proven, a device becomes known, a session begins.

use std::collections::BTreeMap;

use plombe_core::{
    keystore::{
        DeviceId, DeviceThumbprint, EnrolmentCode, ProblemCode, SessionId, SessionToken,
        calls::{
            login::{
                DeviceState, Identity, LoggedIn, LoginWithCode, OidcFinish, OidcStart, OidcStarted, Role,
                SessionGrant,
            },
            principals::PrincipalState,
        },
        fields,
    },
    mime::words::without_controls,
};
use sha2::{Digest, Sha256};

use super::{Caller, Failure, Serve};
use crate::{
    access_policy::{Action, Refusal, refusal, seconds},
    app::{App, Times},
    fresh,
    identity::oidc::{Callback, LoginRefused, VerifiedIdentity},
    ledger::{Act, Ask, Effects, Scene},
    registry::{Device, Principal, ProviderSession, Record, Registry, Session},
};

/// Longer names are nobody's device.
const LONGEST_NAME: usize = 100;

impl Serve for LoginWithCode {
    async fn serve(self, app: &App, caller: &Caller) -> Result<LoggedIn, Failure> {
        let act = WithCode {
            hash: EnrolmentCode::hash(self.secret.expose()),
            newcomer: Newcomer::new(app, caller, &self.device_name)?,
        };
        log_in(app, caller.ask(act)).await
    }
}

/// What people may call a device.
fn device_name(name: &str) -> Result<String, Failure> {
    let name = name.trim();
    // It stands in sentences that somebody decides on, such as the passkey page's.
    if name.is_empty() || name.len() > LONGEST_NAME || without_controls(name) != name {
        return Err(Failure::new(
            ProblemCode::Unacceptable,
            "a device's name has 1 to 100 bytes and nothing that controls or reorders a line",
        ));
    }
    Ok(name.to_owned())
}

impl Serve for OidcStart {
    async fn serve(self, app: &App, caller: &Caller) -> Result<OidcStarted, Failure> {
        let flow = app.oidc.as_ref().ok_or_else(no_provider)?;
        let thumbprint = caller.thumbprint.to_string();
        let started = flow.start(&self.issuer, &self.redirect_uri, &thumbprint, app.now()).await;
        let started = started.map_err(|refused| refuse(app, refused))?;
        Ok(OidcStarted { url: started.authorization_url.to_string(), state: started.state })
    }
}

impl Serve for OidcFinish {
    async fn serve(self, app: &App, caller: &Caller) -> Result<LoggedIn, Failure> {
        let flow = app.oidc.as_ref().ok_or_else(no_provider)?;
        let callback = Callback { state: &self.state, code: &self.code, issuer: self.iss.as_deref() };
        let checked = flow.finish(callback, &caller.thumbprint.to_string(), app.now()).await;
        let checked = checked.map_err(|refused| refuse(app, refused))?;
        let state = (
            fields(&[b"plombe keystore log-in state v1", checked.flow_id().as_bytes()]),
            seconds(checked.expires()),
        );
        // Whether the state is new shows with the record, and a log-in whose state is not is refused there.
        let identity = checked.into_identity(true).map_err(|refused| refuse(app, refused))?;
        let act = WithIdentity { identity, newcomer: Newcomer::new(app, caller, &self.device_name)? };
        let mut ask = caller.ask(act);
        ask.once.push((Sha256::digest(&state.0).to_vec(), state.1));
        log_in(app, ask).await
    }
}

/// Puts a log-in before the ledger.
async fn log_in<A: Act<Answer = LoggedIn>>(app: &App, ask: Ask<A>) -> Result<LoggedIn, Failure> {
    Ok(app.ledger.ask(ask).await?.answer)
}

fn no_provider() -> Failure {
    Failure::new(ProblemCode::Unacceptable, "this keystore has no identity provider")
        .hint("log in with a code")
}

/// Outside all refusals look alike; the log counts them by their reason.
fn refuse(app: &App, refused: LoginRefused) -> Failure {
    app.refusals.count(refused.reason().code());
    match refused.is_outage() {
        true => Failure::new(ProblemCode::Unavailable, "the identity provider cannot be reached")
            .hint("try again in a moment"),
        false => Refusal::from(refusal::IDENTITY_REFUSED).to_problem().into(),
    }
}

/// A device that wants to speak for somebody.
struct Newcomer {
    device_name: String,
    thumbprint: DeviceThumbprint,
    token: SessionToken,
    times: Times,
}

impl Newcomer {
    fn new(app: &App, caller: &Caller, device_name: &str) -> Result<Self, Failure> {
        Ok(Self {
            device_name: self::device_name(device_name)?,
            thumbprint: caller.thumbprint,
            token: fresh::session_token(),
            times: app.times,
        })
    }
}

struct WithCode {
    hash: [u8; 32],
    newcomer: Newcomer,
}

struct WithIdentity {
    identity: VerifiedIdentity,
    newcomer: Newcomer,
}

impl Act for WithIdentity {
    type Answer = LoggedIn;
    const REPEATABLE: bool = false;

    fn action(&self) -> Action {
        Action::LogInWithIdentity {
            issuer: self.identity.issuer.clone(),
            subject: self.identity.subject.clone(),
            address: self.identity.email.to_string(),
        }
    }

    /// The subject names the user; the address only finds them the first time.
    fn effects(&mut self, scene: &Scene<'_>) -> Result<Effects<LoggedIn>, Refusal> {
        let registry = scene.registry;
        let VerifiedIdentity { issuer, subject, email, tenant, .. } = &self.identity;
        let known = registry.principal_of_subject(issuer, subject);
        let principal = known.or_else(|| registry.principal_of_address(&email.to_string()));
        let principal = principal.ok_or(refusal::IDENTITY_UNKNOWN)?;
        let is_its = registry.tenant(principal.tenant).is_some_and(|own| own.name == *tenant);
        if !is_its {
            return Err(refusal::IDENTITY_OF_OTHER_TENANT.into());
        }
        if principal.state != PrincipalState::Active {
            return Err(refusal::IDENTITY_OF_INACTIVE.into());
        }
        let subject = (issuer.clone(), subject.clone());
        if principal.subject.as_ref().is_some_and(|bound| *bound != subject) {
            return Err(refusal::IDENTITY_CHANGED.into());
        }
        let mut effects = begin(scene, principal, &self.newcomer, &format!("oidc {issuer}"))?;
        for record in &mut effects.put {
            if let Record::Session(session) = record {
                session.provider = Some(ProviderSession {
                    issuer: self.identity.issuer.clone(),
                    subject: self.identity.subject.clone(),
                    session: self.identity.session.clone(),
                });
            }
        }
        // Not by a device that nobody confirmed: a second provider that says "alice" first would lock her out.
        let confirmed = effects.answer.identity.device_state == DeviceState::Confirmed;
        if principal.subject.is_none() && confirmed {
            effects.put.push(Record::Principal(Principal { subject: Some(subject), ..principal.clone() }));
        }
        Ok(effects)
    }
}

impl Act for WithCode {
    type Answer = LoggedIn;
    /// The code is good once; so is the answer.
    const REPEATABLE: bool = false;

    fn action(&self) -> Action {
        Action::LogInWithCode { hash: self.hash }
    }

    fn effects(&mut self, scene: &Scene<'_>) -> Result<Effects<LoggedIn>, Refusal> {
        let registry = scene.registry;
        let code = registry.code_of_hash(&self.hash).ok_or(refusal::CODE_UNKNOWN)?;
        if code.expires <= seconds(scene.now) {
            return Err(refusal::CODE_EXPIRED.into());
        }
        let principal = registry.principal(code.principal).ok_or(refusal::CODE_OF_INACTIVE)?;
        if principal.state != PrincipalState::Active {
            return Err(refusal::CODE_OF_INACTIVE.into());
        }
        let mut effects = begin(scene, principal, &self.newcomer, "code")?;
        effects.ended.push(Record::Code(code.clone()).key());
        Ok(effects)
    }
}

/// Device and session of a principal whose name was proven.
fn begin(
    scene: &Scene<'_>,
    principal: &Principal,
    log_in: &Newcomer,
    enrolled_by: &str,
) -> Result<Effects<LoggedIn>, Refusal> {
    let registry = scene.registry;
    let now = seconds(scene.now);
    let device = match registry.device_of_thumbprint(&log_in.thumbprint) {
        Some(known) if known.principal == principal.id && known.state != DeviceState::Revoked => {
            Device { name: log_in.device_name.clone(), ..known.clone() }
        }
        // A key that speaks for somebody else, or was cut off, speaks for nobody again.
        Some(_) => return Err(refusal::DEVICE_OF_ANOTHER.into()),
        None => Device {
            id: DeviceId(fresh::uuid(scene.now)),
            tenant: principal.tenant,
            principal: principal.id,
            name: log_in.device_name.clone(),
            thumbprint: log_in.thumbprint,
            state: first_state(registry, principal),
            enrolled_by: enrolled_by.to_owned(),
            enrolled: now,
        },
    };
    let (session, grant) = session(&device, &log_in.token, now, &log_in.times);
    let identity = identity(principal, &device);
    Ok(Effects {
        put: vec![Record::Device(device), Record::Session(session)],
        concerns: vec![principal.id],
        ..Effects::none(LoggedIn { session: grant, identity })
    })
}

/// A log-in proves a name, not a device. Whoever has something to lose (a key, the use of somebody's, a device in use, a recovery
/// code) says themselves which further device is theirs. Otherwise whoever can log in as Alice (with a forged token, a
/// stolen code, an admin's) would read Alice's mail.
fn first_state(registry: &Registry, principal: &Principal) -> DeviceState {
    let in_use = |device: &Device| device.state == DeviceState::Confirmed;
    let something_to_lose = registry.devices_of(principal.id).any(in_use)
        || registry.keys_of(principal.id).next().is_some()
        || registry.backups_of(principal.id).next().is_some()
        || registry.certificates_of(principal.id).next().is_some()
        || registry.grants_to(principal.id).next().is_some()
        || registry.passkeys_of(principal.id).next().is_some()
        || is_one_of_several_admins_again(registry, principal)
        || principal.recovery.is_some();
    if something_to_lose { DeviceState::Pending } else { DeviceState::Confirmed }
}

/// Their word counts beside another administrator's, who must not cut off their device and log in for them. Without passkey and
/// recovery code they come back as somebody new: the role is taken and given again, and counts from then.
fn is_one_of_several_admins_again(registry: &Registry, principal: &Principal) -> bool {
    let is_admin =
        |other: &&Principal| other.roles.contains(&Role::Admin) && other.state != PrincipalState::Ended;
    principal.roles.contains(&Role::Admin)
        && registry.devices_of(principal.id).next().is_some()
        && registry.principals(principal.tenant).filter(is_admin).count() > 1
}

/// A session that begins now.
pub(super) fn session(
    device: &Device,
    token: &SessionToken,
    now: u64,
    times: &Times,
) -> (Session, SessionGrant) {
    let ends = now + times.log_in.as_secs();
    let session = Session {
        id: SessionId(fresh::random_uuid()),
        hash: token.hash().0,
        before: None,
        tenant: device.tenant,
        device: device.id,
        expires: ends.min(now + times.session.as_secs()),
        ends,
        provider: None,
        stepped_up: BTreeMap::new(),
    };
    let grant =
        SessionGrant { token: token.clone(), id: session.id, expires_at: session.expires, ends_at: ends };
    (session, grant)
}

/// Who a session speaks for, as the API says it.
pub(super) fn identity(principal: &Principal, device: &Device) -> Identity {
    Identity {
        tenant: principal.tenant,
        principal: principal.id,
        name: principal.name.clone(),
        addresses: principal.addresses.clone(),
        roles: principal.roles.iter().copied().collect(),
        device: device.id,
        device_state: device.state,
        has_recovery_code: principal.recovery.is_some(),
    }
}
