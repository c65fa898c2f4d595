// SPDX-License-Identifier: LGPL-2.0-or-later
//! The `[mail]` table.

use std::{
    net::IpAddr,
    num::{NonZeroU16, NonZeroU32},
    path::PathBuf,
};

use plombe_core::recipients::Address;
use serde::Deserialize;

/// The mail server through which challenge mails leave. With this table, whoever reads an address's mail and has the key of a certificate
/// gets it shown for that address, where the address has none and belongs to nobody here (`docs/keystore/directory.md`). Without
/// it nothing is taken by upload.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MailConfig {
    /// Name or address of the server that takes mail for sending (submission).
    pub host: String,
    /// Its port. Default: 465 with TLS from the start, 587 with STARTTLS.
    #[serde(default)]
    pub port: Option<NonZeroU16>,
    /// `implicit`: TLS from the start. `starttls`: a server that does not offer it gets no mail. `none`: only for a server on a
    /// loopback address. Default: implicit.
    #[serde(default)]
    pub tls: MailTls,
    /// PEM file with the certification authorities for that server, instead of the system's.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// Name to log in there with. Left out for a server that asks for none.
    #[serde(default)]
    pub user: Option<String>,
    /// File with the password, readable by the keystore alone.
    #[serde(default)]
    pub password_file: Option<PathBuf>,
    /// Whom challenge mails are from: `keystore@example.org`.
    pub from: String,
    /// The link in a mail is good for so many minutes (10 to 1440). Default: 60.
    #[serde(default = "hour")]
    pub link_minutes: u64,
    /// Mails to one mailbox in 24 hours, on all servers together. Default: 3.
    #[serde(default = "three")]
    pub mails_per_mailbox_and_day: NonZeroU32,
    /// Mails that one network address (for IPv6 one /64) can cause in an hour, on one server. Default: 10.
    #[serde(default = "ten")]
    pub mails_per_source_and_hour: NonZeroU32,
    /// Uploads from one network address in a minute, on one server. Default: 10.
    #[serde(default = "ten")]
    pub uploads_per_source_and_minute: NonZeroU32,
    /// Mails to one organisation's domains in 24 hours, on all servers together; each of them is two entries of the log at most. Default: 100.
    #[serde(default = "hundred")]
    pub mails_per_day: NonZeroU32,
}

/// How the connection is protected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MailTls {
    /// From the start.
    #[default]
    Implicit,
    /// After `STARTTLS`, or not at all.
    StartTls,
    /// Not.
    None,
}

impl MailConfig {
    /// What is wrong, each with its remedy.
    pub fn findings(&self) -> Vec<String> {
        let mut findings = Vec::new();
        let mut refuse_if = |wrong: bool, why: &str| {
            if wrong {
                findings.push(format!("mail.{why}"));
            }
        };
        let is_loopback = self.host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
        refuse_if(
            self.tls == MailTls::None && !is_loopback,
            "tls: without TLS only to a server on this machine; say \"implicit\" or \"starttls\", or host = \"127.0.0.1\"",
        );
        let is_host =
            self.host.parse::<IpAddr>().is_ok() || Address::parse(&format!("x@{}", self.host)).is_ok();
        refuse_if(!is_host, "host: the name or the address of a mail server, without a port");
        refuse_if(
            self.user.is_some() != self.password_file.is_some(),
            "user: give both user and password_file, or neither",
        );
        let from = Address::parse(&self.from);
        refuse_if(
            !from.is_ok_and(|from| from.to_string().is_ascii()),
            "from: a bare mail address, like keystore@example.org",
        );
        refuse_if(!(10..=1440).contains(&self.link_minutes), "link_minutes: 10 to 1440");
        findings
    }

    /// Where the server listens.
    pub fn port(&self) -> u16 {
        let usual = match self.tls {
            MailTls::Implicit => 465,
            MailTls::StartTls => 587,
            MailTls::None => 25,
        };
        self.port.map_or(usual, NonZeroU16::get)
    }
}

/// Why mail cannot be sent with this configuration.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MailConfigError {
    /// The address is none.
    #[error("mail.from: a bare mail address, like keystore@example.org")]
    From,
    /// The password.
    #[error("mail.password_file: cannot read {}", .0.display())]
    Password(PathBuf, #[source] std::io::Error),
    /// The authorities.
    #[error("mail.ca_file: cannot read {}", .0.display())]
    Authorities(PathBuf, #[source] std::io::Error),
    /// What is in that file, or the system's own.
    #[error("mail.ca_file: cannot prepare TLS")]
    Tls(#[source] lettre::transport::smtp::Error),
}

fn hour() -> u64 {
    60
}

fn three() -> NonZeroU32 {
    NonZeroU32::MIN.saturating_add(2)
}

fn ten() -> NonZeroU32 {
    NonZeroU32::MIN.saturating_add(9)
}

fn hundred() -> NonZeroU32 {
    NonZeroU32::MIN.saturating_add(99)
}
