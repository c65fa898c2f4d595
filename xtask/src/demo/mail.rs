// SPDX-License-Identifier: LGPL-2.0-or-later
//! Just enough mail reading to tell the story. Nothing is decided here: that is core's work, and xtask must build
//! before core can.

use anyhow::{Context, Result, bail};

use super::words;

/// A mail with its header taken apart.
pub(crate) struct Mail {
    bytes: Vec<u8>,
    /// Name and unfolded value, in order.
    fields: Vec<(String, String)>,
    author: String,
    recipients: Vec<String>,
}

impl Mail {
    /// Needs an address in From; To and Cc may be missing in what the provider sees.
    pub(crate) fn new(bytes: Vec<u8>) -> Result<Self> {
        let bytes = without_bcc(&bytes);
        let fields = fields(&header(&bytes));
        let of = |wanted: &str| -> Vec<String> {
            let values = fields.iter().filter(|(name, _)| name.eq_ignore_ascii_case(wanted));
            values.flat_map(|(_, value)| words::addresses(value)).collect()
        };
        let author = of("From").into_iter().next().context("this mail has no address in its From field")?;
        let mut recipients = of("To");
        recipients.extend(of("Cc"));
        if recipients.iter().any(|address| !address.eq_ignore_ascii_case(&author)) {
            recipients.retain(|address| !address.eq_ignore_ascii_case(&author));
        }
        let mut seen = Vec::new();
        recipients.retain(|address| {
            let address = address.to_ascii_lowercase();
            let is_new = !seen.contains(&address);
            seen.push(address);
            is_new
        });
        if recipients.is_empty() {
            bail!("this mail has no address in its To and Cc fields");
        }
        Ok(Self { bytes, fields, author, recipients })
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) fn author(&self) -> &str {
        &self.author
    }

    /// To and Cc; the author only when there is nobody else.
    pub(crate) fn recipients(&self) -> &[String] {
        &self.recipients
    }

    pub(crate) fn first_recipient(&self) -> &str {
        &self.recipients[0]
    }

    pub(crate) fn subject(&self) -> String {
        let field = self.fields.iter().find(|(name, _)| name.eq_ignore_ascii_case("Subject"));
        field.map_or_else(|| "(none)".to_owned(), |(_, value)| words::decoded(value))
    }

    /// File names of the parts, or `none`.
    pub(crate) fn attachments(&self) -> Vec<String> {
        let text = String::from_utf8_lossy(&self.bytes);
        let headers = text.replace("\r\n", "\n").replace("\n ", " ").replace("\n\t", " ");
        let names: Vec<String> = headers
            .lines()
            .filter(|line| line.to_ascii_lowercase().starts_with("content-disposition: attachment"))
            .filter_map(words::file_name)
            .collect();
        if names.is_empty() { vec!["none".to_owned()] } else { names }
    }

    /// The fields that tell something; the long ones shortened.
    pub(crate) fn header_for_show(&self) -> String {
        let line = |(name, value): &(String, String)| {
            let shown: String = value.chars().take(80).collect();
            let more = if shown.len() < value.len() { "…" } else { "" };
            format!("{name}: {shown}{more}\n")
        };
        self.fields.iter().map(line).collect()
    }

    /// Lines of the body that say something: not MIME's own, and too long to be found by chance.
    pub(crate) fn telling_lines(&self) -> Vec<String> {
        let text = String::from_utf8_lossy(&self.bytes).replace("\r\n", "\n");
        let body = text.split_once("\n\n").map(|(_, body)| body).unwrap_or_default();
        // Before the first boundary stands a remark for programs of the nineties.
        let parts =
            if self.is_multipart() { body.split_once("\n--").map_or(body, |(_, parts)| parts) } else { body };
        let is_long_enough = |line: &str| line.len() >= if line.contains(' ') { 8 } else { 20 };
        let says_something =
            |line: &&str| is_long_enough(line) && !line.starts_with("Content-") && !line.starts_with("--");
        parts.lines().map(str::trim_end).filter(says_something).map(str::to_owned).collect()
    }

    fn is_multipart(&self) -> bool {
        let mut types = self.fields.iter().filter(|(name, _)| name.eq_ignore_ascii_case("Content-Type"));
        types.any(|(_, value)| value.to_ascii_lowercase().starts_with("multipart/"))
    }

    /// The sealed part.
    pub(crate) fn armor(&self) -> Result<String> {
        const BEGIN: &str = "-----BEGIN PGP MESSAGE-----";
        const END: &str = "-----END PGP MESSAGE-----";
        let text = String::from_utf8_lossy(&self.bytes);
        let from = text.find(BEGIN).context("there is no sealed part in this mail")?;
        let to = text.find(END).context("the sealed part does not end")? + END.len();
        Ok(format!("{}\n", &text[from..to]))
    }

    pub(crate) fn armor_start(&self, lines: usize) -> String {
        let armor = self.armor().unwrap_or_default();
        armor.lines().take(lines).collect::<Vec<_>>().join("\n")
    }

    /// The mail with one character in the middle of the sealed part replaced by another legal one, and where.
    pub(crate) fn tampered(&self) -> Result<(Vec<u8>, usize)> {
        let armor = self.armor()?;
        let text = String::from_utf8_lossy(&self.bytes);
        let begin =
            text.find("-----BEGIN PGP MESSAGE-----").context("there is no sealed part in this mail")?;
        let middle = begin + armor.len() / 2;
        let mut bytes = self.bytes.clone();
        let place = (middle..bytes.len())
            .find(|&place| bytes[place].is_ascii_alphanumeric())
            .context("the sealed part is empty")?;
        bytes[place] = if bytes[place] == b'A' { b'B' } else { b'A' };
        Ok((bytes, place))
    }
}

/// With one output, `mail seal` refuses a Bcc field, and rightly so; the story has one output.
fn without_bcc(bytes: &[u8]) -> Vec<u8> {
    let head_length = header(bytes).len();
    let mut out = Vec::with_capacity(bytes.len());
    let mut in_bcc = false;
    for line in bytes[..head_length].split_inclusive(|byte| *byte == b'\n') {
        let is_continued = line.starts_with(b" ") || line.starts_with(b"\t");
        if !is_continued {
            in_bcc = line.len() >= 4 && line[..4].eq_ignore_ascii_case(b"bcc:");
        }
        if !in_bcc {
            out.extend_from_slice(line);
        }
    }
    out.extend_from_slice(&bytes[head_length..]);
    out
}

/// Up to the empty line.
fn header(bytes: &[u8]) -> Vec<u8> {
    let mut length = 0;
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        if line == b"\n" || line == b"\r\n" {
            break;
        }
        length += line.len();
    }
    bytes[..length].to_vec()
}

fn fields(header: &[u8]) -> Vec<(String, String)> {
    let text = String::from_utf8_lossy(header).replace("\r\n", "\n").replace("\n ", " ").replace("\n\t", " ");
    let pair =
        |line: &str| line.split_once(':').map(|(name, value)| (name.to_owned(), value.trim().to_owned()));
    text.lines().filter_map(pair).collect()
}
