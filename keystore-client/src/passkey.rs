// SPDX-License-Identifier: LGPL-2.0-or-later
//! A passkey is shown: the keystore's page runs in the person's browser, and the answer comes back to a port of this machine.

use std::{fmt, sync::Arc, time::Duration};

use plombe_core::keystore::{
    Bytes,
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
        let listener = Listener::open(CALLBACK)?;
        let state = Bytes(random_array::<16>().to_vec()).to_base64url();
        browser.0(page(ceremony, listener.port(), &state)?.as_str());
        listener.wait(&state, PATIENCE)
    }
}

/// The page's address. All of the question stands behind the `#`, so it reaches no server.
fn page(ceremony: &Ceremony, port: u16, state: &str) -> Result<Url, ClientError> {
    let mut page =
        Url::parse(&ceremony.origin).and_then(|url| url.join(PAGE_PATH)).map_err(|_| not_understood())?;
    let credentials: Vec<_> = ceremony.credentials.iter().map(Bytes::to_base64url).collect();
    let mut fragment = url::form_urlencoded::Serializer::new(String::new());
    fragment
        .append_pair("purpose", &ceremony.purpose)
        .append_pair("challenge", &ceremony.challenge.to_base64url())
        .append_pair("credentials", &credentials.join(","))
        .append_pair("port", &port.to_string())
        .append_pair("state", state);
    if let Some(user) = &ceremony.user {
        fragment.append_pair("user", &user.handle.to_base64url()).append_pair("name", &user.name);
    }
    page.set_fragment(Some(&fragment.finish()));
    Ok(page)
}

fn bytes(answer: &Query, name: &str) -> Result<Bytes, ClientError> {
    answer.one(name).and_then(Bytes::from_base64url).ok_or_else(not_understood)
}

fn not_understood() -> ClientError {
    ClientError::Browser("the page's answer is not understood".into())
}
