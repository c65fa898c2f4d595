// SPDX-License-Identifier: LGPL-2.0-or-later
//! What a directory or key server answered, cut down to what was asked for.

use std::time::SystemTime;

use super::Address;
use crate::{cert::Certificate, crypto_policy::CryptoPolicy};

/// More than any certificate needs that was minimised for a directory, post-quantum ones included.
pub const MAX_WKD_BYTES: usize = 256 << 10;
/// Key servers may carry certificates with everybody's signatures.
pub const MAX_KEYSERVER_BYTES: usize = 1 << 20;
/// Old and new, v4 and v6, with room to spare.
const MAX_CERTIFICATES: usize = 16;

/// Why an answer is not used at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AnswerError {
    /// Not certificates: an error page that says 200, say.
    #[error("the answer is not an OpenPGP certificate")]
    Malformed,
    /// More than was asked for.
    #[error("the answer holds too many certificates")]
    TooMany,
    /// Somebody else's, or its user ID is not valid.
    #[error("no certificate in the answer has a valid user ID with the address")]
    AddressMissing,
}

/// The certificates in `bytes` that carry `address` in a valid user ID, each without its other user IDs.
///
/// The other user IDs go because nobody asked for them: a server that may speak for `alice@example.org` must not
/// bring a certificate for `bank@example.com` into the store along with hers.
pub fn certificates(
    bytes: &[u8],
    address: &Address,
    policy: &CryptoPolicy,
    now: SystemTime,
) -> Result<Vec<Certificate>, AnswerError> {
    let all = Certificate::parse_all(bytes).map_err(|_| AnswerError::Malformed)?;
    if all.len() > MAX_CERTIFICATES {
        return Err(AnswerError::TooMany);
    }
    let about_address: Vec<Certificate> = Certificate::merge_all(all)
        .into_iter()
        .filter_map(|certificate| certificate.filter_to_address(address, policy, now).ok())
        .collect();
    if about_address.is_empty() { Err(AnswerError::AddressMissing) } else { Ok(about_address) }
}
