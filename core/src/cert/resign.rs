// SPDX-License-Identifier: LGPL-2.0-or-later
//! A new self-signature that says what an older one said, with changes.

use std::time::{Duration, SystemTime};

use openpgp::{
    packet::{Signature, signature::SignatureBuilder},
    types::HashAlgorithm,
};
use sequoia_openpgp as openpgp;

use super::CertError;

/// Everything that `old` says, to be signed anew. Of two signatures of one second readers may follow either, so the
/// new one is later by at least a second, even if that second is still to come.
pub(super) fn successor(old: &Signature, now: SystemTime) -> Result<SignatureBuilder, CertError> {
    let earliest = old.signature_creation_time().map_or(now, |before| before + Duration::from_secs(1));
    SignatureBuilder::from(old.clone())
        .set_hash_algo(HashAlgorithm::SHA512)
        .set_signature_creation_time(now.max(earliest))
        .map_err(|_| CertError::BadTime)
}

/// From the key's creation to `expires`; `None` is for ever.
pub(super) fn validity(
    created: SystemTime,
    expires: Option<SystemTime>,
) -> Result<Option<Duration>, CertError> {
    let Some(expires) = expires else { return Ok(None) };
    match expires.duration_since(created) {
        // Zero would mean "never expires"; the format has 32 bits of seconds.
        Ok(validity) if validity.as_secs() > 0 && u32::try_from(validity.as_secs()).is_ok() => {
            Ok(Some(validity))
        }
        _ => Err(CertError::BadTime),
    }
}
