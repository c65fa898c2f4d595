// SPDX-License-Identifier: LGPL-2.0-or-later
//! The cleartext signature framework (RFC 9580 section 7): text that stays readable, with a signature below.
//!
//! Only what lies between the two header lines is signed. Text around them, unknown headers and unescaped dashes are
//! refused, because each was once used to show unsigned words above a good signature.

use std::io::{self, BufRead, Cursor, Read, Write};

use super::{
    content::{Content, Signed, salt},
    hashing::DocumentHash,
    input::{CLEARTEXT_START, Raw, source_failure},
    verify::{VerifyError, signature_packets},
};

const SIGNATURE_LINE: &[u8] = b"-----BEGIN PGP SIGNATURE-----";

/// The salt of a version 6 signature comes after the text, so text is held in memory until then.
pub(super) const LONGEST_TEXT: usize = 32 << 20;

/// Longest header line.
const LONGEST_HEADER: u64 = 1 << 10;

/// Reads a whole message; the text, without escapes and trailing blanks, goes to `writer`.
pub(super) fn read(raw: Raw<'_>, hash_content: bool, writer: &mut dyn Write) -> Result<Content, VerifyError> {
    let mut reader = io::BufReader::new(raw);
    read_headers(&mut reader)?;
    let mut text = Vec::new();
    let mut total = 0;
    loop {
        let line = read_line(&mut reader, LONGEST_TEXT as u64 - total as u64)?;
        total += line.len();
        if line.is_empty() || total >= LONGEST_TEXT {
            return Err(VerifyError::Malformed("its signature is missing, or the text is too long"));
        }
        if line.starts_with(SIGNATURE_LINE) {
            return finish(text, line, reader, hash_content, writer);
        }
        let line = match line.strip_prefix(b"- ") {
            Some(escaped) => escaped,
            None if line[0] == b'-' => return Err(VerifyError::Malformed("a line begins with a dash")),
            None => &line,
        };
        let (signed, ending) =
            split_line(line).ok_or(VerifyError::Malformed("a line contains a bare carriage return"))?;
        text.extend_from_slice(signed);
        text.extend_from_slice(ending);
    }
}

fn read_headers(reader: &mut impl BufRead) -> Result<(), VerifyError> {
    let start = read_line(reader, LONGEST_HEADER)?;
    if start.trim_ascii_end() != CLEARTEXT_START {
        return Err(VerifyError::NotSigned);
    }
    loop {
        let line = read_line(reader, LONGEST_HEADER)?;
        let line = line.strip_suffix(b"\n").ok_or(VerifyError::Malformed("its header does not end"))?;
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            return Ok(());
        }
        let hashes =
            line.strip_prefix(b"Hash:").ok_or(VerifyError::Malformed("a header that is not `Hash`"))?;
        let name_byte = |byte: &u8| byte.is_ascii_alphanumeric() || b"-, ".contains(byte);
        if hashes.len() > 200 || !hashes.iter().all(name_byte) {
            return Err(VerifyError::Malformed("a `Hash` header with something else in it"));
        }
    }
}

fn finish(
    mut text: Vec<u8>,
    signature_line: Vec<u8>,
    reader: io::BufReader<Raw<'_>>,
    hash_content: bool,
    writer: &mut dyn Write,
) -> Result<Content, VerifyError> {
    let armor = Cursor::new(signature_line).chain(reader);
    let signatures = signature_packets(armor)?;
    let without_last = without_last_ending(&text);
    let signatures = signatures
        .into_iter()
        .map(|signature| {
            let salt = salt(&signature).unwrap_or_default();
            let mut hash = DocumentHash::new(signature.hash_algo(), signature.version(), salt, true);
            if let Some(hash) = &mut hash {
                hash.update(without_last);
            }
            Signed { signature: Some(signature), hash }
        })
        .collect();
    writer.write_all(&text).map_err(VerifyError::Output)?;
    let sha256 = hash_content.then(|| super::content::sha256(&text));
    let length = text.len() as u64;
    text.clear();
    Ok(Content { signatures, name: Vec::new(), length, sha256 })
}

/// What of a text is signed: the last line ending belongs to the framework.
pub(super) fn without_last_ending(text: &[u8]) -> &[u8] {
    let without = text.strip_suffix(b"\n").map(|text| text.strip_suffix(b"\r").unwrap_or(text));
    without.unwrap_or(text)
}

/// A line with its ending; empty at the end of the input.
fn read_line(reader: &mut impl BufRead, limit: u64) -> Result<Vec<u8>, VerifyError> {
    let mut line = Vec::new();
    let read = reader.by_ref().take(limit).read_until(b'\n', &mut line);
    read.map_err(|e| source_failure(e).map_or(VerifyError::NotSigned, VerifyError::Input))?;
    Ok(line)
}

/// What of a line is signed, without the trailing blanks that mail systems drop, and its line ending. `None` when a
/// bare CR is in it: readers disagree on whether that ends a line.
pub(super) fn split_line(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let (text, ending) = match line.strip_suffix(b"\n") {
        Some(text) => match text.strip_suffix(b"\r") {
            Some(text) => (text, &b"\r\n"[..]),
            None => (text, &b"\n"[..]),
        },
        None => (line, &b""[..]),
    };
    if text.contains(&b'\r') {
        return None;
    }
    let end = text.iter().rposition(|byte| !matches!(byte, b' ' | b'\t')).map_or(0, |last| last + 1);
    Some((&text[..end], ending))
}

pub(super) fn write_start(writer: &mut dyn Write, with_hash: bool) -> io::Result<()> {
    writer.write_all(CLEARTEXT_START)?;
    writer.write_all(if with_hash { b"\nHash: SHA512\n\n" } else { b"\n\n" })
}

/// Escapes what would end the text, and what mail systems like to change.
pub(super) fn write_line(writer: &mut dyn Write, line: &[u8]) -> io::Result<()> {
    if line.starts_with(b"-") || line.starts_with(b"From ") {
        writer.write_all(b"- ")?;
    }
    writer.write_all(line)?;
    writer.write_all(b"\n")
}
