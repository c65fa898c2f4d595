// SPDX-License-Identifier: LGPL-2.0-or-later
//! A database whose program is killed at a chosen write, before it or when it is done and nobody has heard of it.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use async_trait::async_trait;
use plombe_keystore::store::{
    Batch, BlobRow, ChainRow, EntryRow, HeadRow, Name, Place, RecordRow, RequestRow, Row, SealedRow,
    Snapshot, Store, StoreError, Table, TileRow, Transaction, WrappedKeyRow,
};

/// When it happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Crash {
    Before(u32),
    After(u32),
}

/// Counts writes, and is dead once the crash has come.
pub(crate) struct Plan {
    crash: Crash,
    writes: AtomicU32,
}

impl Plan {
    pub(crate) fn new(crash: Crash) -> Arc<Self> {
        Arc::new(Self { crash, writes: AtomicU32::new(0) })
    }

    /// Did the crash come?
    pub(crate) fn is_dead(&self) -> bool {
        let writes = self.writes.load(Ordering::SeqCst);
        match self.crash {
            Crash::Before(n) | Crash::After(n) => writes >= n,
        }
    }

    fn alive(&self) -> Result<(), StoreError> {
        if self.is_dead() { Err(StoreError::Unavailable(sqlx::Error::PoolClosed)) } else { Ok(()) }
    }

    async fn write<T>(&self, write: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
        self.alive()?;
        let number = self.writes.load(Ordering::SeqCst) + 1;
        if self.crash == Crash::Before(number) {
            self.writes.store(number, Ordering::SeqCst);
            return Err(StoreError::Unavailable(sqlx::Error::PoolClosed));
        }
        let done = write.await;
        self.writes.store(number, Ordering::SeqCst);
        self.alive()?;
        done
    }
}

/// A store with a plan.
pub(crate) struct Crashing {
    pub(crate) inner: Arc<dyn Store>,
    pub(crate) plan: Arc<Plan>,
}

struct CrashingTransaction<'a> {
    inner: Box<dyn Transaction + 'a>,
    plan: &'a Plan,
}

/// Reads pass while the program lives, writes are counted.
macro_rules! crashing {
    (
        impl $type:ty, $trait:ident, $me:ty;
        reads { $(fn $read:ident($($a:ident: $at:ty),*) -> $r:ty;)* }
        writes { $(fn $write:ident($($b:ident: $bt:ty),*) -> $w:ty;)* }
        $($rest:item)*
    ) => {
        #[async_trait]
        impl $trait for $type {
            $(async fn $read(self: $me, $($a: $at),*) -> Result<$r, StoreError> {
                self.plan.alive()?;
                self.inner.$read($($a),*).await
            })*
            $(async fn $write(self: $me, $($b: $bt),*) -> Result<$w, StoreError> {
                self.plan.write(self.inner.$write($($b),*)).await
            })*
            $($rest)*
        }
    };
}

crashing! {
    impl Crashing, Store, &Self;
    reads {
        fn head() -> Option<HeadRow>;
        fn blob(name: &[u8]) -> Option<BlobRow>;
        fn entries(from: u64, limit: u32) -> Vec<EntryRow>;
        fn entries_of(who: &[u8], from: u64, limit: u32) -> Vec<EntryRow>;
        fn tile(level: u8, number: u64) -> Option<TileRow>;
        fn wrapped_keys() -> Vec<WrappedKeyRow>;
        fn sealed_otherwise(
            place: Place, tenant: &[u8], generation: u32, after: Option<&SealedRow>, limit: u32
        ) -> Vec<SealedRow>;
        fn fact(name: &str) -> Option<String>;
        fn durability_findings() -> Vec<String>;
        fn copy_to(file: &Path) -> ();
    }
    writes {
        fn add_wrapped_key(row: &WrappedKeyRow) -> ();
        fn replace_sealed(place: Place, rows: &[(SealedRow, Vec<u8>)]) -> ();
        fn put_fact(name: &str, value: &str) -> ();
        fn replace_fact(name: &str, old: &str, new: &str) -> ();
        fn forget_expired(now: u64) -> ();
    }
    async fn snapshot(&self) -> Result<Box<dyn Snapshot + '_>, StoreError> {
        self.plan.alive()?;
        self.inner.snapshot().await
    }

    async fn begin(&self) -> Result<Box<dyn Transaction + '_>, StoreError> {
        self.plan.alive()?;
        Ok(Box::new(CrashingTransaction { inner: self.inner.begin().await?, plan: &self.plan }))
    }
}

crashing! {
    impl CrashingTransaction<'_>, Transaction, &mut Self;
    reads {
        fn head() -> Option<HeadRow>;
        fn records_changed_after(position: u64) -> Vec<RecordRow>;
        fn insert_proofs(proofs: &[(Name, u64)]) -> Vec<bool>;
        fn requests(ids: &[Name]) -> Vec<RequestRow>;
        fn chains(keys: &[Name]) -> Vec<ChainRow>;
        fn tile(level: u8, number: u64) -> Option<TileRow>;
        fn blob(name: &[u8]) -> Option<BlobRow>;
        fn wrapped_keys() -> Vec<WrappedKeyRow>;
        fn is_empty(table: &Table) -> bool;
        fn has_sealed_otherwise(tenant: &[u8], generation: u32) -> bool;
    }
    // Writes of a transaction are counted too: what is killed between them leaves nothing.
    writes {
        fn add_wrapped_key(row: &WrappedKeyRow) -> ();
        fn drop_wrapped_key(row: &WrappedKeyRow) -> ();
        fn clear(table: &Table) -> ();
        fn insert(table: &Table, rows: &[Row]) -> ();
        fn write(batch: &Batch) -> ();
    }
    async fn commit(self: Box<Self>) -> Result<(), StoreError> {
        self.plan.write(self.inner.commit()).await
    }
}
