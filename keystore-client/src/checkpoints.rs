// SPDX-License-Identifier: LGPL-2.0-or-later
//! What was seen of the keystore's log. It only grows, or somebody is told.

use plombe_core::log::{ConsistencyProof, NodeHash, SignedCheckpoint, VerifierKey};
use serde::{Deserialize, Serialize};

use crate::ClientError;

/// What a program remembers of the log between two runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenLog {
    /// The newest checkpoint that was proven to extend the ones before, or the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proven: Option<String>,
    /// The newest that the log has signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latest: Option<String>,
    /// One that an earlier run kept as its newest, while nothing has proven that the log still extends it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pending: Option<String>,
}

/// The same, with signatures checked.
#[derive(Debug)]
pub(crate) struct Checkpoints {
    verifier: VerifierKey,
    proven: Option<SignedCheckpoint>,
    latest: Option<SignedCheckpoint>,
    pending: Option<SignedCheckpoint>,
}

impl Checkpoints {
    pub(crate) fn new(verifier: VerifierKey) -> Self {
        Self { verifier, proven: None, latest: None, pending: None }
    }

    /// Goes on with what an earlier run saw.
    pub(crate) fn resume(&mut self, seen: &SeenLog) -> Result<(), ClientError> {
        let open = |note: &Option<String>| note.as_deref().map(|note| self.open(note)).transpose();
        let (proven, latest, pending) = (open(&seen.proven)?, open(&seen.latest)?, open(&seen.pending)?);
        // A larger log that comes now takes its place as the newest, and need not extend it.
        self.pending = pending.or_else(|| latest.clone());
        (self.proven, self.latest) = (proven, latest);
        Ok(())
    }

    pub(crate) fn seen(&self) -> SeenLog {
        let note =
            |checkpoint: &Option<SignedCheckpoint>| checkpoint.as_ref().map(|seen| seen.note().to_owned());
        let is_newest = self.pending.as_ref().map(SignedCheckpoint::head)
            == self.latest.as_ref().map(SignedCheckpoint::head);
        let pending = note(&self.pending).filter(|_| !is_newest);
        SeenLog { proven: note(&self.proven), latest: note(&self.latest), pending }
    }

    /// What a request shows to the keystore.
    pub(crate) fn latest(&self) -> Option<&SignedCheckpoint> {
        self.latest.as_ref()
    }

    /// Looks at a reply's checkpoint. `shown` went along with the request, so the reply must not be older. Older than `latest` it
    /// may be: another reply may have overtaken it.
    pub(crate) fn accept(
        &mut self,
        note: Option<&str>,
        shown: Option<&SignedCheckpoint>,
    ) -> Result<(), ClientError> {
        let Some(note) = note else {
            return if shown.is_none() {
                Ok(())
            } else {
                Err(contradicts("it shows no checkpoint", shown, None))
            };
        };
        let checkpoint = self.open(note)?;
        if shown.is_some_and(|shown| checkpoint.head().size < shown.head().size) {
            return Err(contradicts("it has become shorter", shown, Some(note)));
        }
        for seen in [shown, self.proven.as_ref(), self.latest.as_ref()].into_iter().flatten() {
            if seen.head().size == checkpoint.head().size && seen.head().root != checkpoint.head().root {
                return Err(contradicts("it has two forms of the same length", Some(seen), Some(note)));
            }
        }
        if self.proven.is_none() {
            self.proven = Some(checkpoint.clone());
        }
        if self.latest.as_ref().is_none_or(|latest| latest.head().size <= checkpoint.head().size) {
            self.latest = Some(checkpoint);
        }
        Ok(())
    }

    /// What is to be proven: from which to which.
    pub(crate) fn unproven(&self) -> Option<(SignedCheckpoint, SignedCheckpoint)> {
        let latest = self.latest.clone()?;
        let mut kept = [&self.proven, &self.pending].into_iter().flatten();
        let old = kept.find(|old| old.head() != latest.head())?.clone();
        Some((old, latest))
    }

    /// Takes the proof for what [`Checkpoints::unproven`] said.
    pub(crate) fn prove(
        &mut self,
        old: &SignedCheckpoint,
        new: SignedCheckpoint,
        proof: Vec<NodeHash>,
    ) -> Result<(), ClientError> {
        let proof = ConsistencyProof::try_from(proof).map_err(|_| ClientError::NotUnderstood)?;
        if proof.verify(old.head(), new.head()).is_err() {
            return Err(contradicts("it was not only appended to", Some(old), Some(new.note())));
        }
        if self.pending.as_ref().is_some_and(|pending| pending.head() == old.head()) {
            self.pending = None;
        }
        let was_proven = self.proven.as_ref().is_none_or(|proven| proven.head() == old.head());
        if was_proven && self.proven.as_ref().is_none_or(|proven| proven.head().size < new.head().size) {
            self.proven = Some(new);
        }
        Ok(())
    }

    fn open(&self, note: &str) -> Result<SignedCheckpoint, ClientError> {
        SignedCheckpoint::open(note, &self.verifier)
            .map_err(|_| contradicts("its checkpoint is not signed by the pinned key", None, Some(note)))
    }
}

fn contradicts(reason: &'static str, before: Option<&SignedCheckpoint>, now: Option<&str>) -> ClientError {
    let before = before.map(|before| before.note().to_owned());
    ClientError::LogContradicts { reason, before, now: now.map(str::to_owned) }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use plombe_core::log::{
        Checkpoint, ConsistencyProof, Frontier, KeyKind, NodeHash, NodeId, SignedCheckpoint, TreeHead,
        VerifierKey,
    };

    use super::{Checkpoints, SeenLog};
    use crate::ClientError;

    const NAME: &str = "keys.example.org";
    const SEED: [u8; 32] = [9; 32];

    struct Log {
        frontier: Frontier,
        nodes: BTreeMap<NodeId, NodeHash>,
        heads: Vec<TreeHead>,
    }

    impl Log {
        fn of(leaves: &[&str]) -> Self {
            let mut log = Self { frontier: Frontier::new(), nodes: BTreeMap::new(), heads: Vec::new() };
            for leaf in leaves {
                log.nodes.extend(log.frontier.append(NodeHash::leaf(leaf.as_bytes())));
                log.heads.push(log.frontier.head());
            }
            log
        }

        /// Signed checkpoint of the tree when it had `size` leaves.
        fn at(&self, size: usize) -> SignedCheckpoint {
            let head = self.heads[size - 1];
            Checkpoint { origin: NAME.into(), head, time: None }.sign(&verifier(&SEED), &SEED)
        }

        fn proof(&mut self, old: u64, new: u64) -> Vec<NodeHash> {
            ConsistencyProof::build(&mut self.nodes, old, new).unwrap().unwrap().into()
        }
    }

    fn verifier(seed: &[u8; 32]) -> VerifierKey {
        VerifierKey::of_seed(NAME, KeyKind::Log, seed).unwrap()
    }

    fn checkpoints() -> Checkpoints {
        Checkpoints::new(verifier(&SEED))
    }

    fn reason(result: Result<(), ClientError>) -> &'static str {
        match result.unwrap_err() {
            ClientError::LogContradicts { reason, .. } => reason,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_log_that_grows_is_followed_by_proof() {
        let mut log = Log::of(&["a", "b", "c", "d", "e"]);
        let mut seen = checkpoints();
        seen.accept(Some(log.at(2).note()), None).unwrap();
        assert!(seen.unproven().is_none(), "the first is taken as it is");
        let shown = seen.latest().cloned();
        seen.accept(Some(log.at(5).note()), shown.as_ref()).unwrap();
        let (old, new) = seen.unproven().unwrap();
        seen.prove(&old, new, log.proof(2, 5)).unwrap();
        assert!(seen.unproven().is_none());
        assert_eq!(seen.seen().proven.as_deref(), Some(log.at(5).note()));
    }

    #[test]
    fn a_log_that_went_back_is_found_out() {
        let log = Log::of(&["a", "b", "c"]);
        let mut seen = checkpoints();
        seen.accept(Some(log.at(3).note()), None).unwrap();
        let shown = seen.latest().cloned();
        assert_eq!(reason(seen.accept(Some(log.at(2).note()), shown.as_ref())), "it has become shorter");
        assert_eq!(reason(seen.accept(None, shown.as_ref())), "it shows no checkpoint");
    }

    #[test]
    fn a_larger_log_does_not_cover_up_what_an_earlier_run_kept() {
        let (log, mut other) = (Log::of(&["a", "b", "c"]), Log::of(&["a", "x", "y", "z"]));
        let kept = SeenLog {
            proven: Some(log.at(1).note().into()),
            latest: Some(log.at(3).note().into()),
            pending: None,
        };
        let mut seen = checkpoints();
        seen.resume(&kept).unwrap();
        let shown = seen.latest().cloned();
        seen.accept(Some(other.at(4).note()), shown.as_ref()).unwrap();
        let (old, new) = seen.unproven().unwrap();
        // The other history extends what was proven, and not what was kept, in this run or the next.
        seen.prove(&old, new, other.proof(1, 4)).unwrap();
        let mut again = checkpoints();
        again.resume(&seen.seen()).unwrap();
        for mut seen in [seen, again] {
            let (old, new) = seen.unproven().unwrap();
            assert_eq!(old.note(), log.at(3).note());
            assert_eq!(reason(seen.prove(&old, new, other.proof(3, 4))), "it was not only appended to");
        }
    }

    #[test]
    fn a_reply_that_was_overtaken_is_no_contradiction() {
        let log = Log::of(&["a", "b", "c"]);
        let mut seen = checkpoints();
        seen.accept(Some(log.at(1).note()), None).unwrap();
        let shown = seen.latest().cloned();
        seen.accept(Some(log.at(3).note()), shown.as_ref()).unwrap();
        seen.accept(Some(log.at(2).note()), shown.as_ref()).unwrap();
        assert_eq!(seen.latest().unwrap().note(), log.at(3).note());
    }

    #[test]
    fn a_fork_is_found_out() {
        let (log, mut fork) = (Log::of(&["a", "b", "c", "d"]), Log::of(&["a", "x", "c", "d"]));
        let mut seen = checkpoints();
        seen.accept(Some(log.at(2).note()), None).unwrap();
        assert_eq!(reason(seen.accept(Some(fork.at(2).note()), None)), "it has two forms of the same length");
        seen.accept(Some(fork.at(4).note()), None).unwrap();
        let (old, new) = seen.unproven().unwrap();
        assert_eq!(reason(seen.prove(&old, new, fork.proof(2, 4))), "it was not only appended to");
        assert_eq!(seen.seen().proven.as_deref(), Some(log.at(2).note()));
    }

    #[test]
    fn a_checkpoint_of_another_key_is_refused() {
        let log = Log::of(&["a"]);
        let mut seen = Checkpoints::new(verifier(&[8; 32]));
        assert_eq!(
            reason(seen.accept(Some(log.at(1).note()), None)),
            "its checkpoint is not signed by the pinned key"
        );
    }

    #[test]
    fn what_an_earlier_run_saw_counts() {
        let log = Log::of(&["a", "b", "c"]);
        let mut before = checkpoints();
        before.accept(Some(log.at(3).note()), None).unwrap();
        let mut seen = checkpoints();
        seen.resume(&before.seen()).unwrap();
        let shown = seen.latest().cloned();
        assert_eq!(reason(seen.accept(Some(log.at(2).note()), shown.as_ref())), "it has become shorter");
    }
}
