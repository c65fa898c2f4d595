// SPDX-License-Identifier: LGPL-2.0-or-later
//! A log-in through the browser.

mod listener;

use std::time::Duration;

use plombe_core::keystore::calls::login::{OidcFinish, OidcStarted};

pub(crate) use listener::{Listener, Query};

use crate::{ClientError, DeviceKey, Keystore, Session};

/// Path of a log-in's redirect URI.
pub(crate) const CALLBACK: &str = "/callback";

/// A log-in that waits for the browser to come back.
#[derive(Debug)]
pub struct OidcLogin {
    keystore: Keystore,
    device: DeviceKey,
    listener: Listener,
    started: OidcStarted,
}

impl OidcLogin {
    pub(crate) fn new(
        keystore: Keystore,
        device: DeviceKey,
        listener: Listener,
        started: OidcStarted,
    ) -> Self {
        Self { keystore, device, listener, started }
    }

    /// The identity provider's page, for the user's browser.
    pub fn url(&self) -> &str {
        &self.started.url
    }

    /// Waits for the browser, then logs in.
    pub fn finish(self, device_name: &str, patience: Duration) -> Result<Session, ClientError> {
        let redirect = self.listener.wait(&self.started.state, patience)?;
        let code = redirect.one("code").ok_or_else(|| ClientError::Browser("it brought no code".into()))?;
        let call = OidcFinish {
            code: code.to_owned(),
            iss: redirect.one("iss").map(str::to_owned),
            state: self.started.state,
            device_name: device_name.to_owned(),
        };
        let logged_in = self.keystore.exchange(&self.device, None, &call)?;
        Ok(Session::new(self.keystore, self.device, logged_in))
    }
}
