// SPDX-License-Identifier: LGPL-2.0-or-later
//! Log in: with an enrolment code, or through an identity provider.

use plombe_core::keystore::{
    EnrolmentCode,
    calls::login::{LoginWithCode, OidcStart},
};

use crate::{
    ClientError, DeviceKey, Keystore, OidcLogin, Session,
    oidc::{CALLBACK, Listener},
};

impl Keystore {
    /// Logs in with an enrolment code. The code's secret goes to the keystore that the code names, or nowhere.
    ///
    /// Not sent a second time when no answer came: the code works once. A new one may be needed then.
    pub fn log_in_with_code(
        &self,
        device: DeviceKey,
        code: &EnrolmentCode,
        device_name: &str,
    ) -> Result<Session, ClientError> {
        if !code.matches(self.identity()) {
            return Err(ClientError::CodeForAnotherKeystore);
        }
        let call = LoginWithCode { secret: code.secret(), device_name: device_name.to_owned() };
        let logged_in = self.exchange(&device, None, &call)?;
        Ok(Session::new(self.clone(), device, logged_in))
    }

    /// Begins a log-in through an identity provider (RFC 8252): show or open [`OidcLogin::url`], then
    /// [`OidcLogin::finish`].
    pub fn start_oidc(&self, device: DeviceKey, issuer: &str) -> Result<OidcLogin, ClientError> {
        let listener = Listener::open(CALLBACK)?;
        let call = OidcStart { issuer: issuer.to_owned(), redirect_uri: listener.redirect_uri() };
        let started = self.exchange(&device, None, &call)?;
        Ok(OidcLogin::new(self.clone(), device, listener, started))
    }
}
