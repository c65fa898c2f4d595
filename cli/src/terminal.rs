// SPDX-License-Identifier: LGPL-2.0-or-later
//! What people see: lines on standard error, in colours that follow the terminal, and nothing that could steer it.

use std::io::Write as _;

use anstyle::{AnsiColor, Style};
use serde::Serialize;

use crate::{args::OutputArgs, output};

/// How to speak. Results of commands go to standard output; everything said about them goes to standard error.
pub(crate) struct Terminal {
    pub(crate) json: bool,
    pub(crate) quiet: bool,
}

/// How good the news is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    Good,
    Doubtful,
    Bad,
    Plain,
}

impl Tone {
    fn style(self) -> Style {
        let style = Style::new().bold();
        match self {
            Self::Good => style.fg_color(Some(AnsiColor::Green.into())),
            Self::Doubtful => style.fg_color(Some(AnsiColor::Yellow.into())),
            Self::Bad => style.fg_color(Some(AnsiColor::Red.into())),
            Self::Plain => style,
        }
    }
}

impl Terminal {
    pub(crate) fn new(json: bool, quiet: bool) -> Self {
        Self { json, quiet }
    }

    /// One line about what was done. Silent with `--quiet` and with `--json`.
    pub(crate) fn note(&self, tone: Tone, label: &str, text: &str) {
        if !self.quiet && !self.json {
            self.line(tone, label, text);
        }
    }

    /// Something that a person should know although the command goes on. Silent with `--quiet` and with `--json`.
    pub(crate) fn warn(&self, text: &str) {
        self.note(Tone::Doubtful, "warning", text);
    }

    /// The last words of a command that failed.
    pub(crate) fn error(&self, text: &str, hint: Option<&str>) {
        self.line(Tone::Bad, "error", text);
        if let Some(hint) = hint {
            self.line(Tone::Plain, " hint", hint);
        }
    }

    /// One JSON object on one line of standard error, beside content on standard output.
    pub(crate) fn json_to_stderr(&self, value: &impl Serialize) {
        if let Ok(line) = serde_json::to_string(value) {
            let _ = writeln!(std::io::stderr().lock(), "{line}");
        }
    }

    /// The result of a command: one JSON object on one line of standard output; of standard error, where standard
    /// output carries content.
    pub(crate) fn json_result(&self, stdout_taken: bool, value: &impl Serialize) -> anyhow::Result<()> {
        if stdout_taken {
            self.json_to_stderr(value);
            return Ok(());
        }
        output::print_json(value)
    }

    /// As [`Terminal::json_result`], for commands whose content goes where `args` say.
    pub(crate) fn json_beside(&self, args: &OutputArgs, value: &impl Serialize) -> anyhow::Result<()> {
        self.json_result(args.to_stdout(), value)
    }

    /// Nobody can be told that standard error is closed.
    fn line(&self, tone: Tone, label: &str, text: &str) {
        let style = tone.style();
        let _ = writeln!(anstream::stderr().lock(), "{style}{label}:{style:#} {}", printable(text));
    }
}

/// `text` without anything that steers a terminal or turns writing round: such characters are shown escaped.
/// Names in certificates, file names and headers are written by strangers.
pub(crate) fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if c != '\n' && (c.is_control() || steers_direction(c)) {
            shown.extend(c.escape_unicode());
        } else {
            shown.push(c);
        }
    }
    shown
}

/// [`printable`] for text that must stay on one line.
pub(crate) fn printable_line(text: &str) -> String {
    printable(text).replace('\n', "\\n")
}

/// Marks, embeddings, overrides and isolates of the bidirectional algorithm; line and paragraph separators; fillers.
fn steers_direction(c: char) -> bool {
    matches!(c, '\u{061c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn printable_escapes_what_steers_a_terminal() {
        assert_eq!(printable("a\u{1b}[2Jb\r\u{9b}c\u{7f}"), "a\\u{1b}[2Jb\\u{d}\\u{9b}c\\u{7f}");
        assert_eq!(printable("gpj.\u{202e}exe"), "gpj.\\u{202e}exe");
        assert_eq!(printable("Jürgen 東京"), "Jürgen 東京");
    }

    #[test]
    fn printable_line_cannot_forge_a_second_line() {
        assert_eq!(printable_line("x\nerror: y"), "x\\nerror: y");
    }
}
