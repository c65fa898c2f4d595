// SPDX-License-Identifier: LGPL-2.0-or-later
//! The mails of draft-autocrypt-lamps-protected-headers, against the inner text that its authors wrote down.

use std::fs;

use plombe_core::{
    mail::OpenOptions,
    mime::{self, Document},
};
use plombe_tests::corpora::corpus;

use crate::keys::Keys;

const NAMES: [&str; 6] = [
    "pgpmime-enc+legacy-disp",
    "pgpmime-layered+legacy-disp",
    "pgpmime-layered",
    "pgpmime-sign+enc+legacy-disp",
    "pgpmime-sign+enc",
    "unfortunately-complex",
];

#[test]
fn subject_and_parts_equal_the_inner_files() {
    let Some(folder) = corpus("protected-headers") else { return };
    let keys = Keys::of_corpus(&folder);
    for name in NAMES {
        let mail = fs::read(folder.join(format!("{name}.eml"))).expect("a mail");
        let inner = fs::read(folder.join(format!("{name}.inner"))).expect("its inner text");
        let opened =
            keys.open(&mail, &OpenOptions::default()).unwrap_or_else(|error| panic!("{name}: {error}"));
        let inner = mime::parse(inner).expect("within bounds");

        // The payload of a layered mail is the signed part.
        let payload =
            if inner.root().media_type.is("multipart", "signed") { inner.root().children[0] } else { 0 };
        let subject = inner.field(payload, "Subject").expect("each has one").decoded();
        assert_eq!(opened.subject(), Some(subject.as_str()), "{name}");

        let expected = leaves(&inner, payload);
        assert_eq!(opened.parts().len(), expected.len(), "{name}");
        for (part, (kind, body)) in opened.parts().iter().zip(expected) {
            assert_eq!(part.media_type(), kind, "{name}");
            assert_eq!(lines(&part.content().0), lines(&body), "{name}");
        }
        // The older scheme's display part is gone from the plain mail, and the rest is all there.
        let plain = mime::parse(opened.to_plain_mail()).expect("within bounds");
        let texts = leaves(&plain, 0);
        assert!(texts.iter().all(|(_, body)| !body.starts_with(b"Subject:")), "{name}");
        assert_eq!(texts.len(), opened.parts().len(), "{name}");
        assert_eq!(plain.field(0, "Subject").expect("the protected one").decoded(), subject);
    }
}

/// Type and content of the parts that a person sees.
fn leaves(document: &Document<'_>, root: usize) -> Vec<(String, Vec<u8>)> {
    let shown = |&id: &usize| {
        let entity = document.entity(id);
        let display =
            entity.path.ends_with(".1") && entity.media_type.parameter("protected-headers").is_some();
        entity.children.is_empty() && !(display && id != root && entity.parent == Some(root))
    };
    let ids: Vec<usize> = document.descendants(root).filter(shown).collect();
    ids.into_iter()
        .map(|id| (document.entity(id).media_type.to_string(), document.decoded_body(id)))
        .collect()
}

/// The files end differently from the mails: by one line end.
fn lines(body: &[u8]) -> Vec<String> {
    String::from_utf8_lossy(body).trim_end().lines().map(str::to_owned).collect()
}
