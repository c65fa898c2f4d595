// SPDX-License-Identifier: LGPL-2.0-or-later
//! Rules that every source file keeps.

use crate::files;

#[test]
fn every_source_file_names_its_licence_on_top() {
    let line = concat!("SPDX-License-", "Identifier: LGPL-2.0-or-later");
    let kinds = ["rs", "toml", "sh", "py", "js", "mjs", "ts", "yml", "yaml"];
    let without: Vec<&str> = files::all()
        .iter()
        .filter(|file| file.is(&kinds) || file.text.starts_with("#!"))
        // Vectors are data; each folder says where its mails come from.
        .filter(|file| !file.path.starts_with("tests/vectors/"))
        .filter(|file| !file.text.lines().take(3).any(|start| start.contains(line)))
        .map(|file| file.path.as_str())
        .collect();
    assert!(without.is_empty(), "no SPDX line on top of: {}", without.join(", "));
}

#[test]
fn no_file_knows_somebodys_machine() {
    let private =
        [concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/home", "/"), concat!("/tmp/", "brief")];
    let mut found = Vec::new();
    for file in files::all() {
        for (number, line) in file.text.lines().enumerate() {
            if private.iter().any(|path| line.contains(path)) {
                found.push(format!("{}:{}: {line}", file.path, number + 1));
            }
        }
    }
    assert!(found.is_empty(), "paths of one machine:\n{}", found.join("\n"));
}

/// CONTRIBUTING.md: a name says what is inside.
#[test]
fn nothing_is_called_util_or_manager() {
    let nameless_files = ["util", "utils", "helper", "helpers", "common", "misc"];
    let nameless_types = ["Manager", "Helper", "Util", "Utils"];
    let mut found = Vec::new();
    for file in files::all().iter().filter(|file| file.is(&["rs"])) {
        let words: Vec<&str> = file.path.trim_end_matches(".rs").split('/').collect();
        if words.iter().any(|word| nameless_files.contains(word)) {
            found.push(file.path.clone());
        }
        for line in file.text.lines().map(str::trim) {
            // What the standard library calls a look through an adapter.
            if line.contains("fn get_ref(") || line.contains("fn get_mut(") {
                continue;
            }
            let named = declared(line);
            if named.is_some_and(|name| nameless_types.iter().any(|ending| name.ends_with(ending)))
                || line
                    .split_once("fn get_")
                    .is_some_and(|(before, _)| before.is_empty() || before.ends_with(' '))
            {
                found.push(format!("{}: {line}", file.path));
            }
        }
    }
    assert!(found.is_empty(), "names that say nothing:\n{}", found.join("\n"));
}

/// `pub(crate) struct Name<T> {` → `Name`.
fn declared(line: &str) -> Option<&str> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let keyword = words.iter().position(|word| ["struct", "enum", "trait"].contains(word))?;
    let before_are_modifiers = words[..keyword].iter().all(|word| word.starts_with("pub"));
    let name = words.get(keyword + 1)?;
    let end = name.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(name.len());
    before_are_modifiers.then(|| &name[..end])
}

#[test]
fn core_does_no_input_or_output_and_reads_no_clock() {
    let ambient = [
        "std::fs",
        "std::net",
        "std::env",
        "std::process",
        "SystemTime::now",
        "Instant::now",
        "async fn",
        "static mut",
        "println!",
    ];
    let mut found = Vec::new();
    for file in files::all().iter().filter(|file| file.path.starts_with("core/src/") && file.is(&["rs"])) {
        // Unit tests may look at the clock.
        if file.path.ends_with("/tests.rs") || file.path.contains("/tests/") {
            continue;
        }
        let code = file.text.split("#[cfg(test)]").next().unwrap_or_default();
        for (number, line) in code.lines().enumerate() {
            let is_comment = line.trim_start().starts_with("//");
            if !is_comment && ambient.iter().any(|word| line.contains(word)) {
                found.push(format!("{}:{}: {}", file.path, number + 1, line.trim()));
            }
        }
    }
    assert!(found.is_empty(), "core is pure (docs/architecture.md):\n{}", found.join("\n"));
}

#[test]
fn only_core_names_sequoia() {
    let found: Vec<&str> = files::all()
        .iter()
        .filter(|file| file.is(&["rs"]) && !file.path.starts_with("core/"))
        .filter(|file| file.text.contains(concat!("sequoia_", "openpgp")))
        .map(|file| file.path.as_str())
        .collect();
    assert!(found.is_empty(), "Sequoia's types outside of core: {}", found.join(", "));
}
