// SPDX-License-Identifier: LGPL-2.0-or-later
//! A passkey is shown: the keystore's page runs in the person's browser, and the answer comes back to a port of this machine.

use std::{fmt, sync::Arc, time::Duration};

use plombe_core::keystore::{
    Bytes, Origin,
    calls::passkeys::{
        AddPasskey, Assertion, Ceremony, FinishStepUp, PAGE_PATH, Passkey, Registration, StartPasskey,
        StartStepUp, SteppedUp,
    },
};
use url::Url;

use crate::{
    ClientError, Session,
    device::random_array,
    oidc::{Listener, Query},
};

/// Where the browser comes back to.
const CALLBACK: &str = "/passkey";
/// As long as the ceremony's ticket.
const PATIENCE: Duration = Duration::from_secs(300);

/// How a program gets the person to open a page.
#[derive(Clone)]
pub struct Browser(Arc<dyn Fn(&str) + Send + Sync>);

impl Browser {
    /// `open` gets the page's address. It returns at once; the person may take minutes.
    pub fn new(open: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self(Arc::new(open))
    }
}

impl fmt::Debug for Browser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Browser(..)")
    }
}

impl Session {
    /// Shows a passkey for the kind of call at `path`. [`Session::call`] does it by itself when
    /// [`Options::browser`](crate::Options::browser) is set and the keystore asks for it.
    ///
    /// # Errors
    ///
    /// [`ClientError::Browser`] when nothing came back; the keystore's refusals.
    pub fn step_up(&mut self, path: &str) -> Result<SteppedUp, ClientError> {
        let ceremony = self.call(&StartStepUp { path: path.to_owned() })?;
        let answer = self.run(&ceremony)?;
        let assertion = Assertion {
            credential: bytes(&answer, "credential")?,
            client_data: bytes(&answer, "client_data")?,
            authenticator_data: bytes(&answer, "authenticator_data")?,
            signature: bytes(&answer, "signature")?,
        };
        self.call(&FinishStepUp { ticket: ceremony.ticket, assertion })
    }

    /// Makes a passkey and adds it to the account.
    ///
    /// # Errors
    ///
    /// The same.
    pub fn add_passkey(&mut self, name: &str) -> Result<Passkey, ClientError> {
        let ceremony = self.call(&StartPasskey {})?;
        let answer = self.run(&ceremony)?;
        let algorithm = answer.one("algorithm").and_then(|text| text.parse().ok());
        let registration = Registration {
            client_data: bytes(&answer, "client_data")?,
            authenticator_data: bytes(&answer, "authenticator_data")?,
            public_key: bytes(&answer, "public_key")?,
            algorithm: algorithm.ok_or_else(not_understood)?,
        };
        self.call(&AddPasskey { ticket: ceremony.ticket, name: name.to_owned(), registration })
    }

    /// Has the page opened, and waits for what it sends back.
    fn run(&self, ceremony: &Ceremony) -> Result<Query, ClientError> {
        let browser = self.keystore().options().browser.clone();
        let browser = browser.ok_or_else(|| ClientError::Browser("this program opens no browser".into()))?;
        let page = page(ceremony, &self.keystore().identity().origin)?;
        let listener = Listener::open(CALLBACK)?;
        let state = Bytes(random_array::<16>().to_vec()).to_base64url();
        browser.0(asking(page, ceremony, listener.port(), &state).as_str());
        listener.wait(&state, PATIENCE)
    }
}

/// Where the page is: on the server that this session is with. Nobody is sent to a page of somebody else.
fn page(ceremony: &Ceremony, keystore: &Origin) -> Result<Url, ClientError> {
    let origin: Origin = ceremony.origin.parse().map_err(|_| not_understood())?;
    if !origin.is_same_place(keystore) {
        let reason = format!("the keystore at {keystore} names a page at {origin}, which is not opened");
        return Err(ClientError::Browser(reason));
    }
    Url::parse(&origin.url(PAGE_PATH)).map_err(|_| not_understood())
}

/// The page's whole address. All of the question stands behind the `#`, so it reaches no server.
fn asking(mut page: Url, ceremony: &Ceremony, port: u16, state: &str) -> Url {
    let credentials: Vec<_> = ceremony.credentials.iter().map(Bytes::to_base64url).collect();
    let mut fragment = url::form_urlencoded::Serializer::new(String::new());
    fragment
        .append_pair("question", &ceremony.question.to_base64url())
        .append_pair("credentials", &credentials.join(","))
        .append_pair("port", &port.to_string())
        .append_pair("state", state);
    page.set_fragment(Some(&fragment.finish()));
    page
}

fn bytes(answer: &Query, name: &str) -> Result<Bytes, ClientError> {
    answer.one(name).and_then(Bytes::from_base64url).ok_or_else(not_understood)
}

fn not_understood() -> ClientError {
    ClientError::Browser("the page's answer is not understood".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_page_of_ones_own_keystore_is_opened() {
        let page = |named: &str, own: &str| {
            let ceremony = Ceremony {
                ticket: Bytes(vec![1]),
                question: Bytes(vec![2]),
                origin: named.to_owned(),
                credentials: Vec::new(),
                expires_at: 0,
            };
            page(&ceremony, &own.parse().unwrap()).map(String::from)
        };
        let own = "https://keys.example.org";
        assert_eq!(page(own, own).unwrap(), "https://keys.example.org/passkey");
        assert_eq!(
            page("http://localhost:7420", "http://127.0.0.1:7420").unwrap(),
            "http://localhost:7420/passkey"
        );
        for other in [
            "https://keys.example.org.mallory.example",
            "https://mallory.example",
            "https://keys.example.org:8443",
            "https://keys.example.org@mallory.example",
            "https://keys.example.org/elsewhere",
            "http://localhost:7420",
            "javascript:alert(1)",
            "",
        ] {
            assert!(page(other, own).is_err(), "{other}");
        }
        assert!(page("http://localhost:7421", "http://127.0.0.1:7420").is_err());
    }
}
