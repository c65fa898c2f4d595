// SPDX-License-Identifier: LGPL-2.0-or-later
//! Nonces for device proofs (RFC 9449 section 8): a proof cannot be made in advance, nor for longer than it takes.

use std::time::SystemTime;

use aws_lc_rs::hmac;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use plombe_core::keystore::fields;

use crate::access_policy::seconds;

/// How long a nonce is handed out; it is good for as long again.
const PERIOD_SECONDS: u64 = 120;

/// Makes and knows nonces, without keeping any: every server makes the same ones.
pub struct Nonces(hmac::Key);

impl Nonces {
    /// With a key that all servers of this keystore have.
    pub fn new(key: &[u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, key))
    }

    /// The one to hand out.
    pub fn current(&self, now: SystemTime) -> String {
        self.of(seconds(now) / PERIOD_SECONDS)
    }

    /// Those that are good.
    pub fn good(&self, now: SystemTime) -> [String; 2] {
        let period = seconds(now) / PERIOD_SECONDS;
        [self.of(period), self.of(period.saturating_sub(1))]
    }

    fn of(&self, period: u64) -> String {
        let tag = hmac::sign(&self.0, &fields(&[b"plombe keystore proof nonce v1", &period.to_be_bytes()]));
        URL_SAFE_NO_PAD.encode(&tag.as_ref()[..16])
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    #[test]
    fn a_nonce_is_good_for_its_period_and_the_next() {
        let nonces = Nonces::new(&[7; 32]);
        let at = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
        let nonce = nonces.current(at(1_800_000_000));
        assert!(nonces.good(at(1_800_000_000 + PERIOD_SECONDS)).contains(&nonce));
        assert!(!nonces.good(at(1_800_000_000 + 2 * PERIOD_SECONDS)).contains(&nonce));
        assert!(!Nonces::new(&[8; 32]).good(at(1_800_000_000)).contains(&nonce));
    }
}
