// SPDX-License-Identifier: LGPL-2.0-or-later
//! Bundles of entries: for each `u16be length ‖ bytes`, up to 256 in one file.

use crate::log::{Disclosure, LEAF_CONTENT_BYTES, NodeHash, leaf_content};

use super::{TileId, TileKind};

/// Why a bundle is not what it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BundleError {
    /// Cut off, too long, or with another number of entries than its name says.
    #[error("the bundle of log entries is damaged")]
    Malformed,
    /// An entry that cannot be one of this place.
    #[error("a log entry is not in the form or place that it must have")]
    BadEntry,
}

/// Joins the entries of one file. None is longer than 65,535 bytes: leaves and disclosures are far shorter.
pub fn to_bundle<'a>(entries: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut bundle = Vec::new();
    for entry in entries {
        let length = u16::try_from(entry.len()).expect("no entry of a bundle reaches 64 KiB");
        bundle.extend_from_slice(&length.to_be_bytes());
        bundle.extend_from_slice(entry);
    }
    bundle
}

/// Reads a bundle of leaves (`tile/entries/…`) and returns their hashes for the tree. Each leaf must name its own place.
///
/// # Errors
///
/// When it is not such a bundle.
pub fn read_leaves(id: TileId, bundle: &[u8]) -> Result<Vec<NodeHash>, BundleError> {
    let hash = |(seq, content): (u64, &[u8])| {
        let commitment = content.len().checked_sub(32).and_then(|at| NodeHash::from_slice(&content[at..]));
        let sound = content.len() == LEAF_CONTENT_BYTES
            && commitment.is_some_and(|c| leaf_content(seq, &c) == content);
        sound.then(|| NodeHash::leaf(content)).ok_or(BundleError::BadEntry)
    };
    split(id, TileKind::Leaves, bundle)?.into_iter().map(hash).collect()
}

/// Reads a bundle for auditors (`tile/disclosures/…`): each entry with its place. [`Disclosure::leaf_hash`] is what the tree
/// must hold there.
///
/// # Errors
///
/// When it is not such a bundle.
pub fn read_disclosures(id: TileId, bundle: &[u8]) -> Result<Vec<(u64, Disclosure)>, BundleError> {
    let read = |(seq, bytes): (u64, &[u8])| {
        Disclosure::from_bytes(bytes).map(|disclosure| (seq, disclosure)).ok_or(BundleError::BadEntry)
    };
    split(id, TileKind::Disclosures, bundle)?.into_iter().map(read).collect()
}

/// The entries with their places.
fn split(id: TileId, kind: TileKind, bundle: &[u8]) -> Result<Vec<(u64, &[u8])>, BundleError> {
    let mut rest = bundle;
    let mut entries = Vec::new();
    for seq in id.first()..id.first() + u64::from(id.width()) {
        let (length, after) = rest.split_first_chunk().ok_or(BundleError::Malformed)?;
        let (entry, after) =
            after.split_at_checked(u16::from_be_bytes(*length).into()).ok_or(BundleError::Malformed)?;
        entries.push((seq, entry));
        rest = after;
    }
    if rest.is_empty() && id.kind() == kind { Ok(entries) } else { Err(BundleError::Malformed) }
}
