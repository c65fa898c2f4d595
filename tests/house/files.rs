// SPDX-License-Identifier: LGPL-2.0-or-later
//! What belongs to the repository, read once.

use std::{fs, path::Path, process::Command, sync::OnceLock};

use plombe_tests::binary::repository;

/// A text file under version control.
pub(crate) struct File {
    /// Relative to the root, with `/`.
    pub(crate) path: String,
    pub(crate) text: String,
}

impl File {
    pub(crate) fn is(&self, extensions: &[&str]) -> bool {
        Path::new(&self.path).extension().is_some_and(|ending| extensions.iter().any(|one| ending == *one))
    }
}

/// Every text file that git knows or would take in: a new file is checked before it is committed.
pub(crate) fn all() -> &'static [File] {
    static FILES: OnceLock<Vec<File>> = OnceLock::new();
    FILES.get_or_init(|| {
        let listing = Command::new("git")
            .args(["ls-files", "--cached", "--others", "--exclude-standard", "-z"])
            .current_dir(repository())
            .output()
            .expect("the checks of the house need git and a checkout");
        assert!(listing.status.success(), "git ls-files: {}", String::from_utf8_lossy(&listing.stderr));
        let paths = String::from_utf8(listing.stdout).expect("our file names are UTF-8");
        let files: Vec<File> = paths.split_terminator('\0').filter_map(read).collect();
        assert!(files.len() > 20, "only {} files: this is not the repository", files.len());
        files
    })
}

/// `None` for what is not text (vectors, fuzz seeds), and for a file that is deleted but not yet committed so.
fn read(path: &str) -> Option<File> {
    let text = fs::read_to_string(repository().join(path)).ok()?;
    Some(File { path: path.to_owned(), text })
}

/// Everything that people read.
pub(crate) fn documents() -> impl Iterator<Item = &'static File> {
    all().iter().filter(|file| file.is(&["md"]))
}
