// SPDX-License-Identifier: LGPL-2.0-or-later
//! Mails that are files: a Maildir's, or a single one.

use std::{
    fs,
    io::{self, Write as _},
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    thread,
    time::SystemTime,
};

use anyhow::Context as _;
use tempfile::NamedTempFile;

use super::{super::MAIL_LIMIT, BATCH_BYTES, BATCH_MAILS, Tally, Work, workers};
use crate::exit::{Exit, Failure};

/// The mails of a Maildir.
pub(super) fn files(dir: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let (cur, new) = (dir.join("cur"), dir.join("new"));
    if !cur.is_dir() || !new.is_dir() {
        return Err(Failure::usage(format!(
            "{} is not a Maildir: it has no folders cur and new",
            dir.display()
        ))
        .into());
    }
    let mut files = Vec::new();
    for folder in [cur, new] {
        let unreadable = || format!("cannot read {}", folder.display());
        for entry in fs::read_dir(&folder).with_context(unreadable)? {
            let entry = entry.with_context(unreadable)?;
            let hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
            if !hidden && entry.file_type().with_context(unreadable)?.is_file() {
                files.push(entry.path());
            }
        }
    }
    files.sort();
    Ok(files)
}

/// While one batch waits for the disk, the next one is worked on.
pub(super) fn run(files: &[PathBuf], work: &Work<'_>, tally: &mut Tally<'_>) -> anyhow::Result<()> {
    thread::scope(|scope| {
        let mut rest = files;
        let mut waiting = None;
        while !rest.is_empty() {
            let (batch, mails) = read_batch(rest, tally);
            rest = &rest[batch.taken..];
            let prepare =
                |number: usize, content: Vec<u8>| Replacement::prepare(batch.paths[number], &content);
            let outcomes = workers::map(&mails, work, prepare);
            let mut prepared = Vec::new();
            for (path, outcome) in batch.paths.into_iter().zip(outcomes) {
                prepared.extend(tally.settle(|| path.display().to_string(), outcome).transpose()?);
            }
            waiting.take().map_or(Ok(()), joined)?;
            waiting = Some(scope.spawn(|| replace_all(prepared)));
        }
        waiting.map_or(Ok(()), joined)
    })
}

fn joined<T>(thread: thread::ScopedJoinHandle<'_, anyhow::Result<T>>) -> anyhow::Result<T> {
    thread.join().unwrap_or_else(|_| Err(anyhow::anyhow!("the program failed while it replaced mails")))
}

struct Batch<'a> {
    paths: Vec<&'a Path>,
    /// How many of the files this batch deals with, those that could not be read included.
    taken: usize,
}

fn read_batch<'a>(files: &'a [PathBuf], tally: &mut Tally<'_>) -> (Batch<'a>, Vec<Vec<u8>>) {
    let mut batch = Batch { paths: Vec::new(), taken: 0 };
    let (mut mails, mut bytes) = (Vec::new(), 0);
    for path in files {
        batch.taken += 1;
        match read(path) {
            Ok(mail) => {
                bytes += mail.len();
                mails.push(mail);
                batch.paths.push(path.as_path());
            }
            Err(error) => {
                let _ = tally.settle::<()>(|| path.display().to_string(), Err(error));
            }
        }
        if mails.len() >= BATCH_MAILS || bytes >= BATCH_BYTES {
            break;
        }
    }
    (batch, mails)
}

fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    let unreadable = || format!("cannot read {}", path.display());
    let length = fs::metadata(path).with_context(unreadable)?.len();
    if length > MAIL_LIMIT {
        return Err(Failure::new(Exit::Refused, format!("larger than {} MiB", MAIL_LIMIT >> 20)).into());
    }
    fs::read(path).with_context(unreadable)
}

/// A new content that lies beside the old one, not yet in its place.
struct Replacement {
    temporary: NamedTempFile,
    path: PathBuf,
    size: u64,
}

impl Replacement {
    /// A Maildir has a folder for what is not complete yet; other programs clean it up after a crash.
    fn prepare(path: &Path, content: &[u8]) -> anyhow::Result<Self> {
        let parent = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let tmp = parent.parent().map(|maildir| maildir.join("tmp")).filter(|tmp| tmp.is_dir());
        let prepare = || -> io::Result<NamedTempFile> {
            let old = fs::metadata(path)?;
            let mut temporary =
                tempfile::Builder::new().prefix("plombe-").tempfile_in(tmp.as_deref().unwrap_or(parent))?;
            temporary.write_all(content)?;
            let file = temporary.as_file();
            file.set_permissions(fs::Permissions::from_mode(old.mode() & 0o7777))?;
            // Mail programs show a file's time as the time of arrival.
            file.set_modified(old.modified().unwrap_or_else(|_| SystemTime::now()))?;
            Ok(temporary)
        };
        let temporary = prepare().map_err(|error| unwritable(path, &error))?;
        Ok(Self { temporary, path: path.to_owned(), size: content.len() as u64 })
    }

    fn replace(self) -> io::Result<()> {
        self.temporary.persist(&self.path).map_err(|error| error.error)?;
        match resized(&self.path, self.size) {
            Some(renamed) => fs::rename(&self.path, renamed),
            None => Ok(()),
        }
    }
}

/// Waits for the disk, then puts everything in its place: after a power cut each mail is the old or the new one.
fn replace_all(prepared: Vec<Replacement>) -> anyhow::Result<()> {
    let Some(first) = prepared.first() else { return Ok(()) };
    sync(&prepared).map_err(|error| unwritable(&first.path, &error))?;
    for one in prepared {
        let path = one.path.clone();
        one.replace().map_err(|error| unwritable(&path, &error))?;
    }
    Ok(())
}

/// Syncs the files side by side, because a journal commits those that wait together at once: 256 files of 10 KB took
/// 21 s one after the other and 0.2 s by 32 threads. (Syncing the whole file system would wait for whatever else is
/// written on the machine: minutes, beside a compiler.)
fn sync(prepared: &[Replacement]) -> io::Result<()> {
    const WAITING: usize = 32;
    let share = prepared.len().div_ceil(WAITING);
    thread::scope(|scope| {
        let sync_share =
            |share: &[Replacement]| share.iter().try_for_each(|one| one.temporary.as_file().sync_all());
        let threads: Vec<_> =
            prepared.chunks(share).map(|share| scope.spawn(move || sync_share(share))).collect();
        let joined = threads.into_iter().map(|thread| thread.join());
        joined.into_iter().try_for_each(|result| result.unwrap_or_else(|_| Err(io::ErrorKind::Other.into())))
    })
}

/// Dovecot writes a mail's size into its file name (`,S=1234`, and `,W=` for its size with CRLF), and refuses to
/// read a mail whose size is another. The new name, if the old one has them.
fn resized(path: &Path, size: u64) -> Option<PathBuf> {
    let name = path.file_name()?.to_str()?;
    if !name.contains(",S=") && !name.contains(",W=") {
        return None;
    }
    let (base, flags) = name.split_once(":2,").map_or((name, None), |(base, flags)| (base, Some(flags)));
    let mut renamed = String::new();
    for (number, field) in base.split(',').enumerate() {
        let field = match field.split_once('=') {
            Some(("S", _)) => format!("S={size}"),
            // Dovecot counts again when it is not there.
            Some(("W", _)) => continue,
            _ => field.to_owned(),
        };
        if number > 0 {
            renamed.push(',');
        }
        renamed.push_str(&field);
    }
    if let Some(flags) = flags {
        renamed.push_str(":2,");
        renamed.push_str(flags);
    }
    (renamed != name).then(|| path.with_file_name(renamed))
}

fn unwritable(path: &Path, error: &io::Error) -> Failure {
    Failure::new(Exit::OutputFailed, format!("cannot replace {}: {error}", path.display()))
        .hint("mails that were not named as done are as they were")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_in_names_follow_the_content() {
        let renamed = |name: &str| resized(Path::new(name), 77).map(|path| path.display().to_string());
        assert_eq!(renamed("d/1.M2.host,S=12,W=13:2,S").as_deref(), Some("d/1.M2.host,S=77:2,S"));
        assert_eq!(renamed("d/1.M2.host,S=12").as_deref(), Some("d/1.M2.host,S=77"));
        assert_eq!(renamed("d/1.M2.host:2,S"), None);
    }
}
