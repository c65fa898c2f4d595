// SPDX-License-Identifier: LGPL-2.0-or-later
//! The tree as files that never change once they are full (C2SP tlog-tiles): 256 hashes in each, or 256 entries.
//!
//! A client that has nothing but a verified checkpoint and these files checks everything itself:
//!
//! ```
//! # use std::collections::BTreeMap;
//! # use plombe_core::log::{*, tile::*};
//! # let mut frontier = Frontier::new();
//! # let mut nodes = BTreeMap::new();
//! # (0..600_u64).for_each(|seq| nodes.extend(frontier.append(leaf_hash(seq, &NodeHash::empty()))));
//! # let head = frontier.head();
//! # let source: BTreeMap<TileId, Vec<u8>> = (0..3)
//! #     .flat_map(|level| TileId::all_in(TileKind::Hashes { level }, head.size))
//! #     .map(|id| (id, Tile::build(&mut nodes, id).unwrap().to_bytes()))
//! #     .collect();
//! # let leaf = leaf_hash(123, &NodeHash::empty());
//! // `source` fetches tiles, `head` is from a `SignedCheckpoint`, `leaf` from the entry at place 123.
//! let mut reader = TileReader::new(source, &head);
//! let proof = InclusionProof::build(&mut reader, 123, head.size)?.expect("the place is below the size");
//! assert_eq!(proof.verify(123, &leaf, &head), Ok(()));
//! # Ok::<(), TileError<std::convert::Infallible>>(())
//! ```

mod bundle;
mod hashes;
mod path;
mod reader;

pub use bundle::{BundleError, read_disclosures, read_leaves, to_bundle};
pub use hashes::Tile;
pub use path::{NotATile, TILE_WIDTH, TileId, TileKind};
pub use reader::{TileError, TileReader, TileSource, tiles_holding};

#[cfg(test)]
mod tests;
