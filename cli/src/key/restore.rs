// SPDX-License-Identifier: LGPL-2.0-or-later
//! `plombe key restore`: a secret key comes back from the backup that the keystore keeps.

use std::{
    io::{self, Write},
    path::PathBuf,
    time::{Duration, UNIX_EPOCH},
};

use plombe_core::{
    Fingerprint,
    cert::{Certificate, LockedTsk},
    keystore::{
        BackupCode, KeyFingerprint,
        calls::backup::{Backup, BackupInfo, FetchBackup, ListBackups},
    },
    message::{Limits, OpenContext, Quarantine, SealedMessage, UnwrapError},
    session_key::SessionKey,
};
use serde_json::json;
use zeroize::Zeroizing;

use super::{backup::password, describe};
use crate::{
    app::App,
    args::{OutputArgs, PassphraseArgs},
    date,
    exit::{Exit, Failure},
    keyring::Keyring,
    keystore::{Account, Purpose},
    output::{self, Content},
    passphrase::{self, Passphrases},
    terminal::Tone,
    who,
};

/// Which key, and what opens its backup.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Fingerprint of its certificate; may be left out when there is one backup only
    fingerprint: Option<Fingerprint>,
    /// The backup code, from the first line of FILE; asked for when left out
    #[arg(long, value_name = "FILE")]
    code_file: Option<PathBuf>,
    /// Only list the backups
    #[arg(long, conflicts_with_all = ["fingerprint", "code_file", "output", "no_passphrase", "passphrase_file", "passphrase_fd"])]
    list: bool,
    /// Restore nothing, write the sealed backup: for whoever has the recovery certificate's key on another machine
    #[arg(long, conflicts_with_all = ["code_file", "no_passphrase", "passphrase_file", "passphrase_fd"])]
    sealed: bool,
    /// Leave a key that comes without a passphrase like that
    #[arg(long)]
    no_passphrase: bool,
    #[command(flatten)]
    passphrase: PassphraseArgs,
    #[command(flatten)]
    output: OutputArgs,
}

pub(crate) fn run(app: &App<'_>, args: Args) -> anyhow::Result<()> {
    let account = Account::new(app);
    let backups = account.call(&ListBackups {})?.backups;
    if args.list {
        return list(app, &backups);
    }
    if args.output.output.is_some() && !args.sealed {
        return Err(Failure::usage("a key is restored to this machine; -o goes with --sealed").into());
    }
    let key = chosen(&backups, args.fingerprint.as_ref())?;
    let backup = account.call(&FetchBackup { key: key.clone() })?;
    if args.sealed {
        output::write_all(&args.output, Content::PublicBinary, &backup.sealed.0)?;
        if app.terminal.json {
            return app.terminal.json_beside(
                &args.output,
                &json!({"sealed_backup": {"fingerprint": key, "version": backup.version}}),
            );
        }
        let text = "whoever can open it: `plombe decrypt`, then `plombe key import`";
        app.terminal.note(Tone::Plain, "next", text);
        return Ok(());
    }
    let tsk = open(app, &args, &key, &backup)?;
    let certificate = keep(app, &args, tsk)?;
    if app.terminal.json {
        return output::print_json(&json!({"restored": describe::json(app, &certificate)?}));
    }
    let text = format!("the secret key of {} ({key})", who::name(app, &certificate));
    app.terminal.note(Tone::Good, "restored", &text);
    Ok(())
}

fn list(app: &App<'_>, backups: &[BackupInfo]) -> anyhow::Result<()> {
    if app.terminal.json {
        return output::print_json(&json!({"backups": backups}));
    }
    let line = |backup: &BackupInfo| {
        let day = date::day(UNIX_EPOCH + Duration::from_secs(backup.stored_at));
        format!("{}  version {}, of {day}\n", backup.key, backup.version)
    };
    Ok(output::print(&backups.iter().map(line).collect::<String>())?)
}

fn chosen(backups: &[BackupInfo], wanted: Option<&Fingerprint>) -> anyhow::Result<KeyFingerprint> {
    match (wanted, backups) {
        (Some(wanted), _) => Ok(wanted.clone().try_into()?),
        (None, [only]) => Ok(only.key.clone()),
        (None, []) => Err(Failure::new(Exit::NoKey, "the keystore has no backup of a key of yours")
            .hint("`plombe key backup` makes one, on a device that has the key")
            .into()),
        (None, _) => Err(Failure::usage("there are several backups")
            .hint("name one by its fingerprint; `plombe key restore --list` shows them")
            .into()),
    }
}

fn open(app: &App<'_>, args: &Args, key: &KeyFingerprint, backup: &Backup) -> anyhow::Result<LockedTsk> {
    let sealed = SealedMessage::parse(&backup.sealed.0[..])?;
    let session_key = session_key(app, args, &sealed)?;
    let context = OpenContext {
        signers: &Vec::<Certificate>::new(),
        readers: &[],
        policy: &app.policy,
        now: app.now,
        limits: Limits::default(),
        hash_content: false,
    };
    let (content, _) = sealed.open(&session_key, &context, Memory::default())?.release()?;
    let mut tsks = LockedTsk::parse_all(&content)?;
    // The keystore chose what it gave: anything but this key is not what was put there.
    tsks.retain(|tsk| tsk.fingerprint() == *key.as_fingerprint());
    tsks.pop().ok_or_else(|| {
        Failure::new(Exit::KeystoreUntrusted, "what the keystore gave is the backup of another key")
            .hint("nothing was restored; tell people who do not run the keystore")
            .into()
    })
}

fn session_key(app: &App<'_>, args: &Args, sealed: &SealedMessage<'_>) -> anyhow::Result<SessionKey> {
    if !sealed.has_password() {
        let mut keyring = Keyring::open(app, &args.passphrase)?;
        keyring.is_for(Purpose::Decrypt);
        return keyring.session_key(sealed);
    }
    let typed = match &args.code_file {
        Some(file) => passphrase::read(file)?,
        None => passphrase::prompt("Backup code: ")?,
    };
    let text = String::from_utf8_lossy(typed.expose());
    let code: BackupCode = text.trim().parse().map_err(|error| Failure::usage(format!("{error}")))?;
    sealed.unwrap_with_passwords(&[password(&code)]).map_err(|error| match error {
        UnwrapError::WrongPassword => {
            Failure::new(Exit::WrongPassphrase, "this code does not open this backup")
                .hint("it is the code of another key, or of a backup that was replaced")
                .into()
        }
        other => other.into(),
    })
}

/// Stores it under the passphrase that it has, or a new one.
fn keep(app: &App<'_>, args: &Args, tsk: LockedTsk) -> anyhow::Result<Certificate> {
    let certificate = tsk.certificate();
    let tsk = match tsk.is_locked() || args.no_passphrase {
        true => tsk,
        false => {
            let name = who::name(app, &certificate);
            let new = Passphrases::from_args(&args.passphrase)?.for_new_key(&name)?;
            tsk.unlock(None)?.lock(Some(&new))?
        }
    };
    app.certificates.store(&certificate)?;
    super::import::store_tsk(app, &tsk)?;
    Ok(certificate)
}

/// Holds a key until it is checked; wiped when it is dropped.
#[derive(Default)]
struct Memory(Zeroizing<Vec<u8>>);

impl Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Quarantine for Memory {
    type Released = Zeroizing<Vec<u8>>;

    fn release(self) -> io::Result<Self::Released> {
        Ok(self.0)
    }
}
