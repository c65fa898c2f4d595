// SPDX-License-Identifier: LGPL-2.0-or-later
//! Run a program with input, keep everything that it said.

use std::{
    io::Write,
    process::{Command, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

/// Nothing that a test runs takes this long, unless it waits for something that never comes.
const PATIENCE: Duration = Duration::from_secs(180);

/// How a program ended, and what it said.
#[derive(Clone)]
pub struct Ran {
    /// The command line, for messages.
    pub line: String,
    /// Exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: Vec<u8>,
    /// Standard error, made printable.
    pub stderr: String,
}

/// Runs `command` with `input` on standard input. A program that stops reading early is not an error here.
#[track_caller]
pub fn run(command: &mut Command, input: &[u8]) -> Ran {
    let line = format!("{command:?}");
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("cannot start {line}: {error}"));
    let mut stdin = child.stdin.take().expect("piped above");
    let id = child.id().to_string();
    let (ended, has_ended) = mpsc::channel::<()>();
    let output = thread::scope(|scope| {
        // In a thread of its own: a program may fill its output before it has read all of its input.
        scope.spawn(move || {
            let _ = stdin.write_all(input);
        });
        scope.spawn(move || {
            if has_ended.recv_timeout(PATIENCE) == Err(mpsc::RecvTimeoutError::Timeout) {
                let _ = Command::new("kill").args(["-KILL", &id]).status();
            }
        });
        let output = child.wait_with_output();
        drop(ended);
        output
    })
    .unwrap_or_else(|error| panic!("cannot wait for {line}: {error}"));
    Ran {
        line,
        code: output.status.code(),
        stdout: output.stdout,
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

impl Ran {
    /// Standard output, when the program ended with 0; otherwise the test fails with what it said.
    #[track_caller]
    pub fn ok(self) -> Vec<u8> {
        self.expect_code(0).stdout
    }

    /// Fails unless the program ended with exactly this code.
    #[track_caller]
    pub fn expect_code(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self}");
        self
    }

    /// Standard output as text.
    #[track_caller]
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.stdout).unwrap_or_else(|_| panic!("output is not UTF-8: {self}"))
    }
}

impl std::fmt::Display for Ran {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let code = self.code.map_or("a signal".to_owned(), |code| code.to_string());
        let stdout: String = String::from_utf8_lossy(&self.stdout).chars().take(400).collect();
        write!(f, "{} ended with {code}\nstderr: {}\nstdout: {stdout}", self.line, self.stderr.trim_end())
    }
}

impl Ran {
    /// Standard output when the program ended with 0, otherwise what it said, for tests that go on after a failure.
    pub fn succeeded(self) -> Result<Vec<u8>, String> {
        if self.code == Some(0) { Ok(self.stdout) } else { Err(self.to_string()) }
    }
}
