// SPDX-License-Identifier: LGPL-2.0-or-later
//! What is refused as a message is refused inside a mail, too, and what is refused as a mail inside of the encryption.

use std::{
    io::{Read as _, Write as _},
    process::Stdio,
    thread::sleep,
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use plombe_tests::{ALICE, BOB, Home, Scratch, samples};

use super::refused;
use crate::gpg::Gpg;

const HEADER: &str =
    "From: alice@example.test\r\nTo: bob@example.test\r\nSubject: x\r\nMIME-Version: 1.0\r\n";

/// A mail with this armored message as its encrypted part.
fn mail_with(armored: &[u8]) -> Vec<u8> {
    let before = "Content-Type: multipart/encrypted; protocol=\"application/pgp-encrypted\"; boundary=b\r\n\r\n--b\r\n\
                  Content-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n\r\n--b\r\n\
                  Content-Type: application/octet-stream\r\n\r\n";
    [HEADER.as_bytes(), before.as_bytes(), armored, b"\r\n--b--\r\n"].concat()
}

/// Bob's home, and a mail for him with `payload` inside.
fn sealed(payload: &[u8]) -> (Home, Vec<u8>) {
    let bob = Home::of(BOB);
    let armored = bob.run(["encrypt", "--armor", "--to", BOB], payload).ok();
    (bob, mail_with(&armored))
}

#[track_caller]
fn refused_inside(payload: &str, says: &str) {
    let (bob, mail) = sealed(payload.as_bytes());
    refused(&bob, &["mail", "open"], &mail, &[8], says);
    let inspected = bob.run(["mail", "inspect"], &mail).expect_code(0);
    assert!(inspected.text().contains("closed ") && inspected.text().contains(says), "{inspected}");
}

#[test]
fn the_bounds_of_mails_hold_inside_of_encryption() {
    let mut parts = "Content-Type: multipart/mixed; boundary=p\r\n\r\n".to_owned();
    (0..10_000).for_each(|number| parts.push_str(&format!("--p\r\n\r\n{number}\r\n")));
    refused_inside(&parts, "parts");
    let mut nested = String::new();
    for depth in 0..10_000 {
        nested.push_str(&format!("Content-Type: multipart/mixed; boundary=b{depth}\r\n\r\n--b{depth}\r\n"));
    }
    refused_inside(&nested, "within each other");
    refused_inside(&format!("X-Long: {}\r\n\r\ntext\r\n", "x".repeat(10 << 20)), "header");
}

#[test]
fn encryption_within_encryption_without_end() {
    let bob = Home::of(BOB);
    let mut mail = b"Content-Type: text/plain\r\n\r\ntext\r\n".to_vec();
    for _ in 0..12 {
        mail = mail_with(&bob.run(["encrypt", "--armor", "--to", BOB], &mail).ok());
    }
    refused(&bob, &["mail", "open"], &mail, &[8], "too many layers");
}

/// ASCII armor around anything.
fn armored(bytes: &[u8]) -> Vec<u8> {
    let encoded = STANDARD.encode(bytes);
    let lines = encoded.as_bytes().chunks(64).collect::<Vec<_>>().join(&b'\n');
    [b"-----BEGIN PGP MESSAGE-----\n\n", lines.as_slice(), b"\n-----END PGP MESSAGE-----\n"].concat()
}

#[test]
fn trailing_garbage_in_the_encrypted_part() {
    let bob = Home::of(BOB);
    let message = bob.run(["encrypt", "--to", BOB], b"Content-Type: text/plain\r\n\r\ntext\r\n").ok();
    bob.run(["mail", "open"], &mail_with(&armored(&message))).ok();
    for garbage in [&b"garbage"[..], &[0; 100], &message] {
        let mail = mail_with(&armored(&[&message, garbage].concat()));
        refused(&bob, &["mail", "open"], &mail, &[7, 8], "");
    }
}

#[test]
fn wrong_key_and_no_key_for_a_mail() {
    let (_, mail) = sealed(b"Content-Type: text/plain\r\n\r\ntext\r\n");
    for home in [Home::of(ALICE), Home::new()] {
        let ran = refused(&home, &["mail", "open"], &mail, &[5], "no available key");
        assert!(ran.stderr.contains("plombe key import"), "{ran}");
    }
}

#[test]
fn locked_key_with_wrong_passphrase_for_a_mail() {
    let (home, scratch) = (Home::new(), Scratch::new());
    let right = scratch.write("right", "correct horse");
    let wrong = scratch.write("wrong", "battery staple");
    let (right, wrong) = (right.to_str().unwrap(), wrong.to_str().unwrap());
    home.run(["key", "generate", ALICE, "--passphrase-file", right], b"").ok();
    let mail = "From: alice@example.test\r\nTo: alice@example.test\r\nSubject: x\r\n\r\ntext\r\n";
    let seal = ["mail", "seal", "--passphrase-file", wrong];
    refused(&home, &seal, mail.as_bytes(), &[6], "wrong passphrase");
    let sealed = home.run(["mail", "seal", "--passphrase-file", right], mail.as_bytes()).ok();
    refused(&home, &["mail", "open", "--passphrase-file", wrong], &sealed, &[6], "wrong passphrase");
    // Nobody can be asked here, so one that is missing is a failure, not a question that waits.
    refused(&home, &["mail", "open"], &sealed, &[6], "passphrase");
    refused(&home, &["mail", "seal"], mail.as_bytes(), &[6], "passphrase");
}

#[test]
fn expired_or_revoked_recipient_of_a_mail() {
    let mail = format!("{HEADER}\r\ntext\r\n");
    let (alice, bob) = (Home::of(ALICE), Home::new());
    bob.run(["key", "generate", BOB, "--no-passphrase", "--expires", "1s"], b"").ok();
    sleep(Duration::from_millis(2_100));
    alice.import(&bob.certificate(BOB));
    let ran = refused(&alice, &["mail", "seal"], mail.as_bytes(), &[9], "it has expired");
    assert!(ran.stderr.contains("ask bob@example.test for a new certificate"), "{ran}");

    let (alice, bob) = Home::pair(ALICE, BOB);
    bob.run(["key", "revoke", BOB, "--yes"], b"").ok();
    alice.import(&bob.certificate(BOB));
    refused(&alice, &["mail", "seal"], mail.as_bytes(), &[9], "it was revoked");
}

#[test]
fn revoked_signer_of_what_is_opened() {
    let (alice, bob) = Home::pair(ALICE, BOB);
    let mail = alice.run(["mail", "seal"], format!("{HEADER}\r\ntext\r\n").as_bytes()).ok();
    let message = alice.run(["encrypt", "--to", BOB, "--sign-as", ALICE], b"content").ok();
    alice.run(["key", "revoke", ALICE, "--yes", "--reason", "compromised"], b"").ok();
    bob.import(&alice.certificate(ALICE));
    for (command, input) in
        [(&["mail", "open", "--require-good"][..], &mail), (&["decrypt", "--require-good"], &message)]
    {
        refused(&bob, command, input, &[4], "revoked");
    }
    // Without the demand it opens, and says so.
    let opened = bob.run(["mail", "open"], &mail).expect_code(0);
    assert!(opened.stderr.contains("invalid signer") && opened.stderr.contains("revoked"), "{opened}");
}

#[test]
fn expired_signer_of_what_is_opened() {
    let Some(gpg) = Gpg::new() else { return };
    let at = |time: &'static str, arguments: &[&str], input: &[u8]| {
        gpg.run(&[&["--faked-system-time", time], arguments].concat(), input).ok()
    };
    at("20200101T000000", &["--quick-generate-key", ALICE, "ed25519", "default", "0"], b"");
    let (bob, scratch) = (Home::of(BOB), Scratch::new());
    let certificate = scratch.write("bob.pgp", bob.certificate(BOB));
    let seal = ["--ignore-time-conflict", "--ignore-valid-from", "--armor", "--sign", "--encrypt"];
    let to = ["--recipient-file", certificate.to_str().unwrap()];
    let payload = b"Content-Type: text/plain\r\n\r\ntext\r\n";
    let sealed = at("20200301T000000", &[&seal[..], &to].concat(), payload);
    // gpg signs nothing with an expired key, so its clock goes back: the key ended before it signed.
    let listed = String::from_utf8(gpg.run(&["--with-colons", "--list-keys"], b"").ok()).unwrap();
    let fingerprint =
        listed.lines().find(|line| line.starts_with("fpr:")).unwrap().split(':').nth(9).unwrap();
    at("20200115T000000", &["--quick-set-expire", fingerprint, "20200201T000000"], b"");
    bob.import(&gpg.certificate(ALICE));
    for (command, input) in [("decrypt", &sealed), ("mail", &mail_with(&sealed))] {
        let open = if command == "mail" { &["mail", "open"][..] } else { &["decrypt"] };
        let opened = bob.run(open, input).expect_code(0);
        assert!(opened.stderr.contains("invalid signer") && opened.stderr.contains("expired"), "{opened}");
        refused(&bob, &[open, &["--require-good"]].concat(), input, &[4], "expired");
    }
}

#[test]
fn weak_ciphers_and_signatures_in_a_mail() {
    let Some(gpg) = Gpg::new() else { return };
    let (bob, scratch) = (Home::of(BOB), Scratch::new());
    let certificate = scratch.write("bob.pgp", bob.certificate(BOB));
    let certificate = certificate.to_str().unwrap();
    let payload = b"Content-Type: text/plain\r\n\r\ntext\r\n";
    let arguments = ["--recipient-file", certificate, "--cipher-algo", "3DES", "--armor", "--encrypt"];
    let mail = mail_with(&gpg.run(&arguments, payload).ok());
    assert!(
        refused(&bob, &["mail", "open"], &mail, &[8], "no longer safe").stderr.contains("ask the sender")
    );

    gpg.generate(ALICE, "Key-Type: RSA\nKey-Length: 2048", &["--cert-digest-algo", "SHA256"]);
    bob.import(&gpg.certificate(ALICE));
    let arguments =
        ["--recipient-file", certificate, "--digest-algo", "SHA1", "--armor", "--sign", "--encrypt"];
    let signed = gpg.run(&arguments, payload).ok();
    refused(&bob, &["mail", "open", "--require-good"], &mail_with(&signed), &[4], "");
    let opened = bob.run(["mail", "open"], &mail_with(&signed)).expect_code(0);
    assert!(opened.stderr.contains("invalid signer"), "{opened}");
}

#[test]
fn rsa_1024_signer() {
    let Some(gpg) = Gpg::new() else { return };
    gpg.generate(ALICE, "Key-Type: RSA\nKey-Length: 1024", &["--cert-digest-algo", "SHA256"]);
    let bob = Home::of(BOB);
    bob.import(&gpg.certificate(ALICE));
    let signed = gpg.run(&["--digest-algo", "SHA256", "--armor", "--sign"], b"content").ok();
    let ran = refused(&bob, &["verify"], &signed, &[4], "");
    assert!(ran.stderr.contains("invalid signer"), "{ran}");
}

#[test]
fn decompression_bomb_in_a_mail() {
    let Some(gpg) = Gpg::new() else { return };
    let (bob, scratch) = (Home::of(BOB), Scratch::new());
    let certificate = scratch.write("bob.pgp", bob.certificate(BOB));
    let bomb = scratch.write("zeros", vec![0; 256 << 20]);
    let arguments = [
        "--recipient-file",
        certificate.to_str().unwrap(),
        "--compress-algo",
        "bzip2",
        "--armor",
        "--encrypt",
        "-o",
        "-",
        bomb.to_str().unwrap(),
    ];
    let mail = mail_with(&gpg.run(&arguments, b"").ok());
    assert!(mail.len() < 100_000, "{} bytes is no bomb", mail.len());
    refused(&bob, &["mail", "open"], &mail, &[8], "decompression bomb");
}

#[test]
fn a_flipped_bit_anywhere_in_a_mail_opens_nothing_else() {
    let (alice, bob) = Home::pair(ALICE, BOB);
    let mail = alice
        .run(["mail", "seal", "--no-autocrypt"], format!("{HEADER}\r\nThe price is 100.\r\n").as_bytes())
        .ok();
    let honest = bob.run(["mail", "open", "--text"], &mail).ok();
    let start = mail.windows(27).position(|window| window == b"-----BEGIN PGP MESSAGE-----").unwrap();
    for at in (start..mail.len()).step_by(37) {
        let mut flipped = mail.clone();
        flipped[at] ^= 1;
        let scratch = Scratch::new();
        let out = scratch.file("out");
        let ran = bob.run(["mail", "open", "--text", "-o", out.to_str().unwrap()], &flipped);
        assert!(!ran.stderr.contains("panicked") && ran.stdout.is_empty(), "byte {at}: {ran}");
        match ran.code {
            // Armor headers and line ends do not matter, and a boundary that is damaged is no boundary.
            Some(0) => {
                let shown = scratch.read("out");
                let same = shown == honest || !String::from_utf8_lossy(&shown).contains("price");
                assert!(same, "byte {at}: {}", String::from_utf8_lossy(&shown));
            }
            Some(5..=8) => assert_eq!(scratch.names(), Vec::<String>::new(), "byte {at}: {ran}"),
            _ => panic!("byte {at}: {ran}"),
        }
    }
}

#[test]
fn two_authors_are_never_good() {
    let (alice, bob) = Home::pair(ALICE, BOB);
    let signed = alice.run(["mail", "seal", "--sign-only"], format!("{HEADER}\r\ntext\r\n").as_bytes()).ok();
    bob.run(["mail", "open", "--require-good"], &signed).ok();
    let doubled = String::from_utf8(signed)
        .unwrap()
        .replace("From: alice@", "From: mallory@example.test\r\nFrom: alice@");
    refused(&bob, &["mail", "open", "--require-good"], doubled.as_bytes(), &[3, 4], "");
}

#[test]
fn disk_full_and_closed_pipe_for_a_mail() {
    let (alice, bob) = Home::pair(ALICE, BOB);
    let plain = format!("{HEADER}Content-Type: text/plain\r\n\r\n{}", "A line of text.\r\n".repeat(100_000));
    let sealed = alice.run(["mail", "seal"], plain.as_bytes()).ok();
    for (home, verb, input) in [(&bob, "open", sealed.as_slice()), (&alice, "seal", plain.as_bytes())] {
        let full = home.run(["mail", verb, "-o", "/dev/full"], input).expect_code(11);
        assert!(full.stderr.starts_with("error: ") && full.stderr.contains("No space"), "{full}");

        let mut child = home
            .command(["mail", verb])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let mut stdin = child.stdin.take().unwrap();
        let _ = stdin.write_all(input);
        drop(stdin);
        let mut said = String::new();
        child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(11), "{said}");
        assert!(!said.contains("error") && !said.contains("panicked"), "{said}");
    }
}

#[test]
fn a_full_disk_leaves_mails_in_place_as_they_were() {
    let (alice, _) = Home::pair(ALICE, BOB);
    let mount = Scratch::new();
    let path = mount.path().to_str().unwrap().to_owned();
    let mounted = plombe_tests::run(
        std::process::Command::new("mount").args(["-t", "tmpfs", "-o", "size=1m", "tmpfs", &path]),
        b"",
    );
    if mounted.code != Some(0) {
        println!("not root: cannot mount a file system that is full");
        return;
    }
    let mail = format!("{HEADER}Content-Type: text/plain\r\n\r\n{}", "A line of text.\r\n".repeat(40_000));
    let draft = mount.write("draft.eml", &mail);
    let ran = alice.run(["mail", "seal", "--in-place", draft.to_str().unwrap()], b"");
    let (names, content) = (mount.names(), mount.read("draft.eml"));
    plombe_tests::run(std::process::Command::new("umount").arg(&path), b"").ok();
    ran.expect_code(11);
    assert_eq!(names, ["draft.eml"]);
    assert!(content == mail.as_bytes(), "the mail changed");
}

#[test]
fn odd_bytes_in_the_header_of_an_opened_mail_are_named() {
    let bob = Home::of(BOB);
    for odd in ["\0", "\r"] {
        let mail =
            format!("From: alice@example.test\r\nSubject: x{odd}From: mallory@example.test\r\n\r\ntext\r\n");
        let opened = bob.run(["mail", "open", "--json"], mail.as_bytes()).expect_code(0);
        assert!(opened.stderr.contains("ambiguous-header"), "{opened}");
        bob.run(["mail", "open", "--require-good"], mail.as_bytes()).expect_code(4);
    }
}

#[test]
fn noise_in_the_place_of_a_message() {
    let bob = Home::of(BOB);
    let noise = samples::noise(300);
    let armored = armored(&noise);
    let inputs = [noise, armored, b"just text".to_vec(), Vec::new()];
    for input in inputs {
        let ran = bob.run(["mail", "open"], &mail_with(&input));
        assert!(ran.stdout.is_empty() && matches!(ran.code, Some(5..=8)), "{ran}");
    }
}
