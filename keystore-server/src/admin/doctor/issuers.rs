// SPDX-License-Identifier: LGPL-2.0-or-later
//! Identity providers: do they answer, and as who they are configured as?

use std::time::SystemTime;

use super::Finding;
use crate::{config::Config, identity::oidc::Issuers};

pub(super) async fn check(config: &Config, now: SystemTime) -> Vec<Finding> {
    // What is wrong with the settings themselves was said with the others.
    let Ok(issuers) = Issuers::new(config.issuers.clone()) else { return Vec::new() };
    let mut findings = Vec::new();
    for issuer in &config.issuers {
        let (name, url) = (&issuer.name, issuer.issuer.as_str());
        findings.push(match issuers.discover(name, now).await {
            Ok(()) => Finding::good("issuer", format!("{name}: {url} answers, as itself")),
            Err(reason) => Finding::error(
                "issuer",
                format!("{name}: nobody can log in through {url}: {}", reason.code()),
                "is it reachable from here, is issuer spelt as in its discovery document, are its other hosts in endpoint_hosts?",
            ),
        });
    }
    findings
}
