// SPDX-License-Identifier: LGPL-2.0-or-later
//! The keystore's transparency log: append, prove, verify. Pure; `docs/log.md` has the formats.
//!
//! Every use of a key is an entry; entries are leaves of one Merkle tree that only grows (RFC 6962), and the log signs how far it
//! has grown. So whoever keeps a signed checkpoint notices when history is changed, cut off, or told differently
//! to somebody else; and whoever is shown an entry can check that everybody's tree has it.
//!
//! In reading order:
//!
//! * [`leaf_content`], [`commitment`], [`Disclosure`]: what is hashed, so that an entry can be erased and its leaf stays.
//! * [`entry`]: what an entry says.
//! * [`Frontier`]: appends, and names the nodes that a store keeps.
//! * [`Nodes`], [`InclusionProof`], [`ConsistencyProof`]: proofs from complete subtrees, and their verification.
//! * [`Checkpoint`], [`SignedCheckpoint`], [`VerifierKey`]: what the log signs (C2SP tlog-checkpoint, signed-note).
//! * [`tile`]: the tree as files, and proofs by somebody who has only those (C2SP tlog-tiles).
//! * [`Follower`], [`Alarm`]: who keeps the last checkpoint notices rollback, fork and silence; [`judge_shown`] is the log's own look.

pub mod entry;
pub mod tile;

mod checkpoint;
mod follow;
mod frontier;
mod hash;
mod leaf;
mod nodes;
mod note;
mod note_key;
mod proof;

pub use checkpoint::{Checkpoint, CheckpointError, SignedCheckpoint};
pub use follow::{Alarm, ChainFollower, Follower, Kept, Progress, judge_shown};
pub use frontier::{Frontier, MAX_TREE_SIZE};
pub use hash::{NodeHash, NotAHash};
pub use leaf::{Disclosure, LEAF_CONTENT_BYTES, MAX_BODY_BYTES, Salt, commitment, leaf_content, leaf_hash};
pub use nodes::{MissingNode, NodeId, Nodes, TreeHead, root_reads, tree_root};
pub use note::{NoteError, Signed, UnverifiedNote};
pub use note_key::{KeyKind, VerifierKey, VerifierKeyError};
pub use proof::{
    ConsistencyProof, InclusionProof, ProofError, ProofTooLong, consistency_reads, extends, inclusion_reads,
};

#[cfg(test)]
mod tests;
