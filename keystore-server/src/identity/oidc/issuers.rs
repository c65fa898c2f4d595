// SPDX-License-Identifier: LGPL-2.0-or-later
//! All issuers of a keystore, kept apart.

use std::{collections::BTreeMap, time::SystemTime};

use super::{IssuerConfig, IssuerConfigError, Reason, provider::Provider};

/// The issuers by name. Each has its own connections and keys: what one of them signs counts for its own tenant and
/// domains and nowhere else.
pub struct Issuers(BTreeMap<String, Provider>);

impl Issuers {
    /// Checks the configuration as a whole and reads the files that it names. Asks no issuer yet: one that is down must
    /// not keep the keystore from starting.
    ///
    /// The process needs a default TLS provider of rustls by now.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong.
    pub fn new(configs: Vec<IssuerConfig>) -> Result<Self, IssuerConfigError> {
        for (position, config) in configs.iter().enumerate() {
            config.check()?;
            for earlier in &configs[..position] {
                if let Some(what) = clash(earlier, config) {
                    return Err(IssuerConfigError::Clash {
                        first: earlier.name.clone(),
                        second: config.name.clone(),
                        what,
                    });
                }
            }
        }
        let providers = configs.into_iter().map(|config| Ok((config.name.clone(), Provider::new(config)?)));
        providers.collect::<Result<_, _>>().map(Self)
    }

    /// Names and identifiers, for clients that offer a choice.
    pub fn names(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.values().map(|provider| (provider.config.name.as_str(), provider.config.issuer.as_str()))
    }

    /// Asks an issuer for its discovery document and its keys' place. For `doctor`.
    ///
    /// # Errors
    /// Why a log-in through it would fail now.
    pub async fn discover(&self, name: &str, now: SystemTime) -> Result<(), Reason> {
        self.find(name)?.metadata(now).await.map(drop)
    }

    pub(super) fn find(&self, name: &str) -> Result<&Provider, Reason> {
        self.0.get(name).ok_or(Reason::UnknownIssuer)
    }
}

fn clash(one: &IssuerConfig, other: &IssuerConfig) -> Option<&'static str> {
    if one.name == other.name {
        return Some("the names are the same");
    }
    if one.issuer == other.issuer {
        return Some("an issuer belongs to one tenant; one table per issuer");
    }
    let shares_domain = one.domains.iter().any(|domain| other.domains.contains(domain));
    if shares_domain && one.tenant != other.tenant {
        return Some("a domain belongs to one tenant");
    }
    None
}
