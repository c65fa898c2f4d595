// SPDX-License-Identifier: LGPL-2.0-or-later
//! Algorithms that are no longer safe. gpg makes them, because Plombe cannot.

use plombe_tests::{ALICE, BOB, Home, Scratch};

use super::refused;
use crate::gpg::Gpg;

#[test]
fn rsa_1024_recipient() {
    let Some(gpg) = Gpg::new() else { return };
    gpg.generate(
        BOB,
        "Key-Type: RSA\nKey-Length: 1024\nSubkey-Type: RSA\nSubkey-Length: 1024",
        &["--cert-digest-algo", "SHA256"],
    );
    let home = Home::of(ALICE);
    home.import(&gpg.certificate(BOB));
    refused(&home, &["encrypt", "--to", BOB], b"content", &[9], "no longer safe");
}

#[test]
fn sha_1_certificate() {
    let Some(gpg) = Gpg::new() else { return };
    // Without subkeys: this gpg makes no back-signatures with SHA-1.
    let options = ["--cert-digest-algo", "SHA1", "--allow-weak-key-signatures"];
    gpg.generate(BOB, "Key-Type: RSA\nKey-Length: 2048\nKey-Usage: sign,encrypt", &options);
    let home = Home::of(ALICE);
    home.import(&gpg.certificate(BOB));
    refused(&home, &["encrypt", "--to", BOB], b"content", &[9], "no longer safe");
}

#[test]
fn sha_1_and_md5_signatures() {
    let Some(gpg) = Gpg::new() else { return };
    gpg.generate(BOB, "Key-Type: RSA\nKey-Length: 2048", &["--cert-digest-algo", "SHA256"]);
    let home = Home::of(ALICE);
    home.import(&gpg.certificate(BOB));
    for (digest, options) in [("SHA1", &[][..]), ("MD5", &["--allow-weak-digest-algos"])] {
        let arguments = [options, &["--digest-algo", digest, "--armor", "--sign"]].concat();
        let signed = gpg.run(&arguments, b"content");
        if signed.code != Some(0) {
            println!("this gpg does not sign with {digest}");
            continue;
        }
        let ran = refused(&home, &["verify"], &signed.stdout, &[4], "");
        assert!(ran.stderr.contains("invalid signer"), "{digest}: {ran}");
    }
}

#[test]
fn ciphers_with_small_blocks() {
    let Some(gpg) = Gpg::new() else { return };
    let (home, scratch) = (Home::of(ALICE), Scratch::new());
    let certificate = scratch.write("alice.pgp", home.certificate(ALICE));
    for cipher in ["3DES", "CAST5", "BLOWFISH"] {
        let arguments =
            ["--recipient-file", certificate.to_str().unwrap(), "--cipher-algo", cipher, "--encrypt"];
        let sealed = gpg.run(&arguments, b"content").ok();
        let ran = refused(&home, &["decrypt"], &sealed, &[8], "no longer safe");
        assert!(ran.stderr.contains("ask the sender"), "{cipher}: {ran}");
    }
}

#[test]
fn message_without_integrity_protection() {
    let Some(gpg) = Gpg::new() else { return };
    let (home, scratch) = (Home::of(ALICE), Scratch::new());
    let certificate = scratch.write("alice.pgp", home.certificate(ALICE));
    let arguments = [
        "--recipient-file",
        certificate.to_str().unwrap(),
        "--rfc2440",
        "--disable-mdc",
        "--cipher-algo",
        "AES",
        "--encrypt",
    ];
    let sealed = gpg.run(&arguments, b"content").ok();
    // gpg 2.2 ignores --disable-mdc; the packet's tag is rewritten then: 18 to 9, without its version byte.
    let sealed = without_integrity(&sealed);
    refused(&home, &["decrypt"], &sealed, &[8], "no integrity protection");
}

#[test]
fn dsa_and_elgamal_keys_are_kept_and_said_to_be_of_no_use() {
    let Some(gpg) = Gpg::new() else { return };
    let parameters = "Key-Type: DSA\nKey-Length: 2048\nSubkey-Type: ELG-E\nSubkey-Length: 2048";
    gpg.generate(BOB, parameters, &["--cert-digest-algo", "SHA256"]);
    let (home, scratch) = (Home::new(), Scratch::new());
    let file = scratch.write("bob.tsk", gpg.run(&["--export-secret-keys", BOB], b"").ok());
    let imported = home.run(["key", "import", file.to_str().unwrap()], b"").expect_code(0);
    for algorithm in ["DSA 2048", "ElGamal 2048"] {
        assert!(imported.stderr.contains(&format!("({algorithm}) is kept but never used")), "{imported}");
    }
    let told = home.run(["key", "import", "--json", file.to_str().unwrap()], b"").ok();
    let told: serde_json::Value = serde_json::from_slice(&told).unwrap();
    assert_eq!(told["imported"][0]["never_used"].as_array().unwrap().len(), 2, "{told}");
    refused(&home, &["encrypt", "--to", BOB], b"content", &[9], "no longer safe");
    refused(&home, &["sign"], b"content", &[9], "");
    let sealed = gpg.run(&["--recipient", BOB, "--cipher-algo", "AES256", "--encrypt"], b"content").ok();
    let ran = refused(&home, &["decrypt"], &sealed, &[9], "DSA, ElGamal");
    assert!(ran.stderr.contains(" hint: "), "{ran}");
    // What was taken in is given back whole, to be used elsewhere.
    let again = home.run(["key", "export", "--secret", BOB], b"").ok();
    assert!(String::from_utf8(again).unwrap().contains("PRIVATE KEY BLOCK"));
}

/// The message with its SEIPD packet (tag 18, version 1) replaced by a packet of tag 9 with the same body.
fn without_integrity(message: &[u8]) -> Vec<u8> {
    let mut at = 0;
    while at < message.len() {
        let tag = if message[at] & 0x40 != 0 { message[at] & 0x3f } else { (message[at] >> 2) & 0x0f };
        if tag == 9 {
            return message.to_vec();
        }
        if tag == 18 {
            let (length, start) = new_length(message, at);
            let body = &message[start + 1..start + length];
            let mut changed = message[..at].to_vec();
            changed.push(0xc9);
            changed.push(0xff);
            changed.extend((body.len() as u32).to_be_bytes());
            changed.extend(body);
            return changed;
        }
        let (length, start) =
            if message[at] & 0x40 != 0 { new_length(message, at) } else { old_length(message, at) };
        at = start + length;
    }
    panic!("no encrypted packet in the message");
}

fn new_length(message: &[u8], at: usize) -> (usize, usize) {
    match message[at + 1] {
        one @ 0..=191 => (usize::from(one), at + 2),
        first @ 192..=223 => ((usize::from(first) - 192) * 256 + usize::from(message[at + 2]) + 192, at + 3),
        255 => (u32::from_be_bytes(message[at + 2..at + 6].try_into().unwrap()) as usize, at + 6),
        partial => panic!("partial length {partial:#x} in a small message"),
    }
}

fn old_length(message: &[u8], at: usize) -> (usize, usize) {
    match message[at] & 3 {
        0 => (usize::from(message[at + 1]), at + 2),
        1 => (usize::from(u16::from_be_bytes([message[at + 1], message[at + 2]])), at + 3),
        other => panic!("length type {other} in a small message"),
    }
}
