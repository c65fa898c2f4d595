// SPDX-License-Identifier: LGPL-2.0-or-later
//! Host names → addresses that may be connected to.
//!
//! The check stands here, behind the name server's answer and before the connection, which goes to exactly the
//! addresses that passed. A name that is public when looked at and private when used (DNS rebinding) gains nothing.

use std::{
    fmt, io,
    net::SocketAddr,
    sync::{Arc, mpsc},
    thread,
    time::Duration,
};

use dns_lookup::LookupErrorKind;
use ureq::{
    config::Config,
    http::Uri,
    unversioned::{
        resolver::{ResolvedSocketAddrs, Resolver},
        transport::NextTimeout,
    },
};

use super::public::is_public;

/// Longer than any name server takes that will answer at all.
const PATIENCE: Duration = Duration::from_secs(10);

/// Looks names up: the system does, and a table in tests.
pub(crate) trait Names: fmt::Debug + Send + Sync + 'static {
    /// Every address of `host`.
    fn addresses(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, NameError>;
}

/// Why a name leads nowhere.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NameError {
    /// The name does not exist. (For WKD this is information, not a failure.)
    #[error("there is no host {0}")]
    NoSuchHost(String),
    /// Nobody could say whether it exists.
    #[error("the name of {0} cannot be looked up: the name server does not answer")]
    NoAnswer(String),
    /// It exists, in a network that strangers must not send us to.
    #[error(
        "{0} has a private address; if that is right, add it to allow-private in [discovery] of config.toml"
    )]
    Private(String),
}

/// The system's name lookup: /etc/hosts, DNS and whatever else is configured.
#[derive(Debug)]
pub(crate) struct SystemNames;

impl Names for SystemNames {
    fn addresses(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, NameError> {
        let (send, receive) = mpsc::sync_channel(1);
        let name = host.to_owned();
        // The system's call cannot be interrupted; when it takes too long it is left behind.
        thread::spawn(move || {
            let found = dns_lookup::lookup_host(&name).map(|addresses| addresses.collect::<Vec<_>>());
            let _ = send.send(found);
        });
        match receive.recv_timeout(PATIENCE) {
            Ok(Ok(addresses)) => Ok(addresses.into_iter().map(|address| (address, port).into()).collect()),
            Ok(Err(error)) => Err(match error.kind() {
                LookupErrorKind::NoName | LookupErrorKind::NoData => NameError::NoSuchHost(host.to_owned()),
                _ => NameError::NoAnswer(host.to_owned()),
            }),
            Err(_) => Err(NameError::NoAnswer(host.to_owned())),
        }
    }
}

/// Lets public addresses through, and private ones of hosts that the configuration names.
#[derive(Debug)]
pub(crate) struct Guard {
    names: Arc<dyn Names>,
    allow_private: Vec<String>,
}

impl Guard {
    pub(crate) fn new(names: Arc<dyn Names>, allow_private: &[String]) -> Self {
        let allow_private = allow_private.iter().map(|host| host.to_ascii_lowercase()).collect();
        Self { names, allow_private }
    }

    /// Allowing a domain allows its `openpgpkey` subdomain, where its directory may be.
    fn allows_private(&self, host: &str) -> bool {
        let host = host.strip_prefix("openpgpkey.").unwrap_or(host);
        self.allow_private.iter().any(|allowed| {
            allowed == host || allowed.strip_prefix("openpgpkey.").is_some_and(|allowed| allowed == host)
        })
    }

    fn addresses(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, NameError> {
        let host = host.trim_matches(['[', ']']).to_ascii_lowercase();
        let mut addresses = self.names.addresses(&host, port)?;
        if addresses.is_empty() {
            return Err(NameError::NoSuchHost(host));
        }
        if !self.allows_private(&host) {
            addresses.retain(|address| is_public(address.ip()));
        }
        if addresses.is_empty() { Err(NameError::Private(host)) } else { Ok(addresses) }
    }
}

impl Resolver for Guard {
    fn resolve(
        &self,
        uri: &Uri,
        _config: &Config,
        _timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let host = uri.host().ok_or_else(|| ureq::Error::BadUri(uri.to_string()))?;
        let default_port = if uri.scheme_str() == Some("https") { 443 } else { 80 };
        let addresses = self
            .addresses(host, uri.port_u16().unwrap_or(default_port))
            // An I/O error carries it through to the caller unchanged.
            .map_err(|error| ureq::Error::Io(io::Error::other(error)))?;
        let mut resolved = self.empty();
        // As many as there is room for.
        addresses.into_iter().take(16).for_each(|address| resolved.push(address));
        Ok(resolved)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::{collections::HashMap, net::IpAddr};

    use super::*;

    /// Names that exist for one test. Ports are replaced, so that a test's server needs no port 443.
    #[derive(Debug, Default)]
    pub(crate) struct Table(pub(crate) HashMap<String, Vec<SocketAddr>>);

    impl Table {
        pub(crate) fn with(mut self, host: &str, address: SocketAddr) -> Self {
            self.0.entry(host.to_owned()).or_default().push(address);
            self
        }
    }

    impl Names for Table {
        fn addresses(&self, host: &str, _port: u16) -> Result<Vec<SocketAddr>, NameError> {
            self.0.get(host).cloned().ok_or_else(|| NameError::NoSuchHost(host.to_owned()))
        }
    }

    fn guard(addresses: &[&str], allow_private: &[&str]) -> Guard {
        let table = addresses.iter().fold(Table::default(), |table, address| {
            table.with("example.org", (address.parse::<IpAddr>().unwrap(), 443).into())
        });
        let allow: Vec<String> = allow_private.iter().map(|&host| host.to_owned()).collect();
        Guard::new(Arc::new(table), &allow)
    }

    #[test]
    fn private_addresses_are_refused_whatever_else_the_name_has() {
        assert_eq!(
            guard(&["127.0.0.1"], &[]).addresses("example.org", 443),
            Err(NameError::Private("example.org".into()))
        );
        let mixed = guard(&["10.0.0.1", "1.1.1.1", "::1"], &[]).addresses("example.org", 443).unwrap();
        assert_eq!(mixed, ["1.1.1.1:443".parse().unwrap()]);
    }

    #[test]
    fn only_the_hosts_that_are_configured_may_be_private() {
        let addresses = |allow: &[&str]| guard(&["10.0.0.1"], allow).addresses("Example.org", 443);
        assert!(addresses(&["example.org"]).is_ok());
        assert!(addresses(&["EXAMPLE.org"]).is_ok());
        for other in ["org", "sub.example.org", "notexample.org", "example.org.evil.test", "*"] {
            assert!(addresses(&[other]).is_err(), "{other}");
        }
    }

    #[test]
    fn address_literals_are_names_like_any_other() {
        // The real lookup, without asking anybody: all of these mean this machine.
        for host in ["127.0.0.1", "[::1]", "0x7f000001", "2130706433", "0177.0.0.1", "127.1", "localhost"] {
            let guard = Guard::new(Arc::new(SystemNames), &[]);
            let found = guard.addresses(host, 443);
            assert!(
                matches!(
                    found,
                    Err(NameError::Private(_) | NameError::NoSuchHost(_) | NameError::NoAnswer(_))
                ),
                "{host}: {found:?}"
            );
        }
        assert!(matches!(
            Guard::new(Arc::new(SystemNames), &[]).addresses("127.0.0.1", 443),
            Err(NameError::Private(_))
        ));
    }
}
