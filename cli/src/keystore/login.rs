// SPDX-License-Identifier: LGPL-2.0-or-later
//! `plombe login`: this machine becomes a device of somebody at a keystore.

use std::time::Duration;

use plombe_client::{DeviceKey, Keystore, Session};
use plombe_core::{
    cert::Certificate,
    keystore::{
        EnrolmentCode, RecoveryCode,
        calls::{
            keys::KeyInfo,
            login::{DeviceState, Identity},
            session::WhoAmI,
        },
    },
};
use serde_json::json;

use super::{Account, account::options, recover, words};
use crate::{
    app::App,
    exit::{Exit, Failure},
    output,
    terminal::Tone,
};

/// How long a person may take in the browser.
const PATIENCE: Duration = Duration::from_secs(600);

/// Where, and with what.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Address of the keystore: `https://keys.example.org`
    url: String,
    /// The enrolment code from your administrator
    #[arg(long)]
    code: Option<String>,
    /// Log in at this identity provider, by the name that the keystore gives it
    #[arg(long, value_name = "NAME", conflicts_with = "code")]
    provider: Option<String>,
    /// What this device is called, for the list of your devices
    #[arg(long, value_name = "NAME")]
    device_name: Option<String>,
}

pub(crate) fn run(app: &App<'_>, args: Args) -> anyhow::Result<()> {
    let account = Account::new(app);
    if account.exists() && account.session().is_ok_and(|mut session| session.call(&WhoAmI {}).is_ok()) {
        return Err(Failure::new(Exit::OutputExists, "this machine is logged in at a keystore already")
            .hint("`plombe whoami` tells where; `plombe logout` ends it")
            .into());
    }
    // Known from an earlier log-in: the same keys, and a log that goes on from there, or nothing is sent.
    let known = account.known()?;
    let keystore = Keystore::connect(&args.url, known.as_ref().map(|known| &known.keystore), options())?;
    match &known {
        Some(known) => keystore.resume_log(&known.log)?,
        None => app.terminal.note(
            Tone::Plain,
            "keystore",
            &format!("its keys are {}", keystore.identity().fingerprint()),
        ),
    }
    let name = args.device_name.clone().unwrap_or_else(host_name);
    let device = match account.device()? {
        Some(device) => device,
        None => {
            let device = DeviceKey::generate();
            account.keep_device(&device)?;
            device
        }
    };
    let mut session = match &args.code {
        Some(code) => {
            let code: EnrolmentCode = code.parse().map_err(|error| {
                Failure::usage(format!("{error}")).hint("copy the whole code, with its dashes")
            })?;
            keystore.log_in_with_code(device, &code, &name)?
        }
        None => in_browser(&keystore, device, args.provider.as_deref(), &name)?,
    };
    account.keep_session(&session)?;
    let identity = session.identity().clone();
    let (recovery, keys) = match identity.device_state {
        DeviceState::Confirmed => (first_recovery_code(&mut session)?, account.refresh_keys(&mut session)?),
        _ => (None, Vec::new()),
    };
    own_certificates(app, &keys)?;
    account.keep_session(&session)?;
    tell(app, &session, &identity, recovery.as_ref())
}

/// Sends the person to an identity provider and waits for them.
fn in_browser(
    keystore: &Keystore,
    device: DeviceKey,
    provider: Option<&str>,
    name: &str,
) -> anyhow::Result<Session> {
    let providers = keystore.info()?.login.oidc;
    let names = || providers.iter().map(|p| p.name.as_str()).collect::<Vec<_>>().join(", ");
    let provider = match (provider, &providers[..]) {
        (Some(name), _) => name.to_owned(),
        (None, [only]) => only.name.clone(),
        (None, []) => {
            return Err(Failure::usage("this keystore has no identity provider")
                .hint("log in with the code from your administrator: --code CODE")
                .into());
        }
        (None, _) => {
            return Err(Failure::usage("this keystore has several identity providers")
                .hint(format!("name one with --provider: {}", names()))
                .into());
        }
    };
    let login = keystore.start_oidc(device, &provider)?;
    // Whatever else was asked for: without the page nobody gets on.
    eprintln!("open this page in your browser: {}", login.url());
    Ok(login.finish(name, PATIENCE)?)
}

/// A principal's first device sets it.
fn first_recovery_code(session: &mut Session) -> anyhow::Result<Option<RecoveryCode>> {
    match session.identity().has_recovery_code {
        true => Ok(None),
        false => recover::new_code(session).map(Some),
    }
}

/// Certificates of keys in custody are one's own: stored like all others.
pub(super) fn own_certificates(app: &App<'_>, keys: &[KeyInfo]) -> anyhow::Result<()> {
    for key in keys {
        app.certificates.store(&Certificate::parse(&key.certificate.0)?)?;
    }
    Ok(())
}

fn tell(
    app: &App<'_>,
    session: &Session,
    identity: &Identity,
    recovery: Option<&RecoveryCode>,
) -> anyhow::Result<()> {
    let pending = identity.device_state == DeviceState::Pending;
    let words = pending.then(|| words(session, &session.device().thumbprint(), &identity.principal));
    if app.terminal.json {
        return output::print_json(&json!({
            "logged_in": identity,
            "keystore": session.keystore().identity(),
            "recovery_code": recovery.map(|code| code.to_text().to_string()),
            "words": words,
        }));
    }
    let who = identity.addresses.join(", ");
    app.terminal.note(
        Tone::Good,
        "logged in",
        &format!("as {who} at {}", session.keystore().identity().origin.as_str()),
    );
    if let Some(words) = words {
        app.terminal.note(
            Tone::Doubtful,
            "waiting",
            &format!("this device uses no keys until one of your others confirms it (`plombe devices confirm` there), or your passkey (`plombe devices confirm --passkey` here). Its words: {words}"),
        );
    }
    if let Some(code) = recovery {
        recover::show(app, code)?;
    }
    Ok(())
}

fn host_name() -> String {
    let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    if name.is_empty() { "a computer".to_owned() } else { name }
}
