// SPDX-License-Identifier: LGPL-2.0-or-later
//! How often who may knock.

use std::{net::IpAddr, num::NonZeroU32};

use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use plombe_core::keystore::{KeyFingerprint, SessionId};

/// Rate limits. They bound guessing and load; nothing relies on them to stay secret.
pub struct Limits {
    log_ins: DefaultKeyedRateLimiter<IpAddr>,
    requests: DefaultKeyedRateLimiter<SessionId>,
    rsa: DefaultKeyedRateLimiter<KeyFingerprint>,
    look_ups: DefaultKeyedRateLimiter<IpAddr>,
}

/// Attempts per minute and address. A code has 128 bits: this is about the log's and the processor's peace.
const LOG_INS: u32 = 20;
/// Requests per second and session, in the long run; four times as many in a burst.
const REQUESTS: u32 = 100;
/// RSA decryptions per minute and key. A padding oracle, if there was one after all, takes hundreds of thousands.
const RSA: u32 = 600;
/// Directory look-ups per minute and address.
const LOOK_UPS: u32 = 120;

fn per(quota: fn(NonZeroU32) -> Quota, count: u32) -> Quota {
    quota(NonZeroU32::new(count).unwrap_or(NonZeroU32::MIN))
}

impl Default for Limits {
    fn default() -> Self {
        let burst = NonZeroU32::new(4 * REQUESTS).unwrap_or(NonZeroU32::MIN);
        Self {
            log_ins: RateLimiter::keyed(per(Quota::per_minute, LOG_INS)),
            requests: RateLimiter::keyed(per(Quota::per_second, REQUESTS).allow_burst(burst)),
            rsa: RateLimiter::keyed(per(Quota::per_minute, RSA)),
            look_ups: RateLimiter::keyed(per(Quota::per_minute, LOOK_UPS)),
        }
    }
}

impl Limits {
    /// May this address try to log in once more?
    pub fn log_in(&self, from: IpAddr) -> bool {
        self.log_ins.check_key(&network(from)).is_ok()
    }

    /// May this session ask once more?
    pub fn request(&self, session: SessionId) -> bool {
        self.requests.check_key(&session).is_ok()
    }

    /// May this RSA key unwrap once more?
    pub fn rsa(&self, key: &KeyFingerprint) -> bool {
        self.rsa.check_key(key).is_ok()
    }

    /// May this address look up once more?
    pub fn look_up(&self, from: IpAddr) -> bool {
        self.look_ups.check_key(&network(from)).is_ok()
    }

    /// Forgets who has been quiet.
    pub fn tidy(&self) {
        self.log_ins.retain_recent();
        self.requests.retain_recent();
        self.rsa.retain_recent();
        self.look_ups.retain_recent();
    }
}

/// Whoever has one IPv6 address has a network of them.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => {
            let mut segments = v6.segments();
            segments[4..].fill(0);
            IpAddr::from(segments)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_ins_from_one_network_are_bounded() {
        let limits = Limits::default();
        let address = |last: u16| IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, last]);
        let let_in = (0..2 * LOG_INS).filter(|i| limits.log_in(address(u16::try_from(*i).unwrap()))).count();
        assert_eq!(let_in, LOG_INS as usize);
        assert!(limits.log_in(IpAddr::from([192, 0, 2, 1])));
    }
}
