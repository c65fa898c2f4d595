// SPDX-License-Identifier: LGPL-2.0-or-later
//! Proofs about the log, read from the store's tiles, and what is done with checkpoints that others bring along.

use std::collections::HashMap;

use plombe_core::log::{
    ConsistencyProof, InclusionProof, MissingNode, NodeHash, NodeId, Nodes, SignedCheckpoint,
    consistency_reads, inclusion_reads, root_reads, tree_root,
};

use crate::{
    app::App,
    backup,
    hierarchy::OpenBlobError,
    instance,
    ledger::{AskError, Halt, ShowLoss, head_name},
    registry::INSTANCE,
    store::{HeadRow, Store, StoreError},
};

/// Levels of the tree between two levels of tiles.
const LEVELS: u8 = 8;
const HASH_LEN: usize = 32;

/// Nodes that were read before a proof is made of them.
struct Read(HashMap<NodeId, NodeHash>);

impl Nodes for Read {
    type Error = MissingNode;

    fn node(&mut self, id: NodeId) -> Result<NodeHash, MissingNode> {
        self.0.get(&id).copied().ok_or(MissingNode(id))
    }
}

impl Read {
    /// Reads the tiles that hold these nodes, each once.
    async fn new(store: &dyn Store, ids: Vec<NodeId>) -> Result<Self, StoreError> {
        let mut tiles: HashMap<(u8, u64), Vec<u8>> = HashMap::new();
        let mut nodes = HashMap::with_capacity(ids.len());
        for id in ids {
            let (level, height) = (id.level / LEVELS, id.level % LEVELS);
            let first = id.index << height;
            let (number, place) = (first >> LEVELS, usize::try_from(first & 0xff).unwrap_or_default());
            if let std::collections::hash_map::Entry::Vacant(vacant) = tiles.entry((level, number)) {
                let tile = store.tile(level, number).await?;
                vacant.insert(tile.map_or_else(Vec::new, |tile| tile.hashes));
            }
            let hashes = &tiles[&(level, number)];
            let range = place * HASH_LEN..(place + (1 << height)) * HASH_LEN;
            let below = hashes.get(range).and_then(subtree);
            let hash = below
                .ok_or_else(|| StoreError::Unfit(format!("tile {level}/{number} is missing or short")))?;
            nodes.insert(id, hash);
        }
        Ok(Self(nodes))
    }
}

/// Root over a power of two of hashes.
fn subtree(bytes: &[u8]) -> Option<NodeHash> {
    let mut level: Vec<NodeHash> = bytes.chunks_exact(HASH_LEN).filter_map(NodeHash::from_slice).collect();
    while level.len() > 1 {
        level = level.chunks_exact(2).map(|pair| NodeHash::node(&pair[0], &pair[1])).collect();
    }
    level.pop()
}

/// That the entry at `position` is in the log of that size.
pub async fn inclusion(store: &dyn Store, position: u64, size: u64) -> Result<Vec<NodeHash>, StoreError> {
    let mut nodes = Read::new(store, inclusion_reads(position, size)).await?;
    let proof =
        InclusionProof::build(&mut nodes, position, size).map_err(|e| StoreError::Unfit(e.to_string()))?;
    Ok(proof.map(|proof| proof.hashes().to_vec()).unwrap_or_default())
}

/// That the log of size `new` extends that of size `old`.
pub async fn consistency(store: &dyn Store, old: u64, new: u64) -> Result<Vec<NodeHash>, StoreError> {
    let mut nodes = Read::new(store, consistency_reads(old, new)).await?;
    let proof =
        ConsistencyProof::build(&mut nodes, old, new).map_err(|e| StoreError::Unfit(e.to_string()))?;
    Ok(proof.map(|proof| proof.hashes().to_vec()).unwrap_or_default())
}

/// Root of the log as it was at `size`, from the tiles. Whoever writes to the database writes tiles: what is to be believed has to lead to
/// something that is sealed.
pub(crate) async fn root_at(store: &dyn Store, size: u64) -> Result<NodeHash, StoreError> {
    let mut nodes = Read::new(store, root_reads(size)).await?;
    tree_root(&mut nodes, size).map_err(|error| StoreError::Unfit(error.to_string()))
}

/// Does the head's seal say that it is of this position? Everybody with the database can write the number beside it. `None` when the
/// key is not to be had at the moment, as when tenants' keys change: then nobody knows.
async fn is_genuine(app: &App, head: &HeadRow) -> Option<bool> {
    match app.keychain().open_stored(&*app.store, INSTANCE, &head_name(head.position), &head.sealed).await {
        Ok(_) => Some(true),
        Err(OpenBlobError::UnknownGeneration(_)) => None,
        Err(_) => Some(false),
    }
}

/// A client or witness shows a checkpoint. If it bears this keystore's own signature and does not fit its log, the database went back or was
/// replaced, revocations may be missing, and this server stops. Anything else is nobody's word and is ignored.
pub async fn check_seen(app: &App, note: &str) {
    // Once something was lost, what this server sent out before proves nothing.
    if app.ledger.registry().losses().next().is_none() && app.known_checkpoints.contains(note) {
        return;
    }
    // What others added to the note is kept nowhere.
    let Ok(seen) = SignedCheckpoint::open_alone(note, app.keychain().verifier()) else { return };
    let Some(own) = app.ledger.checkpoint() else { return };
    let (shown, seen) = (&seen, seen.head());
    if seen == own.head() {
        return;
    }
    if app.ledger.registry().losses().any(|loss| loss.covers(shown.checkpoint())) {
        return;
    }
    if seen.size > own.head().size {
        // Another server of this keystore may be ahead: look at the database before judging.
        let Ok(head) = app.store.head().await else { return };
        let is_behind = match &head {
            None => true,
            Some(head) if head.position < seen.size => true,
            // Ahead, and this server will catch up: if that is what the seal says.
            Some(head) => is_genuine(app, head).await == Some(false),
        };
        if is_behind {
            lose(app, shown, Halt::RolledBack).await;
        }
        return;
    }
    // Not what the tiles say of that size, whoever writes to the database writes tiles: what leads to this server's own head counts.
    // Where it cannot be read, nobody knows at the moment.
    let Ok(proof) = consistency(&*app.store, seen.size, own.head().size).await else { return };
    let fits = ConsistencyProof::try_from(proof).is_ok_and(|proof| proof.verify(seen, own.head()).is_ok());
    match fits {
        true => app.known_checkpoints.add(shown.note()),
        false => lose(app, shown, Halt::Forked).await,
    }
}

/// Puts it on record; every server of this database knows then. Where that cannot be done, this server stops by itself.
async fn lose(app: &App, shown: &SignedCheckpoint, halt: Halt) {
    tracing::error!(reason = %halt, shown = shown.note(), "stopped until administrators have looked");
    let restored_at = backup::restored_at(&*app.store, app.keychain()).await.unwrap_or_default();
    let act = ShowLoss { shown: shown.clone(), halt: halt.clone(), restored_at };
    match app.ledger.ask(instance::by_server(act)).await {
        // The writer has noticed by itself, and puts on record what it knew. What is shown next is judged by the log that it then has.
        Ok(_) | Err(AskError::Halted(_)) => {}
        Err(_) => app.ledger.halt(halt),
    }
}
