// SPDX-License-Identifier: LGPL-2.0-or-later
//! Indirect inputs and outputs: a file name, `@ENV:NAME`, `@FD:N`.
//!
//! Descriptors are reached through `/dev/fd`, because adopting a number as a descriptor cannot be done safely. Pipes
//! and files work; a socket cannot be opened that way and is reported as missing.

use std::{
    ffi::{OsStr, OsString},
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    os::unix::{ffi::OsStrExt, fs::OpenOptionsExt},
    path::{Path, PathBuf},
};

use super::failure::{Code, Failure, Result};

enum Designator<'a> {
    File(&'a Path),
    Environment(&'a OsStr),
    Descriptor(PathBuf),
}

impl<'a> Designator<'a> {
    fn parse(text: &'a OsStr) -> Result<Self> {
        let bytes = text.as_bytes();
        if !bytes.starts_with(b"@") {
            return Ok(Self::File(Path::new(text)));
        }
        if fs::symlink_metadata(text).is_ok() {
            return Err(Failure::new(
                Code::AmbiguousInput,
                format!(
                    "{0} is a special name, and a file of that name exists; say ./{0} if you mean it",
                    shown(text)
                ),
            ));
        }
        if let Some(name) = bytes.strip_prefix(b"@ENV:") {
            return Ok(Self::Environment(OsStr::from_bytes(name)));
        }
        if let Some(number) = bytes.strip_prefix(b"@FD:") {
            let number = std::str::from_utf8(number).ok().and_then(|number| number.parse::<u32>().ok());
            let number = number.ok_or_else(|| {
                Failure::new(Code::MissingInput, format!("{} does not name a file descriptor", shown(text)))
            })?;
            return Ok(Self::Descriptor(PathBuf::from(format!("/dev/fd/{number}"))));
        }
        Err(Failure::new(
            Code::UnsupportedSpecialPrefix,
            format!("{}: only @ENV: and @FD: are known here; a file is called ./@…", shown(text)),
        ))
    }
}

/// Everything behind a designator, in memory: keys, certificates, signatures, passwords.
pub(super) fn read(text: &OsStr) -> Result<Vec<u8>> {
    let path = match Designator::parse(text)? {
        Designator::Environment(name) => {
            let value = std::env::var_os(name);
            return value.map(OsString::into_encoded_bytes).ok_or_else(|| {
                Failure::new(Code::MissingInput, format!("{}: there is no such variable", shown(text)))
            });
        }
        Designator::File(path) => path.to_owned(),
        Designator::Descriptor(path) => path,
    };
    let mut bytes = Vec::new();
    File::open(path).and_then(|mut file| file.read_to_end(&mut bytes)).map_err(|error| {
        let code = match error.kind() {
            io::ErrorKind::NotFound => Code::MissingInput,
            _ => Code::Unspecified,
        };
        Failure::new(code, format!("cannot read {}: {error}", shown(text)))
    })?;
    Ok(bytes)
}

/// A file to be written when all else went well. Asked for early, so that an existing one is noticed before anything
/// is done.
pub(super) struct Output {
    shown: String,
    target: Target,
}

enum Target {
    NewFile(PathBuf),
    Descriptor(PathBuf),
}

impl Output {
    /// Fails when there is something of that name already.
    pub(super) fn prepare(text: &OsStr) -> Result<Self> {
        let target = match Designator::parse(text)? {
            Designator::File(path) => {
                if fs::symlink_metadata(path).is_ok() {
                    return Err(exists(text));
                }
                Target::NewFile(path.to_owned())
            }
            Designator::Descriptor(path) => Target::Descriptor(path),
            Designator::Environment(_) => {
                return Err(Failure::new(
                    Code::UnsupportedSpecialPrefix,
                    format!("{}: nothing can be written to an environment variable", shown(text)),
                ));
            }
        };
        Ok(Self { shown: shown(text), target })
    }

    /// Like [`Output::prepare`], for an option that may be absent.
    pub(super) fn prepare_optional(text: Option<&OsString>) -> Result<Option<Self>> {
        text.map(|text| Self::prepare(text)).transpose()
    }

    /// Writes it. Only the owner may read the file: some of what is written here opens messages.
    pub(super) fn write(self, bytes: &[u8]) -> Result<()> {
        let opened = match &self.target {
            Target::NewFile(path) => OpenOptions::new().write(true).create_new(true).mode(0o600).open(path),
            Target::Descriptor(path) => OpenOptions::new().write(true).open(path),
        };
        opened.and_then(|mut file| file.write_all(bytes)).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => exists(OsStr::new(&self.shown)),
            _ => Failure::new(Code::Unspecified, format!("cannot write {}: {error}", self.shown)),
        })
    }
}

fn exists(text: &OsStr) -> Failure {
    Failure::new(Code::OutputExists, format!("{} exists already", shown(text)))
}

fn shown(text: &OsStr) -> String {
    text.to_string_lossy().into_owned()
}
