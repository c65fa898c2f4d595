// SPDX-License-Identifier: LGPL-2.0-or-later
//! What the authenticator says (WebAuthn section 6.1): relying party hash (32) ‖ flags (1) ‖ counter (4), then, for a new
//! passkey, maker (16) ‖ length (2) ‖ credential id ‖ key, then extensions.

use sha2::{Digest, Sha256};

use super::PasskeyRefusal;

const USER_PRESENT: u8 = 0x01;
const USER_VERIFIED: u8 = 0x04;
const HAS_CREDENTIAL: u8 = 0x40;
const HAS_EXTENSIONS: u8 = 0x80;
/// Section 4 of the specification bounds credential ids.
const LONGEST_CREDENTIAL_ID: usize = 1023;

/// The part that every answer has.
#[derive(Debug)]
pub(super) struct AuthenticatorData<'a> {
    flags: u8,
    pub(super) counter: u32,
    rest: &'a [u8],
}

impl<'a> AuthenticatorData<'a> {
    /// Reads it, and checks that it is for us and that the authenticator knew who was there.
    pub(super) fn check(bytes: &'a [u8], relying_party: &str) -> Result<Self, PasskeyRefusal> {
        let (hash, rest) = bytes.split_first_chunk::<32>().ok_or(PasskeyRefusal::Malformed)?;
        let ([flags, counter @ ..], rest) = rest.split_first_chunk::<5>().ok_or(PasskeyRefusal::Malformed)?;
        if *hash != <[u8; 32]>::from(Sha256::digest(relying_party)) {
            return Err(PasskeyRefusal::RelyingParty);
        }
        if flags & USER_PRESENT == 0 || flags & USER_VERIFIED == 0 {
            return Err(PasskeyRefusal::Unverified);
        }
        Ok(Self { flags: *flags, counter: u32::from_be_bytes(*counter), rest })
    }

    /// That an assertion brings no passkey along, and nothing that it does not announce.
    pub(super) fn is_plain(&self) -> bool {
        let has_extensions = self.flags & HAS_EXTENSIONS != 0;
        self.flags & HAS_CREDENTIAL == 0 && has_extensions != self.rest.is_empty()
    }

    /// The id of a new passkey. Its key follows; it is read from where the browser puts it in a usual form, since without
    /// attestation nobody has signed the one here either.
    pub(super) fn credential(&self) -> Result<&'a [u8], PasskeyRefusal> {
        if self.flags & HAS_CREDENTIAL == 0 {
            return Err(PasskeyRefusal::Kind);
        }
        let rest = self.rest.get(16..).ok_or(PasskeyRefusal::Malformed)?;
        let (length, rest) = rest.split_first_chunk::<2>().ok_or(PasskeyRefusal::Malformed)?;
        let length = usize::from(u16::from_be_bytes(*length));
        match rest.get(..length) {
            Some(id) if (1..=LONGEST_CREDENTIAL_ID).contains(&length) => Ok(id),
            _ => Err(PasskeyRefusal::Malformed),
        }
    }
}
