// SPDX-License-Identifier: LGPL-2.0-or-later
//! An opened mail as text to read: header fields, each part's safe view, and a list of what can be saved.

use plombe_core::mail::OpenedMail;

use crate::terminal::{printable, printable_line};

/// Fields that a reader wants to see, in this order.
const SHOWN: [&str; 5] = ["From", "To", "Cc", "Date", "Subject"];

/// Nothing in it steers a terminal.
pub(super) fn of(opened: &OpenedMail) -> String {
    let mut text = String::new();
    for name in SHOWN {
        for field in opened.fields().iter().filter(|field| field.name.eq_ignore_ascii_case(name)) {
            if name != "Subject" {
                text.push_str(&format!("{name}: {}\n", printable_line(&field.value)));
            }
        }
    }
    // An outer subject of an encrypted mail is not the sender's word: core gives none then.
    text.push_str(&format!("Subject: {}\n", opened.subject().map_or("(no subject)".into(), printable_line)));
    for part in opened.parts() {
        text.push('\n');
        match part.text().filter(|_| !part.is_attachment()) {
            Some((body, _)) => {
                text.push_str(&printable(&body.replace("\r\n", "\n")));
                if !body.ends_with('\n') {
                    text.push('\n');
                }
            }
            None => {
                let name =
                    part.file_name().map_or(String::new(), |name| format!(", {}", printable_line(&name)));
                let size = part.content().0.len();
                text.push_str(&format!(
                    "[part {}: {}{name}, {size} bytes]\n",
                    part.path(),
                    part.media_type()
                ));
            }
        }
    }
    text
}
