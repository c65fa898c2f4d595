// SPDX-License-Identifier: LGPL-2.0-or-later
//! Files: who can change them, who can read them, and whether there is a backup.

use std::{
    fs::{self, File},
    os::unix::fs::MetadataExt as _,
    path::Path,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use super::Finding;
use crate::{backup::Header, config::Config, store::Location};

/// A backup is worth what was done since.
const OLD: Duration = Duration::from_secs(7 * 24 * 3600);

pub(super) fn check(file: &Path, config: &Config) -> Vec<Finding> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut findings = Vec::new();
    // Who can write there can put another configuration, or another root key, in its place.
    for path in [folder, file] {
        if mode(path).is_some_and(|mode| mode & 0o022 != 0) {
            findings.push(Finding::error(
                "permissions",
                format!("others can write to {}", path.display()),
                format!("chmod go-w {}", path.display()),
            ));
        }
    }
    if let Ok(Location::Sqlite(database)) = config.location()
        && mode(&database).is_some_and(|mode| mode & 0o077 != 0)
        // A folder that lets nobody in hides what is in it.
        && database.parent().and_then(mode).is_none_or(|mode| mode & 0o011 != 0)
    {
        findings.push(Finding::warning(
            "permissions",
            format!(
                "others can read {} (it is sealed; how much there is can be counted)",
                database.display()
            ),
            format!("chmod 600 {}", database.display()),
        ));
    }
    if findings.is_empty() {
        findings.push(Finding::good(
            "permissions",
            "nobody else can change the configuration or read the database",
        ));
    }
    findings
}

fn mode(path: &Path) -> Option<u32> {
    fs::metadata(path).ok().map(|about| about.mode())
}

/// How old the newest backup of a folder is.
pub(super) fn backups(folder: Option<&Path>, now: SystemTime) -> Vec<Finding> {
    let Some(folder) = folder else {
        return vec![Finding::warning(
            "backup",
            "where backups are was not said, so their age is not known",
            "give --backups DIR; `plombe-keystore backup` makes one while servers run",
        )];
    };
    let files = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    let headers = files.filter_map(|file| Header::read(File::open(file.path()).ok()?).ok());
    let Some(newest) = headers.max_by_key(|header| header.made) else {
        return vec![Finding::error(
            "backup",
            format!("there is no backup in {}", folder.display()),
            "plombe-keystore backup --config FILE OUT, every day",
        )];
    };
    let age = now.duration_since(UNIX_EPOCH + Duration::from_secs(newest.made)).unwrap_or_default();
    let hours = age.as_secs() / 3600;
    vec![match age > OLD {
        true => Finding::warning(
            "backup",
            format!("the newest backup is {hours} hours old"),
            "plombe-keystore backup --config FILE OUT, every day",
        ),
        false => Finding::good("backup", format!("the newest backup is {hours} hours old")),
    }]
}
