// SPDX-License-Identifier: LGPL-2.0-or-later
//! `plombe key export`: certificates, or with `--secret` a TSK.

use plombe_core::Fingerprint;
use serde_json::json;

use crate::{
    app::App,
    args::{OutputArgs, PassphraseArgs},
    exit::{Exit, Failure},
    keystore::OwnInCustody,
    output::{self, Content},
    who::Who,
};

/// Whose, in which form, where to.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Address or fingerprint
    #[arg(required = true)]
    who: Vec<Who>,
    /// The secret key, under the passphrase that it has here
    #[arg(long)]
    secret: bool,
    /// Binary instead of ASCII armor
    #[arg(short, long, conflicts_with = "secret")]
    binary: bool,
    #[command(flatten)]
    output: OutputArgs,
}

pub(crate) fn run(app: &App<'_>, args: Args) -> anyhow::Result<()> {
    if args.secret {
        let mut armored = zeroize::Zeroizing::new(String::new());
        let mut exported = Vec::new();
        for who in &args.who {
            if OwnInCustody::find(app, who, &PassphraseArgs::default())?.is_some() {
                return Err(Failure::new(
                    Exit::KeystoreRefused,
                    format!("the secret key of {who} is in the keystore, which gives it to nobody"),
                )
                .hint("whoever shall use it gets a share: `plombe key share`")
                .into());
            }
            let tsk = who.tsk(app)?;
            if !tsk.is_locked() {
                app.terminal.warn(&format!(
                    "the secret key of {who} has no passphrase: whoever has the file has the key"
                ));
            }
            armored.push_str(&tsk.to_armored());
            exported.push(tsk.fingerprint());
        }
        output::write_all(&args.output, Content::SecretKey, armored.as_bytes())?;
        return tell(app, &args, &exported);
    }
    let mut bytes = Vec::new();
    let mut exported = Vec::new();
    for who in &args.who {
        let certificate = who.certificate(app)?;
        exported.push(certificate.fingerprint());
        match args.binary {
            true => bytes.extend(certificate.to_bytes()),
            false => bytes.extend(certificate.to_armored().into_bytes()),
        }
    }
    let content = if args.binary { Content::PublicBinary } else { Content::Public };
    output::write_all(&args.output, content, &bytes)?;
    tell(app, &args, &exported)
}

/// What was exported is the answer for people; programs are told what it was.
fn tell(app: &App<'_>, args: &Args, exported: &[Fingerprint]) -> anyhow::Result<()> {
    if !app.terminal.json {
        return Ok(());
    }
    let list = exported
        .iter()
        .map(|fingerprint| json!({"fingerprint": fingerprint.to_hex(), "secret": args.secret}));
    app.terminal.json_beside(&args.output, &json!({"exported": list.collect::<Vec<_>>()}))
}
