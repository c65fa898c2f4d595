// SPDX-License-Identifier: LGPL-2.0-or-later
//! The log: a user's own entries, an auditor's all, each with its proof.

use serde::{Deserialize, Serialize};

use super::calls;
use crate::{
    keystore::{Bytes, KeyFingerprint},
    log::{Disclosure, InclusionProof, NodeHash, TreeHead},
};

/// Most entries of one page.
pub const MAX_ENTRIES: u32 = 500;

/// Reads a page of the log.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ListEntries {
    /// Whose entries.
    pub scope: Scope,
    /// Entries after this position; `None` from the start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<u64>,
    /// At most so many, [`MAX_ENTRIES`] at most.
    pub limit: u32,
}

/// Whose entries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// The caller's own: what the caller did, and what was done with the caller's keys and account.
    Mine,
    /// Those of one key, which the caller owns. They count without a gap, so a missing one shows.
    Key(KeyFingerprint),
    /// All. For auditors.
    All,
}

/// A page of the log.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Entries {
    /// By position.
    pub entries: Vec<Entry>,
    /// The signed note that the proofs lead to.
    pub checkpoint: String,
    /// Is there more after the last one?
    pub more: bool,
}

/// One entry and the way from it to the checkpoint's root.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Entry {
    /// Index of the leaf.
    pub position: u64,
    /// The entry, or what erasure left of it: [`Disclosure::to_bytes`].
    pub disclosure: Bytes,
    /// Inclusion proof (RFC 6962), from the leaf up.
    pub proof: Vec<NodeHash>,
}

/// Why an entry is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EntryError {
    /// Not the bytes of an entry.
    #[error("this is not a log entry")]
    Malformed,
    /// The tree does not hold this entry at this position.
    #[error("the log does not hold this entry")]
    NotIncluded,
}

impl Entry {
    /// Checks that the tree holds this entry at its position, and gives what it says.
    pub fn verify(&self, head: &TreeHead) -> Result<Disclosure, EntryError> {
        let disclosure = Disclosure::from_bytes(&self.disclosure.0).ok_or(EntryError::Malformed)?;
        let proof = InclusionProof::try_from(self.proof.clone()).map_err(|_| EntryError::Malformed)?;
        let leaf = disclosure.leaf_hash(self.position);
        proof.verify(self.position, &leaf, head).map_err(|_| EntryError::NotIncluded)?;
        Ok(disclosure)
    }
}

/// Asks for the proof that the log was only appended to between two sizes.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ProveConsistency {
    /// Number of leaves then.
    pub old_size: u64,
    /// Number of leaves later; not more than there are now.
    pub new_size: u64,
}

/// That the log was only appended to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Consistency {
    /// Consistency proof (RFC 6962).
    pub proof: Vec<NodeHash>,
}

calls! {
    ListEntries => "/v1/audit/entries", Entries;
    ProveConsistency => "/v1/audit/consistency", Consistency;
}

#[cfg(test)]
mod tests {
    use super::{Entry, EntryError};
    use crate::log::{Disclosure, NodeHash, Salt, TreeHead};

    #[test]
    fn an_entry_is_believed_at_its_place_in_this_tree_only() {
        let disclosure = Disclosure::Whole { salt: Salt::new([1; 32]), body: b"{}".to_vec() };
        let sibling = NodeHash::leaf(b"the entry before");
        let head = TreeHead { size: 2, root: NodeHash::node(&sibling, &disclosure.leaf_hash(1)) };
        let entry = Entry { position: 1, disclosure: disclosure.to_bytes().into(), proof: vec![sibling] };
        assert_eq!(entry.verify(&head), Ok(disclosure));

        let mut rewritten = entry.clone();
        *rewritten.disclosure.0.last_mut().unwrap() = b']';
        assert_eq!(rewritten.verify(&head), Err(EntryError::NotIncluded));
        assert_eq!(Entry { position: 0, ..entry.clone() }.verify(&head), Err(EntryError::NotIncluded));
        assert_eq!(Entry { proof: Vec::new(), ..entry.clone() }.verify(&head), Err(EntryError::NotIncluded));
        let other = TreeHead { root: NodeHash::empty(), ..head };
        assert_eq!(entry.verify(&other), Err(EntryError::NotIncluded));
        assert_eq!(Entry { disclosure: vec![7].into(), ..entry }.verify(&head), Err(EntryError::Malformed));
    }
}
