// SPDX-License-Identifier: LGPL-2.0-or-later
//! `plombe key backup`: a copy of a secret key of this machine, sealed here, kept by a keystore that cannot open it.

use plombe_core::{
    cert::{Certificate, LockedTsk},
    keystore::{
        BackupCode, KeyFingerprint,
        calls::backup::{ListBackups, PutBackup},
    },
    message::Seal,
    secret::Passphrase,
};
use serde_json::json;

use crate::{
    app::App,
    args::PassphraseArgs,
    exit::{Exit, Failure},
    keystore::{Account, OwnInCustody, random_code},
    output,
    passphrase::Passphrases,
    recipient,
    terminal::Tone,
    who::{self, Who},
};

/// Of which key, and what opens it.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Address or fingerprint of the secret key
    who: Who,
    /// Seal it for this recovery certificate, instead of under a code that is made and shown
    #[arg(long, value_name = "WHO")]
    to: Option<Who>,
    /// Take the key's passphrase off in the backup: whoever opens that has the key
    #[arg(long)]
    without_passphrase: bool,
    /// Replace the backup that is there; what opened it is worthless then
    #[arg(long)]
    replace: bool,
    #[command(flatten)]
    passphrase: PassphraseArgs,
}

/// What opens it.
enum Opener {
    Code(BackupCode),
    Certificate(Box<Certificate>),
}

pub(crate) fn run(app: &App<'_>, args: Args) -> anyhow::Result<()> {
    if OwnInCustody::find(app, &args.who, &PassphraseArgs::default())?.is_some() {
        return Err(Failure::usage(format!("the key of {} is in the keystore already", args.who))
            .hint("a new device uses it once it is confirmed: nothing is to be backed up")
            .into());
    }
    let tsk = stored(app, &args)?;
    let certificate = tsk.certificate();
    let opener = match &args.to {
        Some(to) => Opener::Certificate(Box::new(recovery(app, to, &certificate)?)),
        None => Opener::Code(random_code(BackupCode::new)?),
    };
    let account = Account::new(app);
    let key: KeyFingerprint = certificate.fingerprint().try_into()?;
    let there = account.call(&ListBackups {})?.backups.into_iter().find(|backup| backup.key == key);
    let replaces = match there {
        Some(_) if !args.replace => {
            let message = format!("there is a backup of {key} already");
            return Err(Failure::new(Exit::OutputExists, message)
                .hint("--replace puts this one in its place; what opened the old one is worthless then")
                .into());
        }
        there => there.map(|backup| backup.version),
    };
    let sealed = seal(app, &tsk, &opener)?;
    account.call(&PutBackup { key: key.clone(), sealed: sealed.into(), replaces })?;
    tell(app, &certificate, &key, replaces.map_or(1, |version| version + 1), &opener)
}

/// The key as it is to lie in the backup: as it lies here, or without its passphrase.
fn stored(app: &App<'_>, args: &Args) -> anyhow::Result<LockedTsk> {
    let tsk = args.who.tsk(app)?;
    if !args.without_passphrase {
        if args.passphrase.is_given() {
            return Err(Failure::usage(
                "the passphrase stays on the key in the backup, and is not needed now",
            )
            .hint("--without-passphrase takes it off")
            .into());
        }
        return Ok(tsk);
    }
    let name = who::name(app, &tsk.certificate());
    let (tsk, _) = Passphrases::from_args(&args.passphrase)?.unlock(tsk, &name)?;
    Ok(tsk.lock(None)?)
}

/// One that is opened by the very key that is lost would be worth nothing.
fn recovery(app: &App<'_>, to: &Who, own: &Certificate) -> anyhow::Result<Certificate> {
    let mut found = recipient::all(app, std::slice::from_ref(to))?;
    let recovery = found.pop().ok_or_else(|| Failure::usage("no recovery certificate"))?;
    if recovery.fingerprint() == own.fingerprint() {
        return Err(
            Failure::usage("a key cannot open its own backup: name another certificate with --to").into()
        );
    }
    Ok(recovery)
}

fn seal(app: &App<'_>, tsk: &LockedTsk, opener: &Opener) -> anyhow::Result<Vec<u8>> {
    let (recipients, passwords) = match opener {
        Opener::Certificate(certificate) => (vec![&**certificate], Vec::new()),
        Opener::Code(code) => (Vec::new(), vec![password(code)]),
    };
    let seal = Seal { passwords, ..Seal::new(recipients, &app.policy, app.now) };
    let armored = zeroize::Zeroizing::new(tsk.to_armored());
    let mut sealed = Vec::new();
    seal.seal(&mut armored.as_bytes(), &mut sealed)?;
    Ok(sealed)
}

/// The message's password is the code in its one spelling, so any OpenPGP program opens it.
pub(super) fn password(code: &BackupCode) -> Passphrase {
    Passphrase::new(code.to_text().as_bytes())
}

fn tell(
    app: &App<'_>,
    certificate: &Certificate,
    key: &KeyFingerprint,
    version: u64,
    opener: &Opener,
) -> anyhow::Result<()> {
    let code = match opener {
        Opener::Code(code) => Some(code.to_text()),
        Opener::Certificate(_) => None,
    };
    let to = match opener {
        Opener::Certificate(certificate) => Some(certificate.fingerprint().to_hex()),
        Opener::Code(_) => None,
    };
    if app.terminal.json {
        let code = code.as_ref().map(|code| code.as_str());
        return output::print_json(
            &json!({"backup": {"fingerprint": key, "version": version, "code": code, "to": to}}),
        );
    }
    let text = format!("{} ({key}); the keystore cannot open it", who::name(app, certificate));
    app.terminal.note(Tone::Good, "backed up", &text);
    match (code, to) {
        (Some(code), _) => {
            let text = "this backup code on paper, where it is not lost together with this machine: it is shown only now";
            app.terminal.note(Tone::Plain, "keep", text);
            Ok(output::print(&format!("backup code: {}\n", &*code))?)
        }
        (None, to) => {
            let text = format!("whoever has the secret key of {}", to.unwrap_or_default());
            app.terminal.note(Tone::Plain, "opened by", &text);
            Ok(())
        }
    }
}
