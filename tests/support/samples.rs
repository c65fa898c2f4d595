// SPDX-License-Identifier: LGPL-2.0-or-later
//! Contents that tend to break things: every line ending, nothing at all, one byte, a lot of bytes.

/// Something to send, with a name for messages.
#[derive(Clone)]
pub struct Sample {
    /// Short, for tables.
    pub name: &'static str,
    /// The bytes.
    pub bytes: Vec<u8>,
    /// UTF-8 that may be signed or encrypted as text.
    pub text: bool,
}

/// All of them.
pub fn all() -> Vec<Sample> {
    let text = |name, bytes: &str| Sample { name, bytes: bytes.as_bytes().to_vec(), text: true };
    vec![
        text("LF", "Dear Bob,\n\nGrüße aus Köln.\n- dash\nFrom here on\ntrailing space \n"),
        text("CRLF", "Dear Bob,\r\n\r\nGrüße aus Köln.\r\n- dash\r\nFrom here on\r\ntrailing tab\t\r\n"),
        text("CR", "Dear Bob,\r\rGrüße aus Köln.\rthe end\r"),
        text("mixed line endings", "one\ntwo\r\nthree\rfour\n\r\nfive\r\r\nsix\n"),
        text("no final newline", "one\ntwo"),
        Sample { name: "empty", bytes: Vec::new(), text: true },
        Sample { name: "1 byte", bytes: b"x".to_vec(), text: true },
        Sample { name: "1 MiB", bytes: noise(1 << 20), text: false },
        Sample { name: "every byte", bytes: (0..=255).cycle().take(1024).collect(), text: false },
    ]
}

/// The text ones.
pub fn texts() -> Vec<Sample> {
    all().into_iter().filter(|sample| sample.text).collect()
}

/// Bytes that do not compress, the same on every run (xorshift64).
pub fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}
