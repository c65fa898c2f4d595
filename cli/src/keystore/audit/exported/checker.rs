// SPDX-License-Identifier: LGPL-2.0-or-later
//! Goes through an exported log line by line, and believes nothing that the log's key does not vouch for.

use plombe_core::{
    keystore::{KeyFingerprint, calls::audit},
    log::{
        Alarm, ChainFollower, CheckpointError, ConsistencyProof, Disclosure, ProofError, SignedCheckpoint,
        VerifierKey,
        entry::{self, Entry},
    },
};

use super::{Exported, Header, Line, Scope, Tree, chains::Chains, said};

/// What is wrong with a line.
#[derive(Debug, thiserror::Error)]
pub(super) enum Wrong {
    #[error("this is no line that an export has here")]
    Line,
    #[error("of the checkpoint: {0}")]
    Checkpoint(#[from] CheckpointError),
    #[error("this tree does not extend the one before: {0}")]
    Tree(#[from] ProofError),
    #[error("{0}")]
    Proof(#[from] audit::EntryError),
    #[error("{0}")]
    Entry(#[from] entry::EntryError),
    #[error("what is written here is not what the log holds")]
    Said,
    #[error("entry {0} is not in the tree of the first line")]
    Later(u64),
    #[error("entry {0} is out of order")]
    Order(u64),
    #[error("entry {0} is missing before this line")]
    Missing(u64),
    #[error("entries about the key {key} are missing before this line: {alarm}")]
    Hole { key: KeyFingerprint, alarm: Alarm },
    #[error("entries are missing: {said} were exported, {found} are here")]
    Count { said: u64, found: u64 },
}

/// How far it is, and what was shown so far.
pub(super) struct Checker {
    key: VerifierKey,
    first: SignedCheckpoint,
    tree: SignedCheckpoint,
    lists: Vec<Scope>,
    last: Option<u64>,
    chain: ChainFollower,
    chains: Chains,
    pub(super) entries: u64,
    pub(super) about_keys: u64,
    pub(super) erased: u64,
    /// Was there a last line?
    pub(super) ended: bool,
}

impl Checker {
    /// Begins with the first line.
    pub(super) fn start(key: VerifierKey, header: &Header) -> Result<Self, Wrong> {
        let first = SignedCheckpoint::open(&header.checkpoint, &key)?;
        Ok(Self {
            key,
            tree: first.clone(),
            first,
            lists: Vec::new(),
            last: None,
            chain: ChainFollower::default(),
            chains: Chains::default(),
            entries: 0,
            about_keys: 0,
            erased: 0,
            ended: false,
        })
    }

    /// Takes the next line.
    pub(super) fn next(&mut self, line: Line) -> Result<(), Wrong> {
        if self.ended {
            return Err(Wrong::Line);
        }
        match line {
            Line::Header(_) => Err(Wrong::Line),
            Line::List(list) => self.list(list.list),
            Line::Tree(tree) => self.grow(tree),
            Line::Entry(entry) => self.entry(&entry),
            Line::End(end) => {
                self.close()?;
                if end.end.entries != self.entries {
                    return Err(Wrong::Count { said: end.end.entries, found: self.entries });
                }
                self.ended = true;
                Ok(())
            }
        }
    }

    fn list(&mut self, scope: Scope) -> Result<(), Wrong> {
        self.close()?;
        if self.lists.contains(&scope) {
            return Err(Wrong::Line);
        }
        self.lists.push(scope);
        self.last = None;
        self.chain = ChainFollower::default();
        Ok(())
    }

    /// A list of everything goes to the end of the tree.
    fn close(&self) -> Result<(), Wrong> {
        let next = self.last.map_or(0, |last| last + 1);
        match self.lists.last() {
            Some(Scope::All) if next != self.first.head().size => Err(Wrong::Missing(next)),
            _ => Ok(()),
        }
    }

    fn grow(&mut self, tree: Tree) -> Result<(), Wrong> {
        let next = SignedCheckpoint::open(&tree.checkpoint, &self.key)?;
        let proof = ConsistencyProof::try_from(tree.consistency).map_err(|_| Wrong::Line)?;
        proof.verify(self.tree.head(), next.head())?;
        self.tree = next;
        Ok(())
    }

    fn entry(&mut self, exported: &Exported) -> Result<(), Wrong> {
        let position = exported.position;
        let scope = self.lists.last().ok_or(Wrong::Line)?;
        if position >= self.first.head().size {
            return Err(Wrong::Later(position));
        }
        let next = self.last.map_or(0, |last| last + 1);
        if position < next {
            return Err(Wrong::Order(position));
        }
        if *scope == Scope::All && position > next {
            return Err(Wrong::Missing(next));
        }
        let disclosure = exported.listed().verify(self.tree.head())?;
        let said = said(&disclosure).map_err(|_| entry::EntryError::Malformed)?;
        if said != exported.entry {
            return Err(Wrong::Said);
        }
        let entry = match &disclosure {
            Disclosure::Whole { body, .. } => Some(Entry::read(body)?),
            Disclosure::Erased { .. } => None,
        };
        self.last = Some(position);
        self.entries += 1;
        self.erased += u64::from(entry.is_none());
        match scope.clone() {
            Scope::Mine => Ok(()),
            Scope::Key(key) => self.link(key, position, entry.as_ref()),
            Scope::All => self.link_any(position, entry.as_ref()),
        }
    }

    /// The next entry of one key's list.
    fn link(&mut self, key: KeyFingerprint, position: u64, entry: Option<&Entry>) -> Result<(), Wrong> {
        self.about_keys += 1;
        let Some(entry) = entry else {
            self.chain.next_erased(position);
            return Ok(());
        };
        // An entry about another key tells nothing about this one's.
        let link = entry.chain.as_ref().filter(|_| entry.about.key.as_ref() == Some(&key));
        let link = link.ok_or(Wrong::Line)?;
        self.chain.next(position, link).map_err(|alarm| Wrong::Hole { key, alarm })
    }

    /// The next entry of everybody's list.
    fn link_any(&mut self, position: u64, entry: Option<&Entry>) -> Result<(), Wrong> {
        let Some(entry) = entry else {
            self.chains.next_erased();
            return Ok(());
        };
        let (Some(link), Some(key)) = (&entry.chain, &entry.about.key) else { return Ok(()) };
        self.about_keys += 1;
        let hole = |alarm| Wrong::Hole { key: key.clone(), alarm };
        self.chains.next(key.clone(), position, link).map_err(hole)
    }

    /// The tree that has every entry.
    pub(super) fn checkpoint(&self) -> &SignedCheckpoint {
        &self.first
    }

    /// Is every place of the tree in it?
    pub(super) fn is_whole_log(&self) -> bool {
        self.lists.contains(&Scope::All)
    }

    /// Keys whose entries are all in it.
    pub(super) fn keys(&self) -> Vec<&KeyFingerprint> {
        let listed = self.lists.iter().filter_map(|scope| match scope {
            Scope::Key(key) => Some(key),
            Scope::Mine | Scope::All => None,
        });
        let mut keys: Vec<_> = listed.chain(self.chains.keys()).collect();
        keys.sort();
        keys.dedup();
        keys
    }
}
