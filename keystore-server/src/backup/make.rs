// SPDX-License-Identifier: LGPL-2.0-or-later
//! A backup is made.

use std::{
    fs::{self, File, OpenOptions},
    io::{BufWriter, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use super::{BackupError, Header, archive::Sealer, rows};
use crate::{
    root_key::RootKey,
    store::{Snapshot, Store, TABLES, Value},
    tenant_keys,
};

/// Form of the rows. Another one when a table changes so that older rows do not fit it any more.
pub(super) const FORM: u32 = 1;

/// Writes everything that is in the database now into a new file. Servers go on meanwhile.
///
/// # Errors
/// See [`BackupError`]; then there is no file.
pub async fn make(
    store: &dyn Store,
    root: &dyn RootKey,
    made: u64,
    file: &Path,
) -> Result<Header, BackupError> {
    // A backup that its root key does not open would be found out when it is needed.
    tenant_keys::load(store, root).await?;
    let out = OpenOptions::new().write(true).create_new(true).mode(0o600).open(file)?;
    let result = write(store, root, made, out).await;
    if result.is_err() {
        fs::remove_file(file)?;
    }
    let header = result?;
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()?;
    Ok(header)
}

async fn write(store: &dyn Store, root: &dyn RootKey, made: u64, out: File) -> Result<Header, BackupError> {
    let mut snapshot = store.snapshot().await?;
    let header = Header {
        tables: FORM,
        program: env!("CARGO_PKG_VERSION").to_owned(),
        made,
        root: root.id(),
        checkpoint: checkpoint(&mut *snapshot).await?,
    };
    let mut sealer = Sealer::begin(BufWriter::new(out), root, &header)?;
    let mut bytes = Vec::new();
    for (place, table) in TABLES.iter().enumerate() {
        let mut last = None;
        loop {
            let page = snapshot.page(table, last.as_ref()).await?;
            for row in &page {
                bytes.clear();
                rows::write(place, row, &mut bytes);
                sealer.write(&bytes)?;
            }
            match page.into_iter().next_back() {
                Some(row) => last = Some(row),
                None => break,
            }
        }
    }
    sealer.write(&[rows::END])?;
    let mut out = sealer.finish()?;
    out.flush()?;
    out.into_inner().map_err(std::io::IntoInnerError::into_error)?.sync_all()?;
    Ok(header)
}

/// The head's own.
async fn checkpoint(snapshot: &mut dyn Snapshot) -> Result<String, BackupError> {
    let head = snapshot.page(&TABLES[0], None).await?.into_iter().next();
    match head.and_then(|row| row.into_iter().next_back()) {
        Some(Value::Text(checkpoint)) => Ok(checkpoint),
        _ => Err(tenant_keys::TenantKeysError::Empty.into()),
    }
}
