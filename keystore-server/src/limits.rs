// SPDX-License-Identifier: LGPL-2.0-or-later
//! How often who may knock.

use std::{net::IpAddr, num::NonZeroU32};

use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use plombe_core::keystore::{KeyFingerprint, SessionId};

/// Rate limits. They bound guessing and load; nothing relies on them to stay secret.
pub struct Limits {
    log_ins: DefaultKeyedRateLimiter<IpAddr>,
    requests: DefaultKeyedRateLimiter<SessionId>,
    foreign: DefaultKeyedRateLimiter<SessionId>,
    rsa: DefaultKeyedRateLimiter<KeyFingerprint>,
    look_ups: DefaultKeyedRateLimiter<IpAddr>,
}

/// Attempts per minute and address. A code has 128 bits: this is about the log's and the processor's peace.
const LOG_INS: u32 = 20;
/// Requests per second and session, in the long run; four times as many in a burst.
const REQUESTS: u32 = 100;
/// Requests per minute and session with its value and another device's key that get an entry of their own.
const FOREIGN: u32 = 6;
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
            foreign: RateLimiter::keyed(per(Quota::per_minute, FOREIGN)),
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

    /// Is one more use of this session by another device's key worth an entry? Its owner should see it, and it should fill
    /// neither the log nor the owner's own limit.
    pub fn foreign_request(&self, session: SessionId) -> bool {
        self.foreign.check_key(&session).is_ok()
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
        self.foreign.retain_recent();
        self.rsa.retain_recent();
        self.look_ups.retain_recent();
    }
}

/// Whoever has one IPv6 address has a network of them.
fn network(address: IpAddr) -> IpAddr {
    // An IPv4 client of a socket for both families is that client, and not all of IPv4.
    match address.to_canonical() {
        v4 @ IpAddr::V4(_) => v4,
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

    #[test]
    fn a_stranger_does_not_use_up_the_log_ins_of_everybody_with_an_ipv4_address() {
        let limits = Limits::default();
        let address = |last: u8| IpAddr::from(std::net::Ipv4Addr::new(192, 0, 2, last).to_ipv6_mapped());
        (0..2 * LOG_INS).for_each(|_| _ = limits.log_in(address(1)));
        assert!(!limits.log_in(address(1)));
        assert!(limits.log_in(address(2)));
    }

    #[test]
    fn who_has_a_stolen_session_value_does_not_use_up_its_owners_requests() {
        let limits = Limits::default();
        let session = SessionId(uuid::Uuid::from_u128(1));
        let recorded = (0..1000).filter(|_| limits.foreign_request(session)).count();
        assert_eq!(recorded, FOREIGN as usize);
        assert!(limits.request(session));
    }
}
