// SPDX-License-Identifier: LGPL-2.0-or-later
//! Messages that were damaged, changed, or made to hurt.

use plombe_tests::{ALICE, BOB, Home, MALLORY, Scratch, samples};

use super::refused;

const PROFILES: [&str; 2] = ["rfc4880", "rfc9580"];

fn home_of(owner: &str, profile: &str) -> Home {
    let home = Home::new();
    home.run(["key", "generate", owner, "--no-passphrase", "--profile", profile], b"").ok();
    home
}

#[test]
fn truncated() {
    for profile in PROFILES {
        let home = home_of(ALICE, profile);
        let sealed = home.run(["encrypt", "--to", ALICE, "--sign-as", ALICE], &samples::noise(600_000)).ok();
        for length in [1, 10, 50, 150, 300, sealed.len() / 2, sealed.len() - 23, sealed.len() - 1] {
            let ran = refused(&home, &["decrypt"], &sealed[..length], &[7], "");
            assert!(ran.stderr.contains(" hint: "), "{ran}");
        }
        let armored = home.run(["encrypt", "--armor", "--to", ALICE], &samples::noise(3_000)).ok();
        refused(&home, &["decrypt"], &armored[..armored.len() / 2], &[7], "");
    }
    refused(&Home::of(ALICE), &["decrypt"], b"", &[7], "not an encrypted OpenPGP message");
}

#[test]
fn bit_flipped() {
    for profile in PROFILES {
        let home = home_of(ALICE, profile);
        let sealed = home.run(["encrypt", "--to", ALICE], b"The price is 100.").ok();
        for at in (0..sealed.len()).step_by(7) {
            let mut flipped = sealed.clone();
            flipped[at] ^= 0x04;
            let scratch = Scratch::new();
            let out = scratch.file("out");
            let ran = home.run(["decrypt", "-o", out.to_str().unwrap()], &flipped);
            assert_eq!(scratch.names(), Vec::<String>::new(), "byte {at}: {ran}");
            // In the wrapped session key it may be nobody's key now, or a version that we refuse.
            assert!(matches!(ran.code, Some(5..=8)), "byte {at}: {ran}");
            assert!(!ran.stderr.contains("panicked"), "byte {at}: {ran}");
        }
        let last = sealed.len() - 1;
        let mut flipped = sealed;
        flipped[last] ^= 1;
        refused(&home, &["decrypt"], &flipped, &[7], "damaged or changed on the way");
    }
}

#[test]
fn trailing_garbage() {
    for profile in PROFILES {
        let home = home_of(ALICE, profile);
        let sealed = home.run(["encrypt", "--to", ALICE], b"content").ok();
        for garbage in [&b"garbage"[..], &[0; 100], &sealed] {
            refused(&home, &["decrypt"], &[&sealed, garbage].concat(), &[7, 8], "");
        }
    }
}

#[test]
fn wrong_key_and_no_key() {
    let (alice, _) = Home::pair(ALICE, BOB);
    let sealed = alice.run(["encrypt", "--to", BOB], b"content").ok();
    let hint = "plombe key import";
    assert!(refused(&alice, &["decrypt"], &sealed, &[5], "no available key").stderr.contains(hint));
    refused(&Home::new(), &["decrypt"], &sealed, &[5], "no available key");
    let hidden = alice.run(["encrypt", "--hidden-to", BOB], b"content").ok();
    refused(&alice, &["decrypt"], &hidden, &[5], "no available key");
}

#[test]
fn not_encrypted_at_all() {
    let home = Home::of(ALICE);
    for input in [
        &b"just text"[..],
        b"-----BEGIN PGP MESSAGE-----\n\nAAAA\n-----END PGP MESSAGE-----\n",
        &[0; 64],
        &[0xff; 64],
    ] {
        refused(&home, &["decrypt"], input, &[7], "");
    }
    refused(&home, &["decrypt"], &home.certificate(ALICE), &[7], "");
    let signed = home.run(["sign"], b"content").ok();
    assert!(refused(&home, &["decrypt"], &signed, &[7], "").stderr.contains("plombe verify"));
}

#[test]
fn random_bytes_never_panic() {
    let home = Home::of(ALICE);
    let noise = samples::noise(40 * 97);
    for input in noise.chunks(97) {
        // A tag that a message may begin with, so that it is not all over at the first byte.
        for tag in [0xc1, 0xc3, 0xd2, 0xc8, 0xcb, 0x84] {
            let mut input = input.to_vec();
            input[0] = tag;
            let ran = home.run(["decrypt"], &input);
            assert!(matches!(ran.code, Some(5..=8)) && !ran.stderr.contains("panicked"), "{input:x?}: {ran}");
        }
    }
}

#[test]
fn decompression_bomb() {
    let Some(gpg) = crate::gpg::Gpg::new() else { return };
    let (home, scratch) = (Home::of(ALICE), Scratch::new());
    let certificate = scratch.write("alice.pgp", home.certificate(ALICE));
    let bomb = scratch.write("zeros", vec![0; 256 << 20]);
    let sealed = gpg
        .run(
            &[
                "--recipient-file",
                certificate.to_str().unwrap(),
                "--compress-algo",
                "bzip2",
                "--encrypt",
                "-o",
                "-",
                bomb.to_str().unwrap(),
            ],
            b"",
        )
        .ok();
    assert!(sealed.len() < 100_000, "{} bytes is no bomb", sealed.len());
    refused(&home, &["decrypt"], &sealed, &[8], "decompression bomb");
}

#[test]
fn empty_wrapped_session_key() {
    let Some(corpus) = plombe_tests::corpora::corpus("openpgp-edge") else { return };
    let home = Home::new();
    for entry in std::fs::read_dir(corpus).unwrap() {
        let path = entry.unwrap().path();
        let Ok(content) = std::fs::read(&path) else { continue };
        let ran = home.run(["decrypt"], &content);
        assert!(ran.code.is_some() && !ran.stderr.contains("panicked"), "{}: {ran}", path.display());
    }
}

#[test]
fn locked_key_with_wrong_passphrase() {
    let (home, scratch) = (Home::new(), Scratch::new());
    let right = scratch.write("right", "correct horse");
    let wrong = scratch.write("wrong", "battery staple");
    home.run(["key", "generate", ALICE, "--passphrase-file", right.to_str().unwrap()], b"").ok();
    let sealed = home.run(["encrypt", "--to", ALICE], b"content").ok();
    let arguments = ["decrypt", "--passphrase-file", wrong.to_str().unwrap()];
    refused(&home, &arguments, &sealed, &[6], "wrong passphrase");
    let arguments =
        ["encrypt", "--to", ALICE, "--sign-as", ALICE, "--passphrase-file", wrong.to_str().unwrap()];
    refused(&home, &arguments, b"content", &[6], "wrong passphrase");
}

#[test]
fn changed_signed_message() {
    let home = Home::of(ALICE);
    let scratch = Scratch::new();
    let clear = home.run(["sign", "--cleartext"], b"The price is 100.\n").ok();
    let forged = String::from_utf8(clear).unwrap().replace("100", "900");
    refused(&home, &["verify"], forged.as_bytes(), &[3], "bad signature");
    let signature = scratch.write("sig", home.run(["sign", "--detached"], b"The price is 100.").ok());
    let arguments = ["verify", "--signature", signature.to_str().unwrap()];
    let ran = home.run(arguments, b"The price is 900.").expect_code(3);
    assert!(ran.stderr.contains("bad signature"), "{ran}");
    let _ = MALLORY;
}
