// SPDX-License-Identifier: LGPL-2.0-or-later
//! Attachment names that cannot do harm.

use super::words;

/// Most file systems allow 255 bytes; callers may want to add a number.
const MOST_BYTES: usize = 200;

/// Device names that Windows finds in every directory.
const DEVICES: [&str; 22] = [
    "con", "prn", "aux", "nul", "com1", "com2", "com3", "com4", "com5", "com6", "com7", "com8", "com9",
    "lpt1", "lpt2", "lpt3", "lpt4", "lpt5", "lpt6", "lpt7", "lpt8", "lpt9",
];

/// Makes a sender's file name harmless: last component only, no controls, nothing that reorders text (`exe.fdp`
/// shown as `pdf.exe`), no leading dots or dashes, no device names, never empty, at most 200 bytes.
pub fn harmless_file_name(name: &str) -> String {
    let component = name.rsplit(['/', '\\', ':']).next().unwrap_or_default();
    let visible: String = words::without_controls(component)
        .chars()
        .filter(|&c| !matches!(c, '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{206f}' | '\u{feff}'))
        .map(|c| if "<>\"|?*".contains(c) { '_' } else { c })
        .collect();
    let trimmed = visible.trim().trim_start_matches(['.', '-', '~']).trim_end_matches(['.', ' ']).trim();
    if trimmed.is_empty() {
        return "attachment".to_owned();
    }
    let stem = trimmed.split('.').next().unwrap_or_default().trim_end().to_ascii_lowercase();
    let named = if DEVICES.contains(&stem.as_str()) { format!("_{trimmed}") } else { trimmed.to_owned() };
    shorten(&named)
}

/// Keeps the extension: it decides which program opens the file, and a reader should see the real one.
fn shorten(name: &str) -> String {
    if name.len() <= MOST_BYTES {
        return name.to_owned();
    }
    let extension =
        name.rfind('.').map(|dot| &name[dot..]).filter(|extension| extension.len() <= 20).unwrap_or("");
    let mut stem = String::new();
    for c in name[..name.len() - extension.len()].chars() {
        if stem.len() + c.len_utf8() + extension.len() > MOST_BYTES {
            break;
        }
        stem.push(c);
    }
    stem + extension
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::harmless_file_name;

    #[test]
    fn hostile_names_are_disarmed() {
        let cases = [
            ("report.pdf", "report.pdf"),
            ("../../etc/passwd", "passwd"),
            (r"C:\Windows\evil.exe", "evil.exe"),
            ("/", "attachment"),
            ("..", "attachment"),
            ("", "attachment"),
            (".bashrc", "bashrc"),
            ("-rf", "rf"),
            ("a\0b\r\nc.txt", "a b  c.txt"),
            ("invoice\u{202e}fdp.exe", "invoice fdp.exe"),
            ("nul.txt", "_nul.txt"),
            ("CON", "_CON"),
            ("name. ", "name"),
            ("a<b>|c?.txt", "a_b__c_.txt"),
            ("schön.txt", "schön.txt"),
            ("stream.txt:evil", "evil"),
        ];
        for (hostile, harmless) in cases {
            assert_eq!(harmless_file_name(hostile), harmless, "{hostile:?}");
        }
        let long = harmless_file_name(&format!("{}.pdf", "ä".repeat(500)));
        assert!(long.len() <= 200 && long.ends_with(".pdf"));
    }

    proptest! {
        #[test]
        fn no_name_escapes_its_directory(name in "\\PC{0,300}|[./\\\\:~-]{0,40}") {
            let harmless = harmless_file_name(&name);
            prop_assert!(!harmless.is_empty() && harmless.len() <= 201);
            prop_assert!(!harmless.contains(['/', '\\', '\0', '\n', '\r']) && !harmless.starts_with('.'));
            prop_assert_eq!(harmless_file_name(&harmless), harmless);
        }
    }
}
