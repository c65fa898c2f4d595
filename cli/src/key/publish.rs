// SPDX-License-Identifier: LGPL-2.0-or-later
//! `plombe key publish`: a certificate into the keystore's directory, to key servers, or into a Web Key Directory on disk.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use plombe_core::{
    cert::Certificate,
    keystore::calls::directory::PublishCertificate,
    recipients::{Address, Keyserver},
};
use serde_json::{Value, json};

use crate::{
    app::App,
    discovery::{Published, WebClient, WkdTree, publish},
    exit::{Exit, Failure},
    keystore::Account,
    output,
    terminal::Tone,
    who::Who,
};

/// What, and where to.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Address or fingerprint; with an address, a Web Key Directory gets that address only
    who: Who,
    /// Hand it to this key server: vks://HOST or hkps://HOST; without this to the keystore that this machine is logged in at, and
    /// to the servers in config.toml
    #[arg(long, value_name = "URL")]
    keyserver: Vec<Keyserver>,
    /// Write it into DIR, for a web server to serve as the domain's (and its openpgpkey subdomain's) root
    #[arg(long, value_name = "DIR", conflicts_with = "keyserver")]
    wkd: Option<PathBuf>,
}

pub(crate) fn run(app: &App<'_>, args: Args) -> anyhow::Result<()> {
    let certificate = args.who.certificate(app)?;
    let done = match &args.wkd {
        Some(root) => write_tree(app, &args.who, &certificate, root)?,
        None if args.keyserver.is_empty() => everywhere(app, &certificate)?,
        None => upload(app, &args.keyserver, &certificate)?,
    };
    if app.terminal.json {
        let fingerprint = certificate.fingerprint().to_hex();
        output::print_json(&json!({"fingerprint": fingerprint, "published": done}))?;
    }
    Ok(())
}

fn write_tree(
    app: &App<'_>,
    who: &Who,
    certificate: &Certificate,
    root: &Path,
) -> anyhow::Result<Vec<Value>> {
    let addresses: Vec<Address> = match who {
        Who::Address(address) => vec![address.clone()],
        Who::Key(_) => {
            let texts = certificate.addresses(&app.policy, app.now);
            texts.iter().filter_map(|text| text.parse().ok()).collect()
        }
    };
    let Some(first) = addresses.first() else {
        return Err(
            Failure::new(Exit::CertificateUnusable, "the certificate has no valid mail address").into()
        );
    };
    // One domain's server must not publish another domain's addresses, and the direct layout does not tell them apart.
    if addresses.iter().any(|address| address.domain() != first.domain()) {
        return Err(Failure::usage("the certificate has addresses in several domains")
            .hint("name the address instead of the fingerprint, and a folder for each domain")
            .into());
    }
    let tree = WkdTree::new(root);
    let mut done = Vec::new();
    for address in &addresses {
        let filtered = certificate.filter_to_address(address, &app.policy, app.now)?;
        let files = tree.add(address, &filtered).map_err(|error| {
            Failure::new(Exit::OutputFailed, format!("cannot write {}: {error}", root.display()))
        })?;
        app.terminal.note(Tone::Good, "written", &format!("{address} into {}", root.display()));
        let files: Vec<_> = files.iter().map(|file| file.display().to_string()).collect();
        done.push(json!({"address": address.to_string(), "files": files}));
    }
    Ok(done)
}

/// To the keystore, and to every key server that is configured.
fn everywhere(app: &App<'_>, certificate: &Certificate) -> anyhow::Result<Vec<Value>> {
    let mut servers = Vec::new();
    for text in &app.config.settings.discovery.keyservers {
        servers.push(text.parse().with_context(|| format!("{text} in config.toml"))?);
    }
    let account = Account::new(app);
    if servers.is_empty() && !account.exists() {
        return Err(Failure::usage("no key server is configured")
            .hint("name one with --keyserver vks://keys.openpgp.org, write files with --wkd DIR, or log in at a keystore")
            .into());
    }
    let mut done = Vec::new();
    if account.exists() {
        done.push(to_keystore(app, &account, certificate)?);
    }
    done.extend(upload(app, &servers, certificate)?);
    Ok(done)
}

/// Into the keystore's directory. Keys in custody are in it without being published.
fn to_keystore(app: &App<'_>, account: &Account, certificate: &Certificate) -> anyhow::Result<Value> {
    if account.key(&certificate.fingerprint())?.is_some() {
        app.terminal.note(Tone::Plain, "published", "in the keystore's directory since the key is there");
        return Ok(json!({"server": "keystore", "addresses": []}));
    }
    let mut session = account.session()?;
    let server = session.keystore().identity().origin.to_string();
    // What concerns other addresses is not the keystore's business.
    let own = session.identity().addresses.iter().filter_map(|address| Address::parse(address).ok());
    let own = certificate.filter_to_addresses(&own.collect::<Vec<_>>())?;
    let answer = session.call(&PublishCertificate { certificate: own.to_bytes().into() })?;
    account.keep_session(&session)?;
    let published = |address: &String| json!({"address": address, "status": "published"});
    let text = format!("{} in the directory of {server}", answer.addresses.join(", "));
    app.terminal.note(Tone::Good, "published", &text);
    Ok(json!({"server": server, "addresses": answer.addresses.iter().map(published).collect::<Vec<_>>()}))
}

fn upload(app: &App<'_>, servers: &[Keyserver], certificate: &Certificate) -> anyhow::Result<Vec<Value>> {
    let web = WebClient::new(&app.config.settings.discovery.allow_private);
    let mut done = Vec::new();
    for server in servers {
        let published = publish(&web, server, certificate)
            .map_err(|error| Failure::new(Exit::Network, format!("{server}: {error}")))?;
        let mut statuses = Vec::new();
        match &published {
            Published::Taken => app.terminal.note(Tone::Good, "published", &server.to_string()),
            Published::Addresses(addresses) => {
                for (address, status) in addresses {
                    app.terminal.note(Tone::Good, status.code(), &format!("{address}: {}", status.text()));
                    statuses.push(json!({"address": address, "status": status.code()}));
                }
            }
        }
        done.push(json!({"server": server.to_string(), "addresses": statuses}));
    }
    Ok(done)
}
