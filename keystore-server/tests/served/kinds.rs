// SPDX-License-Identifier: LGPL-2.0-or-later
//! Keys of every kind that is taken into custody, each through the running server: in, unwrap, sign, and what a changed packet gets.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Mutex,
    time::{SystemTime, UNIX_EPOCH},
};

use plombe_client::{ClientError, Session};
use plombe_core::{
    cert::{Certificate, LockedTsk},
    crypto_policy::CryptoPolicy,
    custody::{self, is_rsa_wrapped},
    keystore::{
        ProblemCode, SecretBytes,
        calls::{
            approvals::{Approve, BreakGlassUnwrap, RequestBreakGlass},
            custody::{Context, SignDigest, SignatureClaim, Unwrap, Unwrapped},
            grants::KeyUse,
            keys::{GenerateKey, ImportKey, KeyInfo, Profile},
            login::Role,
        },
    },
    message::{DigestSignature, RemoteKey, SealedMessage, Signing},
};

use crate::{
    consent::{add, log_in},
    keystore::TestKeystore,
    mail::{open, refused, seal_for},
    trail::counted,
};

/// Files with a TSK each.
fn kinds() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/served/kinds");
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = paths.filter(|path| path.extension().is_some_and(|one| one == "pgp")).collect();
    files.sort();
    files
}

#[test]
fn keys_of_every_kind_come_in_unwrap_and_sign_through_the_running_server() {
    let keystore = TestKeystore::start();
    let mut alice = keystore.user("alice@example.org");
    let (mut rsa, mut others) = (0, 0);
    for file in kinds() {
        let kind = file.file_stem().unwrap().to_string_lossy().into_owned();
        let tsk = LockedTsk::parse_all(&fs::read(&file).unwrap()).unwrap().remove(0).unlock(None).unwrap();
        let call = ImportKey { tsk: SecretBytes::new(custody::to_bytes(&tsk).unwrap().as_slice()) };
        let key = alice.call(&call).unwrap_or_else(|error| panic!("{kind}: {error}")).key;
        works(&mut alice, &kind, &key);
        match changed_packet(&mut alice, &kind, &key) {
            true => rsa += 1,
            false => others += 1,
        }
    }
    assert_eq!((rsa, others), (6, 8), "RSA of three sizes, and four curves, in both versions");
}

/// The limit is the key's, whoever uses it; who may not use it does not use it up.
#[test]
fn an_rsa_key_is_asked_so_often_and_no_more() {
    let mut keystore = TestKeystore::start();
    keystore.restart_with("[limits]\nrsa_per_minute = 2\n\n[consent]\ndelay_hours = 0\n");
    let mut admin = keystore.log_in(keystore.admin_code());
    let mut with_roles = |address: &str, roles: Vec<Role>| {
        let made = admin.call(&add(address, roles)).unwrap().principal.id;
        log_in(&keystore, &mut admin, made)
    };
    let mut second = with_roles("second@example.org", vec![Role::User, Role::Admin]);
    let mut auditor = with_roles("auditor@example.org", vec![Role::Auditor]);
    let (mut alice, mut mallory) = (keystore.user("alice@example.org"), keystore.user("mallory@example.org"));
    let file = kinds().into_iter().find(|path| path.ends_with("rsa2048-v4.pgp")).unwrap();
    let tsk = SecretBytes::new(fs::read(file).unwrap().as_slice());
    let key = alice.call(&ImportKey { tsk }).unwrap().key;
    let mail = seal_for(&key.certificate);
    let request = RequestBreakGlass {
        key: key.fingerprint.clone(),
        uses: vec![KeyUse::Unwrap],
        reason: "she is ill".into(),
        valid_for_seconds: 3600,
    };
    let approval = admin.call(&request).unwrap().id;
    second.call(&Approve { approval, consent: true }).unwrap();
    let message = SealedMessage::parse(&mail[..]).unwrap();
    let without_her = BreakGlassUnwrap {
        approval,
        pkesk: message.wrapped_session_keys()[0].to_bytes().into(),
        session_key_size: message.session_key_size().map(|size| u8::try_from(size).unwrap()),
        context: Context::default(),
    };

    for _ in 0..3 {
        assert_eq!(refused(open(&mut mallory, &key.fingerprint, &mail)), ProblemCode::NotFound);
        assert_eq!(refused(second.call(&without_her)), ProblemCode::Denied);
    }
    admin.call(&without_her).unwrap();
    open(&mut alice, &key.fingerprint, &mail).unwrap();
    assert_eq!(refused(open(&mut alice, &key.fingerprint, &mail)), ProblemCode::RateLimited);
    assert_eq!(refused(admin.call(&without_her)), ProblemCode::RateLimited);
    keystore.stop_and_start();
    assert_eq!(counted(&mut auditor, "rsa-rate-limited"), 2);
}

#[test]
fn what_does_not_come_into_custody_is_counted() {
    let mut keystore = TestKeystore::start();
    let mut admin = keystore.log_in(keystore.admin_code());
    let made = admin.call(&add("auditor@example.org", vec![Role::Auditor])).unwrap().principal.id;
    let mut auditor = log_in(&keystore, &mut admin, made);
    let mut alice = keystore.user("alice@example.org");
    let import = ImportKey { tsk: SecretBytes::new(&b"no key"[..]) };
    assert_eq!(refused(alice.call(&import)), ProblemCode::Unacceptable);
    keystore.stop_and_start();
    assert_eq!(counted(&mut auditor, "import-refused"), 1);
}

#[test]
fn a_post_quantum_key_unwraps_and_signs_where_the_build_has_it() {
    let keystore = TestKeystore::start();
    let mut alice = keystore.user("alice@example.org");
    let user_ids = vec!["<alice@example.org>".to_owned()];
    let call = GenerateKey { user_ids, profile: Profile::Pqc, valid_for_seconds: None };
    match alice.call(&call) {
        Ok(made) => works(&mut alice, "pqc", &made.key),
        // Which build would have it is said.
        Err(ClientError::Refused(problem)) => {
            assert_eq!(problem.code, ProblemCode::Unacceptable);
            assert!(problem.to_string().contains("OpenSSL 3.5"), "{problem}");
        }
        Err(other) => panic!("{other}"),
    }
}

/// Opens a message for it, and signs; the signature is checked with the public key before it counts.
fn works(session: &mut Session, kind: &str, key: &KeyInfo) {
    open(session, &key.fingerprint, &seal_for(&key.certificate))
        .unwrap_or_else(|error| panic!("{kind}: {error}"));
    let (session, policy) = (Mutex::new(session), CryptoPolicy::standard());
    let remote = RemoteKey {
        certificate: Certificate::parse(&key.certificate.0).unwrap(),
        held: key.signing.iter().map(|one| one.as_fingerprint().clone()).collect(),
        sign: Box::new(|request| {
            let created = request.created.duration_since(UNIX_EPOCH).unwrap().as_secs();
            let signed = session.lock().unwrap().call(&SignDigest {
                key: key.fingerprint.clone(),
                subkey: request.key.clone().try_into().unwrap(),
                hash: request.hash,
                digest: request.digest.into(),
                claim: SignatureClaim { signature_type: request.signature_type, created },
                context: Context::default(),
            })?;
            Ok(DigestSignature(signed.signature.0))
        }),
    };
    let signing = Signing {
        signers: vec![(&remote).into()],
        text: false,
        armor: false,
        policy: &policy,
        now: SystemTime::now(),
    };
    let mut signature = Vec::new();
    let signed = signing.detached(&mut &b"words"[..], &mut signature);
    signed.unwrap_or_else(|error| panic!("{kind}: {error}"));
    assert!(!signature.is_empty());
}

/// A packet whose last byte was changed: for RSA that is no error, but always the same wrong session key; for others one and the same
/// refusal. Says whether it was RSA.
fn changed_packet(session: &mut Session, kind: &str, key: &KeyInfo) -> bool {
    let sealed = seal_for(&key.certificate);
    let message = SealedMessage::parse(&sealed[..]).unwrap();
    let mut pkesk = message.wrapped_session_keys()[0].to_bytes();
    let rsa = is_rsa_wrapped(&pkesk);
    let session_key_size = message.session_key_size().map(|size| u8::try_from(size).unwrap());
    let mut unwrap = |pkesk: &[u8]| {
        session.call(&Unwrap {
            key: key.fingerprint.clone(),
            pkesk: pkesk.into(),
            session_key_size,
            context: Context::default(),
        })
    };
    let right = unwrap(&pkesk).unwrap();
    let mut rejected: Vec<(Unwrapped, Unwrapped)> = Vec::new();
    for back in [1, 20] {
        let place = pkesk.len() - back;
        pkesk[place] ^= 1;
        match rsa {
            true => {
                let answer = || unwrap(&pkesk).unwrap_or_else(|error| panic!("{kind}: {error}"));
                let mut answer = answer;
                rejected.push((answer(), answer()));
            }
            false => assert_eq!(refused(unwrap(&pkesk)), ProblemCode::Unreadable, "{kind}"),
        }
        pkesk[place] ^= 1;
    }
    for (one, again) in &rejected {
        assert_eq!(
            one.session_key.expose(),
            again.session_key.expose(),
            "{kind}: asking again tells nothing"
        );
        assert_ne!(one.session_key.expose(), right.session_key.expose(), "{kind}");
    }
    rsa
}
