// SPDX-License-Identifier: LGPL-2.0-or-later
//! What can be said to `plombe sop`, and what the draft wants to hear when it is said wrongly.

use std::{ffi::OsString, process::ExitCode};

use clap::{Parser, ValueEnum, error::ErrorKind};

use super::failure::Code;

/// Parses; help goes to standard output with success, a mistake to standard error with the draft's code for it.
pub(super) fn parse(args: Vec<OsString>) -> Result<Subcommand, ExitCode> {
    let error = match Sop::try_parse_from(std::iter::once("plombe sop".into()).chain(args)) {
        Ok(sop) => return Ok(sop.subcommand),
        Err(error) => error,
    };
    // Printing fails only when nobody listens.
    let _ = error.print();
    Err(match error.kind() {
        ErrorKind::DisplayHelp => return Err(ExitCode::SUCCESS),
        ErrorKind::InvalidSubcommand => Code::UnsupportedSubcommand,
        ErrorKind::MissingRequiredArgument
        | ErrorKind::MissingSubcommand
        | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
        | ErrorKind::TooFewValues => Code::MissingArg,
        ErrorKind::ArgumentConflict => Code::IncompatibleOptions,
        // An unknown option, or a value that this option does not know.
        _ => Code::UnsupportedOption,
    }
    .into())
}

/// The Stateless OpenPGP interface: no state, no configuration, no terminal.
///
/// KEYS, CERTS, PASSWORD and the like are file names, or @ENV:NAME for an environment variable's content, or @FD:N
/// for an open file descriptor. Data comes from standard input, the result goes to standard output.
#[derive(Parser)]
#[command(name = "plombe sop", disable_version_flag = true, disable_help_subcommand = true)]
pub(super) struct Sop {
    /// Accepted because the draft has it; says nothing more than usual.
    #[arg(long, global = true)]
    debug: bool,
    #[command(subcommand)]
    subcommand: Subcommand,
}

/// Subcommands of the draft.
#[derive(clap::Subcommand)]
pub(super) enum Subcommand {
    /// Name and version of this program and what it stands on.
    Version(Version),
    /// The profiles that a subcommand knows.
    ListProfiles(ListProfiles),
    /// Make a secret key.
    GenerateKey(GenerateKey),
    /// KEYS in, the same KEYS under another password (or none) out.
    ChangeKeyPassword(ChangeKeyPassword),
    /// KEYS in, revocation certificates out.
    RevokeKey(RevokeKey),
    /// KEYS in, CERTS out.
    ExtractCert(Armoring),
    /// KEYS in, KEYS with everything brought up to date out.
    UpdateKey(UpdateKey),
    /// CERTS in, the same CERTS with what the named files know more out.
    MergeCerts(MergeCerts),
    /// CERTS in, CERTS with a certification of their user IDs out.
    CertifyUserid(CertifyUserid),
    /// Do authorities vouch for this user ID in every one of the CERTS on standard input?
    ValidateUserid(ValidateUserid),
    /// DATA in, detached signatures out.
    Sign(Sign),
    /// DATA in, a line per acceptable signature out.
    Verify(Verify),
    /// DATA in, encrypted message out.
    Encrypt(Encrypt),
    /// Encrypted message in, DATA out.
    Decrypt(Decrypt),
    /// DATA in, inline-signed message out.
    InlineSign(InlineSign),
    /// Inline-signed message in, DATA out.
    InlineVerify(InlineVerify),
    /// Inline-signed message in, DATA and detached signatures out; nothing is verified.
    InlineDetach(InlineDetach),
    /// Put ASCII armor on.
    Armor(Armor),
    /// Take ASCII armor off.
    Dearmor,
}

#[derive(clap::Args)]
#[group(multiple = false)]
pub(super) struct Version {
    /// The OpenPGP library underneath.
    #[arg(long)]
    pub(super) backend: bool,
    /// Several lines, the first like without options.
    #[arg(long)]
    pub(super) extended: bool,
    /// The draft; a tilde in front means that it is not implemented completely.
    #[arg(long)]
    pub(super) sop_spec: bool,
    /// Version of the verification subset.
    #[arg(long)]
    pub(super) sopv: bool,
}

#[derive(clap::Args)]
pub(super) struct ListProfiles {
    pub(super) subcommand: String,
}

#[derive(clap::Args)]
pub(super) struct Armoring {
    /// Binary output.
    #[arg(long)]
    no_armor: bool,
}

impl Armoring {
    pub(super) fn armor(&self) -> bool {
        !self.no_armor
    }
}

#[derive(clap::Args)]
pub(super) struct GenerateKey {
    #[command(flatten)]
    pub(super) armoring: Armoring,
    /// See `list-profiles generate-key`.
    #[arg(long, default_value = "default")]
    pub(super) profile: String,
    /// No encryption subkey.
    #[arg(long)]
    pub(super) signing_only: bool,
    #[arg(long, value_name = "PASSWORD")]
    pub(super) with_key_password: Option<OsString>,
    #[arg(value_name = "USERID")]
    pub(super) user_ids: Vec<String>,
}

#[derive(clap::Args)]
pub(super) struct ChangeKeyPassword {
    #[command(flatten)]
    pub(super) armoring: Armoring,
    /// Without it the keys are left open.
    #[arg(long, value_name = "PASSWORD")]
    pub(super) new_key_password: Option<OsString>,
    #[arg(long, value_name = "PASSWORD")]
    pub(super) old_key_password: Vec<OsString>,
}

#[derive(clap::Args)]
pub(super) struct RevokeKey {
    #[command(flatten)]
    pub(super) armoring: Armoring,
    #[arg(long, value_name = "PASSWORD")]
    pub(super) with_key_password: Vec<OsString>,
}

#[derive(clap::Args)]
pub(super) struct UpdateKey {
    #[command(flatten)]
    pub(super) armoring: Armoring,
    /// Do not add an encryption subkey.
    #[arg(long)]
    pub(super) signing_only: bool,
    /// Do not announce what the key did not announce before.
    #[arg(long)]
    pub(super) no_added_capabilities: bool,
    #[arg(long, value_name = "PASSWORD")]
    pub(super) with_key_password: Vec<OsString>,
    #[arg(long, value_name = "CERTS")]
    pub(super) merge_certs: Vec<OsString>,
}

#[derive(clap::Args)]
pub(super) struct MergeCerts {
    #[command(flatten)]
    pub(super) armoring: Armoring,
    #[arg(value_name = "CERTS")]
    pub(super) certs: Vec<OsString>,
}

#[derive(clap::Args)]
pub(super) struct CertifyUserid {
    #[command(flatten)]
    pub(super) armoring: Armoring,
    #[arg(long, value_name = "USERID", required = true)]
    pub(super) userid: Vec<String>,
    #[arg(long, value_name = "PASSWORD")]
    pub(super) with_key_password: Vec<OsString>,
    /// Certify user IDs that the certificate's owner does not claim.
    #[arg(long)]
    pub(super) no_require_self_sig: bool,
    #[arg(value_name = "KEYS", required = true)]
    pub(super) keys: Vec<OsString>,
}

#[derive(clap::Args)]
pub(super) struct ValidateUserid {
    /// USERID is a bare address.
    #[arg(long)]
    pub(super) addr_spec_only: bool,
    #[arg(long, value_name = "DATE", default_value = "now")]
    pub(super) validate_at: String,
    #[arg(value_name = "USERID")]
    pub(super) userid: String,
    #[arg(value_name = "CERTS", required = true)]
    pub(super) certs: Vec<OsString>,
}

/// What the data is.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum As {
    Binary,
    Text,
}

/// What an inline-signed message is.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum InlineAs {
    Binary,
    Text,
    Clearsigned,
}

#[derive(clap::Args)]
pub(super) struct Sign {
    #[command(flatten)]
    pub(super) armoring: Armoring,
    #[arg(long = "as", value_name = "TYPE", default_value = "binary")]
    pub(super) kind: As,
    /// Where to write the hash's name for a multipart/signed header.
    #[arg(long, value_name = "FILE")]
    pub(super) micalg_out: Option<OsString>,
    #[arg(long, value_name = "PASSWORD")]
    pub(super) with_key_password: Vec<OsString>,
    #[arg(value_name = "KEYS", required = true)]
    pub(super) keys: Vec<OsString>,
}

#[derive(clap::Args)]
pub(super) struct Verify {
    #[arg(long, value_name = "DATE", default_value = "-", allow_hyphen_values = true)]
    pub(super) not_before: String,
    #[arg(long, value_name = "DATE", default_value = "now", allow_hyphen_values = true)]
    pub(super) not_after: String,
    #[arg(value_name = "SIGNATURES")]
    pub(super) signatures: OsString,
    #[arg(value_name = "CERTS", required = true)]
    pub(super) certs: Vec<OsString>,
}

#[derive(clap::Args)]
pub(super) struct Encrypt {
    #[command(flatten)]
    pub(super) armoring: Armoring,
    /// See `list-profiles encrypt`.
    #[arg(long, default_value = "default")]
    pub(super) profile: String,
    #[arg(long = "as", value_name = "TYPE", default_value = "binary")]
    pub(super) kind: As,
    #[arg(long, value_name = "PASSWORD")]
    pub(super) with_password: Vec<OsString>,
    #[arg(long, value_name = "KEYS")]
    pub(super) sign_with: Vec<OsString>,
    #[arg(long, value_name = "PASSWORD")]
    pub(super) with_key_password: Vec<OsString>,
    #[arg(long, value_name = "FILE")]
    pub(super) session_key_out: Option<OsString>,
    #[arg(value_name = "CERTS")]
    pub(super) certs: Vec<OsString>,
}

#[derive(clap::Args)]
pub(super) struct Decrypt {
    #[arg(long, value_name = "FILE")]
    pub(super) session_key_out: Option<OsString>,
    #[arg(long, value_name = "SESSIONKEY")]
    pub(super) with_session_key: Vec<OsString>,
    #[arg(long, value_name = "PASSWORD")]
    pub(super) with_password: Vec<OsString>,
    #[arg(long, value_name = "FILE", alias = "verify-out")]
    pub(super) verifications_out: Option<OsString>,
    #[arg(long, value_name = "CERTS")]
    pub(super) verify_with: Vec<OsString>,
    #[arg(long, value_name = "DATE", allow_hyphen_values = true)]
    pub(super) verify_not_before: Option<String>,
    #[arg(long, value_name = "DATE", allow_hyphen_values = true)]
    pub(super) verify_not_after: Option<String>,
    #[arg(long, value_name = "PASSWORD")]
    pub(super) with_key_password: Vec<OsString>,
    #[arg(value_name = "KEYS")]
    pub(super) keys: Vec<OsString>,
}

#[derive(clap::Args)]
pub(super) struct InlineSign {
    #[command(flatten)]
    pub(super) armoring: Armoring,
    #[arg(long = "as", value_name = "TYPE", default_value = "binary")]
    pub(super) kind: InlineAs,
    #[arg(long, value_name = "PASSWORD")]
    pub(super) with_key_password: Vec<OsString>,
    #[arg(value_name = "KEYS", required = true)]
    pub(super) keys: Vec<OsString>,
}

#[derive(clap::Args)]
pub(super) struct InlineVerify {
    #[arg(long, value_name = "DATE", default_value = "-", allow_hyphen_values = true)]
    pub(super) not_before: String,
    #[arg(long, value_name = "DATE", default_value = "now", allow_hyphen_values = true)]
    pub(super) not_after: String,
    #[arg(long, value_name = "FILE")]
    pub(super) verifications_out: Option<OsString>,
    #[arg(value_name = "CERTS", required = true)]
    pub(super) certs: Vec<OsString>,
}

#[derive(clap::Args)]
pub(super) struct InlineDetach {
    #[command(flatten)]
    pub(super) armoring: Armoring,
    #[arg(long, value_name = "FILE")]
    pub(super) signatures_out: OsString,
}

#[derive(clap::Args)]
pub(super) struct Armor {
    /// Of an older draft; the data says by itself what it is.
    #[arg(long, hide = true)]
    label: Option<String>,
}
