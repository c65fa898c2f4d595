// SPDX-License-Identifier: LGPL-2.0-or-later
//! The mail server: away, wrong, or somebody else's.

use plombe_core::log::entry::Entry;

use super::{Stage, press};
use crate::{
    keystore::TestKeystore,
    mail::generate,
    postfix::{Postfix, wait},
    published::local,
    trail::whole_trail,
};

#[test]
fn a_mail_server_that_is_down_is_told_and_nothing_is_lost() {
    let Some(mut stage) = Stage::begin() else { return };
    stage.postfix.stop();
    let tsk = local(&["<bob@example.org>"]);
    let (status, uploaded) = stage.upload(&tsk.certificate());
    assert_eq!(status, 200);
    let token = uploaded["token"].as_str().unwrap();
    let mut alice = stage.keystore.user("alice@example.org");
    generate(&mut alice, "alice@example.org");
    // For whom there would be no mail, too: the answer tells nothing about the address.
    let of_alice = stage.upload(&local(&["<alice@example.org>"]).certificate()).1;
    for (token, address) in
        [(token, "bob@example.org"), (of_alice["token"].as_str().unwrap(), "alice@example.org")]
    {
        let (status, answer) = stage.request(token, &[address]);
        assert!(
            status == 503 && answer["error"].as_str().unwrap().contains("try again"),
            "{status} {answer}"
        );
    }
    stage.postfix.start_again();
    // It is looked at again after a while; the token is still good.
    wait(|| (stage.request(token, &["bob@example.org"]).0 == 200).then_some(()));
    let link = stage.link(&tsk, "bob@example.org", 1);
    assert_eq!(press(&stage.keystore, &link), 200);

    // An address that the mail server refuses is on record as such.
    stage.ask_for(&local(&["<gone@example.org>"]), "gone@example.org");
    wait(|| {
        let entries = whole_trail(&mut stage.auditor);
        let failed = |entry: &Entry| entry.action == "challenge-mail-failed";
        entries.iter().any(failed).then_some(())
    });
}

#[test]
fn mail_leaves_over_tls_to_the_server_that_is_meant_or_not_at_all() {
    let Some(postfix) = Postfix::start() else { return };
    let authority = postfix.authority().display().to_string();
    let doctor = |settings: &str| {
        let mut keystore = TestKeystore::start();
        keystore.restart_with(&format!(
            "[mail]\nhost = \"127.0.0.1\"\nfrom = \"keystore@example.org\"\n{settings}"
        ));
        let (sound, said) = keystore.try_console(&["doctor"]);
        (sound && said.contains("takes mail from the keystore"), said)
    };
    let ours = format!("ca_file = \"{authority}\"\n");
    for (settings, works) in [
        (format!("port = {}\n{ours}", postfix.implicit), true),
        (format!("port = {}\ntls = \"starttls\"\n{ours}", postfix.starttls), true),
        (format!("port = {}\ntls = \"none\"\n", postfix.plain), true),
        // An authority that nobody here trusts; a server that offers no TLS; one that speaks something else.
        (format!("port = {}\n", postfix.implicit), false),
        (format!("port = {}\ntls = \"starttls\"\n", postfix.starttls), false),
        (format!("port = {}\ntls = \"starttls\"\n{ours}", postfix.plain), false),
        (format!("port = {}\n{ours}", postfix.plain), false),
    ] {
        let (does, said) = doctor(&settings);
        assert_eq!(does, works, "{settings}\n{said}");
    }
}
