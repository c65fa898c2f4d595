// SPDX-License-Identifier: LGPL-2.0-or-later
//! encrypt, decrypt, sign and verify, and what they say about a signature.

use plombe_tests::{ALICE, BOB, Home, MALLORY, Scratch, samples};

const PROFILES: [&str; 2] = ["rfc4880", "rfc9580"];

fn home_of(owner: &str, profile: &str) -> Home {
    let home = Home::new();
    home.run(["key", "generate", owner, "--no-passphrase", "--profile", profile], b"").ok();
    home
}

#[test]
fn every_content_comes_back() {
    for profile in PROFILES {
        let home = home_of(ALICE, profile);
        for sample in samples::all() {
            for armor in [&[][..], &["--armor"]] {
                let arguments = ["encrypt", "--to", ALICE, "--sign-as", ALICE].iter().chain(armor);
                let sealed = home.run(arguments, &sample.bytes).ok();
                let opened = home.run(["decrypt", "--require-good"], &sealed).ok();
                assert!(opened == sample.bytes, "{profile}, {}", sample.name);
            }
        }
    }
}

#[test]
fn verdict_is_told_beside_the_content() {
    let (alice, bob) = Home::pair(ALICE, BOB);
    let stranger = Home::of(BOB);
    let signed = alice.run(["encrypt", "--to", BOB, "--sign-as", ALICE], b"content").ok();
    let unsigned = alice.run(["encrypt", "--to", BOB], b"content").ok();

    let good = bob.run(["decrypt"], &signed).expect_code(0);
    assert!(good.stderr.contains("good signature") && good.stderr.contains(ALICE), "{good}");
    let none = bob.run(["decrypt"], &unsigned).expect_code(0);
    assert!(none.stderr.contains("unsigned"), "{none}");
    bob.run(["decrypt", "--require-good"], &signed).ok();
    let refused = bob.run(["decrypt", "--require-good"], &unsigned).expect_code(4);
    assert!(refused.stdout.is_empty(), "{refused}");

    stranger.import(&bob.tsk(BOB));
    let unknown = stranger.run(["decrypt"], &signed).expect_code(0);
    assert!(unknown.stderr.contains("unknown signer"), "{unknown}");
    assert!(stranger.run(["decrypt", "--require-good"], &signed).expect_code(4).stdout.is_empty());
}

#[test]
fn json_verdict_goes_to_stderr_beside_content() {
    let home = Home::of(ALICE);
    let sealed = home.run(["encrypt", "--to", ALICE, "--sign-as", ALICE], b"content").ok();
    let ran = home.run(["decrypt", "--json"], &sealed).expect_code(0);
    assert_eq!(ran.stdout, b"content");
    let told: serde_json::Value = serde_json::from_str(ran.stderr.trim()).expect("one JSON object");
    assert_eq!(told["verdict"]["verdict"], "good");
    assert_eq!(told["verdict"]["code"], "signature-valid");
    assert_eq!(told["verdict"]["covered"]["length"], 7);
    assert_eq!(told["verdict"]["signer"]["addresses"][0], ALICE);
}

#[test]
fn recipients_are_reported_and_the_weakest_decides() {
    let (old, new) = (home_of(ALICE, "rfc4880"), home_of(BOB, "rfc9580"));
    new.import(&old.certificate(ALICE));
    let container = |recipients: &[&str]| {
        let scratch = Scratch::new();
        let out = scratch.file("out");
        let mut arguments = vec!["encrypt", "--json", "-o", out.to_str().unwrap()];
        recipients.iter().for_each(|to| arguments.extend(["--to", to]));
        let told: serde_json::Value = serde_json::from_slice(&new.run(arguments, b"content").ok()).unwrap();
        told["sealed"]["container"].as_str().unwrap().to_owned()
    };
    assert_eq!(container(&[BOB]), "seipdv2");
    assert_eq!(container(&[ALICE, BOB]), "seipdv1");
}

#[test]
fn hidden_recipient_opens_and_is_not_named() {
    let (alice, bob) = Home::pair(ALICE, BOB);
    let sealed = alice.run(["encrypt", "--hidden-to", BOB, "--to", ALICE], b"content").ok();
    assert_eq!(bob.run(["decrypt"], &sealed).ok(), b"content");
    let shown = bob.run(["key", "show", BOB, "--json"], b"").ok();
    let shown: serde_json::Value = serde_json::from_slice(&shown).unwrap();
    for key in shown["certificate"]["keys"].as_array().unwrap() {
        let id = &key["fingerprint"].as_str().unwrap()[24..];
        let id: Vec<u8> = (0..8).map(|i| u8::from_str_radix(&id[2 * i..2 * i + 2], 16).unwrap()).collect();
        assert!(
            !sealed.windows(8).any(|window| window == id),
            "key ID of the hidden recipient in the message"
        );
    }
}

#[test]
fn every_missing_recipient_is_named() {
    let home = Home::of(ALICE);
    let ran = home.run(["encrypt", "--to", BOB, "--to", ALICE, "--to", MALLORY], b"content").expect_code(9);
    assert!(ran.stderr.contains(BOB) && ran.stderr.contains(MALLORY), "{ran}");
    assert!(ran.stderr.contains("plombe key find"), "{ran}");
}

#[test]
fn signatures_of_each_form_verify_and_notice_a_change() {
    for profile in PROFILES {
        let (home, scratch) = (home_of(ALICE, profile), Scratch::new());
        let content = b"Dear Bob,\n- the price is 100.\nFrom Alice\n";
        let file = scratch.write("file", content);
        let changed = scratch.write("changed", b"Dear Bob,\n- the price is 900.\nFrom Alice\n");
        let (file, changed) = (file.to_str().unwrap(), changed.to_str().unwrap());

        let signature = scratch.write("sig", home.run(["sign", "--detached", "--as", ALICE], content).ok());
        let signature = signature.to_str().unwrap();
        home.run(["verify", "--signature", signature, file], b"").ok();
        home.run(["verify", "--signature", signature, changed], b"").expect_code(3);

        for form in [&["sign"][..], &["sign", "--binary"], &["sign", "--cleartext"]] {
            let signed = home.run(form, content).ok();
            let verified = home.run(["verify", "-o", "-"], &signed).expect_code(0);
            let text = verified.stdout.strip_suffix(b"\n").unwrap_or(&verified.stdout);
            assert_eq!(text, content.strip_suffix(b"\n").unwrap(), "{profile} {form:?}");
        }
        let clear = home.run(["sign", "--cleartext"], content).ok();
        let forged = String::from_utf8(clear).unwrap().replace("100", "900");
        let refused = home.run(["verify", "-o", "-"], forged.as_bytes()).expect_code(3);
        assert!(refused.stdout.is_empty(), "{refused}");
    }
}

#[test]
fn verify_ends_with_zero_for_good_only() {
    let (alice, stranger) = (Home::of(ALICE), Home::of(BOB));
    let signed = alice.run(["sign"], b"content").ok();
    alice.run(["verify"], &signed).ok();
    let unknown = stranger.run(["verify", "--json"], &signed).expect_code(4);
    let told: serde_json::Value = serde_json::from_slice(&unknown.stdout).unwrap();
    assert_eq!(told["verdict"]["verdict"], "unknown-signer");
    stranger.run(["verify"], b"just text\n").expect_code(4);
}

#[test]
fn signature_of_an_ended_certificate_is_not_good() {
    let (alice, bob) = Home::pair(ALICE, BOB);
    let signed = alice.run(["sign"], b"content").ok();
    bob.run(["verify"], &signed).ok();
    alice.run(["key", "revoke", ALICE, "--yes", "--reason", "compromised"], b"").ok();
    bob.import(&alice.certificate(ALICE));
    let refused = bob.run(["verify", "--json"], &signed).expect_code(4);
    let told: serde_json::Value = serde_json::from_slice(&refused.stdout).unwrap();
    assert_eq!(
        (told["verdict"]["verdict"].as_str(), told["verdict"]["code"].as_str()),
        (Some("invalid-signer"), Some("signer-revoked"))
    );
}
