// SPDX-License-Identifier: LGPL-2.0-or-later
//! The log as everybody sees it, without an account: what it has signed, and that it was only appended to.

use plombe_core::{
    keystore::calls::history::{PUBLIC_LOSSES_PATH, PublicLoss, SHOW_PATH},
    log::{ConsistencyProof, NodeHash},
};
use serde::de::DeserializeOwned;

use crate::{
    ClientError, Options,
    http::{Http, HttpError},
};

const MAX_NOTE_BYTES: usize = 64 << 10;

/// A keystore's log, reached and not believed: whoever follows it has the log's key from elsewhere.
pub struct PublicLog(Http);

impl PublicLog {
    /// The log of the keystore at this address.
    pub fn of(address: &str, options: &Options) -> Result<Self, ClientError> {
        Ok(Self(Http::new(address.parse()?, options)))
    }

    /// The newest signed note. Its signature is for the caller to check.
    pub fn unverified_checkpoint(&self) -> Result<String, ClientError> {
        let body = self.get("/v1/log/checkpoint")?;
        String::from_utf8(body).map_err(|_| ClientError::NotAKeystore("its checkpoint is not text"))
    }

    /// What is to prove that the log of the larger size extends that of the smaller one.
    pub fn unverified_consistency(
        &self,
        old_size: u64,
        new_size: u64,
    ) -> Result<ConsistencyProof, ClientError> {
        let hashes: Vec<NodeHash> = self.json(&format!("/v1/log/proof/{old_size}/{new_size}"))?;
        ConsistencyProof::try_from(hashes).map_err(|_| ClientError::NotAKeystore("its proof is too long"))
    }

    /// What the keystore says is lost. Each note's signature is for the caller to check.
    pub fn unverified_losses(&self) -> Result<Vec<PublicLoss>, ClientError> {
        self.json(PUBLIC_LOSSES_PATH)
    }

    /// Shows the keystore what it signed. If its log does not extend that any more, it stops until people have looked.
    pub fn show(&self, note: &str) -> Result<(), ClientError> {
        match self.0.post_text(SHOW_PATH, note, MAX_NOTE_BYTES) {
            Ok(_) => Ok(()),
            Err(HttpError::Failed(reason)) => Err(ClientError::Unreachable(reason)),
            Err(HttpError::TooLarge) => Err(ClientError::NotAKeystore("its answer is too large")),
        }
    }

    fn json<T: DeserializeOwned>(&self, path: &str) -> Result<T, ClientError> {
        serde_json::from_slice(&self.get(path)?)
            .map_err(|_| ClientError::NotAKeystore("its proof is malformed"))
    }

    fn get(&self, path: &str) -> Result<Vec<u8>, ClientError> {
        match self.0.get(path, MAX_NOTE_BYTES) {
            Ok(answer) if answer.status == 200 => Ok(answer.body),
            Ok(answer) => Err(ClientError::RefusedUnsealed { status: answer.status, problem: None }),
            Err(HttpError::Failed(reason)) => Err(ClientError::Unreachable(reason)),
            Err(HttpError::TooLarge) => Err(ClientError::NotAKeystore("its answer is too large")),
        }
    }
}
