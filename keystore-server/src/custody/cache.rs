// SPDX-License-Identifier: LGPL-2.0-or-later
//! TSKs in use. Reading one from its blob costs more than what it is wanted for.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use plombe_core::{cert::Tsk, keystore::KeyFingerprint};

/// So many are kept. Their secret parts lie encrypted in memory, as the library keeps them, but fewer are better.
const MOST: usize = 256;

/// The newest blob of each key, and when it was wanted last.
#[derive(Default)]
pub(super) struct Cache(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    by_key: HashMap<KeyFingerprint, Entry>,
    clock: u64,
}

struct Entry {
    version: u64,
    used: u64,
    tsk: Arc<Tsk>,
}

impl Cache {
    pub(super) fn find(&self, key: &KeyFingerprint, version: u64) -> Option<Arc<Tsk>> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.clock += 1;
        let now = kept.clock;
        let entry = kept.by_key.get_mut(key).filter(|entry| entry.version == version)?;
        entry.used = now;
        Some(Arc::clone(&entry.tsk))
    }

    pub(super) fn keep(&self, key: KeyFingerprint, version: u64, tsk: Arc<Tsk>) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.by_key.len() >= MOST
            && let Some(oldest) =
                kept.by_key.iter().min_by_key(|(_, entry)| entry.used).map(|(key, _)| key.clone())
        {
            kept.by_key.remove(&oldest);
        }
        kept.clock += 1;
        let used = kept.clock;
        kept.by_key.insert(key, Entry { version, used, tsk });
    }
}
