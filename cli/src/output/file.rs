// SPDX-License-Identifier: LGPL-2.0-or-later
//! A file that gets its name when it is complete.

use std::{
    ffi::OsString,
    fs::{self, File},
    io::{self, BufWriter, Write},
    os::{
        fd::AsRawFd as _,
        unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    },
    path::{Path, PathBuf},
};

use rustix::fs::{AtFlags, CWD, OFlags};
use tempfile::TempPath;

/// Who may read the file once it is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Visibility {
    /// Mode 0600.
    Owner,
    /// Mode 0666, less what the umask takes away.
    Everyone,
}

/// What is waited for before the file gets its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Durability {
    /// The content is on the disk: after a power cut either the old or the new content is there.
    Synced,
    /// The system writes when it likes.
    LeftToTheSystem,
}

/// The content lies in a nameless file in the right directory (so that even SIGKILL leaves nothing behind), or,
/// where the file system has none of those, in a temporary file that is removed on drop.
pub(crate) struct NewFile {
    path: PathBuf,
    file: BufWriter<File>,
    temporary: Option<TempPath>,
    replace: bool,
    durability: Durability,
}

impl NewFile {
    pub(crate) fn create(
        path: &Path,
        replace: bool,
        visibility: Visibility,
        durability: Durability,
    ) -> io::Result<Self> {
        let mode = if visibility == Visibility::Owner { 0o600 } else { 0o666 };
        let dir = parent(path);
        let nameless = fs::OpenOptions::new()
            .write(true)
            .read(true)
            .mode(mode)
            .custom_flags(OFlags::TMPFILE.bits() as i32)
            .open(dir);
        let (file, temporary) = match nameless {
            Ok(file) => (file, None),
            Err(_) => {
                let named = tempfile::Builder::new()
                    .prefix(".plombe-")
                    .permissions(fs::Permissions::from_mode(mode))
                    .tempfile_in(dir)?;
                let (file, path) = named.into_parts();
                (file, Some(path))
            }
        };
        let file = BufWriter::with_capacity(128 << 10, file);
        Ok(Self { path: path.to_owned(), file, temporary, replace, durability })
    }

    /// Gives the file its name. Fails with `AlreadyExists` when somebody else was faster and nothing is to be
    /// replaced.
    pub(crate) fn release(mut self) -> io::Result<()> {
        self.file.flush()?;
        let file = self.file.into_inner().map_err(|error| error.into_error())?;
        if self.durability == Durability::Synced {
            file.sync_all()?;
        }
        match self.temporary {
            Some(temporary) if self.replace => temporary.persist(&self.path).map_err(|error| error.error),
            Some(temporary) => temporary.persist_noclobber(&self.path).map_err(|error| error.error),
            None if self.replace => link_over(&file, &self.path),
            None => link(&file, &self.path),
        }
    }
}

impl Write for NewFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Gives a nameless file a name that nobody has yet.
fn link(file: &File, path: &Path) -> io::Result<()> {
    let nameless = format!("/proc/self/fd/{}", file.as_raw_fd());
    Ok(rustix::fs::linkat(CWD, nameless, CWD, path, AtFlags::SYMLINK_FOLLOW)?)
}

/// Linking cannot replace, renaming can: a passing name, then over the old one.
fn link_over(file: &File, path: &Path) -> io::Result<()> {
    for attempt in 0..100_u32 {
        let mut name = OsString::from(format!(".plombe-{}-{attempt}-", std::process::id()));
        name.push(path.file_name().unwrap_or_default());
        let passing = parent(path).join(name);
        match link(file, &passing) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
            Err(error) => return Err(error),
            Ok(()) => {}
        }
        return fs::rename(&passing, path).inspect_err(|_| {
            // Its content is in `file` still; without this a name would stay that means nothing.
            let _ = fs::remove_file(&passing);
        });
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

fn parent(path: &Path) -> &Path {
    path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Replaces (or makes) a whole file at once, durably, for its owner only.
pub(crate) fn replace_file(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = NewFile::create(path, true, Visibility::Owner, Durability::Synced)?;
    file.write_all(content)?;
    file.release()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(dir: &Path) -> Vec<String> {
        fs::read_dir(dir).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn dropped_file_leaves_nothing_behind() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("out");
        let mut file = NewFile::create(&path, false, Visibility::Owner, Durability::LeftToTheSystem).unwrap();
        file.write_all(b"secret").unwrap();
        file.flush().unwrap();
        drop(file);
        assert_eq!(names(dir.path()), Vec::<String>::new());
    }

    #[test]
    fn release_never_replaces_unless_told() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("out");
        let mut file = NewFile::create(&path, false, Visibility::Owner, Durability::LeftToTheSystem).unwrap();
        file.write_all(b"ours").unwrap();
        fs::write(&path, "theirs").unwrap();
        assert_eq!(file.release().unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).unwrap(), b"theirs");

        replace_file(&path, b"ours").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"ours");
        assert_eq!(names(dir.path()), ["out"]);
    }

    #[test]
    fn owner_only_means_0600() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("out");
        replace_file(&path, b"secret").unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o600);
    }

    #[test]
    fn replacing_a_link_leaves_its_target_alone() {
        let dir = tempfile::tempdir().unwrap();
        let (target, path) = (dir.path().join("target"), dir.path().join("out"));
        fs::write(&target, "target").unwrap();
        std::os::unix::fs::symlink(&target, &path).unwrap();
        replace_file(&path, b"ours").unwrap();
        assert_eq!(fs::read(&target).unwrap(), b"target");
        assert!(fs::symlink_metadata(&path).unwrap().is_file());
    }
}
