// SPDX-License-Identifier: LGPL-2.0-or-later
//! Feeds every file of the fuzz corpus to its target, so that a crash that was found once stays fixed.

#[expect(unreachable_pub, reason = "the fuzz targets have the same file as their library")]
mod entry;

use std::{fs, path::PathBuf};

use plombe_tests::binary::repository;

fn replay<R>(target: &str, run: fn(&[u8]) -> R) -> Vec<R> {
    let folder = repository().join("tests/fuzz/corpus").join(target);
    let mut files: Vec<PathBuf> = fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.expect("a folder that can be listed").path())
        .collect();
    files.sort();
    assert!(!files.is_empty(), "no seeds for {target}");
    let one = |file: PathBuf| {
        println!("{}", file.display());
        run(&fs::read(&file).expect("a file of the corpus"))
    };
    files.into_iter().map(one).collect()
}

/// Without any good verdict the targets could not notice a forged one.
fn some_are_good(verdicts: &[bool]) {
    assert!(verdicts.contains(&true), "no file of this corpus is signed by Alice: is it outdated?");
}

#[test]
fn armor_survives_its_corpus() {
    replay("armor", entry::armor);
}

#[test]
fn certificate_survives_its_corpus() {
    replay("certificate", entry::certificate);
}

#[test]
fn mail_survives_its_corpus() {
    some_are_good(&replay("mail", entry::mail));
}

#[test]
fn message_survives_its_corpus() {
    some_are_good(&replay("message", entry::message));
}

#[test]
fn mime_survives_its_corpus() {
    replay("mime", entry::mime);
}

#[test]
fn verdict_survives_its_corpus() {
    some_are_good(&replay("verdict", entry::verdict));
}
