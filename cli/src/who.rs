// SPDX-License-Identifier: LGPL-2.0-or-later
//! Whom an argument means: a mail address, or a fingerprint or key ID in hexadecimal.

use std::{fmt, str::FromStr};

use plombe_core::{KeyHandle, cert::Certificate, cert::LockedTsk, recipients::Address};

use crate::{
    app::App,
    exit::{Exit, Failure},
    terminal::printable_line,
};

/// An argument that names a certificate.
#[derive(Clone, Debug)]
pub(crate) enum Who {
    Address(Address),
    Key(KeyHandle),
}

impl FromStr for Who {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.contains('@') {
            return Address::parse(text).map(Self::Address).map_err(|error| error.to_string());
        }
        let hex: String = text.chars().filter(|c| !c.is_whitespace() && *c != ':').collect();
        let hex = hex.strip_prefix("0x").unwrap_or(&hex);
        // v4 and v6 fingerprints, key IDs. Shorter ones can be forged at will.
        match hex.len() {
            16 | 40 | 64 => hex.parse().map(Self::Key).map_err(|_| "not hexadecimal".to_owned()),
            _ => Err("expected a mail address, or a fingerprint of 40 or 64 hexadecimal digits".to_owned()),
        }
    }
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => address.fmt(f),
            Self::Key(handle) => handle.fmt(f),
        }
    }
}

impl Who {
    /// Certificates that this may mean, valid or not.
    pub(crate) fn certificates(&self, app: &App<'_>) -> anyhow::Result<Vec<Certificate>> {
        match self {
            Self::Address(address) => app.certificates.by_address(&address.to_string()),
            Self::Key(handle) => app.certificates.by_key(handle),
        }
    }

    /// Is this certificate meant? Says nothing about whether its user IDs hold.
    pub(crate) fn means(&self, certificate: &Certificate) -> bool {
        match self {
            Self::Address(address) => {
                certificate.unverified_addresses().iter().any(|own| address.matches(own))
            }
            Self::Key(handle) => certificate.matches(handle),
        }
    }

    /// The one certificate that this means: our own if there is one, otherwise the only one. Whether it can be used
    /// for something is not asked here.
    pub(crate) fn certificate(&self, app: &App<'_>) -> anyhow::Result<Certificate> {
        let mut found = self.certificates(app)?;
        if found.len() > 1 {
            let own = self.tsks(app)?;
            if let [tsk] = own.as_slice() {
                found.retain(|certificate| certificate.fingerprint() == tsk.fingerprint());
            }
        }
        match found.len() {
            0 => Err(self.unknown()),
            1 => Ok(found.remove(0)),
            _ => Err(self.ambiguous(found.iter().map(Certificate::fingerprint).map(|f| f.to_hex()))),
        }
    }

    /// Our TSKs that this may mean, valid or not.
    pub(crate) fn tsks(&self, app: &App<'_>) -> anyhow::Result<Vec<LockedTsk>> {
        match self {
            Self::Address(address) => app.tsks.by_address(&address.to_string()),
            Self::Key(handle) => {
                let mut tsks = app.tsks.all()?;
                tsks.retain(|tsk| tsk.certificate().matches(handle));
                Ok(tsks)
            }
        }
    }

    /// The one TSK that this means.
    pub(crate) fn tsk(&self, app: &App<'_>) -> anyhow::Result<LockedTsk> {
        let mut found = self.tsks(app)?;
        match found.len() {
            0 => Err(self.no_secret()),
            1 => Ok(found.remove(0)),
            _ => Err(self.ambiguous(found.iter().map(|tsk| tsk.fingerprint().to_hex()))),
        }
    }

    /// The failure that says so.
    pub(crate) fn no_secret(&self) -> anyhow::Error {
        Failure::new(Exit::CertificateUnusable, format!("there is no secret key for {self} here"))
            .hint("`plombe key list --secret` shows those that are; `plombe key import FILE` brings one in")
            .into()
    }

    fn unknown(&self) -> anyhow::Error {
        Failure::new(Exit::CertificateUnusable, format!("there is no certificate for {self} here"))
            .hint(format!("`plombe key find {self}` looks for it, `plombe key import FILE` brings one in"))
            .into()
    }

    pub(crate) fn ambiguous(&self, fingerprints: impl Iterator<Item = String>) -> anyhow::Error {
        let fingerprints: Vec<String> = fingerprints.collect();
        let message = format!("{self} may mean several certificates: {}", fingerprints.join(", "));
        Failure::new(Exit::Conflict, message).hint("name one of them by its fingerprint").into()
    }
}

/// How a certificate is called in messages: its first address or user ID, otherwise its fingerprint.
pub(crate) fn name(app: &App<'_>, certificate: &Certificate) -> String {
    let valid = certificate.addresses(&app.policy, app.now).into_iter().next();
    let named = valid.or_else(|| certificate.unverified_user_ids().into_iter().next());
    named.map_or_else(|| certificate.fingerprint().to_hex(), |name| printable_line(&name))
}
