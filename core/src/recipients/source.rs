// SPDX-License-Identifier: LGPL-2.0-or-later
//! Where a certificate came from.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// Where a certificate came from, the most trusted first.
///
/// | source | who vouches that it belongs to the address | what an attacker needs |
/// |---|---|---|
/// | own | its secret key is here | this machine |
/// | keystore | the organisation's keystore, for its own addresses | the keystore |
/// | WKD | the address's domain, by TLS | the domain, its web server or its certificate authority |
/// | VKS | the server, after a mail to the address | the server, or one mail to the address |
/// | HKP | nobody | an upload |
/// | store | nobody: it once was put there | a file that somebody imports |
/// | Autocrypt | whoever sent the mail | one forged mail |
/// | Autocrypt gossip | whoever else wrote an encrypted mail to us both | one mail |
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Source {
    /// Our own: the secret key lies on this machine.
    Own,
    /// The directory of the keystore that this machine is logged in at, about addresses in its own domains.
    Keystore {
        /// Its host name.
        server: String,
    },
    /// Web Key Directory of the address's domain.
    Wkd(WkdMethod),
    /// A verifying key server: it publishes an address only after a mail to it was answered.
    Vks {
        /// Its host name.
        server: String,
    },
    /// A key server that publishes whatever it is given.
    Hkp {
        /// Its host name.
        server: String,
    },
    /// The certificate directory on this machine.
    Store,
    /// The header of a mail, about its sender.
    Autocrypt,
    /// Inside an encrypted mail, its sender's word about another recipient.
    AutocryptGossip,
}

/// Which of the two places a Web Key Directory may be in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WkdMethod {
    /// `openpgpkey.` subdomain.
    Advanced,
    /// The domain itself.
    Direct,
}

impl Source {
    /// Smaller is more trusted. Sources of one rank are equally good.
    pub(super) fn rank(&self) -> u8 {
        match self {
            Self::Own => 0,
            Self::Keystore { .. } => 1,
            Self::Wkd(_) => 2,
            Self::Vks { .. } => 3,
            Self::Hkp { .. } => 4,
            Self::Store => 5,
            Self::Autocrypt => 6,
            Self::AutocryptGossip => 7,
        }
    }

    /// Does somebody vouch that the certificate belongs to the address? What anybody may have put there must not be
    /// able to stop mail by contradicting a pin.
    pub(super) fn vouches(&self) -> bool {
        matches!(self, Self::Own | Self::Keystore { .. } | Self::Wkd(_) | Self::Vks { .. })
    }

    /// Did a mail bring it?
    pub fn is_mail(&self) -> bool {
        matches!(self, Self::Autocrypt | Self::AutocryptGossip)
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Own => f.write_str("own"),
            Self::Wkd(WkdMethod::Advanced) => f.write_str("wkd:advanced"),
            Self::Wkd(WkdMethod::Direct) => f.write_str("wkd:direct"),
            Self::Keystore { server } => write!(f, "keystore:{server}"),
            Self::Vks { server } => write!(f, "vks:{server}"),
            Self::Hkp { server } => write!(f, "hkp:{server}"),
            Self::Store => f.write_str("store"),
            Self::Autocrypt => f.write_str("autocrypt"),
            Self::AutocryptGossip => f.write_str("autocrypt-gossip"),
        }
    }
}

/// Not the name of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown source of a certificate")]
pub struct SourceError;

impl FromStr for Source {
    type Err = SourceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once(':') {
            None if text == "own" => Ok(Self::Own),
            None if text == "store" => Ok(Self::Store),
            None if text == "autocrypt" => Ok(Self::Autocrypt),
            None if text == "autocrypt-gossip" => Ok(Self::AutocryptGossip),
            Some(("wkd", "advanced")) => Ok(Self::Wkd(WkdMethod::Advanced)),
            Some(("wkd", "direct")) => Ok(Self::Wkd(WkdMethod::Direct)),
            Some(("keystore", server)) => Ok(Self::Keystore { server: server.to_owned() }),
            Some(("vks", server)) => Ok(Self::Vks { server: server.to_owned() }),
            Some(("hkp", server)) => Ok(Self::Hkp { server: server.to_owned() }),
            _ => Err(SourceError),
        }
    }
}

impl TryFrom<String> for Source {
    type Error = SourceError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Source> for String {
    fn from(source: Source) -> Self {
        source.to_string()
    }
}
