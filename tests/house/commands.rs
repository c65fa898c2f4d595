// SPDX-License-Identifier: LGPL-2.0-or-later
//! Commands that the documentation tells people to type exist.

use std::{collections::BTreeMap, process::Command};

use plombe_tests::{binary::repository, plombe};

use crate::files;

#[test]
fn every_plombe_line_in_the_documentation_is_understood() {
    let mut help = Help::default();
    let mut wrong = Vec::new();
    let mut seen = 0;
    for document in files::documents() {
        for line in shell_lines(&document.text) {
            for command in line.split(['|', ';']).map(|part| part.trim().trim_start_matches("$ ")) {
                let Some(rest) = command.strip_prefix("plombe ") else { continue };
                seen += 1;
                if let Err(why) = help.check(rest) {
                    wrong.push(format!("{}: {command}\n    {why}", document.path));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "commands that do not exist:\n{}", wrong.join("\n"));
    assert!(
        seen > 5,
        "only {seen} plombe lines found in the documentation: is the test looking in the right place?"
    );
}

#[test]
fn every_xtask_command_in_the_documentation_exists() {
    let main = std::fs::read_to_string(repository().join("xtask/src/main.rs")).expect("xtask is there");
    let mut unknown = Vec::new();
    for document in files::documents() {
        for after in document.text.split("cargo xtask ").skip(1) {
            let word = after.split(|c: char| !c.is_ascii_lowercase()).next().unwrap_or_default();
            if !word.is_empty() && !main.contains(&format!("\"{word}\"")) {
                unknown.push(format!("{}: cargo xtask {word}", document.path));
            }
        }
    }
    assert!(unknown.is_empty(), "{}", unknown.join("\n"));
}

/// Lines of ```sh blocks, continued lines joined, comments cut off.
fn shell_lines(text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut within = false;
    let mut open = String::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            within = !within && line.trim() == "```sh";
            continue;
        }
        if within {
            open.push_str(line.split(" # ").next().unwrap_or_default().trim());
            if open.ends_with('\\') {
                open.pop();
            } else {
                lines.push(std::mem::take(&mut open));
            }
        }
    }
    lines
}

/// What `--help` says, asked once per subcommand.
#[derive(Default)]
struct Help {
    known: BTreeMap<String, Option<String>>,
}

impl Help {
    /// `mail seal --out-dir DIR < a.eml`: there is a subcommand `mail seal`, and it knows `--out-dir`.
    fn check(&mut self, rest: &str) -> Result<(), String> {
        let words: Vec<&str> =
            rest.split_whitespace().take_while(|word| !word.starts_with(['<', '>', '&'])).collect();
        let is_name =
            |word: &&&str| word.chars().all(|c| c.is_ascii_lowercase() || c == '-') && !word.starts_with('-');
        let depth = match words.first() {
            Some(
                &"key" | &"mail" | &"sop" | &"devices" | &"passkey" | &"audit" | &"people" | &"approvals"
                | &"break-glass" | &"revoke" | &"agent" | &"rules",
            ) => 2,
            _ => 1,
        };
        let path: Vec<&str> = words.iter().take(depth).take_while(is_name).copied().collect();
        let help = self.of(&path).ok_or_else(|| format!("no such command: plombe {}", path.join(" ")))?;
        for word in words.iter().filter(|word| word.starts_with("--") && word.len() > 2) {
            let option = word.split('=').next().unwrap_or(word);
            if !help.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-')).any(|known| known == option) {
                return Err(format!("plombe {} does not know {option}", path.join(" ")));
            }
        }
        Ok(())
    }

    fn of(&mut self, path: &[&str]) -> Option<&str> {
        let ask = || {
            let output = Command::new(plombe()).args(path).arg("--help").output().ok()?;
            output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
        };
        self.known.entry(path.join(" ")).or_insert_with(ask).as_deref()
    }
}
