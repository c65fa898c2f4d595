// SPDX-License-Identifier: LGPL-2.0-or-later
//! The keystore as passkeys know it.

use std::net::IpAddr;

use plombe_core::keystore::{
    Origin,
    calls::passkeys::{Assertion, Registration},
};
use sha2::{Digest, Sha256};

use super::{PasskeyKey, PasskeyRefusal, authenticator_data::AuthenticatorData, client_data};

/// Host and origin of the page that passkeys are bound to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelyingParty {
    id: String,
    origin: String,
}

/// A passkey that an authenticator has made.
#[derive(Debug, PartialEq, Eq)]
pub struct NewPasskey {
    /// Its credential id.
    pub credential: Vec<u8>,
    /// Its key.
    pub key: PasskeyKey,
    /// Where its counter stands.
    pub counter: u32,
}

impl RelyingParty {
    /// As the keystore is called. `None` under an address: browsers bind passkeys to names. This machine's name is `localhost`.
    pub fn of(keystore: &Origin) -> Option<Self> {
        if let Some(port) = keystore.loopback_port() {
            let id = "localhost".to_owned();
            let origin: Origin = format!("http://{id}:{port}").parse().ok()?;
            return Some(Self { origin: origin.as_str().to_owned(), id });
        }
        let is_address = keystore.host().starts_with('[') || keystore.host().parse::<IpAddr>().is_ok();
        (!is_address).then(|| Self { id: keystore.host().to_owned(), origin: keystore.as_str().to_owned() })
    }

    /// Where the page is.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Checks a new passkey (section 7.1, without attestation).
    ///
    /// # Errors
    /// The first check that failed.
    pub fn check_registration(
        &self,
        registration: &Registration,
        challenge: &[u8; 32],
    ) -> Result<NewPasskey, PasskeyRefusal> {
        client_data::check(&registration.client_data.0, client_data::CREATE, challenge, &self.origin)?;
        let data = AuthenticatorData::check(&registration.authenticator_data.0, &self.id)?;
        let credential = data.credential()?.to_vec();
        let key = PasskeyKey::parse(registration.algorithm, &registration.public_key.0);
        Ok(NewPasskey { credential, key: key.map_err(|_| PasskeyRefusal::Key)?, counter: data.counter })
    }

    /// Checks an answer by the passkey with that key (section 7.2). Gives its counter, to be compared with the last one where
    /// no other answer comes in between.
    ///
    /// # Errors
    /// The first check that failed.
    pub fn check_assertion(
        &self,
        assertion: &Assertion,
        key: &PasskeyKey,
        challenge: &[u8; 32],
    ) -> Result<u32, PasskeyRefusal> {
        client_data::check(&assertion.client_data.0, client_data::GET, challenge, &self.origin)?;
        let data = AuthenticatorData::check(&assertion.authenticator_data.0, &self.id)?;
        if !data.is_plain() {
            return Err(PasskeyRefusal::Malformed);
        }
        let signed =
            [&assertion.authenticator_data.0[..], &Sha256::digest(&assertion.client_data.0)].concat();
        match key.verifies(&signed, &assertion.signature.0) {
            true => Ok(data.counter),
            false => Err(PasskeyRefusal::Signature),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::RelyingParty;

    #[test]
    fn passkeys_are_bound_to_the_keystores_name_and_never_to_an_address() {
        let of = |text: &str| RelyingParty::of(&text.parse().unwrap()).map(|party| (party.id, party.origin));
        let both = |id: &str, origin: &str| Some((id.to_owned(), origin.to_owned()));
        assert_eq!(
            of("https://keys.example.org:8443"),
            both("keys.example.org", "https://keys.example.org:8443")
        );
        for this in ["http://127.0.0.1:7420", "http://localhost:7420", "http://[::1]:7420"] {
            assert_eq!(of(this), both("localhost", "http://localhost:7420"));
        }
        for address in ["https://192.0.2.1", "https://[2001:db8::1]:8443"] {
            assert_eq!(of(address), None, "{address}");
        }
    }
}
