// SPDX-License-Identifier: LGPL-2.0-or-later
//! Where a request comes from, when a proxy brings it.
//!
//! Anybody can write `X-Forwarded-For`. It is believed from the right, and only as far as proxies wrote it that the configuration names:
//! the first address that is not one of them is the client's.

use std::net::{IpAddr, SocketAddr};

use axum::http::{HeaderMap, HeaderName, header};
use serde::Deserialize;

/// An address or a network of trusted proxies: `127.0.0.1`, `10.1.0.0/16`, `fd00::/64`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Network {
    base: IpAddr,
    bits: u8,
}

impl TryFrom<String> for Network {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let wrong = || format!("{text:?} is neither an address nor a network like 10.1.0.0/16");
        let (base, bits) =
            text.split_once('/').map_or((text.as_str(), None), |(base, bits)| (base, Some(bits)));
        let base: IpAddr = base.parse().map_err(|_| wrong())?;
        let most = if base.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Ok(most), str::parse).map_err(|_| wrong())?;
        // Everybody is no proxy.
        if bits == 0 || bits > most { Err(wrong()) } else { Ok(Self { base: base.to_canonical(), bits }) }
    }
}

impl Network {
    fn holds(&self, address: IpAddr) -> bool {
        match (self.base, address.to_canonical()) {
            (IpAddr::V4(base), IpAddr::V4(address)) => {
                (base.to_bits() ^ address.to_bits()).leading_zeros() >= u32::from(self.bits)
            }
            (IpAddr::V6(base), IpAddr::V6(address)) => {
                (base.to_bits() ^ address.to_bits()).leading_zeros() >= u32::from(self.bits)
            }
            _ => false,
        }
    }
}

/// In which header a proxy says where a request comes from. One of them: a client writes the other one, and the proxy passes it on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ForwardedHeader {
    /// `X-Forwarded-For: client, proxy`
    #[default]
    XForwardedFor,
    /// `Forwarded: for=client, for=proxy` (RFC 7239)
    Forwarded,
}

/// Proxies whose word about addresses is taken.
#[derive(Clone, Debug, Default)]
pub struct TrustedProxies {
    networks: Vec<Network>,
    header: ForwardedHeader,
}

impl TrustedProxies {
    /// As configured.
    pub fn new(networks: Vec<Network>, header: ForwardedHeader) -> Self {
        Self { networks, header }
    }

    /// Is this one of them?
    pub fn trusts(&self, address: IpAddr) -> bool {
        self.networks.iter().any(|network| network.holds(address))
    }

    /// Where a request comes from that `peer` brought.
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        if !self.trusts(peer) {
            return peer;
        }
        let name = match self.header {
            ForwardedHeader::XForwardedFor => HeaderName::from_static("x-forwarded-for"),
            ForwardedHeader::Forwarded => header::FORWARDED,
        };
        // What a client put in front must not make unreadable what a proxy added.
        let lines: Vec<_> =
            headers.get_all(name).iter().map(|line| String::from_utf8_lossy(line.as_bytes())).collect();
        let mut client = peer;
        for hop in lines.iter().rev().flat_map(|line| line.rsplit(',')) {
            let address = match self.header {
                ForwardedHeader::XForwardedFor => address(hop.trim()),
                ForwardedHeader::Forwarded => forwarded_for(hop),
            };
            // What a proxy wrote and we cannot read is that proxy's own.
            let Some(address) = address else { return client };
            client = address;
            if !self.trusts(address) {
                return client;
            }
        }
        client
    }
}

fn forwarded_for(hop: &str) -> Option<IpAddr> {
    let mut pairs = hop.split(';').filter_map(|pair| pair.trim().split_once('='));
    let (_, value) = pairs.find(|(name, _)| name.eq_ignore_ascii_case("for"))?;
    address(value.trim().trim_matches('"'))
}

/// With or without a port.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|socket| socket.ip()));
    address.map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn proxies(networks: &[&str], header: ForwardedHeader) -> TrustedProxies {
        let networks = networks.iter().map(|&text| text.to_owned().try_into().unwrap()).collect();
        TrustedProxies::new(networks, header)
    }

    fn headers(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        lines
            .iter()
            .map(|&(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect()
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    const PROXY: &str = "127.0.0.1";
    const XFF: &str = "x-forwarded-for";

    #[test]
    fn what_a_client_put_in_front_does_not_hide_what_the_proxy_saw() {
        let mut forged = HeaderMap::new();
        forged.append(XFF, HeaderValue::from_bytes(b"\xff\xfe, 192.0.2.7").unwrap());
        let proxies = proxies(&[PROXY], ForwardedHeader::XForwardedFor);
        assert_eq!(proxies.client(ip(PROXY), &forged), ip("192.0.2.7"));
    }

    #[test]
    fn nobody_else_is_believed() {
        let forged = headers(&[(XFF, "192.0.2.1"), ("forwarded", "for=192.0.2.1")]);
        for networks in [&[][..], &["10.0.0.0/8"], &["127.0.0.2"]] {
            let proxies = proxies(networks, ForwardedHeader::XForwardedFor);
            assert_eq!(proxies.client(ip(PROXY), &forged), ip(PROXY));
        }
    }

    #[test]
    fn what_the_client_wrote_stands_to_the_left_and_is_not_believed() {
        let proxies = proxies(&[PROXY, "10.1.0.0/16"], ForwardedHeader::XForwardedFor);
        for (lines, client) in [
            (&[(XFF, "192.0.2.7")][..], "192.0.2.7"),
            (&[(XFF, "198.51.100.9, 192.0.2.7")], "192.0.2.7"),
            (&[(XFF, "198.51.100.9"), (XFF, "192.0.2.7")], "192.0.2.7"),
            (&[(XFF, "198.51.100.9, 192.0.2.7, 10.1.2.3")], "192.0.2.7"),
            (&[(XFF, "[2001:db8::7]:4711")], "2001:db8::7"),
            (&[(XFF, "::ffff:192.0.2.7")], "192.0.2.7"),
            (&[(XFF, "192.0.2.7:80")], "192.0.2.7"),
            // The header that the proxy does not write is the client's.
            (&[("forwarded", "for=192.0.2.1"), (XFF, "192.0.2.7")], "192.0.2.7"),
            (&[("forwarded", "for=192.0.2.1")], PROXY),
            // Nothing that could be read: the proxy itself.
            (&[(XFF, "192.0.2.1, garbage")], PROXY),
            (&[(XFF, "")], PROXY),
            (&[(XFF, "192.0.2.1,")], PROXY),
        ] {
            assert_eq!(proxies.client(ip(PROXY), &headers(lines)), ip(client), "{lines:?}");
        }
    }

    #[test]
    fn the_standard_header_is_read_when_it_is_the_one() {
        let proxies = proxies(&[PROXY], ForwardedHeader::Forwarded);
        for (line, client) in [
            ("for=192.0.2.1, for=192.0.2.7;proto=https", "192.0.2.7"),
            ("By=x; For=\"[2001:db8::7]:1\"", "2001:db8::7"),
            ("for=unknown", PROXY),
            ("proto=https", PROXY),
        ] {
            assert_eq!(
                proxies.client(ip(PROXY), &headers(&[("forwarded", line), (XFF, "192.0.2.9")])),
                ip(client)
            );
        }
    }

    #[test]
    fn networks_are_said_exactly() {
        for wrong in ["", "proxy.example.org", "10.0.0.0/33", "0.0.0.0/0", "::/0", "10.0.0.0/x", "10.0.0.0/"]
        {
            assert!(Network::try_from(wrong.to_owned()).is_err(), "{wrong}");
        }
        let network = Network::try_from("fd00:1::/32".to_owned()).unwrap();
        assert!(network.holds(ip("fd00:1:ffff::1")) && !network.holds(ip("fd00:2::1")));
    }
}
