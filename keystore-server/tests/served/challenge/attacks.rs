// SPDX-License-Identifier: LGPL-2.0-or-later
//! Uploads, links and floods that should get nowhere.

use std::time::SystemTime;

use plombe_core::cert::{Profile, Tsk};
use serde_json::json;

use super::{Stage, exchange, post, post_json, press};
use crate::{directory::get, postfix::wait, published::local};

#[test]
fn nobody_uses_the_keystore_as_a_mail_cannon() {
    let settings = "mails_per_mailbox_and_day = 2\nmails_per_day = 5\nmails_per_source_and_hour = 1000\nuploads_per_source_and_minute = 1000\n";
    let Some(mut stage) = Stage::with(&[], settings) else { return };
    // One mailbox, also under tags and other spellings, and whatever the certificate.
    for address in
        ["bob@example.org", "BOB@example.org", "bob+1@example.org", "bob@example.org", "bob+2@example.org"]
    {
        stage.ask_for(&local(&[&format!("<{address}>")]), address);
    }
    stage.settle(1);
    let to_bob = |mail: &Vec<u8>| String::from_utf8_lossy(mail).to_lowercase().contains("x-original-to: bob");
    assert_eq!(stage.postfix.all().iter().filter(|mail| to_bob(mail)).count(), 2);
    // Everybody together, also after a restart.
    stage.keystore.stop_and_start();
    for number in 0..8 {
        let address = format!("x{number}@example.org");
        stage.ask_for(&local(&[&format!("<{address}>")]), &address);
    }
    wait(|| (stage.postfix.all().len() >= 5).then_some(()));
    // All that is refused after that is so under the same lock, sooner or later.
    assert!(stage.counted("challenge-too-many") >= 3);
    assert_eq!(stage.postfix.all().len(), 5);
}

#[test]
fn one_source_causes_few_mails_and_few_uploads() {
    let settings = "mails_per_source_and_hour = 3\nuploads_per_source_and_minute = 4\n";
    let Some(mut stage) = Stage::with(&[], settings) else { return };
    let addresses: Vec<String> = (0..4).map(|number| format!("x{number}@example.org")).collect();
    let user_ids: Vec<String> = addresses.iter().map(|address| format!("<{address}>")).collect();
    let tsk = local(&user_ids.iter().map(String::as_str).collect::<Vec<_>>());
    let (_, uploaded) = stage.upload(&tsk.certificate());
    let token = uploaded["token"].as_str().unwrap();
    let all: Vec<&str> = addresses.iter().map(String::as_str).collect();
    assert_eq!(stage.request(token, &all).0, 429);
    assert_eq!(stage.request(token, &all[..3]).0, 200);
    assert_eq!(stage.request(token, &all[3..]).0, 429);
    wait(|| (stage.postfix.all().len() == 3).then_some(()));
    let statuses: Vec<u16> = (0..5).map(|_| stage.upload(&tsk.certificate()).0).collect();
    assert_eq!(statuses, [200, 200, 200, 429, 429]);
    assert_eq!(stage.counted("challenge-source-limit"), 2);
}

#[test]
fn hostile_uploads_get_a_plain_no_and_cause_no_mail() {
    let settings = "uploads_per_source_and_minute = 1000\nmails_per_source_and_hour = 1000\n";
    let Some(stage) = Stage::with(&[], settings) else { return };
    let upload = |keytext: &str| post_json(&stage.keystore, "/vks/v1/upload", &json!({ "keytext": keytext }));
    // Not one certificate.
    let two = local(&["<a@example.org>"]).certificate().to_armored()
        + &local(&["<b@example.org>"]).certificate().to_armored();
    for keytext in ["", "x", "-----BEGIN PGP PUBLIC KEY BLOCK-----", "AAAA", &two] {
        let (status, answer) = upload(keytext);
        assert!(status == 400 && answer["error"].is_string(), "{keytext:.40}: {status} {answer}");
    }
    for body in ["", "{}", "[]", "{\"keytext\":1}", "null"] {
        assert_eq!(post(&stage.keystore, "/vks/v1/upload", "application/json", body).0, 400, "{body}");
    }
    // It is not waited for.
    let huge =
        "POST /vks/v1/upload HTTP/1.1\r\nHost: x\r\nContent-Length: 2000000\r\nConnection: close\r\n\r\n";
    assert_eq!(exchange(&stage.keystore, huge.as_bytes()).0, 413);
    // A hundred user IDs of this domain are nobody's; of others they do not count, nor does anything of them come along.
    let many = |domain: &str| (0..100).map(|n| format!("<u{n}@{domain}>")).collect::<Vec<_>>();
    let of = |user_ids: &[String]| local(&user_ids.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(stage.upload(&of(&many("example.org")).certificate()).0, 400);
    let mut strangers = many("elsewhere.example");
    strangers.push("<bob@example.org>".to_owned());
    let (status, answer) = stage.upload(&of(&strangers).certificate());
    assert_eq!((status, &answer["status"]), (200, &json!({ "bob@example.org": "unpublished" })));
    let token = answer["token"].as_str().unwrap();
    // Addresses that are elsewhere, or not in the certificate, or more than an address.
    for addresses in [
        &["u1@elsewhere.example"][..],
        &["victim@example.org"],
        &["bob@example.org\r\nBcc: victim@example.org"],
        &["bob@example.org, victim@example.org"],
        &[],
    ] {
        assert_eq!(stage.request(token, addresses).0, 400, "{addresses:?}");
    }
    // Tokens that are made up, cut, or changed.
    for changed in
        ["", "x", &token[..token.len() - 4], &token.replace(&token[20..24], "AAAA"), &"A".repeat(4000)]
    {
        assert_eq!(stage.request(changed, &["bob@example.org"]).0, 400, "{changed:.40}");
    }
    // Elsewhere: nothing to ask about.
    let elsewhere = local(&["<x@elsewhere.example>"]);
    let (status, answer) = stage.upload(&elsewhere.certificate());
    assert_eq!((status, &answer["status"]), (200, &json!({})));
    assert_eq!(stage.request(answer["token"].as_str().unwrap(), &["x@elsewhere.example"]).0, 400);
    // User IDs that would be a header field of a mail, or two addresses.
    for user_id in [
        "<bob@example.org\r\nBcc: victim@example.org>",
        "x\r\nBcc: y <a@example.org> <victim@example.org>",
        "\"a\r\n\"@example.org",
    ] {
        let tsk = Tsk::generate(Profile::Rfc4880, &[user_id.to_owned()], None, SystemTime::now());
        let Ok(made) = tsk else { continue };
        let (_, answer) = stage.upload(&made.tsk.certificate());
        let status = answer["status"].as_object().cloned().unwrap_or_default();
        assert!(status.keys().all(|address| !address.contains(['\r', '\n', ' ', ','])), "{answer}");
    }
    // Links that were guessed.
    for token in ["", "x", &"A".repeat(43), &"%00".repeat(43), "../v1/info", &"A".repeat(4000)] {
        let link = format!("/vks/confirm/{token}");
        assert_eq!(
            (get(&stage.keystore, &link).status, press(&stage.keystore, &link)),
            (404, 404),
            "{token:.40}"
        );
    }
    stage.settle(1);
    assert_eq!(stage.postfix.all().len(), 1);
}
