// SPDX-License-Identifier: LGPL-2.0-or-later
//! A copy of the keystore's database in the hands of somebody who has nothing else.

use std::{fs, path::PathBuf, process::Command};

use anyhow::{Context, Result, bail};

use super::keystore::Keystore;
use crate::steps::output_of;

/// So many bytes of something sealed are shown.
const SHOWN_BYTES: u32 = 48;

/// The files, as they lay on the disk.
pub(crate) struct Stolen(PathBuf);

impl Stolen {
    /// Taken while the server runs.
    pub(crate) fn from(keystore: &Keystore) -> Result<Self> {
        let folder = keystore.folder().with_file_name("stolen");
        fs::create_dir_all(&folder)?;
        for name in Self::FILES {
            let file = keystore.folder().join(name);
            if file.exists() {
                fs::copy(&file, folder.join(name)).with_context(|| format!("cannot copy {name}"))?;
            }
        }
        Ok(Self(folder))
    }

    const FILES: [&str; 2] = ["keystore.db", "keystore.db-wal"];

    /// All of it.
    pub(crate) fn bytes(&self) -> Result<Vec<u8>> {
        let read = |name: &&str| fs::read(self.0.join(name)).unwrap_or_default();
        let bytes = Self::FILES.iter().flat_map(read).collect::<Vec<_>>();
        if bytes.is_empty() { bail!("the keystore's database is not where it should be") } else { Ok(bytes) }
    }

    /// Rows of each table, one record, one secret key; `None` where nothing reads such files.
    pub(crate) fn look(&self) -> Result<Option<String>> {
        if output_of("sqlite3", &["--version"]).is_none() {
            return Ok(None);
        }
        let tables = self.ask("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE '\\_%' ESCAPE '\\' ORDER BY name")?;
        let mut seen = String::new();
        for table in tables.lines() {
            let rows = self.ask(&format!("SELECT count(*) FROM {table}"))?;
            seen += &format!("{table:<14}{:>5} rows\n", rows.trim());
        }
        for (what, table) in [("a record", "records"), ("a secret key", "blobs")] {
            let row = self.ask(&format!(
                "SELECT lower(hex(name)), lower(hex(substr(sealed, 1, {SHOWN_BYTES}))), length(sealed) FROM {table} \
                 ORDER BY name LIMIT 1"
            ))?;
            let mut values = row.trim().split('|');
            let (Some(name), Some(sealed), Some(length)) = (values.next(), values.next(), values.next())
            else {
                bail!("there is nothing in {table}");
            };
            seen += &format!(
                "\n{what}, which is called {name}, begins with\n  {sealed}…\nand has {length} bytes\n"
            );
        }
        Ok(Some(seen))
    }

    fn ask(&self, question: &str) -> Result<String> {
        let mut sqlite = Command::new("sqlite3");
        let output = sqlite.arg(self.0.join(Self::FILES[0])).arg(question).output()?;
        if !output.status.success() {
            bail!("sqlite3: {}", String::from_utf8_lossy(&output.stderr).trim());
        }
        Ok(String::from_utf8(output.stdout)?)
    }
}
