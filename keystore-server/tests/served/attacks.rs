// SPDX-License-Identifier: LGPL-2.0-or-later
//! What others try in order to read Alice's mail or to speak in her name. None of it works alone, and her log shows it.

use std::{
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use plombe_client::{DeviceKey, Options, Session};
use plombe_core::keystore::{
    EnrolmentCode, ProblemCode,
    calls::{
        self,
        certificates::{AddUserId, RevocationReason, RevocationTarget, RevokeKey, RotateSubkeys, SetExpiry},
        custody::{Context, SignDigest, SignatureClaim},
        devices::ConfirmDevice,
        grants::{EndGrant, GiveGrant, KeyUse},
        keys::{GenerateKey, KeyInfo, ListKeys, Profile},
        login::{DeviceState, OidcStart, Role},
        principals::{CreateCode, CreatePrincipal, PrincipalState, SetPrincipalState, SetRoles},
        revoke::{Revoke, Target},
        session::WhoAmI,
    },
};

use crate::{
    keystore::TestKeystore,
    mail::{generate, open, refused, seal_for},
    trail::{shows, trail},
};

/// Alice, her key, a mail to her, and the first administrator.
struct Story {
    keystore: TestKeystore,
    alice: Session,
    key: KeyInfo,
    mail: Vec<u8>,
    admin: Session,
}

impl Story {
    fn begin() -> Self {
        let keystore = TestKeystore::start();
        let mut alice = keystore.user("alice@example.org");
        let key = generate(&mut alice, "alice@example.org");
        let mail = seal_for(&key.certificate);
        let admin = keystore.log_in(keystore.admin_code());
        Self { keystore, alice, key, mail, admin }
    }

    /// Neither reads nor signs; gives the refusal.
    fn gets_nothing(&self, session: &mut Session) -> ProblemCode {
        let code = refused(open(session, &self.key.fingerprint, &self.mail));
        let certificate = plombe_core::cert::Certificate::parse(&self.key.certificate.0).unwrap();
        for subkey in certificate.unverified_keys() {
            let sign = SignDigest {
                key: self.key.fingerprint.clone(),
                subkey: subkey.try_into().unwrap(),
                hash: 8,
                digest: vec![7; 32].into(),
                claim: SignatureClaim { signature_type: 0, created: 0 },
                context: Context::default(),
            };
            assert_eq!(refused(session.call(&sign)), code);
        }
        code
    }

    /// A second program on the device of a session.
    fn again(&self, session: &Session) -> Session {
        let device = DeviceKey::from_pkcs8(session.device().to_pkcs8()).unwrap();
        Session::resume(session.saved(), device, Options::new(SystemTime::now)).unwrap()
    }

    /// Logs in as Alice with a code that an administrator made for her.
    fn log_in_as_alice(&mut self) -> Session {
        let call = CreateCode { principal: self.alice.identity().principal, valid_for_seconds: None };
        let secret = self.admin.call(&call).unwrap().secret.expose().try_into().unwrap();
        self.keystore.log_in(&EnrolmentCode::new(secret, self.keystore.client().identity()).to_text())
    }
}

#[test]
fn an_admin_who_makes_a_code_for_alice_gets_a_device_that_waits() {
    let mut story = Story::begin();
    let mut thief = story.log_in_as_alice();
    assert_eq!(thief.identity().device_state, DeviceState::Pending);
    assert_eq!(story.gets_nothing(&mut thief), ProblemCode::DevicePending);
    assert!(shows(&mut story.alice, &story.admin, "create-code", "admin"));
    assert!(shows(&mut story.alice, &thief, "unwrap", "device-pending"));
    assert!(trail(&mut story.alice).0.iter().any(|e| e.action == "log-in-with-code"));
}

#[test]
fn an_admin_reads_and_signs_nothing_himself_and_lends_nothing_to_anybody() {
    let mut story = Story::begin();
    // The same device and session, in a second program.
    let mut admin = story.again(&story.admin);
    assert_eq!(story.gets_nothing(&mut admin), ProblemCode::NotFound);
    let expires_at = admin.saved().grant.expires_at;
    let give = GiveGrant {
        key: story.key.fingerprint.clone(),
        to: admin.identity().principal,
        uses: vec![KeyUse::Unwrap],
        expires_at,
    };
    assert_eq!(refused(admin.call(&give)), ProblemCode::NotFound);
    let certificate = GenerateKey {
        user_ids: vec!["<alice@example.org>".into()],
        profile: Profile::Rfc4880,
        valid_for_seconds: None,
    };
    assert_eq!(refused(admin.call(&certificate)), ProblemCode::Denied);
    assert!(shows(&mut story.alice, &admin, "unwrap", "key-not-yours"));
    assert!(shows(&mut story.alice, &admin, "give-grant", "key-not-yours"));
}

#[test]
fn a_second_admin_whom_the_first_one_made_adds_nothing() {
    let story = Story::begin();
    let Story { mut alice, mut admin, keystore, key, mail } = story;
    let create = |address: &str| CreatePrincipal {
        name: String::new(),
        addresses: vec![address.into()],
        roles: vec![Role::User, Role::Admin],
    };
    let second = admin.call(&create("second@example.org")).unwrap().principal.id;
    // A third one needs others.
    assert_eq!(refused(admin.call(&create("third@example.org"))), ProblemCode::ApprovalNeeded);
    let principal = alice.identity().principal;
    let promote = SetRoles { principal, roles: vec![Role::User, Role::Admin] };
    assert_eq!(refused(admin.call(&promote)), ProblemCode::ApprovalNeeded);
    let code = admin.call(&CreateCode { principal: second, valid_for_seconds: None }).unwrap();
    let code = EnrolmentCode::new(code.secret.expose().try_into().unwrap(), keystore.client().identity());
    let mut second = keystore.log_in(&code.to_text());
    assert_eq!(refused(open(&mut second, &key.fingerprint, &mail)), ProblemCode::NotFound);
    assert!(shows(&mut alice, &admin, "set-roles", "admins-need-consent"));
    assert!(shows(&mut alice, &second, "unwrap", "key-not-yours"));
}

#[test]
fn an_admin_who_resets_her_devices_and_logs_in_anew_gets_a_device_that_waits() {
    let mut story = Story::begin();
    let device = story.alice.identity().device;
    story.admin.call(&Revoke { target: Target::Device(device), reason: String::new() }).unwrap();
    let mut thief = story.log_in_as_alice();
    assert_eq!(thief.identity().device_state, DeviceState::Pending);
    assert_eq!(story.gets_nothing(&mut thief), ProblemCode::DevicePending);

    // Nor does it help to end her and to make another Alice.
    let principal = story.alice.identity().principal;
    story.admin.call(&Revoke { target: Target::Principal(principal), reason: String::new() }).unwrap();
    let again = CreatePrincipal {
        name: String::new(),
        addresses: vec!["alice@example.org".into()],
        roles: vec![Role::User],
    };
    assert_eq!(refused(story.admin.call(&again)), ProblemCode::Unacceptable);
    assert_eq!(story.gets_nothing(&mut thief), ProblemCode::NotLoggedIn);
}

#[test]
fn a_stolen_enrolment_code_gets_a_device_that_waits() {
    let mut story = Story::begin();
    // She wanted it for her new laptop, and left it on her desk.
    let mut thief = story.keystore.log_in(&story.keystore.code_for("alice@example.org"));
    assert_eq!(story.gets_nothing(&mut thief), ProblemCode::DevicePending);
    let own = ConfirmDevice { device: thief.identity().device, thumbprint: thief.device().thumbprint() };
    assert_eq!(refused(thief.call(&own)), ProblemCode::DevicePending);
    let entries = trail(&mut story.alice).0;
    assert!(entries.iter().any(|entry| entry.action == "log-in-with-code" && entry.decision.permitted));
    assert!(shows(&mut story.alice, &thief, "unwrap", "device-pending"));
    assert!(shows(&mut story.alice, &thief, "confirm-device", "device-pending"));
}

#[test]
fn an_admin_does_not_change_what_the_directory_says_of_her() {
    let mut story = Story::begin();
    let (key, before) = (story.key.fingerprint.clone(), story.key.certificate.clone());
    let at = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() + 86_400;
    let revoke = RevokeKey {
        key: key.clone(),
        target: RevocationTarget::Certificate,
        reason: RevocationReason::Compromised,
        message: String::new(),
    };
    let mut admin = story.again(&story.admin);
    assert_eq!(refused(admin.call(&revoke)), ProblemCode::NotFound);
    assert_eq!(refused(admin.call(&RotateSubkeys { key: key.clone() })), ProblemCode::NotFound);
    assert_eq!(
        refused(admin.call(&SetExpiry { key: key.clone(), expires_at: Some(at) })),
        ProblemCode::NotFound
    );
    let user_id = "<mallory@example.org>".to_owned();
    assert_eq!(refused(admin.call(&AddUserId { key, user_id })), ProblemCode::NotFound);
    // Nor does another key take her address: neither in his name, nor in that of an Alice whom he made up.
    let generate = GenerateKey {
        user_ids: vec!["<alice@example.org>".into()],
        profile: Profile::Rfc4880,
        valid_for_seconds: None,
    };
    assert_eq!(refused(admin.call(&generate)), ProblemCode::Denied);
    let again = CreatePrincipal {
        name: String::new(),
        addresses: vec!["alice@example.org".into()],
        roles: vec![Role::User],
    };
    assert_eq!(refused(admin.call(&again)), ProblemCode::Unacceptable);
    for action in ["revoke-key", "rotate-key", "expire-key", "add-user-id"] {
        assert!(shows(&mut story.alice, &admin, action, "key-not-yours"), "{action}");
    }
    let keys = story.alice.call(&ListKeys {}).unwrap().keys;
    assert_eq!((keys.len(), &keys[0].certificate), (1, &before));
}

#[test]
fn nobody_adds_an_issuer_through_the_api() {
    let mut story = Story::begin();
    // They are in the configuration, which the machine's owner writes; nothing that can be called speaks of them.
    let callable = calls::ALL.iter().map(|(path, _)| *path);
    let logs_in = |path: &&str| path.starts_with("/v1/login/oidc/");
    assert!(!callable.clone().any(|path| path.contains("issuer") || path.contains("provider")));
    assert_eq!(
        callable.filter(logs_in).collect::<Vec<_>>(),
        ["/v1/login/oidc/start", "/v1/login/oidc/finish"]
    );
    let start = OidcStart {
        issuer: "https://mallory.example".into(),
        redirect_uri: "http://127.0.0.1:4711/callback".into(),
    };
    let mut admin = story.again(&story.admin);
    let device = DeviceKey::generate();
    assert_eq!(refused(story.keystore.client().exchange(&device, None, &start)), ProblemCode::Unacceptable);
    assert_eq!(story.gets_nothing(&mut admin), ProblemCode::NotFound);
    assert!(trail(&mut story.alice).0.iter().all(|entry| entry.action != "log-in-with-identity"));
}

#[test]
fn what_a_delegate_could_do_ends_with_the_grant_and_with_its_owner() {
    let mut story = Story::begin();
    let mut bob = story.keystore.user("bob@example.org");
    let give = GiveGrant {
        key: story.key.fingerprint.clone(),
        to: bob.identity().principal,
        uses: vec![KeyUse::Unwrap],
        expires_at: bob.saved().grant.expires_at,
    };
    let grant = story.alice.call(&give).unwrap();
    open(&mut bob, &story.key.fingerprint, &story.mail).unwrap();
    story.alice.call(&EndGrant { grant: grant.id }).unwrap();
    assert_eq!(story.gets_nothing(&mut bob), ProblemCode::NotFound);

    story.alice.call(&give).unwrap();
    open(&mut bob, &story.key.fingerprint, &story.mail).unwrap();
    assert!(shows(&mut story.alice, &bob, "unwrap", "grant"));
    let principal = story.alice.identity().principal;
    story.admin.call(&Revoke { target: Target::Principal(principal), reason: String::new() }).unwrap();
    assert_eq!(story.gets_nothing(&mut bob), ProblemCode::NotFound);
}

#[test]
fn a_grant_is_for_its_uses_and_its_time() {
    let Story { keystore, mut alice, key, mail, .. } = Story::begin();
    let mut bob = keystore.user("bob@example.org");
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let give = GiveGrant {
        key: key.fingerprint.clone(),
        to: bob.identity().principal,
        uses: vec![KeyUse::Unwrap],
        expires_at: now() + 3600,
    };
    let grant = alice.call(&give).unwrap();
    open(&mut bob, &key.fingerprint, &mail).unwrap();
    let sign = SignDigest {
        key: key.fingerprint.clone(),
        subkey: key.signing[0].clone(),
        hash: 8,
        digest: vec![7; 32].into(),
        claim: SignatureClaim { signature_type: 0, created: 0 },
        context: Context::default(),
    };
    assert_eq!(refused(bob.call(&sign)), ProblemCode::Denied);
    alice.call(&EndGrant { grant: grant.id }).unwrap();

    alice.call(&GiveGrant { expires_at: now() + 2, ..give }).unwrap();
    thread::sleep(Duration::from_secs(3));
    assert_eq!(refused(open(&mut bob, &key.fingerprint, &mail)), ProblemCode::Denied);
    let entries = trail(&mut alice).0.into_iter();
    let refused = entries.filter(|entry| entry.decision.rule == "grant-does-not-cover");
    assert_eq!(refused.map(|entry| entry.action).collect::<Vec<_>>(), ["sign", "unwrap"]);
}

#[test]
fn a_session_value_without_its_device_key_is_useless_and_its_use_shows() {
    let mut story = Story::begin();
    let options = Options::new(SystemTime::now);
    let mut thief = Session::resume(story.alice.saved(), DeviceKey::generate(), options).unwrap();
    assert_eq!(refused(open(&mut thief, &story.key.fingerprint, &story.mail)), ProblemCode::NotLoggedIn);
    assert_eq!(refused(thief.call(&WhoAmI {})), ProblemCode::NotLoggedIn);
    assert!(shows(&mut story.alice, &thief, "unwrap", "session-of-another-device"));
}

#[test]
fn who_is_suspended_has_no_session_and_gets_none() {
    let mut story = Story::begin();
    let principal = story.alice.identity().principal;
    let set = |state| SetPrincipalState { principal, state };
    story.admin.call(&set(PrincipalState::Suspended)).unwrap();
    let mut alice = story.again(&story.alice);
    assert_eq!(story.gets_nothing(&mut alice), ProblemCode::NotLoggedIn);
    assert!(story.keystore.try_log_in(&story.keystore.code_for("alice@example.org")).is_err());
    story.admin.call(&set(PrincipalState::Active)).unwrap();
    open(&mut alice, &story.key.fingerprint, &story.mail).unwrap();
}

#[test]
fn strangers_who_guess_codes_do_not_fill_the_log() {
    let mut story = Story::begin();
    let before = trail(&mut story.alice).1;
    for guess in 0..5 {
        let code = EnrolmentCode::new([guess; 16], story.keystore.client().identity());
        let refusal = refused(story.keystore.try_log_in(&code.to_text()));
        assert_eq!(refusal, ProblemCode::LoginRefused);
    }
    assert_eq!(trail(&mut story.alice).1, before);
}
