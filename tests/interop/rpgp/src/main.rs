// SPDX-License-Identifier: LGPL-2.0-or-later
//! rPGP as a peer: one JSON question a line on standard input, one JSON answer a line on standard output.
//!
//! Bytes travel as base64. An answer with "error" means that it did not work, wrong signatures included.

mod question;
mod rpgp;

use std::io::{BufRead, Write, stdin, stdout};

use question::{Answer, Question};

fn main() -> std::io::Result<()> {
    for line in stdin().lock().lines() {
        let answer = match serde_json::from_str::<Question>(&line?) {
            Ok(question) => question.answer().unwrap_or_else(|error| Answer::Error { error }),
            Err(error) => Answer::Error { error: format!("not a question: {error}") },
        };
        let mut out = stdout().lock();
        serde_json::to_writer(&mut out, &answer)?;
        out.write_all(b"\n")?;
        out.flush()?;
    }
    Ok(())
}
