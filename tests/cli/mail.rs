// SPDX-License-Identifier: LGPL-2.0-or-later
//! `plombe mail` on single mails.

use plombe_tests::{ALICE, BOB, Home, MALLORY, Ran, Scratch};
use serde_json::Value;

const MAIL: &str = "From: Alice <alice@example.test>\r\nTo: Bob <bob@example.test>\r\nSubject: Grüße\r\n\
                    Date: Sat, 21 Nov 2026 22:30:00 +0000\r\nMessage-ID: <1@example.test>\r\n\
                    Content-Type: text/plain; charset=utf-8\r\n\r\nThe price is 100.\r\n";

fn to(recipients: &str) -> String {
    MAIL.replace("To: Bob <bob@example.test>", recipients)
}

#[track_caller]
fn stderr_json(ran: &Ran) -> Value {
    serde_json::from_str(ran.stderr.trim()).unwrap_or_else(|_| panic!("stderr is no JSON object: {ran}"))
}

#[test]
fn sealed_mail_opens_with_its_subject_and_verdict() {
    let (alice, bob) = Home::pair(ALICE, BOB);
    let sealed = alice.run(["mail", "seal"], MAIL.as_bytes()).ok();
    for secret in ["Grüße", "The price"] {
        assert!(!String::from_utf8_lossy(&sealed).contains(secret));
    }
    let opened = bob.run(["mail", "open", "--json", "--require-good"], &sealed).expect_code(0);
    assert!(opened.text().contains("The price is 100."), "{opened}");
    let told = stderr_json(&opened);
    assert_eq!(told["encrypted"], true);
    assert_eq!(told["verdicts"][0]["verdict"], "good", "{told}");
    let shown = bob.run(["mail", "open", "--text"], &sealed).expect_code(0);
    assert!(shown.text().contains("Subject: Grüße") && shown.stderr.contains("good signature"), "{shown}");
}

#[test]
fn sender_can_read_what_was_sent() {
    let (alice, _) = Home::pair(ALICE, BOB);
    let sealed = alice.run(["mail", "seal"], MAIL.as_bytes()).ok();
    assert!(alice.run(["mail", "open"], &sealed).text().contains("The price is 100."));
}

#[test]
fn line_ends_stay_as_they_came() {
    let (alice, bob) = Home::pair(ALICE, BOB);
    let sealed = alice.run(["mail", "seal"], MAIL.replace("\r\n", "\n").as_bytes()).ok();
    assert!(!sealed.contains(&b'\r'));
    let opened = bob.run(["mail", "open"], &sealed).ok();
    assert!(!opened.contains(&b'\r'));
}

#[test]
fn whoever_has_no_certificate_is_named_and_nothing_is_sealed() {
    let alice = Home::of(ALICE);
    let mail = to("To: bob@example.test, mallory@example.test, alice@example.test");
    let ran = alice.run(["mail", "seal"], mail.as_bytes()).expect_code(9);
    assert!(ran.stderr.contains(BOB) && ran.stderr.contains(MALLORY) && ran.stdout.is_empty(), "{ran}");
    assert!(ran.stderr.contains("plombe key find"), "{ran}");
}

#[test]
fn sender_without_key_is_refused_unless_told() {
    let (_, bob) = Home::pair(ALICE, BOB);
    let ran = bob.run(["mail", "seal"], MAIL.as_bytes()).expect_code(9);
    assert!(ran.stderr.contains("--unsigned") && ran.stdout.is_empty(), "{ran}");
    let sealed = bob.run(["mail", "seal", "--unsigned"], MAIL.as_bytes()).ok();
    let told = stderr_json(&bob.run(["mail", "open", "--json"], &sealed));
    assert_eq!(told["verdicts"][0]["verdict"], "unsigned");
    assert!(bob.run(["mail", "open", "--require-good"], &sealed).expect_code(4).stdout.is_empty());
}

#[test]
fn foreign_signature_under_a_from_is_a_mismatch() {
    let (alice, bob) = Home::pair(ALICE, BOB);
    let mallory = Home::of(MALLORY);
    mallory.import(&bob.certificate(BOB));
    bob.import(&mallory.certificate(MALLORY));
    let sealed = mallory.run(["mail", "seal", "--sign-as", MALLORY], MAIL.as_bytes()).ok();
    let told = stderr_json(&bob.run(["mail", "open", "--json"], &sealed).expect_code(0));
    assert_eq!(told["verdicts"][0]["verdict"], "sender-mismatch", "{told}");
    drop(alice);
}

#[test]
fn bcc_needs_copies_and_appears_in_nobody_elses() {
    let (alice, bob) = Home::pair(ALICE, BOB);
    let mallory = Home::of(MALLORY);
    alice.import(&mallory.certificate(MALLORY));
    let mail = to("To: bob@example.test\r\nBcc: mallory@example.test");
    let refused = alice.run(["mail", "seal"], mail.as_bytes()).expect_code(2);
    assert!(refused.stderr.contains("--out-dir") && refused.stdout.is_empty(), "{refused}");

    let scratch = Scratch::new();
    let copies = scratch.file("copies");
    alice.run(["mail", "seal", "--out-dir", copies.to_str().unwrap()], mail.as_bytes()).ok();
    let read = |name: &str| String::from_utf8(scratch.read(&format!("copies/{name}"))).unwrap();
    assert_eq!(read("1.rcpt"), "bob@example.test\n");
    assert_eq!(read("2.rcpt"), "mallory@example.test\n");
    let bobs = bob.run(["mail", "open"], read("1.eml").as_bytes()).expect_code(0);
    assert!(!bobs.text().contains("mallory") && !read("1.eml").contains("mallory"), "{bobs}");
    bob.run(["mail", "open"], read("2.eml").as_bytes()).expect_code(5);
    mallory.run(["mail", "open"], read("1.eml").as_bytes()).expect_code(5);
    mallory.run(["mail", "open"], read("2.eml").as_bytes()).ok();
    alice.run(["mail", "seal", "--out-dir", copies.to_str().unwrap()], mail.as_bytes()).expect_code(10);

    let mbox = scratch.file("copies.mbox");
    alice.run(["mail", "seal", "--mbox", mbox.to_str().unwrap()], mail.as_bytes()).ok();
    let copies = String::from_utf8(scratch.read("copies.mbox")).unwrap();
    assert_eq!(copies.matches("\nFrom plombe").count(), 1);
    assert!(!copies.contains('\r'), "an mbox has LF line ends");
}

#[test]
fn signed_mail_is_readable_and_notices_a_change() {
    let (alice, bob) = Home::pair(ALICE, BOB);
    let signed = alice.run(["mail", "seal", "--sign-only"], MAIL.as_bytes()).ok();
    let text = String::from_utf8(signed).unwrap();
    assert!(text.contains("multipart/signed") && text.contains("The price is 100."));
    bob.run(["mail", "open", "--require-good"], text.as_bytes()).ok();
    let forged = text.replace("is 100.", "is 900.");
    let refused = bob.run(["mail", "open", "--json"], forged.as_bytes()).expect_code(3);
    assert!(refused.stdout.is_empty(), "{refused}");
    assert_eq!(stderr_json(&refused)["error"]["verdict"]["verdict"], "bad");
    let inspected = bob.run(["mail", "inspect", "--json"], forged.as_bytes()).expect_code(3);
    let inspection: Value = serde_json::from_str(inspected.text()).unwrap();
    assert_eq!(inspection["verdicts"][0]["verdict"], "bad");
}

#[test]
fn inspect_tells_structure_without_key_and_without_plaintext() {
    let (alice, _) = Home::pair(ALICE, BOB);
    let sealed = alice.run(["mail", "seal"], MAIL.as_bytes()).ok();
    let inspected = Home::of(MALLORY).run(["mail", "inspect", "--json"], &sealed).expect_code(0);
    let inspection: Value = serde_json::from_str(inspected.text()).unwrap();
    assert_eq!(inspection["opened"], false);
    assert_eq!(inspection["structure"]["parts"][0]["media_type"], "multipart/encrypted");
    let own = alice.run(["mail", "inspect"], &sealed).expect_code(0);
    assert!(
        own.text().contains("good signature")
            && !own.text().contains("Grüße")
            && !own.text().contains("price")
    );
}

#[test]
fn sealed_mail_is_not_sealed_again() {
    let (alice, _) = Home::pair(ALICE, BOB);
    let sealed = alice.run(["mail", "seal"], MAIL.as_bytes()).ok();
    let refused = alice.run(["mail", "seal"], &sealed).expect_code(1);
    assert!(refused.stderr.contains("encrypted already"), "{refused}");
}
