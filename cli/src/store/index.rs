// SPDX-License-Identifier: LGPL-2.0-or-later
//! Which addresses and keys stand in which certificate, so that finding one does not mean reading thousands.
//!
//! A certificate directory has up to 256 folders, and every writer renames files into place, which changes the
//! folder's modification time. The index keeps that time for each folder and reads again only what changed. It is a
//! cache: nobody locks it, losing it costs time, and what it says is checked against the certificate itself.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, Write as _},
    path::Path,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use plombe_core::{Fingerprint, KeyHandle, cert::Certificate};
use serde::{Deserialize, Serialize};

use crate::output::{Durability, NewFile, Visibility};

/// Raised when the form changes; an index of another version is made anew.
const VERSION: u32 = 1;
/// A folder that changed this recently may change again without a new time: clocks of file systems are coarse.
const SETTLED_AFTER: Duration = Duration::from_secs(2);

/// The index of one certificate directory.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Index {
    version: u32,
    folders: BTreeMap<String, Folder>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Folder {
    /// Nanoseconds since 1970; `None` while the folder may still change unseen.
    modified: Option<u128>,
    entries: Vec<Entry>,
}

/// One certificate file.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Entry {
    /// Of the primary key, upper-case hex.
    pub(crate) fingerprint: String,
    /// Fingerprints of all keys, the primary one too.
    keys: Vec<String>,
    /// Lower case.
    addresses: Vec<String>,
    /// Nothing could be read from this file.
    broken: bool,
}

impl Index {
    /// Brings the index in `cache` up to what lies in `directory`, reading as little as possible.
    pub(crate) fn load(cache: &Path, directory: &Path) -> io::Result<Self> {
        let mut old = fs::read(cache)
            .ok()
            .and_then(|bytes| serde_json::from_slice::<Self>(&bytes).ok())
            .filter(|index| index.version == VERSION)
            .unwrap_or_default();
        let mut new = Self { version: VERSION, ..Self::default() };
        let mut changed = false;
        for (name, path, modified) in folders(directory)? {
            let known = old.folders.remove(&name).filter(|folder| folder.modified == Some(modified));
            let folder = match known {
                Some(folder) => folder,
                None => {
                    changed = true;
                    Folder { modified: settled(modified), entries: read_folder(&name, &path)? }
                }
            };
            new.folders.insert(name, folder);
        }
        if changed || !old.folders.is_empty() {
            // A cache that cannot be written makes the next start slower, and that is all.
            let _ = new.save(cache);
        }
        Ok(new)
    }

    fn save(&self, cache: &Path) -> io::Result<()> {
        if let Some(dir) = cache.parent() {
            fs::create_dir_all(dir)?;
        }
        // Not synced: waiting for the disk would cost more than making the index anew after a power cut.
        let mut file = NewFile::create(cache, true, Visibility::Owner, Durability::LeftToTheSystem)?;
        file.write_all(&serde_json::to_vec(self)?)?;
        file.release()
    }

    /// Every certificate file, in the order of fingerprints.
    pub(crate) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.folders.values().flat_map(|folder| &folder.entries)
    }

    /// Files from which nothing could be read.
    pub(crate) fn broken(&self) -> impl Iterator<Item = &str> {
        self.entries().filter(|entry| entry.broken).map(|entry| entry.fingerprint.as_str())
    }

    /// Candidates for an address.
    pub(crate) fn with_address<'a>(&'a self, address: &str) -> impl Iterator<Item = &'a str> {
        let address = address.to_ascii_lowercase();
        self.entries().filter(move |entry| entry.addresses.contains(&address)).map(|e| e.fingerprint.as_str())
    }

    /// Certificates that hold the key that `handle` speaks of.
    pub(crate) fn with_key<'a>(&'a self, handle: &'a KeyHandle) -> impl Iterator<Item = &'a str> {
        let hex = handle.to_hex();
        // A key ID is the end of a v4 fingerprint and the beginning of a v6 one.
        let answers = move |key: &String| match (handle, key.len()) {
            (KeyHandle::Fingerprint(_), _) => *key == hex,
            (KeyHandle::KeyID(_), 64) => key.starts_with(&hex),
            (KeyHandle::KeyID(_), _) => key.ends_with(&hex),
        };
        let holds = move |entry: &&Entry| entry.keys.iter().any(&answers);
        self.entries().filter(holds).map(|entry| entry.fingerprint.as_str())
    }
}

fn settled(modified: u128) -> Option<u128> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_nanos();
    (modified + SETTLED_AFTER.as_nanos() < now).then_some(modified)
}

/// Folders of two hexadecimal digits, with their modification times. A directory that is not there has none.
fn folders(directory: &Path) -> io::Result<Vec<(String, std::path::PathBuf, u128)>> {
    let listing = match fs::read_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other?,
    };
    let mut found = Vec::new();
    for entry in listing {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        if name.len() != 2 || !name.bytes().all(|b| b.is_ascii_hexdigit()) {
            continue;
        }
        let data = entry.path().metadata()?;
        if data.is_dir() {
            let modified = data.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
            found.push((name, entry.path(), modified));
        }
    }
    Ok(found)
}

fn read_folder(name: &str, path: &Path) -> io::Result<Vec<Entry>> {
    let mut entries = Vec::new();
    for file in fs::read_dir(path)? {
        let file = file?;
        let Ok(rest) = file.file_name().into_string() else { continue };
        let fingerprint = format!("{name}{rest}").to_uppercase();
        // v4 and v6 fingerprints; other files are other programs' business.
        if ![40, 64].contains(&fingerprint.len()) || !fingerprint.bytes().all(|b| b.is_ascii_hexdigit()) {
            continue;
        }
        entries.push(read_entry(fingerprint, &file.path()));
    }
    entries.sort_by(|a, b| a.fingerprint.cmp(&b.fingerprint));
    Ok(entries)
}

fn read_entry(fingerprint: String, path: &Path) -> Entry {
    let certificate =
        fs::read(path).ok().and_then(|bytes| Certificate::parse_all(&bytes).ok()?.into_iter().next());
    match certificate {
        Some(certificate) => Entry {
            fingerprint,
            keys: certificate.unverified_keys().iter().map(Fingerprint::to_hex).collect(),
            addresses: certificate.unverified_addresses(),
            broken: false,
        },
        None => Entry { fingerprint, keys: Vec::new(), addresses: Vec::new(), broken: true },
    }
}
