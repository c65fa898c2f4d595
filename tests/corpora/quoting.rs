// SPDX-License-Identifier: LGPL-2.0-or-later
//! Covert content: a reply never carries what was smuggled in.

use std::fs;

use plombe_core::{
    mail::{
        FindingCode, OpenOptions,
        reply::{self, Answer, Draft, To},
    },
    mime::Mailbox,
};
use plombe_tests::corpora::corpus;

use crate::keys::Keys;

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

#[test]
fn smuggled_ciphertext_is_neither_shown_nor_quoted() {
    let Some(folder) = corpus("covert-content") else { return };
    let keys = Keys::of_corpus(&folder);
    let mails = folder.join("01-enc/pgp_mime");
    let original = fs::read(mails.join("00-original-mail.eml")).expect("the mail that was stolen");
    let original = keys.open(&original, &OpenOptions::default()).expect("ours");
    let secret = original.parts()[0].text().expect("a text").0;
    let secret = secret.trim();
    assert!(!secret.is_empty());

    let mut seen = 0;
    for entry in fs::read_dir(&mails).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        if name.starts_with("00-") {
            continue;
        }
        seen += 1;
        let opened =
            keys.open(&fs::read(&path).expect("a mail"), &OpenOptions::default()).expect("a plain mail");
        assert!(!opened.was_encrypted(), "{name}");
        assert!(!contains(&opened.to_plain_mail(), secret), "{name}");
        for part in opened.parts() {
            assert!(!part.text().is_some_and(|(text, _)| text.contains(secret)), "{name}");
            let from = Mailbox { name: None, address: "manager@bigcorporation.de".to_owned() };
            let answer = Answer { from, text: "Why?", quote: Some(part) };
            match reply::reply(&opened, To::Author, &answer).expect("an answer") {
                Draft::Plain(draft) => assert!(!contains(&draft.into_mail(), secret), "{name}"),
                Draft::Confidential(_) => panic!("{name}: nothing was decrypted"),
            }
        }
        // On request, as a document of its own: there it is, and nothing else with it.
        let paths = opened.findings().iter().filter(|finding| finding.code == FindingCode::ErrantLayer);
        let found = paths.filter(|finding| {
            let options = OpenOptions { errant: finding.path.clone() };
            let alone = keys.open(&fs::read(&path).expect("a mail"), &options).expect("ours");
            let holds =
                alone.parts().iter().any(|part| part.text().is_some_and(|(text, _)| text.contains(secret)));
            let plain = alone.to_plain_mail();
            assert!(alone.was_encrypted(), "{name}");
            assert!(!holds || !(contains(&plain, "1ST PART") || contains(&plain, "Please reply")), "{name}");
            holds
        });
        assert_eq!(found.count(), 1, "{name}");
    }
    assert!(seen >= 6, "only {seen} mails");
}
