// SPDX-License-Identifier: LGPL-2.0-or-later
//! Key servers: which protocol they speak, and the addresses of what they offer.

use std::{fmt, str::FromStr};

use super::{Address, Source, wkd::percent_encoded};

/// A key server that a person configured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keyserver {
    kind: Kind,
    /// `https://host` or `http://host:port`, without a slash at its end.
    base: String,
    host: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Verifying key server (Hagrid): an address is published after a mail to it was answered.
    Vks,
    /// Publishes whatever it is given.
    Hkp,
}

/// The one public VKS; what people mean when they write its https address.
const PUBLIC_VKS: &str = "keys.openpgp.org";

/// Not the address of a key server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is not a key server; write vks://HOST, hkps://HOST, or hkp://HOST:PORT for one without TLS")]
pub struct KeyserverError;

impl FromStr for Keyserver {
    type Err = KeyserverError;

    /// `vks://HOST[:PORT]` and `hkps://HOST[:PORT]` by TLS; `hkp://HOST[:PORT]` without; `https://HOST` is the VKS
    /// for keys.openpgp.org and HKP for others.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (scheme, rest) = text.split_once("://").ok_or(KeyserverError)?;
        let authority = rest.strip_suffix('/').unwrap_or(rest).to_ascii_lowercase();
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) => (host, Some(port.parse::<u16>().map_err(|_| KeyserverError)?)),
            None => (authority.as_str(), None),
        };
        // The same rules as for the domain of an address: nothing that could move the path or the credentials.
        let sound = Address::parse(&format!("x@{host}")).is_ok_and(|address| address.domain() == host);
        if !sound {
            return Err(KeyserverError);
        }
        let (kind, tls, default_port) = match scheme {
            "vks" => (Kind::Vks, true, None),
            "hkps" => (Kind::Hkp, true, None),
            "hkp" => (Kind::Hkp, false, Some(11371)),
            "https" if host == PUBLIC_VKS => (Kind::Vks, true, None),
            "https" => (Kind::Hkp, true, None),
            _ => return Err(KeyserverError),
        };
        let scheme = if tls { "https" } else { "http" };
        let base = match port.or(default_port) {
            Some(port) => format!("{scheme}://{host}:{port}"),
            None => format!("{scheme}://{host}"),
        };
        Ok(Self { kind, base, host: host.to_owned() })
    }
}

impl fmt::Display for Keyserver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let protocol = match self.kind {
            Kind::Vks => "VKS",
            Kind::Hkp => "HKP",
        };
        write!(f, "{} ({protocol})", self.base)
    }
}

impl Keyserver {
    /// What to call certificates from there.
    pub fn source(&self) -> Source {
        let server = self.host.clone();
        match self.kind {
            Kind::Vks => Source::Vks { server },
            Kind::Hkp => Source::Hkp { server },
        }
    }

    /// Host name, for the list of hosts that may have private addresses.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Publishes an address only after a mail to it was answered?
    pub fn verifies(&self) -> bool {
        self.kind == Kind::Vks
    }

    /// GET: the certificates with this address.
    pub fn by_address_url(&self, address: &Address) -> String {
        let address = percent_encoded(&address.to_string());
        match self.kind {
            Kind::Vks => format!("{}/vks/v1/by-email/{address}", self.base),
            Kind::Hkp => format!("{}/pks/lookup?op=get&options=mr&exact=on&search={address}", self.base),
        }
    }

    /// POST: where a certificate is handed in. VKS: JSON with `keytext`. HKP: a form, see
    /// [`hkp_form`](Self::hkp_form).
    pub fn upload_url(&self) -> String {
        match self.kind {
            Kind::Vks => format!("{}/vks/v1/upload", self.base),
            Kind::Hkp => format!("{}/pks/add", self.base),
        }
    }

    /// POST, VKS only: asks the server to send a mail to each address, whose answer publishes it.
    pub fn request_verify_url(&self) -> Option<String> {
        self.verifies().then(|| format!("{}/vks/v1/request-verify", self.base))
    }

    /// Body of an HKP upload, `application/x-www-form-urlencoded`.
    pub fn hkp_form(armored: &str) -> String {
        format!("keytext={}", percent_encoded(armored))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(text: &str) -> Keyserver {
        text.parse().unwrap()
    }

    #[test]
    fn urls_are_what_servers_expect() {
        let address = Address::parse("Joe+x@Example.org").unwrap();
        let urls = ["vks://keys.openpgp.org", "hkps://keys.example:8443/", "hkp://keys.example"]
            .map(|text| server(text).by_address_url(&address));
        assert_eq!(urls[0], "https://keys.openpgp.org/vks/v1/by-email/Joe%2Bx%40example.org");
        let query = "pks/lookup?op=get&options=mr&exact=on&search=Joe%2Bx%40example.org";
        assert_eq!(urls[1], format!("https://keys.example:8443/{query}"));
        assert_eq!(urls[2], format!("http://keys.example:11371/{query}"));
    }

    #[test]
    fn https_means_vks_for_the_public_server_only() {
        assert!(server("https://keys.openpgp.org").verifies());
        assert!(!server("https://keys.example").verifies());
    }

    #[test]
    fn what_is_no_host_is_refused() {
        for text in [
            "keys.openpgp.org",
            "http://keys.example",
            "ftp://keys.example",
            "hkps://user@keys.example",
            "hkps://keys.example/path",
            "hkps://keys.example:x",
            "hkps://",
            "hkps://a b",
            "hkps://[::1]",
            "hkps://keys.example?x",
            "hkps://keys.example#x",
        ] {
            assert_eq!(text.parse::<Keyserver>(), Err(KeyserverError), "{text}");
        }
    }

    #[test]
    fn an_upload_survives_form_decoding() {
        assert_eq!(Keyserver::hkp_form("a+b/c=\n"), "keytext=a%2Bb%2Fc%3D%0A");
    }
}
