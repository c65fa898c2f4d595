// SPDX-License-Identifier: LGPL-2.0-or-later
//! How often who may knock.

use std::{net::IpAddr, num::NonZeroU32, time::Duration};

use governor::{
    DefaultKeyedRateLimiter, Quota, RateLimiter,
    clock::{Clock as _, DefaultClock},
};
use plombe_core::keystore::{KeyFingerprint, PrincipalId, SessionId};
use serde::Deserialize;

/// Rate limits. They bound guessing and load; nothing relies on them to stay secret.
pub struct Limits {
    log_ins: DefaultKeyedRateLimiter<IpAddr>,
    requests: DefaultKeyedRateLimiter<SessionId>,
    foreign: DefaultKeyedRateLimiter<SessionId>,
    rsa: DefaultKeyedRateLimiter<KeyFingerprint>,
    key_uses: DefaultKeyedRateLimiter<PrincipalId>,
    look_ups: DefaultKeyedRateLimiter<IpAddr>,
    log_reads: DefaultKeyedRateLimiter<IpAddr>,
    patience: Duration,
}

/// Requests per minute and session with its value and another device's key that get an entry of their own.
const FOREIGN: u32 = 6;

/// How often who may knock. Offices behind one address need more log-ins than a person at home.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LimitsConfig {
    /// Attempts per minute and address (for IPv6 per /64). A code has 128 bits: this is about the log's and the processor's peace.
    pub log_ins_per_minute: NonZeroU32,
    /// Requests per second and session, in the long run; four times as many in a burst.
    pub requests_per_second: NonZeroU32,
    /// RSA decryptions per minute and key. A padding oracle, if there was one after all, takes hundreds of thousands.
    pub rsa_per_minute: NonZeroU32,
    /// Session keys and signatures per minute and person, on all their devices together. A mailbox that is read as a whole needs
    /// thousands; a thief of a device who reads as fast as he can is slowed down.
    pub key_uses_per_minute: NonZeroU32,
    /// Directory look-ups per minute and address.
    pub look_ups_per_minute: NonZeroU32,
    /// Checkpoints, tiles and proofs of the public log per minute and address. A witness asks for a few; who copies the whole log reads
    /// 256 entries' hashes with each.
    pub log_reads_per_minute: NonZeroU32,
    /// Connections at one time.
    pub connections: NonZeroU32,
    /// Connections at one time from one address that is no trusted proxy.
    pub connections_per_address: NonZeroU32,
    /// A request's headers, a request as a whole, and an idle connection get so many seconds each (1 to 300).
    pub patience_seconds: NonZeroU32,
}

impl Default for LimitsConfig {
    fn default() -> Self {
        Self {
            log_ins_per_minute: at_least_one(20),
            requests_per_second: at_least_one(100),
            rsa_per_minute: at_least_one(600),
            key_uses_per_minute: at_least_one(6000),
            look_ups_per_minute: at_least_one(120),
            log_reads_per_minute: at_least_one(600),
            connections: at_least_one(4096),
            connections_per_address: at_least_one(512),
            patience_seconds: at_least_one(30),
        }
    }
}

impl LimitsConfig {
    /// How long somebody slow is waited for.
    pub fn patience(&self) -> Duration {
        Duration::from_secs(self.patience_seconds.get().into())
    }
}

fn at_least_one(count: u32) -> NonZeroU32 {
    NonZeroU32::new(count).unwrap_or(NonZeroU32::MIN)
}

impl Default for Limits {
    fn default() -> Self {
        Self::new(&LimitsConfig::default())
    }
}

impl Limits {
    /// As configured.
    pub fn new(config: &LimitsConfig) -> Self {
        let burst = config.requests_per_second.saturating_mul(at_least_one(4));
        let requests = Quota::per_second(config.requests_per_second).allow_burst(burst);
        Self {
            log_ins: RateLimiter::keyed(Quota::per_minute(config.log_ins_per_minute)),
            requests: RateLimiter::keyed(requests),
            foreign: RateLimiter::keyed(Quota::per_minute(at_least_one(FOREIGN))),
            rsa: RateLimiter::keyed(Quota::per_minute(config.rsa_per_minute)),
            key_uses: RateLimiter::keyed(Quota::per_minute(config.key_uses_per_minute)),
            look_ups: RateLimiter::keyed(Quota::per_minute(config.look_ups_per_minute)),
            patience: config.patience(),
            log_reads: RateLimiter::keyed(Quota::per_minute(config.log_reads_per_minute)),
        }
    }

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

    /// May this person use a key once more?
    ///
    /// # Errors
    /// Not yet: how long to wait.
    pub fn key_use(&self, principal: PrincipalId) -> Result<(), Duration> {
        let check = self.key_uses.check_key(&principal);
        check.map_err(|until| until.wait_time_from(DefaultClock::default().now()))
    }

    /// May this address look up once more?
    pub fn look_up(&self, from: IpAddr) -> bool {
        self.look_ups.check_key(&network(from)).is_ok()
    }

    /// How long somebody slow is waited for.
    pub fn patience(&self) -> Duration {
        self.patience
    }

    /// May this address read the public log once more?
    pub fn log_read(&self, from: IpAddr) -> bool {
        self.log_reads.check_key(&network(from)).is_ok()
    }

    /// Forgets who has been quiet.
    pub fn tidy(&self) {
        self.log_ins.retain_recent();
        self.requests.retain_recent();
        self.foreign.retain_recent();
        self.rsa.retain_recent();
        self.key_uses.retain_recent();
        self.look_ups.retain_recent();
        self.log_reads.retain_recent();
    }
}

/// Whoever has one IPv6 address has a network of them.
pub(crate) fn network(address: IpAddr) -> IpAddr {
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
        let allowed = LimitsConfig::default().log_ins_per_minute.get();
        let let_in = (0..2 * allowed).filter(|i| limits.log_in(address(u16::try_from(*i).unwrap()))).count();
        assert_eq!(let_in, allowed as usize);
        assert!(limits.log_in(IpAddr::from([192, 0, 2, 1])));
    }

    #[test]
    fn a_stranger_does_not_use_up_the_log_ins_of_everybody_with_an_ipv4_address() {
        let limits = Limits::default();
        let address = |last: u8| IpAddr::from(std::net::Ipv4Addr::new(192, 0, 2, last).to_ipv6_mapped());
        (0..2 * LimitsConfig::default().log_ins_per_minute.get()).for_each(|_| _ = limits.log_in(address(1)));
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
