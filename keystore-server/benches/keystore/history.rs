// SPDX-License-Identifier: LGPL-2.0-or-later
//! What appending and proving costs in a short log and in a long one.

use std::time::{Duration, Instant};

use anyhow::Result;
use plombe_core::log::{Frontier, NodeHash};
use plombe_keystore::{
    proofs_of_history::{consistency, inclusion},
    store::{self, Batch, Location, Store, TileRow},
};
use plombe_tests::Scratch;

use crate::{processor, report::say};

const WIDTH: u64 = 256;
/// Entries of one batch.
const APPENDED: u64 = 64;
const PROOFS: u64 = 200;

/// One row per size.
pub(crate) fn measure(sizes: &[u64]) -> Result<()> {
    say(
        "| entries | append one, processor | batch of 64 with its tiles, synced | proof of one entry | proof of growth |",
    );
    say("|---|---|---|---|---|");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    for size in sizes {
        let folder = Scratch::new();
        runtime.block_on(async {
            let store = store::open(&Location::Sqlite(folder.file("log.db")), true).await?;
            let mut frontier = fill(&*store, *size).await?;
            let mut longer = frontier.clone();
            let append = processor::each(10_000, || drop(longer.append(NodeHash([3; 32]))));
            let begun = Instant::now();
            batch(&*store, &mut frontier).await?;
            let synced = begun.elapsed();

            let begun = Instant::now();
            for i in 0..PROOFS {
                inclusion(&*store, spread(i, *size), *size).await?;
            }
            let included = begun.elapsed() / u32::try_from(PROOFS)?;
            let begun = Instant::now();
            for i in 0..PROOFS {
                consistency(&*store, spread(i, *size).max(1), *size).await?;
            }
            let grown = begun.elapsed() / u32::try_from(PROOFS)?;
            let micros = |time: Duration| format!("{:.1} µs", time.as_secs_f64() * 1e6);
            say(&format!(
                "| {size} | {} | {} | {} | {} |",
                micros(append),
                micros(synced),
                micros(included),
                micros(grown)
            ));
            anyhow::Ok(())
        })?;
    }
    Ok(())
}

/// Positions all over the log, the same in each run.
fn spread(i: u64, size: u64) -> u64 {
    i.wrapping_mul(0x9e37_79b9_7f4a_7c15) % size
}

/// A log of made-up leaves, as the ledger's own tiles have it.
async fn fill(store: &dyn Store, size: u64) -> Result<Frontier> {
    let mut frontier = Frontier::new();
    let mut open: Vec<Vec<u8>> = vec![Vec::new(); 8];
    let mut rows = Vec::new();
    for leaf in 0..size {
        let mut hash = [0; 32];
        hash[..8].copy_from_slice(&leaf.to_be_bytes());
        for (id, hash) in frontier.append(NodeHash(hash)) {
            if id.level % 8 != 0 {
                continue;
            }
            let tile = &mut open[usize::from(id.level / 8)];
            tile.extend_from_slice(&hash.0);
            if id.index % WIDTH == WIDTH - 1 {
                let hashes = std::mem::take(tile);
                rows.push(TileRow { level: id.level / 8, number: id.index / WIDTH, hashes });
            }
        }
        if rows.len() >= 2_000 {
            write(store, std::mem::take(&mut rows)).await?;
        }
    }
    for (level, hashes) in (0u8..).zip(open).filter(|(_, hashes)| !hashes.is_empty()) {
        let number = (size >> (8 * level)) / WIDTH;
        rows.push(TileRow { level, number, hashes });
    }
    write(store, rows).await?;
    Ok(frontier)
}

/// What a batch does to the tiles: read the last, add, write, wait for the disk.
async fn batch(store: &dyn Store, frontier: &mut Frontier) -> Result<()> {
    let mut transaction = store.begin().await?;
    let number = frontier.size() / WIDTH;
    let mut tile =
        transaction.tile(0, number).await?.unwrap_or(TileRow { level: 0, number, hashes: Vec::new() });
    for _ in 0..APPENDED {
        frontier.append(NodeHash([1; 32]));
        tile.hashes.extend_from_slice(&[1; 32]);
    }
    tile.hashes.truncate(32 * usize::try_from(WIDTH)?);
    transaction.write(&Batch { tiles: vec![tile], ..Batch::default() }).await?;
    Ok(transaction.commit().await?)
}

async fn write(store: &dyn Store, tiles: Vec<TileRow>) -> Result<()> {
    let mut transaction = store.begin().await?;
    transaction.write(&Batch { tiles, ..Batch::default() }).await?;
    Ok(transaction.commit().await?)
}
