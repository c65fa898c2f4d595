// SPDX-License-Identifier: LGPL-2.0-or-later
//! How challenge mails leave: by SMTP to one server, with TLS.

use std::{
    fs,
    time::{Duration, Instant},
};

use lettre::{
    AsyncSmtpTransport, AsyncTransport as _, Tokio1Executor,
    address::Envelope,
    transport::smtp::{
        Error,
        authentication::Credentials,
        client::{Certificate, CertificateStore, Tls, TlsParameters},
        extension::ClientId,
    },
};
use plombe_core::recipients::Address;
use tokio::sync::Mutex;
use zeroize::Zeroizing;

use super::{MailConfig, MailConfigError, MailTls};
use crate::{directory::SendChallenge, ledger::Permit};

/// A server that does not answer for so long is away.
const PATIENCE: Duration = Duration::from_secs(20);
/// What was seen when it was asked last counts for so long: strangers' requests are no load for the mail server.
const FRESH: Duration = Duration::from_secs(5);
/// When a server is busy, it is asked again after these.
const AGAIN: [Duration; 2] = [Duration::from_secs(5), Duration::from_secs(30)];

/// The server that takes mail for sending.
pub struct Submission {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Address,
    seen: Mutex<Option<(Instant, bool)>>,
}

/// A mail that could not be sent.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NotSent {
    /// An address that SMTP does not carry.
    #[error("the address cannot be written in SMTP")]
    Address,
    /// What the server says, or that it says nothing.
    #[error("the mail server: {0}")]
    Server(#[source] Error),
}

impl Submission {
    /// As configured.
    ///
    /// # Errors
    /// When a file that the configuration names cannot be used.
    pub fn new(config: &MailConfig) -> Result<Self, MailConfigError> {
        let from = Address::parse(&config.from).map_err(|_| MailConfigError::From)?;
        let tls = match config.tls {
            MailTls::Implicit => Tls::Wrapper(parameters(config)?),
            MailTls::StartTls => Tls::Required(parameters(config)?),
            MailTls::None => Tls::None,
        };
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(config.host.as_str())
            .port(config.port())
            .tls(tls)
            .hello_name(ClientId::Domain(from.domain().to_owned()))
            .timeout(Some(PATIENCE));
        if let (Some(user), Some(file)) = (&config.user, &config.password_file) {
            let failed = |error| MailConfigError::Password(file.clone(), error);
            let password = Zeroizing::new(fs::read_to_string(file).map_err(failed)?);
            let password = password.trim_end_matches(['\r', '\n']);
            builder = builder.credentials(Credentials::new(user.clone(), password.to_owned()));
        }
        Ok(Self { transport: builder.build(), from, seen: Mutex::default() })
    }

    /// Whom mails are from.
    pub fn from(&self) -> &Address {
        &self.from
    }

    /// Connects, and logs in.
    ///
    /// # Errors
    /// What is wrong with that.
    pub async fn check(&self) -> Result<(), NotSent> {
        self.transport.test_connection().await.map(|_| ()).map_err(NotSent::Server)
    }

    /// Would it take mail now? Asked before anybody knows whether any will be sent, so that the answer tells nothing about an address.
    pub async fn answers(&self) -> bool {
        let mut seen = self.seen.lock().await;
        if let Some((_, answers)) = seen.filter(|(when, _)| when.elapsed() < FRESH) {
            return answers;
        }
        let checked = self.check().await;
        if let Err(error) = &checked {
            tracing::error!(error = error as &dyn std::error::Error, "challenge mails cannot be sent");
        }
        *seen = Some((Instant::now(), checked.is_ok()));
        checked.is_ok()
    }

    /// Sends a challenge, which is on record. When the server is busy or away, again after a while.
    ///
    /// # Errors
    /// When it could not be sent.
    pub async fn send(&self, permit: Permit<SendChallenge>) -> Result<(), NotSent> {
        let challenge = permit.into_act();
        let address = |address: &Address| address.to_string().parse().map_err(|_| NotSent::Address);
        let envelope = Envelope::new(Some(address(&self.from)?), vec![address(challenge.to())?])
            .map_err(|_| NotSent::Address)?;
        let mut waits = AGAIN.into_iter();
        loop {
            match self.transport.send_raw(&envelope, challenge.mail()).await {
                Ok(_) => return Ok(()),
                Err(error) => match waits.next().filter(|_| !error.is_permanent()) {
                    Some(wait) => tokio::time::sleep(wait).await,
                    None => return Err(NotSent::Server(error)),
                },
            }
        }
    }
}

fn parameters(config: &MailConfig) -> Result<TlsParameters, MailConfigError> {
    let mut builder = TlsParameters::builder(config.host.clone());
    if let Some(file) = &config.ca_file {
        let pem = fs::read(file).map_err(|error| MailConfigError::Authorities(file.clone(), error))?;
        let authority = Certificate::from_pem(&pem).map_err(MailConfigError::Tls)?;
        builder = builder.certificate_store(CertificateStore::None).add_root_certificate(authority);
    }
    builder.build_rustls().map_err(MailConfigError::Tls)
}
