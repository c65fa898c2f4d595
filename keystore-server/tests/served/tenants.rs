// SPDX-License-Identifier: LGPL-2.0-or-later
//! Two organisations on one keystore. Nothing of the one is seen from the other, by nobody.

use plombe_client::Session;
use plombe_core::{
    keystore::{
        EnrolmentCode, ProblemCode,
        calls::{
            approvals::{ListApprovals, RequestBreakGlass},
            audit::{ListEntries, Scope},
            devices::ListDevices,
            grants::{GiveGrant, KeyUse},
            login::Role,
            principals::{
                CreateCode, CreatePrincipal, ListPrincipals, PrincipalState, SetPrincipalState, SetRoles,
            },
            revoke::{Revoke, Target},
        },
    },
    log::{Disclosure, entry::Entry},
};

use crate::{
    keystore::TestKeystore,
    mail::{generate, open, refused, seal_for},
};

pub(crate) fn auditor(keystore: &TestKeystore, admin: &mut Session, address: &str) -> Session {
    let create =
        CreatePrincipal { name: String::new(), addresses: vec![address.into()], roles: vec![Role::Auditor] };
    let principal = admin.call(&create).unwrap().principal.id;
    let code = admin.call(&CreateCode { principal, valid_for_seconds: None }).unwrap();
    let secret = code.secret.expose().try_into().unwrap();
    keystore.log_in(&EnrolmentCode::new(secret, keystore.client().identity()).to_text())
}

/// What an auditor reads: the entries that are shown, and how many are only there.
fn read_all(auditor: &mut Session) -> (Vec<Entry>, usize) {
    let page = auditor.call(&ListEntries { scope: Scope::All, after: None, limit: 500 }).unwrap();
    let mut shown = Vec::new();
    let mut hidden = 0;
    for entry in &page.entries {
        match Disclosure::from_bytes(&entry.disclosure.0) {
            Some(Disclosure::Whole { body, .. }) => shown.push(serde_json::from_slice(&body).unwrap()),
            _ => hidden += 1,
        }
    }
    (shown, hidden)
}

#[test]
fn no_auditor_sees_anything_of_another_organisation() {
    let mut keystore = TestKeystore::start();
    let mut admin = keystore.log_in(keystore.admin_code());
    let mut auditor_here = auditor(&keystore, &mut admin, "auditor@example.org");
    let mut alice = keystore.user("alice@example.org");
    generate(&mut alice, "alice@example.org");

    // Added while the server runs.
    let code = keystore.console(&["tenant", "add", "other.net", "--domain", "other.net"]);
    let mut admin_there = keystore.log_in(&code);
    assert_eq!(admin_there.identity().addresses, ["admin@other.net"]);
    let mut auditor_there = auditor(&keystore, &mut admin_there, "auditor@other.net");
    let mut carol = keystore.user("carol@other.net");
    generate(&mut carol, "carol@other.net");
    // Refused at the console and by log-in, with names in it.
    keystore.console_refuses(&["user", "add", "carol@other.net"]);
    keystore.console_refuses(&["user", "add", "alice@example.org"]);
    assert!(keystore.try_log_in(&code).is_err());
    keystore.stop_and_start();

    for (reader, own, others) in [
        (&mut auditor_here, "alice@example.org", "other.net"),
        (&mut auditor_there, "carol@other.net", "example.org"),
    ] {
        let tenant = reader.identity().tenant;
        let (shown, hidden) = read_all(reader);
        let text: Vec<String> = shown.iter().map(|entry| serde_json::to_string(entry).unwrap()).collect();
        assert!(text.iter().any(|entry| entry.contains(own)), "{own} is not to be seen");
        assert!(hidden > 5, "{hidden}");
        for entry in &text {
            assert!(!entry.contains(others), "{entry}");
        }
        for entry in &shown {
            if let plombe_core::log::entry::Actor::Device { tenant: of, .. } = &entry.actor {
                assert_eq!(*of, tenant, "{entry:?}");
            }
        }
        // Log-ins belong to whoever logged in.
        assert!(shown.iter().any(|entry| entry.action == "log-in-with-code" && entry.decision.permitted));
    }
    // A code that was used before is nobody's any more, so its refusal is counted, and no name stands in it.
    let counted = |shown: Vec<Entry>| shown.into_iter().any(|entry| entry.action == "refused-anonymous");
    assert!(counted(read_all(&mut auditor_here).0));
}

#[test]
fn an_administrator_of_one_organisation_is_nobody_in_another() {
    let mut keystore = TestKeystore::start();
    // So that it is not for being new that he is refused.
    keystore.restart_with("[consent]\ndelay_hours = 0\n");
    let mut alice = keystore.user("alice@example.org");
    let key = generate(&mut alice, "alice@example.org");
    let mail = seal_for(&key.certificate);
    let code = keystore.console(&["tenant", "add", "other.net", "--domain", "other.net"]);
    let mut mallory = keystore.log_in(&code);
    let principal = alice.identity().principal;
    let revoke = |target| Revoke { target, reason: String::new() };
    assert_eq!(
        refused(mallory.call(&CreateCode { principal, valid_for_seconds: None })),
        ProblemCode::NotFound
    );
    assert_eq!(
        refused(mallory.call(&SetRoles { principal, roles: vec![Role::User] })),
        ProblemCode::NotFound
    );
    let suspend = SetPrincipalState { principal, state: PrincipalState::Suspended };
    assert_eq!(refused(mallory.call(&suspend)), ProblemCode::NotFound);
    assert_eq!(refused(mallory.call(&revoke(Target::Principal(principal)))), ProblemCode::NotFound);
    assert_eq!(
        refused(mallory.call(&revoke(Target::Device(alice.identity().device)))),
        ProblemCode::NotFound
    );
    assert_eq!(refused(mallory.call(&ListDevices { principal: Some(principal) })), ProblemCode::NotFound);
    assert_eq!(refused(open(&mut mallory, &key.fingerprint, &mail)), ProblemCode::NotFound);
    let break_glass = RequestBreakGlass {
        key: key.fingerprint.clone(),
        uses: vec![KeyUse::Unwrap],
        reason: "curious".into(),
        valid_for_seconds: 60,
    };
    assert_eq!(refused(mallory.call(&break_glass)), ProblemCode::NotFound);
    assert!(mallory.call(&ListApprovals {}).unwrap().approvals.is_empty());
    // Nobody is made up in another's domain, found there, or lent a key across.
    let create = |address: &str| CreatePrincipal {
        name: String::new(),
        addresses: vec![address.into()],
        roles: vec![Role::User],
    };
    assert_eq!(refused(mallory.call(&create("eve@example.org"))), ProblemCode::Unacceptable);
    let all = mallory.call(&ListPrincipals { after: None, address: None }).unwrap().principals;
    assert_eq!(all.iter().map(|p| p.addresses[0].as_str()).collect::<Vec<_>>(), ["admin@other.net"]);
    let give = GiveGrant {
        key: key.fingerprint.clone(),
        to: mallory.identity().principal,
        uses: vec![KeyUse::Unwrap],
        expires_at: mallory.saved().grant.expires_at,
    };
    assert_eq!(refused(alice.call(&give)), ProblemCode::NotFound);
    open(&mut alice, &key.fingerprint, &mail).unwrap();
}

#[test]
fn organisations_share_no_name_and_no_domain() {
    let keystore = TestKeystore::start();
    keystore.console(&["tenant", "add", "other.net", "--domain", "other.net", "--admin", "root@other.net"]);
    for wrong in [
        &["tenant", "add", "example.org", "--domain", "third.net"][..],
        &["tenant", "add", "third.net", "--domain", "third.net", "--domain", "EXAMPLE.org"],
        &["tenant", "add", "third.net", "--domain", "other.net"],
        &["tenant", "add", "third.net", "--domain", "third.net", "--admin", "root@other.net"],
        &["tenant", "add", "third.net", "--domain", "not a domain"],
    ] {
        keystore.console_refuses(wrong);
    }
    // What was refused left nothing behind: the name is free.
    keystore.console(&["tenant", "add", "third.net", "--domain", "third.net"]);
}
