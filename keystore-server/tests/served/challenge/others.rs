// SPDX-License-Identifier: LGPL-2.0-or-later
//! What is somebody's already stays theirs, and who asks cannot tell.

use std::time::{Duration, SystemTime};

use plombe_core::{
    cert::Certificate,
    crypto_policy::CryptoPolicy,
    keystore::{
        SecretBytes,
        calls::{directory::ListPublished, keys::ImportKey},
    },
};
use serde_json::{Value, json};

use super::{Stage, path_of, press, read};
use crate::{
    directory::{get, search, wkd_path},
    mail::generate,
    published::{local, publish},
};

#[test]
fn nobody_gets_mail_about_an_address_that_is_somebodys_or_has_a_certificate_and_who_asks_cannot_tell() {
    let Some(mut stage) = Stage::begin() else { return };
    let mut alice = stage.keystore.user("alice@example.org");
    let key = generate(&mut alice, "alice@example.org");
    let _without_a_key = stage.keystore.user("carol@example.org");
    stage.prove(&local(&["<bob@example.org>"]), "bob@example.org");

    let without_token = |mut answer: Value| {
        answer.as_object_mut().unwrap().remove("token");
        answer
    };
    let addresses = [
        "alice@example.org",
        "ALICE@example.org",
        "alice+list@example.org",
        "carol@example.org",
        "bob@example.org",
        "Bob@example.org",
        "nobody@example.org",
    ];
    for address in addresses {
        let tsk = local(&[&format!("<{address}>")]);
        let (status, uploaded) = stage.upload(&tsk.certificate());
        assert_eq!((status, &uploaded["status"]), (200, &json!({ address: "unpublished" })));
        let (status, asked) = stage.request(uploaded["token"].as_str().unwrap(), &[address]);
        assert_eq!(status, 200);
        let fingerprint = tsk.fingerprint().to_hex();
        assert_eq!(without_token(asked), json!({ "key_fpr": fingerprint, "status": { address: "pending" } }));
    }
    stage.postfix.wait_for("nobody@example.org", 1);
    stage.settle(1);
    for address in addresses {
        let expected = usize::from(address == "nobody@example.org" || address == "bob@example.org");
        assert_eq!(stage.postfix.delivered(address).len(), expected, "{address}");
    }
    let shown = stage.shown(&wkd_path("alice@example.org")).unwrap();
    assert_eq!(shown.fingerprint(), *key.fingerprint.as_fingerprint());
    assert_eq!(stage.counted("challenge-of-principal"), 4);
    assert_eq!(stage.counted("challenge-address-taken"), 2);
}

#[test]
fn a_link_does_nothing_once_the_address_is_somebodys_and_what_was_proven_goes_with_it() {
    let Some(stage) = Stage::begin() else { return };
    let (proven, waiting) = (local(&["<bob@example.org>"]), local(&["<dave@example.org>"]));
    stage.prove(&proven, "bob@example.org");
    stage.ask_for(&waiting, "dave@example.org");
    let link = stage.link(&waiting, "dave@example.org", 1);

    let mut bob = stage.keystore.user("bob@example.org");
    let mut dave = stage.keystore.user("dave@example.org");
    // Not Bob's, who has published nothing; nor found by its key.
    for path in [wkd_path("bob@example.org"), search(&proven.fingerprint().to_hex(), "get")] {
        assert_eq!(get(&stage.keystore, &path).status, 404, "{path}");
    }
    assert_eq!(press(&stage.keystore, &link), 409);
    assert_eq!(get(&stage.keystore, &wkd_path("dave@example.org")).status, 404);
    assert!(bob.call(&ListPublished {}).unwrap().certificates.is_empty());

    // Published by his device and made in custody: those are shown, and marked as nothing less.
    let his = local(&["<bob@example.org>"]);
    bob.call(&publish(&his)).unwrap();
    generate(&mut dave, "dave@example.org");
    let answer = get(&stage.keystore, &wkd_path("bob@example.org"));
    assert_eq!(Certificate::parse(&answer.body).unwrap().fingerprint(), his.fingerprint());
    assert!(!answer.headers.contains("plombe-proof"), "{}", answer.headers);
    assert_eq!(get(&stage.keystore, &wkd_path("dave@example.org")).status, 200);
}

#[test]
fn a_principals_key_is_not_shown_for_another_address_by_mail() {
    let Some(mut stage) = Stage::begin() else { return };
    let mut alice = stage.keystore.user("alice@example.org");
    let hers = local(&["<alice@example.org>", "<office@example.org>"]);
    alice.call(&publish(&hers)).unwrap();
    stage.ask_for(&hers, "office@example.org");
    stage.settle(1);
    assert_eq!(stage.counted("challenge-key-of-principal"), 1);
    assert!(stage.postfix.delivered("office@example.org").is_empty());
}

/// Bob has the encryption subkey that Mallory bound to a primary key of his own, and so could open the mail: that makes
/// nothing of Mallory's Bob's.
#[test]
fn a_claimed_subkey_of_a_principal_brings_no_certificate_in() {
    let Some(mut stage) = Stage::begin() else { return };
    let claiming = Certificate::parse(include_bytes!("../claimed/mallory.pgp")).unwrap();
    let mut alice = stage.keystore.user("alice@example.org");
    let tsk = SecretBytes::new(&include_bytes!("../claimed/alice.tsk.pgp")[..]);
    alice.call(&ImportKey { tsk }).unwrap();
    let (status, uploaded) = stage.upload(&claiming);
    assert_eq!(status, 200, "{uploaded}");
    let token = uploaded["token"].as_str().unwrap();
    assert_eq!(stage.request(token, &["mallory@example.org"]).0, 200);
    stage.settle(1);
    assert_eq!(stage.counted("challenge-key-of-principal"), 1);
    assert!(stage.postfix.delivered("mallory@example.org").is_empty());
}

/// The mail shows that somebody has one of them; another could wait until that one expires.
#[test]
fn a_certificate_with_several_keys_to_be_sealed_to_is_not_proven_by_mail() {
    let Some(stage) = Stage::begin() else { return };
    let tsk = local(&["<bob@example.org>"]);
    assert_eq!(stage.upload(&tsk.certificate()).0, 200);
    let overlap = Duration::from_secs(3600);
    let rotated = tsk.rotate(overlap, &CryptoPolicy::standard(), SystemTime::now()).unwrap();
    let (status, answer) = stage.upload(&rotated.tsk.certificate());
    assert_eq!(status, 400, "{answer}");
    assert!(answer["error"].as_str().unwrap().contains("several"), "{answer}");
}

#[test]
fn another_upload_replaces_nothing_and_adds_nothing() {
    let Some(mut stage) = Stage::begin() else { return };
    let tsk = local(&["<bob@example.org>"]);
    stage.prove(&tsk, "bob@example.org");
    let before = get(&stage.keystore, &wkd_path("bob@example.org")).body;
    // Another key; two mails that were under way at once; and a later state of the same key.
    let other = local(&["<bob@example.org>"]);
    stage.ask_for(&other, "bob@example.org");
    let later = tsk.clone().set_expiry(None, &CryptoPolicy::standard(), SystemTime::now()).unwrap();
    stage.ask_for(&later, "bob@example.org");
    stage.settle(1);
    assert_eq!(stage.counted("challenge-address-taken"), 2);
    assert_eq!(stage.postfix.delivered("bob@example.org").len(), 1);

    let (first, second) = (local(&["<race@example.org>"]), local(&["<race@example.org>"]));
    stage.ask_for(&first, "race@example.org");
    let of_first = stage.link(&first, "race@example.org", 1);
    stage.ask_for(&second, "race@example.org");
    stage.postfix.wait_for("race@example.org", 2);
    let mails = stage.postfix.delivered("race@example.org");
    let own: Vec<_> = mails.iter().filter_map(|mail| read(&second, mail)).collect();
    assert_eq!(own.len(), 1, "a mail opens with a key that it is not about");
    let of_second = path_of(&own[0]);
    assert_eq!(press(&stage.keystore, &of_second), 200);
    assert_eq!(press(&stage.keystore, &of_first), 409);
    assert_eq!(stage.shown(&wkd_path("race@example.org")).unwrap().fingerprint(), second.fingerprint());
    assert_eq!(get(&stage.keystore, &wkd_path("bob@example.org")).body, before);
}
