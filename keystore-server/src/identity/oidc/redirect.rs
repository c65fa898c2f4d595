// SPDX-License-Identifier: LGPL-2.0-or-later
//! Where a provider may send the code to.

use std::net::Ipv4Addr;

use url::{Host, Url};

use super::{IssuerConfig, Reason};

/// No redirect URI that we know is longer.
const MAX_BYTES: usize = 512;

/// Checks that `uri` is one that `config` allows.
///
/// A code that goes to a place of the attacker's choice is still useless without the PKCE verifier, which never leaves
/// the keystore; this is the second lock.
pub(super) fn check(uri: &str, config: &IssuerConfig) -> Result<(), Reason> {
    // Exact comparison, as RFC 9700 section 2.1 asks for; only the port of a loopback address is free (RFC 8252).
    let is_listed = config.redirect_uris.iter().any(|allowed| allowed == uri);
    if uri.len() <= MAX_BYTES && (is_listed || config.loopback_redirects && is_loopback(uri)) {
        Ok(())
    } else {
        Err(Reason::RedirectUriNotAllowed)
    }
}

/// `http://127.0.0.1:PORT/path` or `http://[::1]:PORT/path`, with nothing beside it. The name `localhost` may resolve to
/// something else (RFC 8252 section 8.3).
fn is_loopback(uri: &str) -> bool {
    let Ok(url) = Url::parse(uri) else { return false };
    // What the parser repaired (127.1, a tab, a backslash) was not written plainly.
    let is_plain = url.as_str() == uri || url.as_str().strip_suffix('/') == Some(uri);
    let is_this_host = match url.host() {
        Some(Host::Ipv4(address)) => address == Ipv4Addr::LOCALHOST,
        Some(Host::Ipv6(address)) => address.is_loopback(),
        _ => false,
    };
    is_plain
        && is_this_host
        && url.scheme() == "http"
        && url.port().is_some()
        && url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none()
}

#[cfg(test)]
mod tests {
    use super::is_loopback;

    #[test]
    fn loopback_is_an_address_with_a_port_and_nothing_else() {
        for good in ["http://127.0.0.1:4711/callback", "http://[::1]:4711/callback", "http://127.0.0.1:9"] {
            assert!(is_loopback(good), "{good}");
        }
        for bad in [
            "http://localhost:4711/callback",
            "https://127.0.0.1:4711/callback",
            "http://127.0.0.1/callback",
            "http://127.1:4711/callback",
            "http://127.0.0.2:4711/callback",
            "http://127.0.0.1:4711/callback?to=https://mallory.example",
            "http://127.0.0.1:4711/callback#x",
            "http://mallory@127.0.0.1:4711/callback",
            "http://127.0.0.1:4711@mallory.example/callback",
            "http://127.0.0.1.mallory.example:4711/",
            "http:\\\\127.0.0.1:4711\\callback",
            " http://127.0.0.1:4711/callback",
            "javascript:alert(1)",
        ] {
            assert!(!is_loopback(bad), "{bad}");
        }
    }
}
