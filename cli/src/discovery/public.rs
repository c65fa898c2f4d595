// SPDX-License-Identifier: LGPL-2.0-or-later
//! Which addresses belong to the public internet.
//!
//! The domain in a mail address is written by a stranger. Without this check it could make us talk to the router,
//! to a database on this machine, or to a cloud's metadata service.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Is this an address that anybody on the internet could reach? Everything else is private, reserved, or leads to
/// such an address by a tunnel.
pub(crate) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

/// After the IANA registry of special-purpose IPv4 addresses.
fn is_public_v4(address: Ipv4Addr) -> bool {
    !matches!(
        address.octets(),
        [0, ..]                             // this network
        | [10, ..]                          // private
        | [100, 64..=127, ..]               // carrier-grade NAT
        | [127, ..]                         // loopback
        | [169, 254, ..]                    // link-local, cloud metadata
        | [172, 16..=31, ..]                // private
        | [192, 0, 0, _]                    // protocol assignments
        | [192, 0, 2, _]                    // documentation
        | [192, 88, 99, _]                  // 6to4 relays
        | [192, 168, ..]                    // private
        | [198, 18..=19, ..]                // benchmarks
        | [198, 51, 100, _]                 // documentation
        | [203, 0, 113, _]                  // documentation
        | [224..=255, ..] // multicast, reserved, broadcast
    )
}

/// Only global unicast (2000::/3) without its reserved parts. Where an IPv4 address is inside, that one decides.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let s = address.segments();
    let o = address.octets();
    let last = Ipv4Addr::new(o[12], o[13], o[14], o[15]);
    match s {
        // IPv4 over NAT64: some networks have no other way to IPv4.
        [0x64, 0xff9b, 0, 0, 0, 0, ..] => is_public_v4(last),
        // 6to4.
        [0x2002, ..] => is_public_v4(Ipv4Addr::new(o[2], o[3], o[4], o[5])),
        // ISATAP: a tunnel to the IPv4 address at the end, under any prefix.
        [_, _, _, _, 0x0000 | 0x0200, 0x5efe, ..] => false,
        // Teredo, ORCHID, benchmarks and other protocol assignments.
        [0x2001, 0x0000..=0x01ff, ..] => false,
        // Documentation.
        [0x2001, 0x0db8, ..] | [0x3fff, 0x0000..=0x0fff, ..] => false,
        // Segment routing and others beyond 3fff are not given out; below 2000 lie loopback and mapped IPv4, above
        // unique local, link-local, site-local and multicast.
        [first, ..] => (0x2000..=0x3fff).contains(&first),
    }
}

#[cfg(test)]
mod tests {
    use super::is_public;

    #[test]
    fn what_is_not_the_internet_is_not_public() {
        for address in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "10.255.255.255",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.255.254",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.1",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.0.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:8.8.8.8",
            "::127.0.0.1",
            "64:ff9b::127.0.0.1",
            "64:ff9b::10.0.0.1",
            "64:ff9b:1::8.8.8.8",
            "100::1",
            "2001::1",
            "2001:0:4136:e378::1",
            "2001:10::1",
            "2001:20::1",
            "2001:db8::1",
            "2002:7f00:1::1",
            "2002:c0a8:1::",
            "2a00::5efe:7f00:1",
            "2a00::200:5efe:a00:1",
            "3fff::1",
            "5f00::1",
            "fc00::1",
            "fd12:3456::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(!is_public(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn the_internet_is_public() {
        for address in [
            "1.1.1.1",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.0.0.1",
            "128.0.0.1",
            "169.253.0.1",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.1",
            "192.167.0.1",
            "192.169.0.1",
            "198.17.0.1",
            "198.20.0.1",
            "223.255.255.255",
            "2001:4860:4860::8888",
            "2606:4700::1111",
            "2a00:1450::1",
            "64:ff9b::8.8.8.8",
            "2002:808:808::1",
        ] {
            assert!(is_public(address.parse().unwrap()), "{address}");
        }
    }
}
