// SPDX-License-Identifier: LGPL-2.0-or-later
//! mbox files in the form mboxrd: mails after lines that begin with `From `, and such lines within mails quoted by
//! `>`, as often as needed. The file is written anew as a whole and takes the old one's place at the end.

use std::{
    fs::{self, File},
    io::{self, BufRead, BufReader, Read as _, Write as _},
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::Path,
    time::SystemTime,
};

use anyhow::Context as _;
use tempfile::NamedTempFile;

use super::{super::MAIL_LIMIT, BATCH_BYTES, BATCH_MAILS, Tally, Work, workers};
use crate::{
    date,
    exit::{Exit, Failure},
};

/// Does the file begin as an mbox does?
pub(super) fn is_mbox(path: &Path) -> anyhow::Result<bool> {
    let mut start = Vec::new();
    let read = File::open(path).and_then(|file| file.take(5).read_to_end(&mut start));
    read.with_context(|| format!("cannot read {}", path.display()))?;
    Ok(start == b"From ")
}

/// `From ` line for a mail that has none yet.
pub(in crate::mail) fn separator(now: SystemTime) -> Vec<u8> {
    format!("From plombe@localhost {}\n", date::asctime(now)).into_bytes()
}

/// Adds one mail to an mbox in memory.
pub(in crate::mail) fn append(mbox: &mut Vec<u8>, separator: &[u8], mail: &[u8]) {
    mbox.extend_from_slice(separator);
    quote(mail, mbox);
    if !mail.ends_with(b"\n") {
        mbox.push(b'\n');
    }
    mbox.push(b'\n');
}

pub(super) fn run(path: &Path, work: &Work<'_>, tally: &mut Tally<'_>) -> anyhow::Result<()> {
    let unreadable = || format!("cannot read {}", path.display());
    let old = fs::metadata(path).with_context(unreadable)?;
    let mut mails =
        Mails::new(BufReader::with_capacity(256 << 10, File::open(path).with_context(unreadable)?));
    let folder = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let failed = |error: io::Error| {
        Failure::new(Exit::OutputFailed, format!("cannot replace {}: {error}", path.display()))
            .hint("it is as it was")
    };
    let mut new = tempfile::Builder::new().prefix(".plombe-").tempfile_in(folder).map_err(failed)?;
    let mut number = 0;
    loop {
        let batch = mails.batch().with_context(unreadable)?;
        if batch.is_empty() {
            break;
        }
        let contents: Vec<Vec<u8>> = batch.iter().map(|raw| unquote(raw.body())).collect();
        for (raw, outcome) in batch.iter().zip(workers::map(&contents, work, |_, content| content)) {
            number += 1;
            let name = || format!("{}, mail {number}", path.display());
            match tally.settle(name, refuse_large(raw, outcome)) {
                Some(content) => {
                    let mut entry = Vec::with_capacity(content.len() + 128);
                    append(&mut entry, raw.separator(), &content);
                    new.write_all(&entry).map_err(failed)?;
                }
                None => new.write_all(&raw.bytes).map_err(failed)?,
            }
        }
    }
    finish(new, path, &old).map_err(|error| failed(error).into())
}

fn refuse_large(raw: &Raw, outcome: anyhow::Result<super::Outcome>) -> anyhow::Result<super::Outcome> {
    match raw.bytes.len() as u64 > MAIL_LIMIT {
        true => Err(Failure::new(Exit::Refused, format!("larger than {} MiB", MAIL_LIMIT >> 20)).into()),
        false => outcome,
    }
}

fn finish(new: NamedTempFile, path: &Path, old: &fs::Metadata) -> io::Result<()> {
    // A mail program that delivered meanwhile must not lose that mail.
    let now = fs::metadata(path)?;
    if (now.len(), now.modified()?) != (old.len(), old.modified()?) {
        return Err(io::Error::new(
            io::ErrorKind::ResourceBusy,
            "another program changed it meanwhile; try again",
        ));
    }
    new.as_file().set_permissions(fs::Permissions::from_mode(old.mode() & 0o7777))?;
    new.as_file().sync_all()?;
    new.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// One entry as it stands in the file: separator line, quoted mail, empty line.
struct Raw {
    bytes: Vec<u8>,
    separator: usize,
}

impl Raw {
    fn separator(&self) -> &[u8] {
        &self.bytes[..self.separator]
    }

    /// Without the empty line that belongs to the format.
    fn body(&self) -> &[u8] {
        let body = &self.bytes[self.separator..];
        let without = body.strip_suffix(b"\n\r\n").or_else(|| body.strip_suffix(b"\n\n"));
        without.map_or(body, |without| &body[..without.len() + 1])
    }
}

/// The entries of an mbox, one after the other.
struct Mails<R> {
    reader: R,
    /// The separator line that ended the previous entry.
    next: Vec<u8>,
}

impl<R: BufRead> Mails<R> {
    fn new(reader: R) -> Self {
        Self { reader, next: Vec::new() }
    }

    fn batch(&mut self) -> io::Result<Vec<Raw>> {
        let (mut batch, mut bytes) = (Vec::new(), 0);
        while batch.len() < BATCH_MAILS && bytes < BATCH_BYTES {
            let Some(raw) = self.entry()? else { break };
            bytes += raw.bytes.len();
            batch.push(raw);
        }
        Ok(batch)
    }

    fn entry(&mut self) -> io::Result<Option<Raw>> {
        let mut bytes = std::mem::take(&mut self.next);
        if bytes.is_empty() {
            self.reader.read_until(b'\n', &mut bytes)?;
        }
        if bytes.is_empty() {
            return Ok(None);
        }
        let separator = bytes.len();
        let mut after_empty_line = false;
        loop {
            let start = bytes.len();
            if self.reader.read_until(b'\n', &mut bytes)? == 0 {
                return Ok(Some(Raw { bytes, separator }));
            }
            if after_empty_line && bytes[start..].starts_with(b"From ") {
                self.next = bytes.split_off(start);
                return Ok(Some(Raw { bytes, separator }));
            }
            after_empty_line = matches!(&bytes[start..], b"\n" | b"\r\n");
        }
    }
}

/// Is the line one that needs a `>` before it in an mbox (or has lost one)?
fn is_from_line(line: &[u8]) -> bool {
    let quotes = line.iter().take_while(|&&b| b == b'>').count();
    line[quotes..].starts_with(b"From ")
}

fn quote(mail: &[u8], out: &mut Vec<u8>) {
    for line in mail.split_inclusive(|&b| b == b'\n') {
        if is_from_line(line) {
            out.push(b'>');
        }
        out.extend_from_slice(line);
    }
}

fn unquote(body: &[u8]) -> Vec<u8> {
    let mut mail = Vec::with_capacity(body.len());
    for line in body.split_inclusive(|&b| b == b'\n') {
        let quoted = line.starts_with(b">") && is_from_line(line);
        mail.extend_from_slice(if quoted { &line[1..] } else { line });
    }
    mail
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bodies(mbox: &[u8]) -> Vec<Vec<u8>> {
        let mut mails = Mails::new(mbox);
        mails.batch().unwrap().iter().map(|raw| unquote(raw.body())).collect()
    }

    #[test]
    fn what_is_appended_is_read_back() {
        let mails: [&[u8]; 4] = [
            b"A: 1\n\nbody\n",
            b"A: 2\n\nFrom here\n>From there\n\nFrom x\n",
            b"A: 3\n\n",
            b"A: 4\n\nends with empty\n\n",
        ];
        let mut mbox = Vec::new();
        for mail in mails {
            append(&mut mbox, b"From a@example.test Sat Nov 21 22:30:05 2026\n", mail);
        }
        assert_eq!(bodies(&mbox), mails);
    }

    #[test]
    fn entries_cover_the_whole_file() {
        let mbox = b"From a\nA: 1\n\ntext\nFrom within the text\n\nFrom b\nA: 2\n\nno line end";
        let entries = Mails::new(&mbox[..]).batch().unwrap();
        assert_eq!(entries.len(), 2);
        assert_eq!(entries.iter().flat_map(|raw| raw.bytes.clone()).collect::<Vec<_>>(), mbox);
        assert_eq!(bodies(mbox), [&b"A: 1\n\ntext\nFrom within the text\n"[..], b"A: 2\n\nno line end"]);
    }
}
