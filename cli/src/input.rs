// SPDX-License-Identifier: LGPL-2.0-or-later
//! Where a command reads from: a file, or standard input.

use std::{
    fs::File,
    io::{self, IsTerminal as _, Read},
    os::fd::AsFd as _,
    path::Path,
};

use anyhow::Context as _;

use crate::{
    exit::{Exit, Failure},
    terminal::{Terminal, Tone},
};

/// An open input, with its length when that is known beforehand.
pub(crate) struct Input {
    file: File,
    /// Bytes; `None` for pipes and terminals.
    pub(crate) length: Option<u64>,
}

impl Input {
    /// `None` and `-` mean standard input.
    pub(crate) fn open(path: Option<&Path>, terminal: &Terminal) -> anyhow::Result<Self> {
        let file = match path {
            Some(path) if path != Path::new("-") => open_file(path)?,
            _ => {
                if io::stdin().is_terminal() {
                    terminal.note(Tone::Plain, "reading", "from the terminal; end with Ctrl-D on a new line");
                }
                let fd = io::stdin().as_fd().try_clone_to_owned().context("cannot read standard input")?;
                File::from(fd)
            }
        };
        let length = file.metadata().ok().filter(|found| found.is_file()).map(|found| found.len());
        Ok(Self { file, length })
    }

    /// The whole input, refused when it is longer than `limit` bytes.
    pub(crate) fn read_to_limit(self, limit: u64) -> anyhow::Result<Vec<u8>> {
        let mut content = Vec::new();
        self.file.take(limit + 1).read_to_end(&mut content).context("cannot read the input")?;
        if content.len() as u64 > limit {
            return Err(Failure::new(
                Exit::Refused,
                format!("the input is longer than {} MiB, which is more than is read here", limit >> 20),
            )
            .into());
        }
        Ok(content)
    }
}

impl Read for Input {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.file.read(buffer)
    }
}

fn open_file(path: &Path) -> anyhow::Result<File> {
    let file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    if file.metadata().is_ok_and(|found| found.is_dir()) {
        return Err(Failure::usage(format!("{} is a directory", path.display())).into());
    }
    Ok(file)
}

/// A whole small file: certificates, keys, signatures.
pub(crate) fn read_small(path: &Path, terminal: &Terminal) -> anyhow::Result<Vec<u8>> {
    const LIMIT: u64 = 64 << 20;
    Input::open(Some(path), terminal)?.read_to_limit(LIMIT)
}
