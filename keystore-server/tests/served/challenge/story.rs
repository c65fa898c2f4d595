// SPDX-License-Identifier: LGPL-2.0-or-later
//! The way in, and the way out.

use std::{
    process::Command,
    time::{Duration, SystemTime},
};

use plombe_core::{
    cert::{Certificate, Reason},
    crypto_policy::CryptoPolicy,
    mime,
};
use plombe_tests::{Postgres, peers};
use serde_json::json;

use super::{Stage, path_of, press, text_of};
use crate::{
    directory::{ask, get, search, wkd_path},
    directory_peers::Gpg,
    published::{local, publish},
    trail::whole_trail,
};

#[test]
fn who_reads_the_mail_and_has_the_key_is_shown_for_that_address_alone() {
    let Some(stage) = Stage::begin() else { return };
    let tsk = local(&["Bob <bob@example.org>", "<sales@example.org>", "<bob@private.example>"]);
    let fingerprint = tsk.fingerprint().to_hex();
    let (status, uploaded) = stage.upload(&tsk.certificate());
    assert_eq!((status, uploaded["key_fpr"].as_str()), (200, Some(&fingerprint[..])));
    let unpublished = json!({ "bob@example.org": "unpublished", "sales@example.org": "unpublished" });
    assert_eq!(uploaded["status"], unpublished);

    let token = uploaded["token"].as_str().unwrap();
    let (status, asked) = stage.request(token, &["bob@example.org"]);
    assert_eq!(status, 200);
    assert_eq!(asked["status"], json!({ "bob@example.org": "pending", "sales@example.org": "unpublished" }));

    let mail = stage.postfix.wait_for("bob@example.org", 1);
    let outside = String::from_utf8(mail.clone()).unwrap();
    assert!(!outside.contains("/vks/confirm/") && !outside.contains(&fingerprint), "{outside}");
    let text = text_of(&tsk, &mail);
    assert!(text.contains(&fingerprint) && text.contains(stage.keystore.url()), "{text}");
    let link = path_of(&text);

    // Programs that look at links before people do show nothing.
    for method in ["GET", "HEAD", "GET"] {
        let answer = ask(&stage.keystore, method, &link, "x");
        assert_eq!(answer.status, 200, "{method}");
        assert!(answer.headers.contains("form-action 'self'"), "{}", answer.headers);
    }
    let page = String::from_utf8(get(&stage.keystore, &link).body).unwrap();
    assert!(page.contains("bob@example.org") && page.contains(&fingerprint), "{page}");
    assert_eq!(get(&stage.keystore, &wkd_path("bob@example.org")).status, 404);

    assert_eq!(press(&stage.keystore, &link), 200);
    let subkey = tsk.certificate().describe(&CryptoPolicy::standard(), SystemTime::now()).keys.pop().unwrap();
    for path in [
        wkd_path("bob@example.org"),
        search("bob@example.org", "get"),
        search(&fingerprint, "get"),
        "/vks/v1/by-email/bob@example.org".to_owned(),
        format!("/vks/v1/by-fingerprint/{fingerprint}"),
        format!("/vks/v1/by-fingerprint/{}", subkey.fingerprint.to_hex()),
        format!("/vks/v1/by-keyid/{}", &fingerprint[24..]),
    ] {
        let answer = get(&stage.keystore, &path);
        assert_eq!(answer.status, 200, "{path}");
        assert!(answer.headers.contains("plombe-proof: mail"), "{path}: {}", answer.headers);
        let shown = Certificate::parse(&answer.body).unwrap();
        assert_eq!(shown.fingerprint(), tsk.fingerprint());
        assert_eq!(shown.unverified_user_ids(), ["Bob <bob@example.org>"], "{path}");
    }
    assert_eq!(get(&stage.keystore, &wkd_path("sales@example.org")).status, 404);
    // Once.
    assert_eq!((get(&stage.keystore, &link).status, press(&stage.keystore, &link)), (404, 404));

    // The second address of the same key joins it where the key is asked for.
    stage.prove(&tsk, "sales@example.org");
    let both = stage.shown(&format!("/vks/v1/by-fingerprint/{fingerprint}")).unwrap();
    assert_eq!(both.unverified_user_ids().len(), 2);
    let one = stage.shown(&wkd_path("sales@example.org")).unwrap();
    assert_eq!(one.unverified_user_ids(), ["<sales@example.org>"]);
    let (_, again) = stage.upload(&tsk.certificate());
    assert_eq!(again["status"]["bob@example.org"], "published");
}

#[test]
fn what_was_proven_by_mail_survives_a_restart_on_each_database() {
    let database = Postgres::shared().map(|postgres| postgres.database());
    if database.is_none() {
        peers::skip("PostgreSQL");
    }
    let inits: [Option<Vec<&str>>; 2] =
        [Some(Vec::new()), database.as_deref().map(|database| vec!["--database", database])];
    for init in inits.into_iter().flatten() {
        let Some(mut stage) = Stage::with(&init, "") else { return };
        let tsk = local(&["<bob@example.org>"]);
        stage.ask_for(&tsk, "bob@example.org");
        let link = stage.link(&tsk, "bob@example.org", 1);
        stage.keystore.restart();
        assert_eq!(press(&stage.keystore, &link), 200);
        stage.keystore.restart();
        assert_eq!(stage.shown(&wkd_path("bob@example.org")).unwrap().fingerprint(), tsk.fingerprint());
        assert_eq!(press(&stage.keystore, &link), 404, "a link was good twice");
        let entries = whole_trail(&mut stage.auditor);
        for action in ["challenge-mail", "confirm-address"] {
            let entry =
                entries.iter().find(|entry| entry.action == action).unwrap_or_else(|| panic!("{action}"));
            assert_eq!(entry.about.note.as_deref(), Some("bob@example.org"));
            assert_eq!(entry.about.key.as_ref().unwrap().to_string(), tsk.fingerprint().to_hex());
        }
    }
}

#[test]
fn a_certificate_that_was_proven_by_mail_ends_by_its_own_word_and_takes_nothing_else_along() {
    let Some(mut stage) = Stage::begin() else { return };
    let tsk = local(&["Bob <bob@example.org>"]);
    stage.prove(&tsk, "bob@example.org");
    std::thread::sleep(Duration::from_millis(1100));
    let (policy, now) = (CryptoPolicy::standard(), SystemTime::now());
    let user_id = "Bob, who pays <bob@example.org>";
    let more = tsk.clone().add_user_id(user_id, &policy, now).unwrap();
    let revoked = more.revoke(Reason::Compromised, "", now).unwrap();
    // What is no revocation changes nothing.
    let (_, answer) = stage.upload(&tsk.certificate());
    assert_eq!(answer["status"]["bob@example.org"], "published");
    let (status, answer) = stage.upload(&revoked.certificate());
    assert_eq!(status, 200, "{answer}");
    assert_eq!(stage.request(answer["token"].as_str().unwrap(), &["bob@example.org"]).0, 400);
    let shown = stage.shown(&search("bob@example.org", "get")).unwrap();
    assert_eq!(shown.unverified_user_ids(), ["Bob <bob@example.org>"]);
    let index = String::from_utf8(get(&stage.keystore, &search("bob@example.org", "index")).body).unwrap();
    assert!(index.lines().nth(1).unwrap().ends_with(":r"), "{index}");
    // Again is nothing new, and no entry.
    stage.upload(&revoked.certificate());
    let entries = whole_trail(&mut stage.auditor);
    assert_eq!(entries.iter().filter(|entry| entry.action == "revoke-by-upload").count(), 1);

    // A principal's certificate ends by its owner's device alone.
    let mut alice = stage.keystore.user("alice@example.org");
    let hers = local(&["<alice@example.org>"]);
    alice.call(&publish(&hers)).unwrap();
    std::thread::sleep(Duration::from_millis(1100));
    let ended = hers.clone().revoke(Reason::Compromised, "", SystemTime::now()).unwrap();
    stage.upload(&ended.certificate());
    let index = String::from_utf8(get(&stage.keystore, &search("alice@example.org", "index")).body).unwrap();
    assert!(!index.lines().nth(1).unwrap().ends_with(":r"), "{index}");
}

#[test]
fn gpg_and_sq_send_their_keys_and_gpg_reads_the_mail() {
    if peers::find("gpg").is_none() || peers::find("sq").is_none() || peers::find("curl").is_none() {
        return peers::skip("gpg, sq, curl");
    }
    let Some(stage) = Stage::begin() else { return };
    let server = stage.keystore.url().replace("http://", "hkp://");
    let gpg = Gpg::new();
    let make = [
        "--passphrase",
        "",
        "--pinentry-mode",
        "loopback",
        "--quick-generate-key",
        "Bob <bob@example.org>",
        "default",
        "default",
        "1y",
    ];
    gpg.run(&make);
    let listed = gpg.run(&["--list-keys", "bob@example.org"]);
    let fingerprint = listed
        .lines()
        .find_map(|line| line.strip_prefix("fpr:::::::::"))
        .unwrap()
        .trim_end_matches(':')
        .to_owned();
    gpg.run(&["--keyserver", &server, "--send-keys", &fingerprint]);
    let mail = stage.postfix.wait_for("bob@example.org", 1);
    let document = mime::parse(mail.as_slice()).unwrap();
    let sealed = gpg.home().join("sealed.asc");
    std::fs::write(&sealed, document.decoded_body(document.find("1.2").unwrap())).unwrap();
    let text = gpg.run(&["--decrypt", sealed.to_str().unwrap()]);
    let link = path_of(&text);
    let button = Command::new("curl")
        .args(["--silent", "--fail", "--request", "POST", &format!("{}{link}", stage.keystore.url())])
        .output()
        .unwrap();
    assert!(button.status.success() && String::from_utf8_lossy(&button.stdout).contains("bob@example.org"));
    let other = Gpg::new();
    let locate = ["--keyserver", &server, "--auto-key-locate", "clear,nodefault,keyserver"];
    let found = other.run(&[&locate[..], &["--locate-external-keys", "bob@example.org"]].concat());
    assert!(found.contains(&fingerprint), "{found}");

    let tsk = local(&["<carol@example.org>"]);
    let file = gpg.home().join("carol.asc");
    std::fs::write(&file, tsk.certificate().to_armored()).unwrap();
    let sent = Command::new("sq")
        .args(["keyserver", "--policy", "insecure", "--server", &server, "send"])
        .arg(&file)
        .output()
        .unwrap();
    assert!(sent.status.success(), "{}", String::from_utf8_lossy(&sent.stderr));
    assert_eq!(press(&stage.keystore, &stage.link(&tsk, "carol@example.org", 1)), 200);
    assert_eq!(stage.shown(&wkd_path("carol@example.org")).unwrap().fingerprint(), tsk.fingerprint());
}
