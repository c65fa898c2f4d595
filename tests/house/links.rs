// SPDX-License-Identifier: LGPL-2.0-or-later
//! Links in the documentation lead somewhere.

use std::path::{Component, Path, PathBuf};

use plombe_tests::binary::repository;

use crate::files;

#[test]
fn every_link_in_the_documentation_resolves() {
    let mut dead = Vec::new();
    for document in files::documents() {
        for link in links(&document.text) {
            if link.contains("://") || link.starts_with("mailto:") {
                continue;
            }
            let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = if path.is_empty() {
                PathBuf::from(&document.path)
            } else {
                normal(&Path::new(&document.path).parent().unwrap_or(Path::new("")).join(path))
            };
            let file = repository().join(&target);
            let anchor_is_there = anchor.is_empty()
                || std::fs::read_to_string(&file).is_ok_and(|text| anchors(&text).any(|one| one == anchor));
            if !file.exists() || !anchor_is_there {
                dead.push(format!("{}: {link}", document.path));
            }
        }
    }
    assert!(dead.is_empty(), "links that lead nowhere:\n{}", dead.join("\n"));
}

#[test]
fn every_path_that_the_documentation_names_exists() {
    let roots = ["core/", "cli/", "tests/", "xtask/", "docs/", ".ci/", "LICENSES/"];
    let mut missing = Vec::new();
    for document in files::documents() {
        for word in code_spans(&document.text) {
            let path = word.split_once(':').map_or(word, |(path, _)| path);
            let is_pattern = path.contains(['*', '{', '<', ' ', '…', '$']) || path.contains("NNNN");
            let is_placeholder =
                path.split('/').any(|step| !step.is_empty() && step.chars().all(|c| c.is_ascii_uppercase()));
            if roots.iter().any(|root| path.starts_with(root))
                && !is_pattern
                && !is_placeholder
                && !repository().join(path).exists()
            {
                missing.push(format!("{}: {word}", document.path));
            }
        }
    }
    assert!(missing.is_empty(), "paths that are not there:\n{}", missing.join("\n"));
}

/// What stands in `](…)`, outside of code.
fn links(text: &str) -> impl Iterator<Item = &str> {
    prose(text)
        .flat_map(|line| line.split("](").skip(1))
        .filter_map(|rest| rest.split_once(')'))
        .map(|(link, _)| link)
}

/// What stands between single backticks.
fn code_spans(text: &str) -> impl Iterator<Item = &str> {
    prose(text).flat_map(|line| line.split('`').skip(1).step_by(2))
}

/// Lines outside of fenced blocks.
fn prose(text: &str) -> impl Iterator<Item = &str> {
    let mut fenced = false;
    text.lines().filter(move |line| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        !fenced && !fence
    })
}

/// Headings, spelled as the forges spell their anchors.
fn anchors(text: &str) -> impl Iterator<Item = String> {
    prose(text).filter(|line| line.starts_with('#')).map(|line| {
        let heading = line.trim_start_matches('#').trim().to_lowercase();
        let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    })
}

/// `docs/../README.md` → `README.md`
fn normal(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for step in path.components() {
        match step {
            Component::ParentDir => _ = out.pop(),
            Component::CurDir => {}
            other => out.push(other),
        }
    }
    out
}
