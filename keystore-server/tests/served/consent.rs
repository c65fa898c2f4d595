// SPDX-License-Identifier: LGPL-2.0-or-later
//! What two administrators may do together, and one may not.

use std::{collections::BTreeSet, io::Write as _, thread, time::Duration};

use plombe_client::Session;
use plombe_core::{
    keystore::{
        ApprovalId, EnrolmentCode, PrincipalId, ProblemCode,
        calls::{
            approvals::{
                Approval, ApprovalState, Approve, BreakGlassUnwrap, ListApprovals, RequestAdmin,
                RequestBreakGlass,
            },
            custody::Context,
            devices::ListDevices,
            grants::KeyUse,
            keys::KeyInfo,
            login::{DeviceState, Role},
            principals::{CreateCode, CreatePrincipal, SetRoles},
            revoke::{Revoke, Target},
            session::WhoAmI,
        },
    },
    log::entry::Entry,
    message::SealedMessage,
};

use crate::{
    keystore::TestKeystore,
    mail::{generate, refused, seal_for},
    trail::{shows, trail},
};

/// A keystore with two administrators, and Alice with a key.
struct Office {
    keystore: TestKeystore,
    first: Session,
    second: Session,
    alice: Session,
    key: KeyInfo,
}

impl Office {
    /// Where a new administrator counts after so many hours.
    fn begin(delay_hours: u64) -> Self {
        let mut keystore = TestKeystore::start();
        let mut config = std::fs::OpenOptions::new().append(true).open(keystore.config()).unwrap();
        writeln!(config, "\n[consent]\ndelay_hours = {delay_hours}").unwrap();
        keystore.restart();
        let mut first = keystore.log_in(keystore.admin_code());
        let second = first.call(&add("second@example.org", vec![Role::User, Role::Admin])).unwrap();
        let second = log_in(&keystore, &mut first, second.principal.id);
        let mut alice = keystore.user("alice@example.org");
        let key = generate(&mut alice, "alice@example.org");
        Self { keystore, first, second, alice, key }
    }

    fn request(&self) -> RequestBreakGlass {
        RequestBreakGlass {
            key: self.key.fingerprint.clone(),
            uses: vec![KeyUse::Unwrap],
            reason: "She is ill and the contract is due".into(),
            valid_for_seconds: 3600,
        }
    }

    fn unwrap(&self, approval: ApprovalId) -> BreakGlassUnwrap {
        let mail = seal_for(&self.key.certificate);
        let message = SealedMessage::parse(&mail[..]).unwrap();
        BreakGlassUnwrap {
            approval,
            pkesk: message.wrapped_session_keys()[0].to_bytes().into(),
            session_key_size: None,
            context: Context::default(),
        }
    }
}

pub(crate) fn add(address: &str, roles: Vec<Role>) -> CreatePrincipal {
    CreatePrincipal { name: String::new(), addresses: vec![address.into()], roles }
}

pub(crate) fn log_in(keystore: &TestKeystore, admin: &mut Session, principal: PrincipalId) -> Session {
    let code = admin.call(&CreateCode { principal, valid_for_seconds: None }).unwrap();
    let secret = code.secret.expose().try_into().unwrap();
    keystore.log_in(&EnrolmentCode::new(secret, keystore.client().identity()).to_text())
}

fn yes(approval: &Approval) -> Approve {
    Approve { approval: approval.id, consent: true }
}

fn no(approval: &Approval) -> Approve {
    Approve { approval: approval.id, consent: false }
}

#[test]
fn two_admins_open_a_key_and_its_owner_sees_all_of_it_and_ends_it() {
    let mut office = Office::begin(0);
    let request = office.request();
    let approval = office.first.call(&request).unwrap();
    let unwrap = office.unwrap(approval.id);
    // Alone, and by one's own consent: nothing.
    assert_eq!(refused(office.first.call(&unwrap)), ProblemCode::ApprovalNeeded);
    assert_eq!(refused(office.first.call(&yes(&approval))), ProblemCode::Denied);
    assert_eq!(office.second.call(&yes(&approval)).unwrap().state, ApprovalState::Effective);
    // Who agreed does not use it.
    assert_eq!(refused(office.second.call(&unwrap)), ProblemCode::Denied);
    let used = office.first.call(&unwrap).unwrap();

    let entries = trail(&mut office.alice).0;
    let stands = |action: &str| entries.iter().any(|e| e.action == action && e.decision.permitted);
    assert!(stands("request-break-glass") && stands("consent") && stands("break-glass"));
    assert!(trail(&mut office.alice).1 > used.position);
    assert!(shows(&mut office.alice, &office.first, "break-glass", "consent-missing"));

    let seen = office.alice.call(&ListApprovals {}).unwrap().approvals;
    assert_eq!((seen.len(), seen[0].requested_by), (1, office.first.identity().principal));
    office.alice.call(&no(&approval)).unwrap();
    assert_eq!(refused(office.first.call(&unwrap)), ProblemCode::Conflict);
}

#[test]
fn who_made_the_second_admin_a_moment_ago_opens_no_key_and_makes_no_third() {
    let mut office = Office::begin(1);
    let request = office.request();
    // Neither has been one for an hour.
    assert_eq!(refused(office.first.call(&request)), ProblemCode::Denied);
    let third = office.first.call(&add("third@example.org", vec![Role::User])).unwrap().principal.id;
    let roles = vec![Role::User, Role::Admin];
    let ask = RequestAdmin { principal: third, roles: roles.clone(), reason: "we are three".into() };
    assert_eq!(refused(office.first.call(&ask)), ProblemCode::Denied);
    assert_eq!(
        refused(office.first.call(&SetRoles { principal: third, roles })),
        ProblemCode::ApprovalNeeded
    );
    assert!(shows(&mut office.alice, &office.first, "request-break-glass", "admin-too-new"));
}

#[test]
fn a_third_admin_needs_the_consent_of_the_second_once() {
    let mut office = Office::begin(0);
    let mut add_user =
        |address: &str| office.first.call(&add(address, vec![Role::User])).unwrap().principal.id;
    let (third, fourth) = (add_user("third@example.org"), add_user("fourth@example.org"));
    let roles = vec![Role::User, Role::Admin];
    let set = |principal| SetRoles { principal, roles: roles.clone() };
    let ask = RequestAdmin { principal: third, roles: roles.clone(), reason: "we are three".into() };
    let approval = office.first.call(&ask).unwrap();
    assert_eq!(office.second.call(&ListApprovals {}).unwrap().approvals, std::slice::from_ref(&approval));
    assert_eq!(refused(office.first.call(&set(third))), ProblemCode::ApprovalNeeded);
    office.second.call(&yes(&approval)).unwrap();
    // For whom it was given, and for who asked.
    assert_eq!(refused(office.first.call(&set(fourth))), ProblemCode::ApprovalNeeded);
    assert_eq!(refused(office.second.call(&set(third))), ProblemCode::ApprovalNeeded);
    office.first.call(&set(third)).unwrap();
    // And for once.
    office.first.call(&SetRoles { principal: third, roles: vec![Role::User] }).unwrap();
    assert_eq!(refused(office.first.call(&set(third))), ProblemCode::ApprovalNeeded);
}

#[test]
fn a_consent_ends_with_who_asked_with_who_agreed_and_by_a_no() {
    let mut office = Office::begin(0);
    let request = office.request();
    let refused_one = office.first.call(&request).unwrap();
    office.second.call(&no(&refused_one)).unwrap();
    assert_eq!(refused(office.second.call(&yes(&refused_one))), ProblemCode::Conflict);

    let approval = office.second.call(&request).unwrap();
    office.first.call(&yes(&approval)).unwrap();
    let unwrap = office.unwrap(approval.id);
    office.second.call(&unwrap).unwrap();
    let principal = office.second.identity().principal;
    office.first.call(&Revoke { target: Target::Principal(principal), reason: String::new() }).unwrap();
    assert_eq!(refused(office.second.call(&unwrap)), ProblemCode::NotLoggedIn);

    // Others neither see it nor ask for it.
    let mut bob = office.keystore.user("bob@example.org");
    assert_eq!(refused(bob.call(&request)), ProblemCode::Denied);
    assert!(bob.call(&ListApprovals {}).unwrap().approvals.is_empty());
    assert_eq!(refused(bob.call(&no(&approval))), ProblemCode::NotFound);
    assert_eq!(refused(bob.call(&unwrap)), ProblemCode::NotFound);
}

#[test]
fn an_administrator_does_not_become_the_second_one_by_resetting_that_ones_device() {
    let Office { keystore, mut first, mut second, .. } = Office::begin(0);
    let who = second.call(&WhoAmI {}).unwrap();
    let device = second.call(&ListDevices::default()).unwrap().devices.remove(0);
    first.call(&Revoke { target: Target::Device(device.id), reason: String::new() }).unwrap();
    let made_up = log_in(&keystore, &mut first, who.principal);
    assert_eq!(made_up.identity().device_state, DeviceState::Pending);
}

/// What she asked for, what she agreed to, and what lets her in: all of it ends with her, and is named.
#[test]
fn who_is_revoked_takes_along_what_they_asked_for_and_agreed_to() {
    let mut office = Office::begin(0);
    let request = office.request();
    let refused_before = office.second.call(&request).unwrap();
    office.first.call(&no(&refused_before)).unwrap();
    let asked = office.second.call(&request).unwrap();
    let agreed = office.first.call(&request).unwrap();
    office.second.call(&yes(&agreed)).unwrap();
    let unwrap = office.unwrap(agreed.id);
    office.first.call(&unwrap).unwrap();
    let stays = office.first.call(&request).unwrap();
    let principal = office.second.identity().principal;
    let code = office.first.call(&CreateCode { principal, valid_for_seconds: None }).unwrap();

    let revoke = Revoke { target: Target::Principal(principal), reason: "she leaves".into() };
    let ended = office.first.call(&revoke).unwrap();
    assert_eq!(BTreeSet::from_iter(ended.approvals), BTreeSet::from([asked.id, agreed.id]));
    assert_eq!((ended.codes, ended.devices.len(), ended.sessions.len()), (vec![code.id], 1, 1));
    assert_eq!(refused(office.first.call(&unwrap)), ProblemCode::Conflict);
    // Also for whose key it is.
    for session in [&mut office.first, &mut office.alice] {
        let listed = session.call(&ListApprovals {}).unwrap().approvals;
        let state = |id| listed.iter().find(|approval| approval.id == id).unwrap().state;
        assert_eq!((state(asked.id), state(agreed.id)), (ApprovalState::Ended, ApprovalState::Ended));
        assert_eq!(state(refused_before.id), ApprovalState::Refused);
        assert_eq!(state(stays.id), ApprovalState::Waiting);
    }
    let entries = trail(&mut office.alice).0;
    let says_why = |e: &&Entry| e.action == "revoke" && e.about.note.as_deref() == Some("she leaves");
    assert_eq!(entries.iter().filter(says_why).count(), 1);
}

#[test]
fn nothing_is_asked_without_a_reason_and_only_unwrapping_for_a_day_at_most() {
    let mut office = Office::begin(0);
    let request = office.request();
    for reason in ["", " \t", "a\nb", &"x".repeat(501)] {
        let without = RequestBreakGlass { reason: reason.into(), ..request.clone() };
        assert_eq!(refused(office.first.call(&without)), ProblemCode::Unacceptable, "{reason:?}");
    }
    let third = office.first.call(&add("third@example.org", vec![Role::User])).unwrap().principal.id;
    let ask = RequestAdmin { principal: third, roles: vec![Role::Admin], reason: String::new() };
    assert_eq!(refused(office.first.call(&ask)), ProblemCode::Unacceptable);

    for valid_for_seconds in [0, 24 * 3600 + 1] {
        let long = RequestBreakGlass { valid_for_seconds, ..request.clone() };
        assert_eq!(refused(office.first.call(&long)), ProblemCode::Unacceptable);
    }
    assert!(shows(&mut office.alice, &office.first, "request-break-glass", "break-glass-unbounded"));
    for uses in [vec![], vec![KeyUse::Sign], vec![KeyUse::Unwrap, KeyUse::Sign], vec![KeyUse::Raw]] {
        let more = RequestBreakGlass { uses, ..request.clone() };
        assert_eq!(refused(office.first.call(&more)), ProblemCode::Unacceptable);
    }
    let entries = trail(&mut office.alice).0;
    let refused = entries.iter().filter(|entry| entry.decision.rule == "break-glass-only-unwraps");
    assert_eq!(refused.count(), 4);
    assert!(office.second.call(&ListApprovals {}).unwrap().approvals.is_empty());
    office.first.call(&RequestBreakGlass { valid_for_seconds: 24 * 3600, ..request }).unwrap();
}

#[test]
fn a_consent_ends_when_its_time_is_over() {
    let mut office = Office::begin(0);
    let request = RequestBreakGlass { valid_for_seconds: 1, ..office.request() };
    let approval = office.first.call(&request).unwrap();
    // Its time begins with the consent.
    thread::sleep(Duration::from_secs(2));
    office.second.call(&yes(&approval)).unwrap();
    thread::sleep(Duration::from_secs(2));
    let unwrap = office.unwrap(approval.id);
    assert_eq!(refused(office.first.call(&unwrap)), ProblemCode::Conflict);
    let listed = office.first.call(&ListApprovals {}).unwrap().approvals;
    assert_eq!(listed[0].state, ApprovalState::Ended);
}
