// SPDX-License-Identifier: LGPL-2.0-or-later
//! Where a keystore keeps things: SQLite for one server, PostgreSQL for several.
//!
//! The store is not trusted. It sees pseudonyms and sealed blobs; what it could do is go back to an older state as a
//! whole, which clients notice by their checkpoints. Both implementations are one text (`queries.rs`), compiled once
//! per database; the ledger's tests run on both.

#![expect(clippy::duplicate_mod, reason = "one text, compiled for each database")]

mod files;
mod implement;
mod migrate;
mod open;
mod postgres;
mod sqlite;
mod table;

use std::path::PathBuf;

use async_trait::async_trait;

pub use open::{Location, open};
pub use table::{Holds, Row, TABLES, Table, Value};

/// Pseudonym of a thing: the database never sees its name.
pub type Name = Vec<u8>;

/// The one row that everything hangs on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeadRow {
    /// Entries in the log.
    pub position: u64,
    /// Frontier of the log and digest of all records.
    pub sealed: Vec<u8>,
    /// Signed note over this position.
    pub checkpoint: String,
}

/// One authority record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordRow {
    /// What kind of record.
    pub kind: i16,
    /// Which one.
    pub name: Name,
    /// Counts its changes.
    pub version: u64,
    /// Pseudonym of the tenant whose key seals it.
    pub tenant: Name,
    /// Content.
    pub sealed: Vec<u8>,
}

/// A blob that is too large, or too secret, to be held in memory: a TSK, a backup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlobRow {
    /// Which one.
    pub name: Name,
    /// Counts its changes.
    pub version: u64,
    /// Pseudonym of the tenant whose key seals it.
    pub tenant: Name,
    /// Content.
    pub sealed: Vec<u8>,
}

/// One entry of the log; its leaf is in a tile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryRow {
    /// Position, from 0.
    pub seq: u64,
    /// Pseudonym of the tenant whose key seals it.
    pub tenant: Name,
    /// Salt and body; `None` once they were erased.
    pub sealed: Option<Vec<u8>>,
    /// Pseudonyms of those whose list it stands in.
    pub lists: Vec<Name>,
}

/// Up to 256 hashes of one level of the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TileRow {
    /// 0 holds leaf hashes, each further one the roots of 256 hashes below.
    pub level: u8,
    /// From the left.
    pub number: u64,
    /// 32 bytes each.
    pub hashes: Vec<u8>,
}

/// Counter and back-link of one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainRow {
    /// Pseudonym of the key.
    pub key: Name,
    /// Entries that are about it.
    pub counter: u64,
    /// The newest of them.
    pub last: u64,
}

/// What was answered to a request that may be sent again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestRow {
    /// Hash of who asked and the request's id.
    pub id: Name,
    /// Hash of what was asked.
    pub digest: Vec<u8>,
    /// Its entry.
    pub seq: u64,
    /// Pseudonym of the tenant whose key seals the answer.
    pub tenant: Name,
    /// Sealed.
    pub answer: Vec<u8>,
    /// Seconds since 1970.
    pub expires: u64,
}

/// A tenant's key under a root key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrappedKeyRow {
    /// Pseudonym-free: tenants' ids are random.
    pub tenant: Name,
    /// Counts its rotations.
    pub generation: u32,
    /// Which root key wraps it.
    pub root: String,
    /// For the root key.
    pub wrapped: Vec<u8>,
}

/// Where sealed rows lie that no digest covers, so that they may be sealed anew one by one. Records are covered: they
/// change through the ledger alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// [`BlobRow`].
    Blobs,
    /// [`EntryRow`].
    Entries,
    /// [`RequestRow`].
    Answers,
}

/// A sealed row of any place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedRow {
    /// What it is called there; of an entry, its position, u64be.
    pub id: Vec<u8>,
    /// As its sealing has it.
    pub version: u64,
    /// Content.
    pub sealed: Vec<u8>,
}

/// Everything that one batch writes, in one transaction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// The head after it.
    pub head: Option<HeadRow>,
    /// New entries.
    pub entries: Vec<EntryRow>,
    /// Tiles that changed, whole.
    pub tiles: Vec<TileRow>,
    /// Records that changed; `changed` becomes the head's position.
    pub records: Vec<RecordRow>,
    /// Blobs that changed.
    pub blobs: Vec<BlobRow>,
    /// Blobs that are erased.
    pub erased: Vec<Name>,
    /// Chains that grew.
    pub chains: Vec<ChainRow>,
    /// Requests that may come again.
    pub requests: Vec<RequestRow>,
}

/// Why the store did not do it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Gone, full, read-only, locked: it may come back.
    #[error("the database cannot be used now: {0}")]
    Unavailable(sqlx::Error),
    /// Another server began to use a key that this one cannot unwrap at the moment.
    #[error("a tenant's new key cannot be unwrapped now: {0}")]
    Keys(String),
    /// The file that is open is not the one that its name leads to any more: what is written now would be lost.
    #[error("{} was deleted or replaced while the database is in use; put it back, or restart", .0.display())]
    Replaced(PathBuf),
    /// It does not answer.
    #[error("the database does not answer")]
    Silent,
    /// A number that the database has no room for: nothing of its batch is written.
    #[error("a number is larger than the database can hold")]
    TooLarge,
    /// Somebody else's database, or a newer one.
    #[error("this database does not fit this program: {0}")]
    Unfit(String),
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        Self::Unavailable(error)
    }
}

/// Reads, and the beginning of a write.
#[async_trait]
pub trait Store: Send + Sync {
    /// Takes the one lock that every write needs, and holds it until the transaction ends.
    async fn begin(&self) -> Result<Box<dyn Transaction + '_>, StoreError>;
    /// The head, as it is now; `None` before the first batch.
    async fn head(&self) -> Result<Option<HeadRow>, StoreError>;
    /// One blob.
    async fn blob(&self, name: &[u8]) -> Result<Option<BlobRow>, StoreError>;
    /// Entries `from..from + limit` that exist.
    async fn entries(&self, from: u64, limit: u32) -> Result<Vec<EntryRow>, StoreError>;
    /// At most `limit` entries of a list from position `from` on.
    async fn entries_of(&self, who: &[u8], from: u64, limit: u32) -> Result<Vec<EntryRow>, StoreError>;
    /// One tile.
    async fn tile(&self, level: u8, number: u64) -> Result<Option<TileRow>, StoreError>;
    /// Tenants' keys.
    async fn wrapped_keys(&self) -> Result<Vec<WrappedKeyRow>, StoreError>;
    /// Adds a tenant's key, or the same under another root key, where there is none yet.
    async fn add_wrapped_key(&self, row: &WrappedKeyRow) -> Result<(), StoreError>;
    /// At most `limit` sealed rows of a tenant that another generation than this one sealed, and that come after `after`.
    async fn sealed_otherwise(
        &self,
        place: Place,
        tenant: &[u8],
        generation: u32,
        after: Option<&SealedRow>,
        limit: u32,
    ) -> Result<Vec<SealedRow>, StoreError>;
    /// Puts each new sealing in the place of the old one, where that is still there. One transaction.
    async fn replace_sealed(&self, place: Place, rows: &[(SealedRow, Vec<u8>)]) -> Result<(), StoreError>;
    /// A fact about this installation that is no secret.
    async fn fact(&self, name: &str) -> Result<Option<String>, StoreError>;
    /// States a fact.
    async fn put_fact(&self, name: &str, value: &str) -> Result<(), StoreError>;
    /// States a fact anew, if it is still `old`.
    async fn replace_fact(&self, name: &str, old: &str, new: &str) -> Result<(), StoreError>;
    /// Forgets device proofs and answers that expired before `now` (seconds since 1970).
    async fn forget_expired(&self, now: u64) -> Result<(), StoreError>;
    /// What would lose acknowledged writes on a power failure, or takes none at all, in words for an administrator.
    async fn durability_findings(&self) -> Result<Vec<String>, StoreError>;
    /// A consistent copy of the whole database into `file`, where the database can do that by itself.
    async fn copy_to(&self, file: &std::path::Path) -> Result<(), StoreError>;
    /// Everything as it is now, whatever is written meanwhile.
    async fn snapshot(&self) -> Result<Box<dyn Snapshot + '_>, StoreError>;
}

/// Everything as it was at one moment. Nobody waits for whoever reads it.
#[async_trait]
pub trait Snapshot: Send {
    /// The head that belongs to everything else here.
    async fn head(&mut self) -> Result<Option<HeadRow>, StoreError>;
    /// The first so many records, those that ended too, by kind and name; or those after one of them. None is the end.
    async fn records(&mut self, after: Option<&RecordRow>) -> Result<Vec<RecordRow>, StoreError>;
    /// Rows of a table that come after `after` in the order of its key; an empty page is the end.
    async fn page(&mut self, table: &Table, after: Option<&Row>) -> Result<Vec<Row>, StoreError>;
}

/// One write, under the lock.
#[async_trait]
pub trait Transaction: Send {
    /// The head, now that nobody else can move it.
    async fn head(&mut self) -> Result<Option<HeadRow>, StoreError>;
    /// Records that other servers wrote after `position`.
    async fn records_changed_after(&mut self, position: u64) -> Result<Vec<RecordRow>, StoreError>;
    /// Remembers the ids of device proofs; says of each whether it is new.
    async fn insert_proofs(&mut self, proofs: &[(Name, u64)]) -> Result<Vec<bool>, StoreError>;
    /// What was answered to these requests.
    async fn requests(&mut self, ids: &[Name]) -> Result<Vec<RequestRow>, StoreError>;
    /// Chains of these keys, where they have one.
    async fn chains(&mut self, keys: &[Name]) -> Result<Vec<ChainRow>, StoreError>;
    /// One tile.
    async fn tile(&mut self, level: u8, number: u64) -> Result<Option<TileRow>, StoreError>;
    /// One blob.
    async fn blob(&mut self, name: &[u8]) -> Result<Option<BlobRow>, StoreError>;
    /// Tenants' keys.
    async fn wrapped_keys(&mut self) -> Result<Vec<WrappedKeyRow>, StoreError>;
    /// Adds a tenant's key where there is none yet.
    async fn add_wrapped_key(&mut self, row: &WrappedKeyRow) -> Result<(), StoreError>;
    /// Removes a wrapping.
    async fn drop_wrapped_key(&mut self, row: &WrappedKeyRow) -> Result<(), StoreError>;
    /// Is there anything of the tenant's, the head apart, that another generation than this one sealed?
    async fn has_sealed_otherwise(&mut self, tenant: &[u8], generation: u32) -> Result<bool, StoreError>;
    /// Is there no row in this table?
    async fn is_empty(&mut self, table: &Table) -> Result<bool, StoreError>;
    /// Takes every row of this table out: of a backup that turned out to be none.
    async fn clear(&mut self, table: &Table) -> Result<(), StoreError>;
    /// Puts rows of a backup in as they are.
    async fn insert(&mut self, table: &Table, rows: &[Row]) -> Result<(), StoreError>;
    /// Writes. Nothing of it is seen before [`Transaction::commit`].
    async fn write(&mut self, batch: &Batch) -> Result<(), StoreError>;
    /// Durable when it returns.
    async fn commit(self: Box<Self>) -> Result<(), StoreError>;
}
