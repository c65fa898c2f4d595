// SPDX-License-Identifier: LGPL-2.0-or-later
//! A backup is put into an empty database.

use std::{
    fs::File,
    io::{self, BufReader, Seek as _},
    path::Path,
    sync::Arc,
};

use aws_lc_rs::hmac;

use super::{
    BackupError, Header,
    archive::{self, Opener},
    make::FORM,
    rows,
};
use crate::{
    instance,
    keychain::Keychain,
    ledger,
    proofs_of_history::root_at,
    root_key::RootKey,
    store::{Row, Store, StoreError, TABLES, Table, Value},
};

/// Where the log stood when this database was restored from a backup: a fact of the database, with a tag by the keystore's own key. Who
/// writes to the database must not say how much is lost.
const RESTORED_AT: &str = "restored-at";
/// What stands there until all of it has been checked. No server works on that.
const UNFINISHED: &str = "unfinished";

/// Rows that are written at once.
const AT_ONCE: usize = 500;

/// What is in the database now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// What the backup says about itself.
    pub header: Header,
    /// Rows.
    pub rows: u64,
    /// Entries of the log.
    pub entries: u64,
}

/// Restores a backup, all of it or nothing, and checks that it is the keystore that its header names.
///
/// # Errors
/// See [`BackupError`].
pub async fn restore(
    store: &dyn Store,
    root: Arc<dyn RootKey>,
    file: &Path,
) -> Result<Restored, BackupError> {
    let mut file = File::open(file)?;
    let length = file.metadata()?.len();
    archive::check(BufReader::new(&file), length)?;
    file.rewind()?;
    let mut opener = Opener::open(BufReader::new(&file), length, &*root)?;
    if opener.header().tables != FORM {
        return Err(BackupError::NotABackup);
    }
    let mut transaction = store.begin().await?;
    for table in TABLES {
        if !transaction.is_empty(table).await? {
            return Err(BackupError::NotEmpty(table.name));
        }
    }
    let mut written = 0;
    let mut waiting: Option<(&'static Table, Vec<Row>)> = None;
    let mut position = 0_u64;
    while let Some((table, row)) = rows::read(&mut opener).map_err(damaged)? {
        written += 1;
        match (table.name, &row[..]) {
            ("head", [_, Value::Number(size), ..]) => position = u64::try_from(*size).unwrap_or_default(),
            // Of an earlier restore.
            ("facts", [Value::Text(name), ..]) if name == RESTORED_AT => continue,
            _ => {}
        }
        match &mut waiting {
            Some((same, rows)) if same.name == table.name && rows.len() < AT_ONCE => rows.push(row),
            other => {
                if let Some((table, rows)) = other.replace((table, vec![row])) {
                    transaction.insert(table, &rows).await?;
                }
            }
        }
    }
    if let Some((table, rows)) = waiting {
        transaction.insert(table, &rows).await?;
    }
    // Nothing behind the end: and the last chunk says that it is the last.
    if io::copy(&mut opener, &mut io::sink()).map_err(|error| damaged(error.into()))? > 0 {
        return Err(BackupError::Damaged);
    }
    let facts = TABLES.iter().find(|table| table.name == "facts").expect("there is such a table");
    let fact = vec![Value::Text(RESTORED_AT.to_owned()), Value::Text(UNFINISHED.to_owned())];
    transaction.insert(facts, &[fact]).await?;
    transaction.commit().await?;
    // It is read as servers read it, so it has to be there; none of them works on it before it was found to be right.
    match verify(store, root, opener.header()).await {
        Ok((entries, keychain)) => {
            store.replace_fact(RESTORED_AT, UNFINISHED, &fact_of(&keychain, position)).await?;
            Ok(Restored { header: opener.header().clone(), rows: written, entries })
        }
        Err(error) => {
            let mut transaction = store.begin().await?;
            for table in TABLES {
                transaction.clear(table).await?;
            }
            transaction.commit().await?;
            Err(error)
        }
    }
}

/// Every record against the head's digest, and the head against its checkpoint and the tree.
async fn verify(
    store: &dyn Store,
    root: Arc<dyn RootKey>,
    header: &Header,
) -> Result<(u64, Keychain), BackupError> {
    let keychain =
        instance::keychain_of_any(store, root, "http://127.0.0.1".parse().expect("it is an origin")).await;
    let keychain = keychain.map_err(|_| BackupError::OtherLog)?;
    let checkpoint = ledger::check(store, &keychain).await?.ok_or(BackupError::OtherLog)?;
    let head = checkpoint.head();
    if checkpoint.note() != header.checkpoint || root_at(store, head.size).await? != head.root {
        return Err(BackupError::OtherLog);
    }
    Ok((head.size, keychain))
}

/// What does not open, or ends too early, is damaged.
fn damaged(error: BackupError) -> BackupError {
    match error {
        BackupError::File(error)
            if [io::ErrorKind::InvalidData, io::ErrorKind::UnexpectedEof].contains(&error.kind()) =>
        {
            BackupError::Damaged
        }
        other => other,
    }
}

/// Where the log stood, when this database was restored. What does not bear this keystore's tag says nothing.
///
/// # Errors
/// When the database cannot be read.
pub async fn restored_at(store: &dyn Store, keychain: &Keychain) -> Result<Option<u64>, StoreError> {
    let Some(text) = store.fact(RESTORED_AT).await? else { return Ok(None) };
    let position = text.split_once(' ').and_then(|(position, _)| position.parse().ok());
    Ok(position.filter(|position| text == fact_of(keychain, *position)))
}

/// Did a restore into this database not come to its end?
///
/// # Errors
/// When the database cannot be read.
pub async fn is_unfinished(store: &dyn Store) -> Result<bool, StoreError> {
    Ok(store.fact(RESTORED_AT).await?.is_some_and(|text| text == UNFINISHED))
}

fn fact_of(keychain: &Keychain, position: u64) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, keychain.derived(b"restored at v1").as_slice());
    let tag = hmac::sign(&key, &position.to_be_bytes());
    let tag: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{position} {tag}")
}
