// SPDX-License-Identifier: LGPL-2.0-or-later
//! Compares what was acknowledged with what is on record.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    thread,
    time::Duration,
};

use plombe_client::Session;
use plombe_core::{
    keystore::{
        KeyFingerprint,
        calls::{
            audit::{ListEntries, Scope},
            keys::ListKeys,
        },
    },
    log::{
        Disclosure, Frontier, NodeHash, SignedCheckpoint, VerifierKey,
        entry::{Actor, Entry},
    },
};

use crate::{
    http,
    load::{Done, Work},
    people::{Key, insist},
};

/// Entries at once, each with its proof: also a server that hardly gets to run answers in time.
const PAGE: u32 = 100;

/// The log as an auditor reads it.
pub(crate) struct Books {
    entries: Vec<(Entry, NodeHash)>,
}

impl Books {
    /// Every entry, each proven to be in the log.
    pub(crate) fn read(auditor: &mut Session) -> Self {
        let mut entries: Vec<(Entry, NodeHash)> = Vec::new();
        loop {
            let after = entries.len().checked_sub(1).map(|last| last as u64);
            let page = insist(auditor, &ListEntries { scope: Scope::All, after, limit: PAGE });
            let checkpoint = SignedCheckpoint::open(&page.checkpoint, &verifier(auditor)).unwrap();
            for entry in &page.entries {
                assert_eq!(entry.position, entries.len() as u64, "a hole in the log");
                let disclosure = entry.verify(checkpoint.head()).unwrap();
                let leaf = disclosure.leaf_hash(entry.position);
                let Disclosure::Whole { body, .. } = disclosure else { panic!("nothing was erased") };
                entries.push((serde_json::from_slice(&body).unwrap(), leaf));
            }
            if !page.more {
                return Self { entries };
            }
        }
    }

    /// Everything that a drill promises.
    pub(crate) fn check(&self, work: &mut Work) {
        self.check_order();
        for done in work.owners.iter().flat_map(|owner| &owner.done) {
            self.check_done(done);
        }
        for cut in &work.cuts {
            for done in &cut.done {
                self.check_done(done);
                assert!(done.position < cut.position, "{done:?} after the revocation at {}", cut.position);
            }
            let after = self.entries.iter().skip(usize::try_from(cut.position).unwrap() + 1);
            let is_theirs =
                |actor: &Actor| matches!(actor, Actor::Device { device, .. } if *device == cut.device);
            for (entry, _) in after {
                assert!(!(entry.decision.permitted && is_theirs(&entry.actor)), "{entry:?}");
            }
        }
        self.check_keys(work);
    }

    fn check_done(&self, done: &Done) {
        let (entry, _) = &self.entries[usize::try_from(done.position).unwrap()];
        assert!(entry.decision.permitted, "{done:?}: {entry:?}");
        assert_eq!(entry.action, done.action);
        assert_eq!(entry.about.key.as_ref(), Some(&done.key));
        assert!(matches!(entry.actor, Actor::Device { principal, .. } if principal == done.principal));
    }

    /// Time does not run backwards, and each key counts its uses without a hole.
    fn check_order(&self) {
        let mut chains: BTreeMap<&KeyFingerprint, (u64, u64)> = BTreeMap::new();
        let mut time = 0;
        for (position, (entry, _)) in self.entries.iter().enumerate() {
            assert!(entry.time >= time, "{entry:?}");
            time = entry.time;
            if let (Some(key), Some(chain)) = (&entry.about.key, &entry.chain) {
                let before = chains.insert(key, (chain.counter, position as u64));
                assert_eq!(chain.counter, before.map_or(1, |(counter, _)| counter + 1), "{entry:?}");
                assert_eq!(chain.previous, before.map(|(_, position)| position), "{entry:?}");
            }
        }
    }

    /// A key is there as a whole or not at all, and was made once however often it was asked for.
    fn check_keys(&self, work: &mut Work) {
        for owner in &mut work.owners {
            let mine = owner.session.identity().principal;
            let made = self.entries.iter().map(|(entry, _)| entry).filter(|entry| {
                let by = matches!(entry.actor, Actor::Device { principal, .. } if principal == mine);
                by && entry.action == "generate-key" && entry.decision.permitted
            });
            let requests: Vec<_> = made.map(|entry| entry.request.unwrap()).collect();
            let different: BTreeSet<_> = requests.iter().map(|request| request.to_string()).collect();
            assert_eq!(requests.len(), different.len(), "one request made two keys");

            let listed = insist(&mut owner.session, &ListKeys {}).keys;
            assert_eq!(listed.len(), requests.len(), "a key without an entry, or an entry without its key");
            for key in &owner.keys {
                assert!(listed.contains(&key.info), "a key that was acknowledged is gone");
                key.unwrap_by(&mut owner.session).unwrap();
            }
            // Also those of which nobody heard.
            for info in listed {
                let key = Key::new(info);
                key.unwrap_by(&mut owner.session).unwrap();
                key.sign_by(&mut owner.session).unwrap();
            }
        }
    }

    /// What this server has signed, once it has heard of everything that was read from another one.
    fn checkpoint(&self, server: SocketAddr, verifier: &VerifierKey) -> SignedCheckpoint {
        for _ in 0..100 {
            let note = String::from_utf8(http::get(server, "/v1/log/checkpoint").unwrap().1).unwrap();
            let newest = SignedCheckpoint::open(&note, verifier).unwrap();
            if newest.head().size >= self.entries.len() as u64 {
                return newest;
            }
            thread::sleep(Duration::from_millis(100));
        }
        panic!("{server} does not hear what others recorded");
    }

    /// The tree that this server's tiles make is that of the entries, and of each of these checkpoints.
    pub(crate) fn check_tree(&self, server: SocketAddr, verifier: &VerifierKey, notes: &[String]) {
        let newest = self.checkpoint(server, verifier);
        let mut level = leaves(server, newest.head().size);
        assert!(self.entries.iter().zip(&level).all(|((_, leaf), tile)| leaf == tile), "another leaf");

        let mut frontier = Frontier::new();
        let mut roots = vec![frontier.root()];
        for leaf in &level {
            drop(frontier.append(*leaf));
            roots.push(frontier.root());
        }
        assert_eq!(frontier.head(), *newest.head());
        for note in notes {
            let checkpoint = SignedCheckpoint::open(note, verifier).unwrap();
            let size = usize::try_from(checkpoint.head().size).unwrap();
            assert_eq!(roots[size], checkpoint.head().root, "another tree at {size}");
        }
        // Higher tiles are what the hashes below make.
        for number in 1.. {
            let whole = level.chunks_exact(256).map(|tile| {
                let mut frontier = Frontier::new();
                tile.iter().for_each(|hash| drop(frontier.append(*hash)));
                frontier.root()
            });
            level = whole.collect();
            if level.is_empty() {
                return;
            }
            assert_eq!(level, tile_row(server, number, level.len() as u64));
        }
    }
}

/// The key that signs a keystore's checkpoints.
pub(crate) fn verifier(session: &Session) -> VerifierKey {
    session.keystore().identity().log_verifier.parse().unwrap()
}

fn leaves(server: SocketAddr, size: u64) -> Vec<NodeHash> {
    tile_row(server, 0, size)
}

/// The first hashes of a level, from its tiles.
fn tile_row(server: SocketAddr, level: u8, size: u64) -> Vec<NodeHash> {
    let mut hashes = Vec::new();
    for number in 0..size.div_ceil(256) {
        let width = (size - number * 256).min(256);
        let part = if width < 256 { format!(".p/{width}") } else { String::new() };
        let path = format!("/v1/log/tile/{level}/{}{part}", tile_path(number));
        let (status, body) = http::get(server, &path).unwrap();
        assert_eq!((status, body.len() as u64), (200, width * 32), "{path}");
        hashes.extend(body.chunks_exact(32).map(|hash| NodeHash::from_slice(hash).unwrap()));
    }
    hashes
}

/// As C2SP spells it; a drill's log has less than a million tiles.
fn tile_path(number: u64) -> String {
    match number / 1000 {
        0 => format!("{number:03}"),
        thousands => format!("x{thousands:03}/{:03}", number % 1000),
    }
}
