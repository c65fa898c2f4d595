// SPDX-License-Identifier: LGPL-2.0-or-later
//! The extension in Chromium and in Firefox. The scripts beside this file drive the browsers, each once for all of its
//! tests; here each of their claims is a test.

mod table;

use std::{
    path::PathBuf,
    process::{Command, Stdio},
    sync::OnceLock,
};

use plombe_tests::{
    binary::{repository, target_dir},
    peers, plombe,
};

/// What a script printed; `None` when something that it needs is missing.
type Report = OnceLock<Option<String>>;

static STORY: Report = OnceLock::new();
static FORGED: Report = OnceLock::new();
static HOSTILE: Report = OnceLock::new();
static FIREFOX: Report = OnceLock::new();

fn story(name: &str) {
    claims(name, &STORY, || {
        let mut command = node("story.mjs")?;
        command.arg(plombe()).arg(target_dir().join("screenshots"));
        Some(command)
    });
}

fn forged(name: &str) {
    claims(name, &FORGED, || {
        let mut command = node("forged.mjs")?;
        command.arg(table::write());
        Some(command)
    });
}

fn hostile(name: &str) {
    claims(name, &HOSTILE, || node("hostile.mjs"));
}

fn firefox(name: &str) {
    claims(name, &FIREFOX, || {
        let extension = extension("firefox")?;
        let python = target_dir().join("peers/python/bin/python");
        if peers::find("firefox-esr").is_none() || !python.exists() {
            peers::skip("Firefox and what drives it (`cargo xtask peers`)");
            return None;
        }
        let mut command = Command::new(python);
        command.arg(repository().join("tests/extension/firefox.py")).arg(extension);
        command.arg(plombe()).arg(target_dir().join("screenshots"));
        Some(command)
    });
}

/// Runs the script unless that was done before, and looks for the line about one claim.
fn claims(name: &str, report: &'static Report, command: impl FnOnce() -> Option<Command>) {
    let run = || {
        let output = command()?.stdin(Stdio::null()).output().expect("the script starts");
        let (said, complained) =
            (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        Some(format!("{said}\n{complained}"))
    };
    let Some(report) = report.get_or_init(run) else { return };
    let good = report.lines().any(|line| line == format!("ok: {name}"));
    assert!(good, "{name} is not good:\n{report}");
}

fn node(script: &str) -> Option<Command> {
    let extension = extension("chromium")?;
    let folder = repository().join("tests/extension");
    if peers::find("chromium").is_none()
        || peers::find("node").is_none()
        || !folder.join("node_modules").is_dir()
    {
        peers::skip("Chromium and what drives it (`cargo xtask peers`)");
        return None;
    }
    let mut command = Command::new("node");
    command.arg(folder.join(script)).arg(extension);
    Some(command)
}

fn extension(browser: &str) -> Option<PathBuf> {
    let folder = target_dir().join("extension").join(browser);
    if folder.is_dir() {
        return Some(folder);
    }
    peers::skip("the extension (`cargo xtask extension`)");
    None
}

#[test]
fn a_first_key_is_made_on_the_welcome_page() {
    story("first_key");
}

#[test]
fn a_backup_opens_with_its_passphrase_only() {
    story("keys_are_kept");
}

#[test]
fn the_reader_opens_sealed_mail_and_shows_nothing_of_a_changed_one() {
    story("opens_sealed_mail");
}

#[test]
fn the_reader_opens_messages_of_gpg() {
    story("opens_messages_of_gpg");
}

#[test]
fn a_hidden_recipient_has_a_copy_that_nobody_else_reads_or_learns_of() {
    story("writes_for_each");
}

#[test]
fn another_certificate_for_a_known_address_neither_signs_nor_is_sealed_for() {
    story("a_changed_certificate_waits");
}

#[test]
fn keys_lie_sealed_and_never_in_extension_storage() {
    story("secrets_stay");
}

#[test]
fn the_background_may_stop_and_answers_its_own_pages_only() {
    story("background_may_stop");
}

#[test]
fn the_reader_works_by_keyboard() {
    story("keyboard");
}

#[test]
fn pages_work_from_right_to_left_and_on_narrow_screens() {
    story("right_to_left");
}

#[test]
fn deleting_a_key_asks_and_a_bare_key_gets_a_passphrase() {
    story("deleting_asks");
}

#[test]
fn pages_speak_french_and_german() {
    story("languages");
}

#[test]
fn mail_vectors_are_shown_with_their_verdicts() {
    forged("vectors");
}

#[test]
fn forged_mail_is_shown_with_the_verdicts_written_for_core() {
    for corpus in table::CORPORA {
        if plombe_tests::corpora::corpus(corpus).is_some() {
            forged(corpus);
        }
    }
}

#[test]
fn nothing_of_hostile_mail_is_left_that_names_the_outside() {
    hostile("hostile_mail_is_taken_apart");
}

#[test]
fn hostile_mail_causes_no_request_and_no_look_up() {
    for name in ["the_control_page_is_caught", "hostile_mail_reaches_nobody"] {
        hostile(name);
    }
}

#[test]
fn the_frame_lets_nothing_out_even_if_the_sanitiser_let_everything_in() {
    for name in ["the_frame_is_shown_alone", "the_frame_holds_alone"] {
        hostile(name);
    }
}

#[test]
fn firefox_reads_and_writes_sealed_mail() {
    for name in
        ["firefox_keys_come_in", "firefox_opens_sealed_mail", "firefox_writes", "firefox_secrets_stay"]
    {
        firefox(name);
    }
}

#[test]
fn hostile_mail_causes_no_request_and_no_look_up_in_firefox() {
    for name in ["firefox_shows_hostile_mail", "firefox_hostile_mail_reaches_nobody"] {
        firefox(name);
    }
}
