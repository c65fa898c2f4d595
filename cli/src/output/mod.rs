// SPDX-License-Identifier: LGPL-2.0-or-later
//! Where results go. A file appears under its name only when everything went well; plaintext for standard output
//! waits in an encrypted spool until its verdict is known.

mod file;
mod spool;

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufWriter, IsTerminal as _, Write},
    os::{fd::AsFd as _, unix::fs::FileTypeExt as _},
    path::{Path, PathBuf},
};

use plombe_core::message::Quarantine;

pub(crate) use file::{Durability, NewFile, Visibility, replace_file};
use spool::Spool;

use crate::{args::OutputArgs, terminal::printable};

/// What will be written, which decides who may see it when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    /// May be seen by anybody, also while it is being written.
    Public,
    /// As [`Content::Public`], but of no use on a terminal.
    PublicBinary,
    /// Plaintext: for its owner only, and only after its verdict.
    Plaintext,
    /// A secret key: for its owner only.
    SecretKey,
}

/// An open place for a result. Dropped without [`Quarantine::release`], it leaves nothing behind, except for what
/// [`Content::Public`] already sent to standard output.
pub(crate) enum Output {
    /// A file that is not there yet.
    File(NewFile),
    /// Straight through to standard output or a device.
    Stream(BufWriter<File>),
    /// Held back, then copied to standard output or a device.
    Spool {
        /// What was written so far.
        spool: Box<Spool>,
        /// Where it will go.
        target: Target,
    },
    /// The content is not wanted, only what is said about it.
    Nowhere,
}

/// Something that can only be written to, never taken back.
pub(crate) enum Target {
    Stdout,
    /// A device or a named pipe; opened as late as possible, since opening a pipe waits for its reader.
    Special(PathBuf),
}

impl Target {
    fn open(&self) -> io::Result<File> {
        match self {
            Self::Stdout => io::stdout().as_fd().try_clone_to_owned().map(File::from),
            Self::Special(path) => OpenOptions::new().write(true).open(path),
        }
    }

    fn is_terminal(&self) -> bool {
        matches!(self, Self::Stdout) && io::stdout().is_terminal()
    }
}

/// Why a result has no place.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OutputError {
    #[error("{} already exists", .0.display())]
    Exists(PathBuf),
    #[error("{} is a directory", .0.display())]
    IsDirectory(PathBuf),
    #[error("cannot write {}", path.display())]
    Failed { path: PathBuf, source: io::Error },
    #[error("cannot write to standard output")]
    Stdout(#[source] io::Error),
    #[error("this is binary data, which a terminal cannot show")]
    BinaryOnTerminal,
}

/// Opens the place that the arguments name. Refuses at once what would be refused at the end.
pub(crate) fn open(args: &OutputArgs, content: Content) -> Result<Output, OutputError> {
    let Some(path) = args.output.as_deref().filter(|path| *path != Path::new("-")) else {
        if content == Content::PublicBinary && io::stdout().is_terminal() {
            return Err(OutputError::BinaryOnTerminal);
        }
        return stream(Target::Stdout, content).map_err(OutputError::Stdout);
    };
    let failed = |source| OutputError::Failed { path: path.to_owned(), source };
    // Follows links on purpose: /dev/stdout and the shell's >(…) are links to something that is not a file.
    match fs::metadata(path) {
        Ok(found) if found.is_dir() => return Err(OutputError::IsDirectory(path.to_owned())),
        Ok(found) if is_special(&found.file_type()) => {
            return stream(Target::Special(path.to_owned()), content).map_err(failed);
        }
        _ => {}
    }
    let visibility = match content {
        Content::Public | Content::PublicBinary => Visibility::Everyone,
        Content::Plaintext | Content::SecretKey => Visibility::Owner,
    };
    // Symbolic links are neither followed nor read through: the link itself is what is there.
    if !args.force && fs::symlink_metadata(path).is_ok() {
        return Err(OutputError::Exists(path.to_owned()));
    }
    // When nothing is replaced, the input is still there after a power cut: no need to wait for the disk.
    let durability = if args.force { Durability::Synced } else { Durability::LeftToTheSystem };
    NewFile::create(path, args.force, visibility, durability).map(Output::File).map_err(failed)
}

fn stream(target: Target, content: Content) -> io::Result<Output> {
    match content {
        Content::Plaintext => {
            Ok(Output::Spool { spool: Box::new(Spool::new(target.is_terminal())?), target })
        }
        _ => Ok(Output::Stream(BufWriter::with_capacity(128 << 10, target.open()?))),
    }
}

fn is_special(kind: &fs::FileType) -> bool {
    kind.is_char_device() || kind.is_block_device() || kind.is_fifo() || kind.is_socket()
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::File(file) => file.write(bytes),
            Self::Stream(stream) => stream.write(bytes),
            Self::Spool { spool, .. } => spool.write(bytes),
            Self::Nowhere => Ok(bytes.len()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::File(file) => file.flush(),
            Self::Stream(stream) => stream.flush(),
            Self::Spool { .. } | Self::Nowhere => Ok(()),
        }
    }
}

impl Quarantine for Output {
    type Released = ();

    fn release(self) -> io::Result<()> {
        match self {
            Self::File(file) => file.release(),
            Self::Stream(mut stream) => stream.flush(),
            Self::Spool { spool, target } => {
                if spool.steers_terminal() {
                    return Err(io::Error::new(io::ErrorKind::InvalidData, OutputError::BinaryOnTerminal));
                }
                spool.copy_to(&mut target.open()?)
            }
            Self::Nowhere => Ok(()),
        }
    }
}

/// Writes a whole result that is already in memory.
pub(crate) fn write_all(args: &OutputArgs, content: Content, bytes: &[u8]) -> anyhow::Result<()> {
    let mut output = open(args, content)?;
    output.write_all(bytes).map_err(|source| failed(args, source))?;
    release(output, args)
}

/// Makes a result visible that has no verdict to wait for.
pub(crate) fn release(output: Output, args: &OutputArgs) -> anyhow::Result<()> {
    Ok(output.release().map_err(|source| failed(args, source))?)
}

/// What failed when a result could not be written.
pub(crate) fn failed(args: &OutputArgs, source: io::Error) -> OutputError {
    match &args.output {
        Some(path) if source.kind() == io::ErrorKind::AlreadyExists => OutputError::Exists(path.clone()),
        Some(path) => OutputError::Failed { path: path.clone(), source },
        None => OutputError::Stdout(source),
    }
}

/// Writes lines for people to standard output. Names in them are written by strangers, so nothing steers.
pub(crate) fn print(text: &str) -> Result<(), OutputError> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(printable(text).as_bytes()).and_then(|()| stdout.flush()).map_err(OutputError::Stdout)
}

/// Writes one JSON value on one line to standard output.
pub(crate) fn print_json(value: &impl serde::Serialize) -> anyhow::Result<()> {
    let mut line = serde_json::to_string(value)?;
    line.push('\n');
    let mut stdout = io::stdout().lock();
    Ok(stdout.write_all(line.as_bytes()).and_then(|()| stdout.flush()).map_err(OutputError::Stdout)?)
}
