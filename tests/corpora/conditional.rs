// SPDX-License-Identifier: LGPL-2.0-or-later
//! The corpus brings the HTML of the second covert channel unsigned; here its owner signs it.

use std::fs;

use plombe_core::{
    mail::{FindingCode, OpenOptions, Sign},
    verdict::VerdictKind,
};
use plombe_tests::corpora::corpus;

use crate::keys::{self, Keys};

#[test]
fn signed_html_that_shows_differently_elsewhere_is_not_plainly_good() {
    let Some(folder) = corpus("covert-content") else { return };
    let keys = Keys::of_corpus(&folder);
    let cases = [
        ("01-css-style-external.eml", true),
        ("01-css-style-inline.eml", false),
        ("01-css-style-internal.eml", false),
        ("02-conditional-rules.eml", true),
    ];
    for (name, conditional) in cases {
        let mail = fs::read(folder.join("02-sig").join(name)).expect("a corpus mail");
        let sign =
            Sign { signer: (&keys.tsks[0]).into(), autocrypt: None, policy: &keys.policy, now: keys::now() };
        let opened = keys.open(&sign.sign(&mail).expect("signed"), &OpenOptions::default()).expect("opened");
        assert_eq!(opened.verdict().verdict, VerdictKind::Good, "{name}");
        let found = opened.findings().iter().any(|finding| finding.code == FindingCode::ConditionalContent);
        assert_eq!(found, conditional, "{name}");
        assert_eq!(opened.parts()[0].verdict().reason.contains("conditional"), conditional, "{name}");
    }
}
