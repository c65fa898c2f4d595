// SPDX-License-Identifier: LGPL-2.0-or-later
//! Challenges that no server has to remember: they are the hash of a question, and a tag shows that we asked it. The page gets the
//! question, shows what stands in it, and makes the challenge of it by itself: its words are what is signed.
//!
//! Wire format of a ticket: expiry, seconds since 1970 (8) ‖ random (16) ‖ tag (32).

use std::time::{Duration, SystemTime};

use aws_lc_rs::{constant_time::verify_slices_are_equal, hmac};
use plombe_core::keystore::{DeviceId, PrincipalId, SessionId, fields};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::PasskeyRefusal;
use crate::{access_policy::seconds, fresh, registry::Purpose};

/// From asking to handing in the answer. A person reads a page and looks for a key.
const LIFETIME: Duration = Duration::from_secs(300);

/// Makes and knows challenges.
pub struct Tickets(hmac::Key);

/// Who asks: the answer counts for them alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asker {
    /// Who.
    pub principal: PrincipalId,
    /// With which device.
    pub device: DeviceId,
    /// In which session.
    pub session: SessionId,
    /// What the page calls their account.
    pub account: String,
    /// What the page calls the device.
    pub device_name: String,
}

/// A question and its ticket.
#[derive(Debug)]
pub struct Issued {
    /// For the page.
    pub question: Vec<u8>,
    /// To be handed in with the answer.
    pub ticket: Vec<u8>,
    /// Seconds since 1970.
    pub expires: u64,
}

/// A ticket that came back, and is ours.
#[derive(Debug, PartialEq, Eq)]
pub struct Ticket {
    /// What the answer must be to.
    pub challenge: [u8; 32],
    /// Its name, which the ledger takes once, and until when it must remember it.
    pub once: (Vec<u8>, u64),
}

impl Tickets {
    /// With a key that all servers of this keystore have, derived for this alone.
    pub fn new(key: &Zeroizing<[u8; 32]>) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, key.as_slice()))
    }

    /// For one asker and one purpose.
    pub fn issue(&self, asker: &Asker, purpose: Purpose, now: SystemTime) -> Issued {
        let expires = seconds(now + LIFETIME);
        let random: Zeroizing<[u8; 16]> = fresh::random();
        let question = question(asker, purpose, expires, &random);
        let tag = hmac::sign(&self.0, &Sha256::digest(&question));
        let ticket = [&expires.to_be_bytes()[..], &random[..], tag.as_ref()].concat();
        Issued { question, ticket, expires }
    }

    /// Takes a ticket back from the same asker for the same purpose.
    ///
    /// # Errors
    /// When it is another's, for something else, or too old.
    pub fn take(
        &self,
        ticket: &[u8],
        asker: &Asker,
        purpose: Purpose,
        now: SystemTime,
    ) -> Result<Ticket, PasskeyRefusal> {
        let (expires, rest) = ticket.split_first_chunk::<8>().ok_or(PasskeyRefusal::Ticket)?;
        let (random, tag) = rest.split_first_chunk::<16>().ok_or(PasskeyRefusal::Ticket)?;
        let expires = u64::from_be_bytes(*expires);
        let challenge: [u8; 32] = Sha256::digest(question(asker, purpose, expires, random)).into();
        let made = hmac::sign(&self.0, &challenge);
        verify_slices_are_equal(made.as_ref(), tag).map_err(|_| PasskeyRefusal::Ticket)?;
        // One from the future is from before the clock was set back, and would live too long.
        if expires <= seconds(now) || expires > seconds(now + LIFETIME) {
            return Err(PasskeyRefusal::Expired);
        }
        let name = fields(&[b"plombe keystore passkey ticket v1", random]);
        // A minute more, for the clocks of other servers.
        Ok(Ticket { challenge, once: (Sha256::digest(name).to_vec(), expires + 60) })
    }
}

fn question(asker: &Asker, purpose: Purpose, expires: u64, random: &[u8; 16]) -> Vec<u8> {
    fields(&[
        b"plombe keystore passkey question v1",
        asker.principal.0.as_bytes(),
        asker.device.0.as_bytes(),
        asker.session.0.as_bytes(),
        purpose.code().as_bytes(),
        &expires.to_be_bytes(),
        random,
        asker.account.as_bytes(),
        asker.device_name.as_bytes(),
    ])
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use uuid::Uuid;

    use super::*;

    fn asker(principal: u128, device: u128, session: u128) -> Asker {
        Asker {
            principal: PrincipalId(Uuid::from_u128(principal)),
            device: DeviceId(Uuid::from_u128(device)),
            session: SessionId(Uuid::from_u128(session)),
            account: "alice@example.org".into(),
            device_name: "laptop".into(),
        }
    }

    #[test]
    fn a_ticket_is_good_for_its_asker_its_purpose_and_five_minutes() {
        let tickets = Tickets::new(&Zeroizing::new([7; 32]));
        let now = UNIX_EPOCH + Duration::from_secs(1_800_000_000);
        let alice = asker(1, 2, 3);
        let issued = tickets.issue(&alice, Purpose::Import, now);
        let take = |tickets: &Tickets, asker: &Asker, purpose, now| {
            tickets.take(&issued.ticket, asker, purpose, now)
        };
        let taken = take(&tickets, &alice, Purpose::Import, now).unwrap();
        assert_eq!(taken.challenge[..], Sha256::digest(&issued.question)[..]);
        let renamed = Asker { device_name: "phone".into(), ..alice.clone() };
        let readdressed = Asker { account: "mallory@example.org".into(), ..alice.clone() };
        for (other, purpose) in [
            (asker(9, 2, 3), Purpose::Import),
            (asker(1, 9, 3), Purpose::Import),
            (asker(1, 2, 9), Purpose::Import),
            (renamed, Purpose::Import),
            (readdressed, Purpose::Import),
            (alice.clone(), Purpose::Administration),
        ] {
            assert_eq!(take(&tickets, &other, purpose, now), Err(PasskeyRefusal::Ticket));
        }
        let others = Tickets::new(&Zeroizing::new([8; 32]));
        assert_eq!(take(&others, &alice, Purpose::Import, now), Err(PasskeyRefusal::Ticket));
        assert_eq!(take(&tickets, &alice, Purpose::Import, now + LIFETIME), Err(PasskeyRefusal::Expired));
        let before = now - Duration::from_secs(60);
        assert_eq!(take(&tickets, &alice, Purpose::Import, before), Err(PasskeyRefusal::Expired));
        for place in 0..issued.ticket.len() {
            let mut changed = issued.ticket.clone();
            changed[place] ^= 1;
            let result = tickets.take(&changed, &alice, Purpose::Import, now);
            assert_eq!(result, Err(PasskeyRefusal::Ticket), "{place}");
        }
    }
}
