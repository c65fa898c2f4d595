// SPDX-License-Identifier: LGPL-2.0-or-later
//! What Alice signed, all of it. Anything else with a good verdict is a forgery.

/// Texts in the messages of the corpus.
const TEXTS: &[&str] = &["The offer stands until Friday.\n- Alice\n", "1,200 EUR\n"];

/// Texts in the mails of the corpus, as a reader is shown them.
const MAIL_TEXTS: &[&str] = &["Dear Bob,\n\nthe offer stands until Friday.\n\nAlice\n"];

pub(crate) fn assert_by_alice(content: &[u8]) {
    let content = String::from_utf8_lossy(content);
    assert!(TEXTS.iter().any(|text| same(text, &content)), "Alice did not sign {content:?}");
}

pub(crate) fn assert_mail_text_by_alice(shown: &str) {
    assert!(MAIL_TEXTS.iter().any(|text| same(text, shown)), "Alice did not sign {shown:?}");
}

/// Text signatures leave line ends open, and the cleartext framework leaves out white space at the end of lines.
fn same(one: &str, other: &str) -> bool {
    let lines = |text: &str| -> Vec<String> {
        let text = text.replace("\r\n", "\n");
        text.trim_end().lines().map(|line| line.trim_end().to_owned()).collect()
    };
    lines(one) == lines(other)
}
