// SPDX-License-Identifier: LGPL-2.0-or-later
//! Which algorithms and keys are good enough. (Who may use a key is access policy, and not decided here.)

use sequoia_openpgp::policy::StandardPolicy;

/// Sequoia's standard policy with our refusals on top: no SHA-1 or MD5 in data signatures, no RSA below 2048 bits,
/// no 64-bit block ciphers, no container without integrity.
#[derive(Clone, Debug)]
pub struct CryptoPolicy {
    standard: StandardPolicy<'static>,
}

impl CryptoPolicy {
    /// The only policy that mail from strangers is judged by.
    pub fn standard() -> Self {
        Self { standard: StandardPolicy::new() }
    }

    pub(crate) fn sequoia(&self) -> &StandardPolicy<'static> {
        &self.standard
    }
}

/// What our crypto policy refuses in a message.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CryptoPolicyError {
    /// A cipher that is broken or has 64-bit blocks.
    #[error("it is encrypted with {0}, which is no longer safe; ask the sender to update their software")]
    Cipher(String),
}
