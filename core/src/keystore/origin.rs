// SPDX-License-Identifier: LGPL-2.0-or-later
//! Where a keystore is: `https://keys.example.org`, or `http://` on the same machine.

// Addresses without sockets: core does no I/O.
use core::net::{IpAddr, Ipv6Addr};
use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Scheme, host and port in one spelling. Plain HTTP is for loopback hosts only.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Origin(String);

/// Why a text is not the origin of a keystore.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OriginError {
    /// Neither `https://host` nor `http://localhost`.
    #[error("a keystore's address looks like https://keys.example.org")]
    NotAnOrigin,
    /// Readable on the way.
    #[error("http:// is for a keystore on the same machine only; use https://")]
    PlainHttp,
}

impl Origin {
    /// Without a slash at the end.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The URL of a path, which starts with a slash.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.0)
    }

    /// Do both lead to one server? `127.0.0.1`, `localhost` and `[::1]` are one machine, this one; the rest must be the same.
    pub fn is_same_place(&self, other: &Self) -> bool {
        match (self.loopback_port(), other.loopback_port()) {
            (Some(port), Some(others)) => port == others,
            _ => self == other,
        }
    }

    /// The port of `http://` on this machine; `None` for everything else.
    pub fn loopback_port(&self) -> Option<u16> {
        let (host, port) = split_port(self.0.strip_prefix("http://")?)?;
        matches!(host, "127.0.0.1" | "localhost" | "[::1]").then_some(port.unwrap_or(80))
    }

    /// Host name or address, without the port; an IPv6 address stands in brackets.
    pub fn host(&self) -> &str {
        let authority = self.0.split_once("://").map_or(self.0.as_str(), |(_, authority)| authority);
        split_port(authority).map_or(authority, |(host, _)| host)
    }
}

impl FromStr for Origin {
    type Err = OriginError;

    fn from_str(text: &str) -> Result<Self, OriginError> {
        let (scheme, rest) = text.split_once("://").ok_or(OriginError::NotAnOrigin)?;
        let scheme = scheme.to_ascii_lowercase();
        let authority = rest.strip_suffix('/').unwrap_or(rest).to_ascii_lowercase();
        let (host, port) = split_port(&authority).ok_or(OriginError::NotAnOrigin)?;
        let default_port = match scheme.as_str() {
            "https" => 443,
            "http" if is_loopback(host) => 80,
            "http" => return Err(OriginError::PlainHttp),
            _ => return Err(OriginError::NotAnOrigin),
        };
        Ok(match port {
            Some(port) if port != default_port => Self(format!("{scheme}://{host}:{port}")),
            _ => Self(format!("{scheme}://{host}")),
        })
    }
}

/// Host, with brackets around an IPv6 address, and port. `None` when there is more than that, or less.
fn split_port(authority: &str) -> Option<(&str, Option<u16>)> {
    let colon = match authority.strip_prefix('[') {
        Some(_) => authority.find(']').map(|end| end + 1)?,
        None => authority.find(':').unwrap_or(authority.len()),
    };
    let (host, port) = authority.split_at(colon);
    let address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let sound = match address {
        Some(address) => address.parse::<Ipv6Addr>().is_ok(),
        None => is_name(host),
    };
    let port = match port.strip_prefix(':') {
        Some(digits) if digits.bytes().all(|b| b.is_ascii_digit()) => {
            Some(digits.parse().ok().filter(|p| *p != 0)?)
        }
        Some(_) => return None,
        None if port.is_empty() => None,
        None => return None,
    };
    sound.then_some((host, port))
}

fn is_name(host: &str) -> bool {
    let label = |label: &str| {
        let inner = label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        !label.is_empty() && label.len() <= 63 && inner
    };
    host.len() <= 253 && host.split('.').all(label)
}

fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || address.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for Origin {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Origin {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::{Origin, OriginError};

    #[test]
    fn one_place_has_one_spelling() {
        for (text, canonical) in [
            ("https://keys.example.org", "https://keys.example.org"),
            ("HTTPS://Keys.Example.org:443/", "https://keys.example.org"),
            ("https://keys.example.org:8443", "https://keys.example.org:8443"),
            ("http://127.0.0.1:4711", "http://127.0.0.1:4711"),
            ("http://127.8.0.1:80", "http://127.8.0.1"),
            ("http://[::1]:8080/", "http://[::1]:8080"),
            ("http://localhost", "http://localhost"),
        ] {
            assert_eq!(text.parse::<Origin>().unwrap().as_str(), canonical);
        }
    }

    #[test]
    fn this_machine_has_three_names_and_one_port_is_one_place() {
        let origin = |text: &str| text.parse::<Origin>().unwrap();
        let names = ["http://127.0.0.1:7420", "http://localhost:7420", "http://[::1]:7420"];
        for (one, other) in names.iter().flat_map(|one| names.map(|other| (one, other))) {
            assert!(origin(one).is_same_place(&origin(other)), "{one} {other}");
        }
        assert!(origin("http://localhost").is_same_place(&origin("http://127.0.0.1:80")));
        for other in [
            "http://127.0.0.1:7421",
            "https://127.0.0.1:7420",
            "http://127.0.0.2:7420",
            "https://keys.example.org",
        ] {
            assert!(!origin(names[0]).is_same_place(&origin(other)), "{other}");
        }
        assert_eq!(origin("https://keys.example.org:8443").host(), "keys.example.org");
        assert_eq!(origin("http://[::1]:8080").host(), "[::1]");
    }

    #[test]
    fn plain_http_stays_on_the_machine() {
        for text in [
            "http://keys.example.org",
            "http://10.0.0.1",
            "http://localhost.example.org",
            "http://[2001:db8::1]",
        ] {
            assert_eq!(text.parse::<Origin>().unwrap_err(), OriginError::PlainHttp, "{text}");
        }
    }

    #[test]
    fn more_than_an_origin_is_refused() {
        for text in [
            "https://alice@keys.example.org",
            "https://keys.example.org/v1",
            "https://keys.example.org?x",
            "https://keys.example.org#x",
            "https://keys.example.org\\@evil.example",
            "https://keys.example.org:",
            "https://keys.example.org:0",
            "https://keys.example.org:65536",
            "https://keys.example.org:+1",
            "https://[::1",
            "https://[::1]x",
            "https://",
            "https:///",
            "https://a..b",
            "https://keys example.org",
            "https://schlüssel.example",
            "ftp://keys.example.org",
            "keys.example.org",
        ] {
            assert_eq!(text.parse::<Origin>().unwrap_err(), OriginError::NotAnOrigin, "{text}");
        }
    }
}
