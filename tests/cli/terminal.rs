// SPDX-License-Identifier: LGPL-2.0-or-later
//! What happens at a terminal: questions, refusals, colours. Python's standard library has the terminal.

use std::{io::Write as _, path::Path, process::Command, time::Duration};

use plombe_tests::{ALICE, Home, Ran, Scratch, peers, plombe, run};

/// Runs `plombe` at a terminal where each question gets its answer.
#[track_caller]
fn at_terminal(
    home: &Home,
    stdin: Option<&Path>,
    arguments: &[&str],
    answers: &[(&str, &str)],
) -> Option<Ran> {
    if peers::find("python3").is_none() {
        peers::skip("python3");
        return None;
    }
    let mut command = Command::new("python3");
    command
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("cli/terminal.py"))
        .arg(stdin.unwrap_or(Path::new("-")))
        .arg(plombe())
        .args(arguments)
        .env("PLOMBE_HOME", home.path())
        .env("TERM", "xterm")
        .env_remove("NO_COLOR");
    let answers: String =
        answers.iter().map(|(question, answer)| format!("{question}\t{answer}\n")).collect();
    Some(run(&mut command, answers.as_bytes()))
}

#[test]
fn new_passphrase_is_asked_for_twice_and_never_shown() {
    let home = Home::new();
    let answers = [
        ("New passphrase for alice@example.test:", "correct horse"),
        ("The same again:", "corect horse"),
        ("New passphrase for alice@example.test:", "correct horse"),
        ("The same again:", "correct horse"),
    ];
    let Some(ran) = at_terminal(&home, None, &["key", "generate", ALICE], &answers) else { return };
    let ran = ran.expect_code(0);
    assert!(!ran.text().contains("horse"), "{ran}");

    // The content comes from a file, the passphrase from the terminal, at the second attempt.
    let scratch = Scratch::new();
    let content = scratch.write("content", "content");
    let out = scratch.file("out");
    let arguments = ["sign", "-o", out.to_str().unwrap()];
    let answers = [("Passphrase for", "battery staple"), ("Passphrase for", "correct horse")];
    let ran = at_terminal(&home, Some(&content), &arguments, &answers)
        .expect("python3 was there before")
        .expect_code(0);
    assert!(!ran.text().contains("horse"), "{ran}");
    assert!(out.exists());
}

#[test]
fn three_wrong_passphrases_are_enough() {
    let (home, scratch) = (Home::new(), Scratch::new());
    let right = scratch.write("right", "correct horse");
    home.run(["key", "generate", ALICE, "--passphrase-file", right.to_str().unwrap()], b"").ok();
    let content = scratch.write("content", "content");
    let answers = [("Passphrase for", "a"); 3];
    let Some(ran) = at_terminal(&home, Some(&content), &["sign"], &answers) else { return };
    let ran = ran.expect_code(6);
    assert!(ran.text().contains("wrong passphrase"), "{ran}");
}

#[test]
fn binary_data_and_steering_bytes_do_not_reach_a_terminal() {
    let (home, scratch) = (Home::of(ALICE), Scratch::new());
    let content = scratch.write("content", "content");
    let Some(ran) = at_terminal(&home, Some(&content), &["encrypt", "--to", ALICE], &[]) else { return };
    assert!(ran.expect_code(2).text().contains("-o FILE"));

    let sealed = scratch.write("sealed", home.run(["encrypt", "--to", ALICE], b"before\x1b[2Jafter").ok());
    let ran = at_terminal(&home, Some(&sealed), &["decrypt"], &[])
        .expect("python3 was there before")
        .expect_code(2);
    assert!(!ran.text().contains("\x1b[2J") && !ran.text().contains("before"), "{ran}");
}

#[test]
fn colours_follow_the_terminal() {
    let (home, scratch) = (Home::of(ALICE), Scratch::new());
    let sealed = scratch.write("sealed", home.run(["encrypt", "--to", ALICE], b"content").ok());
    let Some(ran) = at_terminal(&home, Some(&sealed), &["decrypt"], &[]) else { return };
    assert!(ran.expect_code(0).text().contains("\x1b["));
    let piped = home.run(["decrypt", sealed.to_str().unwrap()], b"").expect_code(0);
    assert!(!piped.stderr.contains('\x1b'), "{piped}");
    let mut plain = home.command(["decrypt", sealed.to_str().unwrap()]);
    let plain = run(plain.env("CLICOLOR_FORCE", "1").env("NO_COLOR", "1"), b"").expect_code(0);
    assert!(!plain.stderr.contains('\x1b'), "{plain}");
}

#[test]
fn work_that_lasts_shows_a_bar_and_quick_work_does_not() {
    let (home, scratch) = (Home::of(ALICE), Scratch::new());
    let out = scratch.file("out");
    let arguments = ["encrypt", "--to", ALICE, "-o", out.to_str().unwrap(), "--force"];
    let encrypt = |pauses: u32, more: &[&str]| {
        let pipe = scratch.file(&format!("pipe{pauses}{}", more.len()));
        run(Command::new("mkfifo").arg(&pipe), b"").ok();
        let writer = std::thread::spawn({
            let pipe = pipe.clone();
            move || {
                let mut pipe = std::fs::File::create(pipe).unwrap();
                for _ in 0..=pauses {
                    pipe.write_all(&[b'x'; 300_000]).unwrap();
                    std::thread::sleep(Duration::from_millis(400));
                }
            }
        });
        let ran = at_terminal(&home, Some(&pipe), &[&arguments[..], more].concat(), &[]);
        // Without python3 nobody reads.
        if ran.is_some() {
            writer.join().unwrap();
        }
        ran
    };
    let Some(slow) = encrypt(5, &[]) else { return };
    assert!(slow.clone().expect_code(0).text().contains("KiB"), "{slow}");
    let quick = encrypt(0, &[]).expect("python3 was there before").expect_code(0);
    assert!(!quick.text().contains("KiB"), "{quick}");
    let quiet = encrypt(5, &["--quiet"]).expect("python3 was there before").expect_code(0);
    assert!(!quiet.text().contains("KiB"), "{quiet}");
}

#[test]
fn revoking_is_asked_about_and_no_is_respected() {
    let home = Home::of(ALICE);
    let Some(ran) = at_terminal(&home, None, &["key", "revoke", ALICE], &[("[y/N]", "n")]) else { return };
    ran.expect_code(2);
    home.run(["encrypt", "--to", ALICE], b"content").ok();
    let ran = at_terminal(&home, None, &["key", "revoke", ALICE], &[("[y/N]", "y")])
        .expect("python3 was there before");
    ran.expect_code(0);
    home.run(["encrypt", "--to", ALICE], b"content").expect_code(9);
}
