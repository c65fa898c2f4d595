// SPDX-License-Identifier: LGPL-2.0-or-later
//! What nobody should send. Each case has a message that says what to do, its documented exit code, and leaves no
//! output behind, whether the output is a file or standard output.

mod certificates;
mod hostile_mail;
mod messages;
mod sealed_mail;
mod weak;

use plombe_tests::{Home, Ran, Scratch};

/// Runs the command with the input twice, to a file and to standard output, and claims that it is refused cleanly.
#[track_caller]
fn refused(home: &Home, arguments: &[&str], input: &[u8], codes: &[i32], says: &str) -> Ran {
    let scratch = Scratch::new();
    let out = scratch.file("out");
    let to_file = home.run(arguments.iter().copied().chain(["-o", out.to_str().unwrap()]), input);
    assert_eq!(scratch.names(), Vec::<String>::new(), "something was left behind: {to_file}");
    let to_stdout = home.run(arguments.iter().copied(), input);
    for ran in [&to_file, &to_stdout] {
        assert!(ran.code.is_some_and(|code| codes.contains(&code)), "expected {codes:?}: {ran}");
        assert!(ran.stdout.is_empty(), "{ran}");
        // What was pinned before is told before.
        let error = ran.stderr.lines().find(|line| !line.starts_with("first use: ")).unwrap_or_default();
        assert!(error.starts_with("error: ") && !ran.stderr.contains("panicked"), "{ran}");
        assert!(ran.stderr.contains(says), "expected {says:?}: {ran}");
    }
    to_stdout
}
