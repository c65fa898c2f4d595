// SPDX-License-Identifier: LGPL-2.0-or-later
//! Mail written by other people. It is not ours to copy, so it lies beside the checkout, or nowhere.

use std::path::PathBuf;

use crate::{binary::repository, peers};

/// The folder `name` of the shared corpora: `$PLOMBE_CORPORA/NAME` or `../shared/corpora/NAME`. When it is absent the
/// test says that it skips, and fails where everything has to be there (`PLOMBE_REQUIRE_PEERS=1`).
#[track_caller]
pub fn corpus(name: &str) -> Option<PathBuf> {
    let root = match std::env::var_os("PLOMBE_CORPORA") {
        Some(path) => PathBuf::from(path),
        None => repository().parent()?.join("shared/corpora"),
    };
    let folder = root.join(name);
    if folder.is_dir() {
        return Some(folder);
    }
    peers::skip(&format!("the corpus {name} ({} does not exist)", folder.display()));
    None
}
