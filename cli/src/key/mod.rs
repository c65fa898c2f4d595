// SPDX-License-Identifier: LGPL-2.0-or-later
//! `plombe key`: certificates and TSKs.

mod add_user_id;
mod backup;
mod certify;
mod change;
mod custody;
mod describe;
mod expire;
mod export;
mod find;
mod generate;
mod import;
mod list;
mod passphrase;
mod publish;
mod restore;
mod revoke;
mod rotate;
mod share;
mod show;
mod trust;
mod withdraw;

use crate::{app::App, terminal::Tone};

/// What can be done with certificates and keys.
#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Make a certificate and its secret key for an address of yours
    Generate(generate::Args),
    /// List certificates, or only those with a secret key
    List(list::Args),
    /// Show one certificate in full
    Show(show::Args),
    /// Write a certificate, or with --secret the secret key, to standard output or a file
    Export(export::Args),
    /// Take in certificates and secret keys from a file
    Import(import::Args),
    /// Find the certificate for an address, here and on the network
    Find(find::Args),
    /// Hand your certificate to the keystore's directory and to key servers, or write it as a Web Key Directory
    Publish(publish::Args),
    /// Take your certificate out of the keystore's directory
    Withdraw(withdraw::Args),
    /// Decide which certificate belongs to an address
    Trust(trust::Args),
    /// Replace the subkeys by new ones; the old ones keep opening old messages
    Rotate(rotate::Args),
    /// Change when a certificate expires
    Expire(expire::Args),
    /// Keep a sealed copy of a secret key in the keystore, which cannot open it
    Backup(backup::Args),
    /// Bring a secret key back from its backup in the keystore
    Restore(restore::Args),
    /// Let a colleague use your key in the keystore, for a time and for named uses
    Share(share::Args),
    /// List who uses which key of yours, and whose keys you may use
    Shares,
    /// End a share before its time, given or held
    Unshare(share::UnshareArgs),
    /// Add an address to a certificate of yours
    #[command(name = "add-userid")]
    AddUserId(add_user_id::Args),
    /// Vouch for somebody else's certificate with your own
    Certify(certify::Args),
    /// End a certificate for good
    Revoke(revoke::Args),
    /// Change the passphrase of a secret key
    Passphrase(passphrase::Args),
}

/// Others use what they have until they are given something newer.
fn hand_out(app: &App<'_>) {
    let text = "hand the changed certificate to others: `plombe key publish`, `plombe key export`";
    app.terminal.note(Tone::Plain, "next", text);
}

pub(crate) fn run(app: &App<'_>, command: Command) -> anyhow::Result<()> {
    match command {
        Command::Generate(args) => generate::run(app, args),
        Command::List(args) => list::run(app, args),
        Command::Show(args) => show::run(app, args),
        Command::Export(args) => export::run(app, args),
        Command::Import(args) => import::run(app, args),
        Command::Find(args) => find::run(app, args),
        Command::Publish(args) => publish::run(app, args),
        Command::Withdraw(args) => withdraw::run(app, &args),
        Command::Trust(args) => trust::run(app, args),
        Command::Rotate(args) => rotate::run(app, args),
        Command::Expire(args) => expire::run(app, args),
        Command::Backup(args) => backup::run(app, args),
        Command::Restore(args) => restore::run(app, args),
        Command::Share(args) => share::run(app, args),
        Command::Shares => share::list(app),
        Command::Unshare(args) => share::unshare(app, args),
        Command::AddUserId(args) => add_user_id::run(app, args),
        Command::Certify(args) => certify::run(app, args),
        Command::Revoke(args) => revoke::run(app, args),
        Command::Passphrase(args) => passphrase::run(app, args),
    }
}
