// SPDX-License-Identifier: LGPL-2.0-or-later
//! Passkeys, with the keystore as relying party of WebAuthn (level 3).
//!
//! 1. [`Tickets::issue`] makes a challenge that is bound to a session and a [`Purpose`](crate::registry::Purpose), and a
//!    ticket by which any server of this keystore knows it again.
//! 2. The keystore's page runs the ceremony in a browser, which sends the answer to a port of the person's own machine.
//! 3. [`RelyingParty::check_registration`] or [`RelyingParty::check_assertion`] checks it; the ledger takes the ticket once.
//!
//! User verification is demanded each time: a passkey is a person, not a thing that lies on a desk. Attestation is neither
//! asked for nor looked at: which maker's authenticator it is gives nobody any right here.

mod authenticator_data;
mod client_data;
mod public_key;
mod refusal;
mod relying_party;
mod ticket;

pub use public_key::{BadPublicKey, PasskeyKey};
pub use refusal::PasskeyRefusal;
pub use relying_party::{NewPasskey, RelyingParty};
pub use ticket::{Asker, Issued, Ticket, Tickets};
