// SPDX-License-Identifier: LGPL-2.0-or-later
//! Mails and the verdicts that are written down for them, as one JSON file for `forged.mjs`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use plombe_tests::{
    binary::{repository, target_dir},
    corpora::corpus,
};
use serde::{Deserialize, Serialize};

/// Corpora that come with what a reader has to have. (Those of other folders are looked at without keys.)
pub(crate) const CORPORA: [&str; 3] = ["signature-spoofing", "covert-content", "protected-headers"];

#[derive(Serialize)]
struct Group {
    name: String,
    keys: Vec<PathBuf>,
    mails: Vec<Mail>,
}

#[derive(Serialize)]
struct Mail {
    file: PathBuf,
    #[serde(flatten)]
    expected: Expected,
}

/// What `expect.toml` says, as far as a reader sees it.
#[derive(Serialize, Deserialize)]
struct Expected {
    #[serde(default)]
    verdicts: Vec<String>,
    #[serde(default)]
    findings: Vec<String>,
    #[serde(default)]
    closed: Option<String>,
}

#[derive(Deserialize)]
struct Row {
    file: String,
    #[serde(flatten)]
    expected: Expected,
}

#[derive(Deserialize)]
struct Table {
    mail: Vec<Row>,
}

/// Writes the table and says where.
pub(crate) fn write() -> PathBuf {
    let mut groups = vec![vectors()];
    let table = fs::read_to_string(repository().join("tests/corpora/expect.toml")).expect("the table");
    let table: Table = toml::from_str(&table).expect("a sound table");
    let mut rows = table.mail;
    for name in CORPORA {
        let Some(root) = corpus(name) else { continue };
        let (mine, others) = rows.into_iter().partition(|row| row.file.starts_with(name));
        rows = others;
        let shared = root.parent().expect("a corpus lies in a folder");
        let mine: Vec<Row> = mine;
        let mails = mine.into_iter().map(|row| Mail { file: shared.join(row.file), expected: row.expected });
        groups.push(Group { name: name.to_owned(), keys: key_files(&root), mails: mails.collect() });
    }
    let path = target_dir().join("tmp/forged.json");
    fs::create_dir_all(path.parent().expect("a folder")).expect("a folder for scratch files");
    fs::write(&path, serde_json::to_vec(&groups).expect("plain values")).expect("the table is written");
    path
}

fn vectors() -> Group {
    let root = repository().join("tests/vectors/mail");
    let mut mails = Vec::new();
    for folder in entries(&root) {
        if let Ok(expected) = fs::read_to_string(folder.join("expect.toml")) {
            let expected = toml::from_str(&expected).expect("a sound expectation");
            mails.push(Mail { file: folder.join("message.eml"), expected });
        }
    }
    Group { name: "vectors".to_owned(), keys: key_files(&root.join("keys")), mails }
}

fn key_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for path in entries(folder) {
        if path.is_dir() {
            found.extend(key_files(&path));
        } else if path.extension().is_some_and(|ending| ending == "asc" || ending == "pgp") {
            found.push(path);
        }
    }
    found
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a readable folder");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("a readable entry").path()).collect();
    paths.sort();
    paths
}
