// SPDX-License-Identifier: LGPL-2.0-or-later
//! Our own vectors: `tests/vectors/mail/*/{message.eml, expect.toml}`. Adding a folder adds a test.

use std::{fs, path::Path};

use plombe_core::mail::OpenOptions;
use serde::Deserialize;

use crate::{
    keys::Keys,
    outcome::{self, Outcome},
};

/// What `expect.toml` says.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    /// What the vector stands for.
    class: String,
    /// Who made it, and how.
    provenance: String,
    #[serde(default)]
    verdicts: Vec<String>,
    #[serde(default)]
    findings: Vec<String>,
    #[serde(default)]
    layers: Vec<String>,
    closed: Option<String>,
    /// First line of the first text that is shown.
    text: Option<String>,
    /// The subject that is shown.
    subject: Option<String>,
    /// The From that is shown.
    from: Option<String>,
}

#[test]
fn every_vector_comes_out_as_expected() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors/mail");
    let keys = Keys::of_corpus(&folder.join("keys"));
    let mut seen = 0;
    for entry in fs::read_dir(&folder).expect("the vectors") {
        let vector = entry.expect("an entry").path();
        if !vector.join("message.eml").exists() {
            continue;
        }
        seen += 1;
        check(&vector, &keys);
    }
    assert!(seen >= 25, "only {seen} vectors were found");
}

fn check(vector: &Path, keys: &Keys) {
    let name = vector.file_name().expect("a name").to_string_lossy();
    let mail = fs::read(vector.join("message.eml")).expect("a mail");
    let expected = fs::read_to_string(vector.join("expect.toml")).expect("its expectation");
    let expected: Expected = toml::from_str(&expected).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert!(!expected.class.is_empty() && !expected.provenance.is_empty(), "{name}");
    let outcome = Outcome {
        verdicts: expected.verdicts,
        findings: expected.findings,
        layers: expected.layers,
        closed: expected.closed,
    };
    assert_eq!(outcome::of(&mail, keys), outcome, "{name}: {}", expected.class);
    let Ok(opened) = keys.open(&mail, &OpenOptions::default()) else { return };
    if let Some(text) = expected.text {
        let (shown, _) = opened.parts().iter().find_map(|part| part.text()).expect("a text");
        assert_eq!(shown.lines().next(), Some(text.as_str()), "{name}");
    }
    if let Some(subject) = expected.subject {
        assert_eq!(opened.subject(), Some(subject.as_str()), "{name}");
    }
    if let Some(from) = expected.from {
        let shown = opened.fields().iter().find(|field| field.is("From")).expect("a From");
        assert_eq!(shown.value, from, "{name}");
    }
}
