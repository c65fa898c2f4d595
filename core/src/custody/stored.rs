// SPDX-License-Identifier: LGPL-2.0-or-later
//! A TSK on its way into a sealed blob, and out of it.

use openpgp::serialize::SerializeInto as _;
use sequoia_openpgp as openpgp;
use zeroize::Zeroizing;

use crate::cert::{CertError, LockedTsk, Tsk};

/// The TSK with its secrets in the open; only ever for sealing.
pub fn to_bytes(tsk: &Tsk) -> Result<Zeroizing<Vec<u8>>, CertError> {
    let cert = tsk.clone().lock(None)?.cert;
    let bytes = cert.as_tsk().emit_secret_key_stubs(true).to_vec();
    Ok(Zeroizing::new(bytes.map_err(|_| CertError::Backend)?))
}

/// What [`to_bytes`] wrote. Whether secret and public keys belong together was checked when they came in; doing it
/// again would cost more than what the key is wanted for. So this is for bytes out of a blob whose integrity was just
/// checked: with a changed public part, a signature gives away the secret key.
pub fn from_authenticated_bytes(bytes: &[u8]) -> Result<Tsk, CertError> {
    let mut tsks = LockedTsk::parse_all(bytes)?;
    match tsks.len() {
        1 => tsks.remove(0).unlock_checked_before().map_err(|_| CertError::NoSecretKey),
        _ => Err(CertError::SeveralCertificates),
    }
}
