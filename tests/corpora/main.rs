// SPDX-License-Identifier: LGPL-2.0-or-later
//! Mail written by other people, attacks most of it: the expected verdict of each is written down in `expect.toml`,
//! with the class of attack that it stands for.

mod conditional;
mod keys;
mod outcome;
mod protected_headers;
mod quoting;
mod vectors;

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use plombe_tests::corpora::corpus;
use serde::Deserialize;

use keys::Keys;
use outcome::Outcome;

/// The table.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    mail: Vec<Row>,
}

/// One mail and what is expected of it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    file: String,
    class: String,
    #[serde(flatten)]
    outcome: Outcome,
}

/// Folders of the corpora that hold mails.
const FOLDERS: [&str; 4] =
    ["signature-spoofing", "covert-content", "provider-mutations", "protected-headers"];

#[test]
fn every_corpus_mail_has_the_verdict_that_is_written_down() {
    let table: Table = toml::from_str(include_str!("expect.toml")).expect("a sound table");
    let mut wrong = Vec::new();
    for folder in FOLDERS {
        let Some(root) = corpus(folder) else { return };
        let keys = Keys::of_corpus(&root);
        let mut listed = BTreeSet::new();
        for row in table.mail.iter().filter(|row| row.file.starts_with(folder)) {
            let path = root.parent().expect("a folder of the corpora").join(&row.file);
            listed.insert(path.clone());
            let mail = fs::read(&path).expect("a corpus mail");
            let actual = outcome::of(&mail, &keys);
            if actual != row.outcome {
                wrong.push(format!(
                    "[[mail]]\nfile = {:?}\nclass = {:?}\n{}",
                    row.file,
                    row.class,
                    toml(&actual)
                ));
            }
        }
        for path in mails_below(&root).difference(&listed) {
            let mail = fs::read(path).expect("a corpus mail");
            let file =
                path.strip_prefix(root.parent().expect("a folder")).expect("below it").display().to_string();
            wrong.push(format!(
                "[[mail]]\nfile = {file:?}\nclass = \"?\"\n{}",
                toml(&outcome::of(&mail, &keys))
            ));
        }
    }
    assert!(wrong.is_empty(), "not as written down, or not written down:\n\n{}", wrong.join("\n"));
}

/// The rule that no table may relax: attacks on signatures never yield a good verdict over what a reader sees.
#[test]
fn no_attack_in_the_table_is_expected_to_look_good() {
    let table: Table = toml::from_str(include_str!("expect.toml")).expect("a sound table");
    for row in &table.mail {
        let attack = row.file.contains("/03-mime/")
            || row.file.contains("/04-id/")
            || row.file.contains("/01-enc/pgp_mime/0");
        let good = row.outcome.verdicts.iter().any(|verdict| verdict == "good");
        assert!(!(attack && good), "{} is an attack and must not be good", row.file);
    }
    assert!(
        table
            .mail
            .iter()
            .filter(|row| row.file.contains("/valid-signed/") && !row.file.contains("smime"))
            .all(|row| row.outcome.verdicts == ["good"])
    );
}

fn toml(outcome: &Outcome) -> String {
    toml::to_string(outcome).expect("plain values")
}

fn mails_below(folder: &Path) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    let mut waiting = vec![folder.to_owned()];
    while let Some(folder) = waiting.pop() {
        for entry in fs::read_dir(folder).expect("a readable folder") {
            let path = entry.expect("a readable entry").path();
            if path.is_dir() {
                waiting.push(path);
            } else if path.extension().is_some_and(|extension| extension == "eml") {
                found.insert(path);
            }
        }
    }
    found
}
