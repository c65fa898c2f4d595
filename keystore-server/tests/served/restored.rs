// SPDX-License-Identifier: LGPL-2.0-or-later
//! A backup is restored that does not know of the last revocation.

use std::path::PathBuf;

use plombe_client::{ClientError, DeviceKey, Options, SavedSession, SeenLog, Session};
use plombe_core::{
    keystore::{
        ProblemCode,
        calls::{
            approvals::{Approve, ListApprovals},
            audit::{ListEntries, Scope},
            history::{AcknowledgeLoss, LossAcknowledged, LostHistory, extent_of},
            keys::{KeyInfo, ListKeys},
            login::Role,
            principals::{ListPrincipals, PrincipalState, SetPrincipalState, SetRoles},
            revoke::{Revoke, Target},
            session::WhoAmI,
        },
    },
    log::{Disclosure, SignedCheckpoint, TreeHead, VerifierKey, entry::Entry},
};

use crate::{
    consent::{add, log_in},
    keystore::TestKeystore,
    mail::{generate, open, refused, seal_for},
    trail::trail,
};

/// A keystore with two administrators, Alice and her key, Mallory with one of his own, and a backup. Then Mallory is revoked.
struct Office {
    keystore: TestKeystore,
    first: Session,
    second: Session,
    alice: Session,
    key: KeyInfo,
    mallory: Session,
    his: KeyInfo,
    backup: PathBuf,
    /// The last checkpoint before the restore.
    lost: SignedCheckpoint,
}

impl Office {
    fn begin() -> Self {
        let mut keystore = TestKeystore::start();
        keystore.restart_with("[consent]\ndelay_hours = 0\n");
        let mut first = keystore.log_in(keystore.admin_code());
        let second = first.call(&add("second@example.org", vec![Role::User, Role::Admin])).unwrap();
        let second = log_in(&keystore, &mut first, second.principal.id);
        let mut alice = keystore.user("alice@example.org");
        let key = generate(&mut alice, "alice@example.org");
        let mut mallory = keystore.user("mallory@example.org");
        let his = generate(&mut mallory, "mallory@example.org");
        let backup = keystore.backup("backup");

        let principal = mallory.identity().principal;
        first.call(&Revoke { target: Target::Principal(principal), reason: String::new() }).unwrap();
        assert_eq!(
            refused(open(&mut mallory, &his.fingerprint, &seal_for(&his.certificate))),
            ProblemCode::NotLoggedIn
        );
        let lost = newest(&first);
        Self { keystore, first, second, alice, key, mallory, his, backup, lost }
    }

    /// Restored; and everybody but `first` has not seen what came after the backup.
    fn restored() -> Self {
        let mut office = Self::begin();
        office.keystore.restore(&office.backup);
        for session in [&mut office.second, &mut office.alice, &mut office.mallory] {
            *session = blind(session);
        }
        office
    }

    /// `first` shows what he has seen: his client refuses the keystore, and the keystore stops.
    fn show(&mut self) {
        // A log that has grown past what he saw is found out by its proof, in the next run of his program at the latest.
        self.first = resumed(&self.first, self.first.saved().log);
        let looked = self.first.call(&WhoAmI {}).and_then(|_| self.first.verify_log());
        let contradiction = looked.unwrap_err();
        assert!(matches!(contradiction, ClientError::LogContradicts { .. }), "{contradiction}");
        self.first = blind(&self.first);
    }

    fn acknowledge(&self, who: &mut Session) -> Result<LossAcknowledged, ClientError> {
        let losses = who.call(&LostHistory {})?.losses;
        let loss = losses.into_iter().max_by_key(|loss| loss.shown_at).expect("something is lost");
        let TreeHead { size, root } = *signed(who, &loss.checkpoint).head();
        let (shown_at, reason) = (loss.shown_at, "the disk was lost".into());
        who.call(&AcknowledgeLoss { size, root, shown_at, reason })
    }

    fn mallory_reads(&mut self) -> Result<u64, ClientError> {
        open(&mut self.mallory, &self.his.fingerprint, &seal_for(&self.his.certificate))
    }

    fn alice_reads(&mut self) -> Result<u64, ClientError> {
        open(&mut self.alice, &self.key.fingerprint, &seal_for(&self.key.certificate))
    }
}

/// What the log has signed.
fn signed(session: &Session, note: &str) -> SignedCheckpoint {
    let verifier: VerifierKey = session.keystore().identity().log_verifier.parse().unwrap();
    SignedCheckpoint::open(note, &verifier).unwrap()
}

/// The newest that this session has seen.
fn newest(session: &Session) -> SignedCheckpoint {
    signed(session, &session.saved().log.latest.unwrap())
}

/// Until the clock shows another second.
fn a_second_later() {
    std::thread::sleep(std::time::Duration::from_millis(1100));
}

/// The same session on a machine that has seen nothing of the log.
fn blind(session: &Session) -> Session {
    resumed(session, SeenLog::default())
}

fn resumed(session: &Session, log: SeenLog) -> Session {
    let saved = SavedSession { log, ..session.saved() };
    let device = DeviceKey::from_pkcs8(session.device().to_pkcs8()).unwrap();
    Session::resume(saved, device, Options::new(std::time::SystemTime::now)).unwrap()
}

#[test]
fn a_restored_older_state_un_revokes_nobody_once_it_is_shown_what_it_lost() {
    let mut office = Office::restored();
    // As far as the database knows, he was never revoked.
    office.mallory_reads().unwrap();
    office.show();
    assert_eq!(refused(office.mallory_reads()), ProblemCode::RolledBack);
    assert_eq!(refused(office.alice_reads()), ProblemCode::RolledBack);
    office.keystore.restart();
    assert_eq!(refused(office.mallory_reads()), ProblemCode::RolledBack);

    // One administrator is not enough, however often, nor one who names something else.
    let mut first = blind(&office.first);
    assert!(!office.acknowledge(&mut first).unwrap().effective);
    assert_eq!(refused(office.acknowledge(&mut first)), ProblemCode::ApprovalNeeded);
    assert_eq!(refused(office.mallory_reads()), ProblemCode::RolledBack);
    let approval = first.call(&ListApprovals {}).unwrap().approvals.remove(0).id;
    let mut second = blind(&office.second);
    assert_eq!(refused(second.call(&Approve { approval, consent: true })), ProblemCode::RolledBack);
    let TreeHead { size, root } = *office.lost.head();
    let shown_at = second.call(&LostHistory {}).unwrap().losses[0].shown_at;
    for (size, shown_at) in [(1, shown_at), (size, shown_at + 3600)] {
        let other = AcknowledgeLoss { size, root, shown_at, reason: "x".into() };
        assert_eq!(refused(second.call(&other)), ProblemCode::NotFound);
    }

    // What had been revoked is revoked again before anybody is served.
    let principal = office.mallory.identity().principal;
    first.call(&Revoke { target: Target::Principal(principal), reason: String::new() }).unwrap();
    assert!(office.acknowledge(&mut second).unwrap().effective);
    assert_eq!(refused(office.mallory_reads()), ProblemCode::NotLoggedIn);
    office.alice_reads().unwrap();
    assert_eq!(refused(office.acknowledge(&mut second)), ProblemCode::Conflict);

    // Who still shows it, or anything before it, changes nothing; and it is remembered.
    assert!(office.first.call(&WhoAmI {}).is_ok());
    office.keystore.show(&office.lost);
    office.keystore.restart();
    office.keystore.show(&office.lost);
    office.alice_reads().unwrap();
}

#[test]
fn what_leads_out_of_lost_history_is_served_and_nothing_else() {
    let mut office = Office::restored();
    office.show();
    let mut first = blind(&office.first);
    // Looking, for administrators.
    first.call(&ListPrincipals { address: None, after: None }).unwrap();
    first.call(&ListEntries { scope: Scope::Mine, after: None, limit: 10 }).unwrap();
    first.renew().unwrap();
    // For others: that it is so, and nothing of their own.
    office.alice.call(&WhoAmI {}).unwrap();
    let losses = office.alice.call(&LostHistory {}).unwrap().losses;
    assert_eq!((losses.len(), losses[0].checkpoint.as_str()), (1, office.lost.note()));
    assert_eq!(refused(office.alice.call(&ListKeys {})), ProblemCode::RolledBack);
    assert_eq!(refused(office.alice.renew()), ProblemCode::RolledBack);
    let all = ListEntries { scope: Scope::Mine, after: None, limit: 10 };
    assert_eq!(refused(office.alice.call(&all)), ProblemCode::RolledBack);
    // Administrators log in, others do not.
    let code = office.keystore.code_for("alice@example.org");
    assert_eq!(refused(office.keystore.try_log_in(&code)), ProblemCode::RolledBack);
    office.keystore.log_in(&office.keystore.code_for("second@example.org"));

    // Less for somebody, and more for nobody.
    let principal = office.mallory.identity().principal;
    let state = |state| SetPrincipalState { principal, state };
    first.call(&state(PrincipalState::Suspended)).unwrap();
    assert_eq!(refused(first.call(&state(PrincipalState::Active))), ProblemCode::RolledBack);
    assert_eq!(refused(first.call(&add("new@example.org", vec![Role::User]))), ProblemCode::RolledBack);
    let roles = |roles| SetRoles { principal, roles };
    assert_eq!(refused(first.call(&roles(vec![Role::User, Role::Auditor]))), ProblemCode::RolledBack);
    first.call(&roles(vec![])).unwrap();
    // A balancer that asks must not cut the administrators off.
    assert!(office.keystore.is_ready());
    // Nor for whoever is no administrator.
    let mut alice = blind(&office.alice);
    assert_eq!(refused(office.acknowledge(&mut alice)), ProblemCode::Denied);
}

#[test]
fn a_second_loss_does_not_hide_behind_the_first() {
    let mut office = Office::restored();
    office.show();
    let (mut first, mut second) = (blind(&office.first), blind(&office.second));
    // A time that is later than that of the lost log.
    a_second_later();
    office.acknowledge(&mut first).unwrap();
    office.acknowledge(&mut second).unwrap();
    office.alice_reads().unwrap();
    let (knows, newer) = (office.keystore.backup("knows of the first"), newest(&second));
    // To where nothing of the first is known, and to where it is acknowledged.
    office.keystore.restore(&office.backup);
    office.alice = blind(&office.alice);
    office.alice_reads().unwrap();
    office.keystore.show(&newer);
    assert_eq!(refused(office.alice_reads()), ProblemCode::RolledBack);
    office.keystore.restore(&knows);
    office.alice = blind(&office.alice);
    office.alice_reads().unwrap();
    let lost_again = newest(&office.alice);
    office.keystore.restore(&knows);
    office.alice = blind(&office.alice);
    office.keystore.show(&lost_again);
    assert_eq!(refused(office.alice_reads()), ProblemCode::RolledBack);
}

/// Whoever runs the keystore is the second one only where there is no other.
#[test]
fn the_only_administrator_goes_on_together_with_who_runs_the_keystore_and_two_do_not() {
    let command = ["acknowledge-lost-history-in-place-of-a-second-administrator", "--reason", "disk failure"];
    let mut office = Office::restored();
    assert!(office.keystore.try_console(&command).1.contains("nothing is lost"));
    office.show();
    let mut first = blind(&office.first);
    assert!(!office.acknowledge(&mut first).unwrap().effective);
    let (worked, said) = office.keystore.try_console(&command);
    assert!(!worked && said.contains("more than one administrator"), "{said}");
    // One who is only suspended may come back.
    let principal = office.second.identity().principal;
    first.call(&SetPrincipalState { principal, state: PrincipalState::Suspended }).unwrap();
    assert!(!office.keystore.try_console(&command).0);
    assert_eq!(refused(office.alice_reads()), ProblemCode::RolledBack);

    first.call(&SetRoles { principal, roles: vec![Role::User] }).unwrap();
    let (worked, said) = office.keystore.try_console(&command);
    assert!(worked, "{said}");
    office.alice_reads().unwrap();
    assert!(!office.keystore.try_console(&command).0);
    let losses = office.alice.call(&LostHistory {}).unwrap().losses;
    let by: Vec<_> = losses[0].acknowledged.as_ref().unwrap().by.iter().map(|who| &who.name).collect();
    assert_eq!(by, ["admin@example.org"]);
    // Both are in the log, and the second one says what it was.
    let said = trail(&mut first).0.into_iter().filter(|entry| entry.action == "acknowledge-loss");
    let notes: Vec<String> = said.filter(|e| e.decision.permitted).filter_map(|e| e.about.note).collect();
    assert!(notes.len() == 2 && notes[1].contains("in place of a second administrator"), "{notes:?}");
}

/// Whoever runs the keystore does not begin.
#[test]
fn who_runs_the_keystore_acknowledges_nothing_alone() {
    let mut office = Office::restored();
    office.show();
    let mut first = blind(&office.first);
    let principal = office.second.identity().principal;
    first.call(&SetRoles { principal, roles: vec![Role::User] }).unwrap();
    let command = ["acknowledge-lost-history-in-place-of-a-second-administrator", "--reason", "disk failure"];
    let (worked, said) = office.keystore.try_console(&command);
    assert!(!worked && said.contains("waits for another administrator"), "{said}");
    assert_eq!(refused(office.alice_reads()), ProblemCode::RolledBack);
}

#[test]
fn whoever_kept_many_notes_of_lost_history_stops_the_keystore_once() {
    let mut office = Office::begin();
    // Mallory reads what everybody may read, and keeps all of it.
    let mut kept = vec![office.lost.clone()];
    for _ in 0..3 {
        office.alice_reads().unwrap();
        kept.push(newest(&office.alice));
    }
    a_second_later();
    office.keystore.restore(&office.backup);
    for session in [&mut office.first, &mut office.second, &mut office.alice] {
        *session = blind(session);
    }
    let (mut first, mut second) = (blind(&office.first), blind(&office.second));
    office.keystore.show(&kept[0]);
    assert_eq!(refused(office.alice_reads()), ProblemCode::RolledBack);
    assert!(!office.acknowledge(&mut first).unwrap().effective);
    // Neither does it take away what the first one has said, nor does it stop anything again, nor fill the log.
    office.keystore.show(&kept[1]);
    assert!(office.acknowledge(&mut second).unwrap().effective);
    office.alice_reads().unwrap();
    for note in &kept {
        office.keystore.show(note);
        office.alice_reads().unwrap();
    }
    office.keystore.restart();
    office.keystore.show(&kept[3]);
    office.alice_reads().unwrap();
    assert_eq!(first.call(&LostHistory {}).unwrap().losses.len(), 1);
}

#[test]
fn the_acknowledgement_is_an_entry_that_names_what_is_lost() {
    let mut office = Office::restored();
    office.show();
    let (mut first, mut second) = (blind(&office.first), blind(&office.second));
    office.acknowledge(&mut first).unwrap();
    let position = office.acknowledge(&mut second).unwrap().position;
    let shown_at = first.call(&LostHistory {}).unwrap().losses[0].shown_at;
    let name = extent_of(office.lost.head(), shown_at);
    let named = trail(&mut first).0.into_iter().filter(|entry| entry.action == "acknowledge-loss");
    let notes: Vec<String> = named.filter_map(|entry| entry.about.note).collect();
    assert!(notes.len() == 2 && notes.iter().all(|note| note.starts_with(&name)), "{notes:?}");

    // Alice is shown who did it, and the entry.
    let losses = office.alice.call(&LostHistory {}).unwrap();
    let verifier: VerifierKey = office.alice.keystore().identity().log_verifier.parse().unwrap();
    let head = SignedCheckpoint::open(&losses.checkpoint, &verifier).unwrap();
    let acknowledged = losses.losses[0].acknowledged.as_ref().unwrap();
    let who: Vec<_> = acknowledged.by.iter().map(|who| who.name.as_str()).collect();
    assert_eq!(who, ["admin@example.org", "second@example.org"]);
    let Disclosure::Whole { body, .. } = acknowledged.entry.verify(head.head()).unwrap() else {
        panic!("it was not erased")
    };
    assert_eq!(acknowledged.entry.position, position);
    assert_eq!(Entry::read(&body).unwrap().action, "acknowledge-loss");
    assert!(losses.losses[0].from.is_some_and(|from| from < office.lost.head().size));
}
