// SPDX-License-Identifier: LGPL-2.0-or-later
//! The two traits over `queries`, written once for both databases: which connection, which transaction, and nothing
//! else. What differs (opening, locking, durability, copying) stands in `sqlite.rs` and `postgres.rs`.

use std::time::Duration;

use super::StoreError;

/// Longer than a database works on anything here. One whose machine is gone without a word closes no connection.
const ANSWERS_WITHIN: Duration = Duration::from_secs(40);

/// Whoever asks does not wait for ever. What became of the question is not known then; a commit may have happened.
pub(super) async fn within<T, E: Into<StoreError>>(
    answer: impl Future<Output = Result<T, E>>,
) -> Result<T, StoreError> {
    match tokio::time::timeout(ANSWERS_WITHIN, answer).await {
        Ok(answer) => answer.map_err(Into::into),
        Err(_) => Err(StoreError::Silent),
    }
}

/// Implements [`super::Store`], [`super::Transaction`] and [`super::Snapshot`] for `$store`, which has `reader()`, `writer()`,
/// `lock()`, `read()`, `findings()`, `copy()` and `still_there()`.
macro_rules! implement {
    ($store:ident) => {
        struct Write<'a>(sqlx::Transaction<'a, Db>, &'a $store);
        struct Read<'a>(sqlx::Transaction<'a, Db>);

        #[async_trait]
        impl Store for $store {
            async fn begin(&self) -> Result<Box<dyn Transaction + '_>, StoreError> {
                Ok(Box::new(Write(within(self.lock()).await?, self)))
            }

            async fn head(&self) -> Result<Option<HeadRow>, StoreError> {
                self.still_there()?;
                within(async { queries::head(&mut *self.reader().acquire().await?).await }).await
            }

            async fn blob(&self, name: &[u8]) -> Result<Option<BlobRow>, StoreError> {
                within(async { queries::blob(&mut *self.reader().acquire().await?, name).await }).await
            }

            async fn entries(&self, from: u64, limit: u32) -> Result<Vec<EntryRow>, StoreError> {
                within(async { queries::entries(&mut *self.reader().acquire().await?, from, limit).await })
                    .await
            }

            async fn entries_of(
                &self,
                who: &[u8],
                from: u64,
                limit: u32,
            ) -> Result<Vec<EntryRow>, StoreError> {
                within(async {
                    queries::entries_of(&mut *self.reader().acquire().await?, who, from, limit).await
                })
                .await
            }

            async fn tile(&self, level: u8, number: u64) -> Result<Option<TileRow>, StoreError> {
                within(async { queries::tile(&mut *self.reader().acquire().await?, level, number).await })
                    .await
            }

            async fn wrapped_keys(&self) -> Result<Vec<WrappedKeyRow>, StoreError> {
                within(async { queries::wrapped_keys(&mut *self.reader().acquire().await?).await }).await
            }

            async fn add_wrapped_key(&self, row: &WrappedKeyRow) -> Result<(), StoreError> {
                within(async { queries::add_wrapped_key(&mut *self.writer().acquire().await?, row).await })
                    .await
            }

            async fn sealed_otherwise(
                &self,
                place: Place,
                tenant: &[u8],
                generation: u32,
                after: Option<&SealedRow>,
                limit: u32,
            ) -> Result<Vec<SealedRow>, StoreError> {
                let mut connection = within(self.reader().acquire()).await?;
                within(queries::sealed_otherwise(&mut connection, place, tenant, generation, after, limit))
                    .await
            }

            async fn replace_sealed(
                &self,
                place: Place,
                rows: &[(SealedRow, Vec<u8>)],
            ) -> Result<(), StoreError> {
                let mut transaction = within(self.lock()).await?;
                within(queries::replace_sealed(&mut transaction, place, rows)).await?;
                within(transaction.commit()).await?;
                self.still_there()
            }

            async fn fact(&self, name: &str) -> Result<Option<String>, StoreError> {
                within(async { queries::fact(&mut *self.reader().acquire().await?, name).await }).await
            }

            async fn put_fact(&self, name: &str, value: &str) -> Result<(), StoreError> {
                within(async { queries::put_fact(&mut *self.writer().acquire().await?, name, value).await })
                    .await
            }

            async fn replace_fact(&self, name: &str, old: &str, new: &str) -> Result<(), StoreError> {
                within(async {
                    queries::replace_fact(&mut *self.writer().acquire().await?, name, old, new).await
                })
                .await
            }

            async fn forget_expired(&self, now: u64) -> Result<(), StoreError> {
                within(async { queries::forget_expired(&mut *self.writer().acquire().await?, now).await })
                    .await
            }

            async fn durability_findings(&self) -> Result<Vec<String>, StoreError> {
                self.findings().await
            }

            async fn copy_to(&self, file: &Path) -> Result<(), StoreError> {
                self.copy(file).await
            }

            async fn snapshot(&self) -> Result<Box<dyn Snapshot + '_>, StoreError> {
                self.still_there()?;
                let mut transaction = within(self.read()).await?;
                // The first read fixes the moment.
                within(queries::head(&mut transaction)).await?;
                Ok(Box::new(Read(transaction)))
            }
        }

        #[async_trait]
        impl Snapshot for Read<'_> {
            async fn head(&mut self) -> Result<Option<HeadRow>, StoreError> {
                within(queries::head(&mut self.0)).await
            }

            async fn records(&mut self, after: Option<&RecordRow>) -> Result<Vec<RecordRow>, StoreError> {
                within(queries::records(&mut self.0, after)).await
            }

            async fn page(&mut self, table: &Table, after: Option<&Row>) -> Result<Vec<Row>, StoreError> {
                within(copying::page(&mut self.0, table, after)).await
            }
        }

        #[async_trait]
        impl Transaction for Write<'_> {
            async fn head(&mut self) -> Result<Option<HeadRow>, StoreError> {
                within(queries::head(&mut self.0)).await
            }

            async fn records_changed_after(&mut self, position: u64) -> Result<Vec<RecordRow>, StoreError> {
                within(queries::records_changed_after(&mut self.0, position)).await
            }

            async fn insert_proofs(&mut self, proofs: &[(Name, u64)]) -> Result<Vec<bool>, StoreError> {
                within(queries::insert_proofs(&mut self.0, proofs)).await
            }

            async fn requests(&mut self, ids: &[Name]) -> Result<Vec<RequestRow>, StoreError> {
                within(queries::requests(&mut self.0, ids)).await
            }

            async fn chains(&mut self, keys: &[Name]) -> Result<Vec<ChainRow>, StoreError> {
                within(queries::chains(&mut self.0, keys)).await
            }

            async fn tile(&mut self, level: u8, number: u64) -> Result<Option<TileRow>, StoreError> {
                within(queries::tile(&mut self.0, level, number)).await
            }

            async fn blob(&mut self, name: &[u8]) -> Result<Option<BlobRow>, StoreError> {
                within(queries::blob(&mut self.0, name)).await
            }

            async fn wrapped_keys(&mut self) -> Result<Vec<WrappedKeyRow>, StoreError> {
                within(queries::wrapped_keys(&mut self.0)).await
            }

            async fn add_wrapped_key(&mut self, row: &WrappedKeyRow) -> Result<(), StoreError> {
                within(queries::add_wrapped_key(&mut self.0, row)).await
            }

            async fn drop_wrapped_key(&mut self, row: &WrappedKeyRow) -> Result<(), StoreError> {
                within(queries::drop_wrapped_key(&mut self.0, row)).await
            }

            async fn has_sealed_otherwise(
                &mut self,
                tenant: &[u8],
                generation: u32,
            ) -> Result<bool, StoreError> {
                within(queries::has_sealed_otherwise(&mut self.0, tenant, generation)).await
            }

            async fn is_empty(&mut self, table: &Table) -> Result<bool, StoreError> {
                within(copying::is_empty(&mut self.0, table)).await
            }

            async fn clear(&mut self, table: &Table) -> Result<(), StoreError> {
                within(copying::clear(&mut self.0, table)).await
            }

            async fn insert(&mut self, table: &Table, rows: &[Row]) -> Result<(), StoreError> {
                within(copying::insert(&mut self.0, table, rows)).await
            }

            async fn write(&mut self, batch: &Batch) -> Result<(), StoreError> {
                within(writing::write(&mut self.0, batch)).await
            }

            async fn commit(self: Box<Self>) -> Result<(), StoreError> {
                within(self.0.commit()).await?;
                // Not before: it can be replaced at any moment.
                self.1.still_there()
            }
        }
    };
}

pub(super) use implement;
