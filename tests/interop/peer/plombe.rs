// SPDX-License-Identifier: LGPL-2.0-or-later
//! Ours, through `plombe sop`, so that the peers' keys and ours are handled alike.

use std::{collections::HashMap, path::PathBuf};

use super::{Form, Key, Outcome, Peer, With, sop::SopPeer};
use crate::task::{Kind, Task};

/// The binary under test.
pub(crate) struct Plombe {
    sop: SopPeer,
    generated: HashMap<(Kind, String), Key>,
}

impl Plombe {
    /// The build that knows this kind of key. Post-quantum keys take the Rust backend where the system's OpenSSL is
    /// older than 3.5; `cargo xtask interop` and `cargo xtask test` make that build and name it in `PLOMBE_PQC_BIN`.
    pub(crate) fn knowing(kind: Kind) -> Self {
        let other = std::env::var_os("PLOMBE_PQC_BIN").filter(|_| kind == Kind::Pqc);
        let program = other.map_or_else(|| plombe_tests::plombe().to_owned(), PathBuf::from);
        Self { sop: SopPeer::plombe(&program), generated: HashMap::new() }
    }
}

impl Peer for Plombe {
    fn name(&self) -> &str {
        self.sop.name()
    }

    fn version(&self) -> &str {
        self.sop.version()
    }

    fn cannot(&self, task: &Task<'_>) -> Option<&'static str> {
        self.sop.cannot(task)
    }

    fn makes(&self, kind: Kind) -> bool {
        self.sop.makes(kind)
    }

    fn generate(&mut self, kind: Kind, user_id: &str) -> Outcome<Key> {
        let known = (kind, user_id.to_owned());
        if let Some(key) = self.generated.get(&known) {
            return Ok(key.clone());
        }
        let key = self.sop.generate(kind, user_id)?;
        self.generated.insert(known, key.clone());
        Ok(key)
    }

    fn encrypt(&mut self, with: With<'_>, signer: Option<&Key>, data: &[u8]) -> Outcome<Vec<u8>> {
        self.sop.encrypt(with, signer, data)
    }

    fn decrypt(&mut self, with: With<'_>, signer: Option<&Key>, message: &[u8]) -> Outcome<Vec<u8>> {
        self.sop.decrypt(with, signer, message)
    }

    fn sign(&mut self, signer: &Key, data: &[u8]) -> Outcome<Vec<u8>> {
        self.sop.sign(signer, data)
    }

    fn verify(&mut self, signer: &Key, signature: &[u8], data: &[u8]) -> Outcome<()> {
        self.sop.verify(signer, signature, data)
    }

    fn sign_inline(&mut self, signer: &Key, data: &[u8], form: Form) -> Outcome<Vec<u8>> {
        self.sop.sign_inline(signer, data, form)
    }

    fn verify_inline(&mut self, signer: &Key, message: &[u8], form: Form) -> Outcome<Vec<u8>> {
        self.sop.verify_inline(signer, message, form)
    }
}
