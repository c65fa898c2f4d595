// SPDX-License-Identifier: LGPL-2.0-or-later
//! Mails that no honest program writes.

use plombe_tests::{ALICE, BOB, Home};

use super::refused;

const HEADER: &str =
    "From: alice@example.test\r\nTo: bob@example.test\r\nSubject: x\r\nMIME-Version: 1.0\r\n";

fn both() -> [Vec<&'static str>; 2] {
    [vec!["mail", "open"], vec!["mail", "seal"]]
}

#[track_caller]
fn refused_everywhere(mail: &[u8], says: &str) {
    let (alice, _) = Home::pair(ALICE, BOB);
    for command in both() {
        refused(&alice, &command, mail, &[8], says);
    }
    let inspected = alice.run(["mail", "inspect", "--json"], mail).expect_code(8);
    assert!(inspected.stdout.is_empty(), "{inspected}");
}

#[test]
fn ten_thousand_parts() {
    let mut mail = format!("{HEADER}Content-Type: multipart/mixed; boundary=b\r\n\r\n");
    for number in 0..10_000 {
        mail.push_str(&format!("--b\r\nContent-Type: text/plain\r\n\r\n{number}\r\n"));
    }
    mail.push_str("--b--\r\n");
    refused_everywhere(mail.as_bytes(), "parts");
}

#[test]
fn nesting_to_a_depth_of_ten_thousand() {
    let mut mail = HEADER.to_owned();
    for depth in 0..10_000 {
        mail.push_str(&format!("Content-Type: multipart/mixed; boundary=b{depth}\r\n\r\n--b{depth}\r\n"));
    }
    mail.push_str("\r\ntext\r\n");
    refused_everywhere(mail.as_bytes(), "within each other");
}

#[test]
fn header_of_ten_megabytes() {
    let one_field = format!("{HEADER}X-Long: {}\r\n\r\ntext\r\n", "x".repeat(10 << 20));
    refused_everywhere(one_field.as_bytes(), "header");
    let many_fields = format!("{HEADER}{}\r\ntext\r\n", "X-Many: y\r\n".repeat(1 << 20));
    refused_everywhere(many_fields.as_bytes(), "header");
}

#[test]
fn nul_and_bare_cr_or_lf_cannot_forge_a_header() {
    let (alice, bob) = Home::pair(ALICE, BOB);
    for odd in ["\0", "\r"] {
        let mail = format!(
            "From: alice@example.test\r\nTo: bob@example.test\r\nSubject: x{odd}Bcc: mallory@example.test\r\n\r\ntext\r\n"
        );
        let ran = alice.run(["mail", "seal"], mail.as_bytes());
        match ran.code {
            // Sealed: then it opens, and what came after the odd byte did not become a field of its own.
            Some(0) => {
                let opened = bob.run(["mail", "open"], &ran.stdout).ok();
                assert!(!String::from_utf8_lossy(&opened).contains("\nBcc:"));
            }
            Some(7) => assert!(ran.stdout.is_empty() && ran.stderr.contains("Subject"), "{ran}"),
            _ => panic!("{odd:?}: {ran}"),
        }
    }
    // In bodies they are content.
    let body = "From: alice@example.test\r\nTo: bob@example.test\r\nSubject: x\r\n\r\na\0b\rc\nd\r\n";
    let sealed = alice.run(["mail", "seal"], body.as_bytes()).ok();
    let opened = bob.run(["mail", "open", "--require-good"], &sealed).ok();
    assert!(opened.windows(7).any(|window| window == b"a\0b\rc\r\n"), "{}", String::from_utf8_lossy(&opened));
}

#[test]
fn duplicate_headers_are_not_guessed_about() {
    let (alice, _) = Home::pair(ALICE, BOB);
    let mail = format!("From: mallory@example.test\r\n{HEADER}\r\ntext\r\n");
    let ran = alice.run(["mail", "seal"], mail.as_bytes());
    assert_ne!(ran.code, Some(0), "two authors, and one was chosen: {ran}");
    assert!(ran.stdout.is_empty() && ran.stderr.starts_with("error: "), "{ran}");
}

#[test]
fn duplicate_boundaries_join_nothing() {
    let (alice, bob) = Home::pair(ALICE, BOB);
    let sealed = alice.run(["mail", "seal"], format!("{HEADER}\r\nsecret text\r\n").as_bytes()).ok();
    let sealed = String::from_utf8(sealed).unwrap();
    // The same boundary around the whole: text before the protected part, as if it belonged to it.
    let start = sealed.find("boundary=").expect("it is a multipart") + "boundary=".len();
    let boundary: String =
        sealed[start..].trim_start_matches('"').chars().take_while(|c| !"\"\r\n; ".contains(*c)).collect();
    let (header, body) = sealed.split_once("\r\n\r\n").unwrap();
    let forged =
        format!("{header}\r\n\r\n--{boundary}\r\nContent-Type: text/plain\r\n\r\nforged text\r\n{body}");
    let ran = bob.run(["mail", "open"], forged.as_bytes());
    let shown = String::from_utf8_lossy(&ran.stdout).into_owned();
    assert!(!(shown.contains("forged text") && shown.contains("secret text")), "joined: {ran}");
    if shown.contains("forged text") {
        assert!(!ran.stderr.contains("good signature"), "{ran}");
    }
}

#[test]
fn hostile_attachment_names_stay_names() {
    let (alice, bob) = Home::pair(ALICE, BOB);
    let mail = format!(
        "{HEADER}Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\ntext\r\n--b\r\n\
         Content-Type: application/pdf\r\nContent-Disposition: attachment; filename=\"../../../etc/cron.d/x\x1b[2J\"\r\n\r\nx\r\n--b--\r\n"
    );
    let sealed = alice.run(["mail", "seal"], mail.as_bytes()).ok();
    let shown = bob.run(["mail", "open", "--text"], &sealed).expect_code(0);
    assert!(!shown.text().contains("../") && !shown.text().contains('\x1b'), "{shown}");
}

#[test]
fn changed_sealed_mail() {
    let (alice, bob) = Home::pair(ALICE, BOB);
    let sealed = alice.run(["mail", "seal"], format!("{HEADER}\r\nsecret text\r\n").as_bytes()).ok();
    let text = String::from_utf8(sealed).unwrap();
    let body = text.find("-----BEGIN PGP MESSAGE-----").unwrap();
    // A letter in the middle of the ciphertext becomes another.
    let at = body + (text.len() - body) / 2;
    let at = at + text[at..].find(|c: char| c.is_ascii_lowercase()).unwrap();
    let mut changed = text.clone().into_bytes();
    changed[at] = if changed[at] == b'a' { b'b' } else { b'a' };
    refused(&bob, &["mail", "open"], &changed, &[7], "damaged");
    for cut in [body + 40, at, text.len() - 200] {
        refused(&bob, &["mail", "open"], &text.as_bytes()[..cut], &[7], "");
    }
}

#[test]
fn not_a_mail() {
    let home = Home::of(ALICE);
    for input in [&b""[..], b"\r\n", b"no header at all", &[0xff; 100]] {
        let ran = home.run(["mail", "seal"], input);
        assert!(matches!(ran.code, Some(7)) && ran.stdout.is_empty(), "{input:?}: {ran}");
        let ran = home.run(["mail", "open"], input);
        assert!(ran.code.is_some() && !ran.stderr.contains("panicked"), "{ran}");
    }
}
