// SPDX-License-Identifier: LGPL-2.0-or-later
//! The certificate that clients see: its time, its name, its key. And what is served without one.

use std::fs;

use openssl::{asn1::Asn1Time, pkey::PKey, x509::X509};
use url::Url;

use super::Finding;
use crate::config::{Config, TlsConfig};

const SOON_DAYS: u32 = 21;

pub(super) fn check(config: &Config) -> Vec<Finding> {
    let Some(tls) = &config.tls else {
        let message = "this server has no TLS of its own; what has it must be on this machine";
        return vec![Finding::good("tls", message)];
    };
    match look(tls, config.origin.as_deref()) {
        Ok(findings) if findings.is_empty() => {
            vec![Finding::good("tls", "certificate and key belong together, name and time are right")]
        }
        Ok(findings) => findings,
        Err(error) => vec![Finding::error(
            "tls",
            format!("{error:#}"),
            "certificate_file is the chain in PEM, the server's own first; key_file is its key in PEM",
        )],
    }
}

/// Numbers that leave this machine do so in the open.
pub(super) fn metrics(config: &Config) -> Option<Finding> {
    let metrics = config.metrics.as_ref().filter(|metrics| metrics.is_open())?;
    Some(Finding::warning(
        "metrics",
        format!("metrics are served at {} without TLS, to whoever reaches it", metrics.listen),
        "let nobody but your Prometheus reach that address (a firewall), or listen on 127.0.0.1",
    ))
}

fn look(tls: &TlsConfig, origin: Option<&str>) -> anyhow::Result<Vec<Finding>> {
    use anyhow::Context as _;
    let file = tls.certificate_file.display();
    let chain = fs::read(&tls.certificate_file).with_context(|| format!("cannot read {file}"))?;
    let chain = X509::stack_from_pem(&chain).with_context(|| format!("{file} holds no certificate"))?;
    let own = chain.first().with_context(|| format!("{file} holds no certificate"))?;
    let key = fs::read(&tls.key_file).with_context(|| format!("cannot read {}", tls.key_file.display()))?;
    let key = PKey::private_key_from_pem(&key)
        .with_context(|| format!("{} holds no key", tls.key_file.display()))?;

    let mut findings = Vec::new();
    if !own.public_key().is_ok_and(|public| public.public_eq(&key)) {
        findings.push(Finding::error(
            "tls-key",
            format!("{} is not the key of {file}", tls.key_file.display()),
            "put the key there that the certificate was made for",
        ));
    }
    let in_days = |days| Asn1Time::days_from_now(days).map_err(anyhow::Error::from);
    for certificate in &chain {
        let renew = "renew it, then restart the server";
        if certificate.not_after() < &*in_days(0)? {
            let message = format!("a certificate in {file} expired at {}", certificate.not_after());
            findings.push(Finding::error("tls-expiry", message, renew));
        } else if certificate.not_after() < &*in_days(SOON_DAYS)? {
            let message = format!("a certificate in {file} expires at {}", certificate.not_after());
            findings.push(Finding::warning("tls-expiry", message, renew));
        } else if certificate.not_before() > &*in_days(0)? {
            let message = format!("a certificate in {file} begins at {}", certificate.not_before());
            findings.push(Finding::error("tls-expiry", message, "set the clock right, or wait"));
        }
    }
    let host = origin.and_then(|origin| Url::parse(origin).ok()?.host_str().map(str::to_owned));
    if let Some(host) = host
        && !names(own, &host)
    {
        findings.push(Finding::error(
            "tls-name",
            format!("the certificate in {file} is not for {host}, which clients ask for"),
            format!("get one that names {host}, or set origin to a name that it has"),
        ));
    }
    Ok(findings)
}

fn names(certificate: &X509, host: &str) -> bool {
    let Some(names) = certificate.subject_alt_names() else { return false };
    names.iter().any(|name| match (name.dnsname(), name.ipaddress()) {
        (Some(name), _) => match name.strip_prefix("*.") {
            Some(rest) => host.split_once('.').is_some_and(|(_, domain)| domain.eq_ignore_ascii_case(rest)),
            None => name.eq_ignore_ascii_case(host),
        },
        (None, Some(address)) => match host.trim_matches(['[', ']']).parse() {
            Ok(std::net::IpAddr::V4(host)) => address == host.octets(),
            Ok(std::net::IpAddr::V6(host)) => address == host.octets(),
            Err(_) => false,
        },
        (None, None) => false,
    })
}
