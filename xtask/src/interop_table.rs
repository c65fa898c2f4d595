// SPDX-License-Identifier: LGPL-2.0-or-later
//! Turns the result lines of `tests/interop` into a page for people.

use std::{collections::BTreeMap, fmt::Write};

use anyhow::{Context, Result};
use serde_json::Value;

/// One line of the table: a peer, a profile, an operation.
type Row = (String, String, usize);

/// What happened in one direction.
#[derive(Default)]
struct Cell {
    passed: usize,
    failed: usize,
    cannot: usize,
}

impl Cell {
    fn count(&mut self, outcome: &str) {
        match outcome {
            "passed" => self.passed += 1,
            "failed" => self.failed += 1,
            _ => self.cannot += 1,
        }
    }

    fn shown(&self) -> String {
        let mut shown = match (self.passed, self.failed, self.cannot) {
            (0, 0, 0) => return String::new(),
            (0, 0, _) => return "-".to_owned(),
            (passed, 0, 0) => format!("{passed} ok"),
            (passed, 0, cannot) => format!("{passed} ok of {}", passed + cannot),
            (passed, failed, cannot) => format!("{passed} ok of {}", passed + failed + cannot),
        };
        if self.failed > 0 {
            shown.push_str(&format!(", **{} FAILED**", self.failed));
        }
        shown
    }
}

const OPERATIONS: &[&str] = &[
    "encrypt",
    "encrypt and sign",
    "password",
    "detached signature",
    "inline signature",
    "cleartext signature",
    "PGP/MIME mail",
];

/// Where the part begins that the job with Thunderbird writes.
const THUNDERBIRD: &str = "\n## Thunderbird\n";

/// The page with what `lines` say; these are JSON objects, one a line. The part about Thunderbird stays.
pub(crate) fn with_matrix(page: &str, lines: &str) -> Result<String> {
    let kept = page.find(THUNDERBIRD).and_then(|at| page.get(at..)).unwrap_or_default();
    Ok(render(lines)? + kept)
}

/// The page with what `lines` say of Thunderbird. The rest stays.
pub(crate) fn with_thunderbird(page: &str, lines: &str) -> Result<String> {
    let before = page.split(THUNDERBIRD).next().unwrap_or_default();
    let mut page = format!("{before}{THUNDERBIRD}");
    for line in lines.lines() {
        let line: Value = serde_json::from_str(line).context("a result line is not JSON")?;
        if let Some(version) = line["version"].as_str() {
            let _ = writeln!(
                page,
                "\nVersion {version}, without a screen, driven by Marionette. Alice has Plombe, Bob Thunderbird.\n"
            );
        }
        if let Some(check) = line["check"].as_str() {
            let _ = writeln!(page, "* {check}: ok");
        }
    }
    Ok(page)
}

fn render(lines: &str) -> Result<String> {
    let mut versions = BTreeMap::new();
    let mut rows: BTreeMap<Row, [Cell; 2]> = BTreeMap::new();
    let mut cannot: BTreeMap<(String, String), (usize, String)> = BTreeMap::new();
    let mut not_here: BTreeMap<String, String> = BTreeMap::new();
    for line in lines.lines() {
        let line: Value = serde_json::from_str(line).context("a result line is not JSON")?;
        let field = |name: &str| line[name].as_str().unwrap_or_default().to_owned();
        if line["version"].is_string() {
            versions.insert(field("peer"), field("version"));
        } else if line["outcome"] == "not here" {
            not_here.insert(field("profile"), field("reason"));
        } else {
            let operation =
                OPERATIONS.iter().position(|name| *name == field("operation")).unwrap_or(OPERATIONS.len());
            let cells = rows.entry((field("peer"), field("profile"), operation)).or_default();
            let direction = usize::from(field("direction") == "Plombe reads");
            cells[direction].count(&field("outcome"));
            if line["outcome"] == "cannot" {
                let entry = cannot.entry((field("peer"), field("reason"))).or_default();
                entry.0 += 1;
                entry.1 = field("profile");
            }
        }
    }
    Ok(page(&versions, &rows, &cannot, &not_here))
}

fn page(
    versions: &BTreeMap<String, String>,
    rows: &BTreeMap<Row, [Cell; 2]>,
    cannot: &BTreeMap<(String, String), (usize, String)>,
    not_here: &BTreeMap<String, String>,
) -> String {
    let mut page = String::from(HEAD);
    page.push_str("| peer | version | passed | failed |\n| --- | --- | --- | --- |\n");
    for (peer, version) in versions {
        let cells = rows.iter().filter(|((of, ..), _)| of == peer).flat_map(|(_, cells)| cells);
        let (passed, failed) =
            cells.fold((0, 0), |(passed, failed), cell| (passed + cell.passed, failed + cell.failed));
        let _ = writeln!(page, "| {peer} | {version} | {passed} | {failed} |");
    }
    page.push_str("\n## What passed\n\n");
    page.push_str(
        "| peer | profile | operation | Plombe writes | Plombe reads |\n| --- | --- | --- | --- | --- |\n",
    );
    for ((peer, profile, operation), [writes, reads]) in rows {
        // A profile that the peer does not know at all is one line of the next table, not six of this one.
        if writes.passed + writes.failed + reads.passed + reads.failed == 0 {
            continue;
        }
        let operation = OPERATIONS.get(*operation).copied().unwrap_or("other");
        let _ =
            writeln!(page, "| {peer} | {profile} | {operation} | {} | {} |", writes.shown(), reads.shown());
    }
    page.push_str(
        "\n## What the peers cannot do\n\n| peer | cannot | tasks left out |\n| --- | --- | --- |\n",
    );
    for ((peer, reason), (tasks, _)) in cannot {
        let _ = writeln!(page, "| {peer} | {reason} | {tasks} |");
    }
    if !not_here.is_empty() {
        page.push_str("\n## Not tried in this run\n\n");
        for (profile, reason) in not_here {
            let _ = writeln!(page, "* {profile}: {reason}.");
        }
    }
    page
}

const HEAD: &str = "\
# Plombe beside other OpenPGP programs

Written by `cargo xtask interop` from what happened; do not edit. Each task is one content (LF, CRLF, CR, mixed line
endings, no final newline, empty, one byte, 1 MiB, every byte value) that one program writes and the other reads, with
keys that Plombe made and with keys that the peer made. *Encrypt and sign* includes that the reader finds the signature
good. What a peer cannot do is tried all the same, so that a newer version does not go unnoticed.
For post-quantum keys (rfc9980) Plombe is built on its Rust backend: Debian's OpenSSL does not have the algorithms.
Thunderbird is a job of its own: `cargo xtask interop --thunderbird`.

";
