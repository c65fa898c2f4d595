// SPDX-License-Identifier: LGPL-2.0-or-later
//! Seals mails one after the other: signer and recipients come from each mail's header, and are looked up once.

use std::{collections::HashMap, sync::Arc};

use clap::ValueEnum;
use plombe_core::{
    cert::Certificate,
    mail::{self, AutocryptOut, HeaderPolicy, MailSealError, Recipient, Seal, SealedMail, Sign},
    message::Padding,
    recipients::Address,
};

use crate::{
    app::App,
    args::PassphraseArgs,
    exit::{Exit, Failure},
    keyring::{Keyring, OwnSigner},
    keystore::Purpose,
    recipient,
    who::Who,
};

/// How mails are sealed.
#[derive(clap::Args, Clone)]
pub(super) struct SealArgs {
    /// Sign with this secret key instead of the one for the From address
    #[arg(short, long, value_name = "WHO")]
    sign_as: Option<Who>,
    /// Do not sign
    #[arg(long, conflicts_with_all = ["sign_as", "sign_only"])]
    unsigned: bool,
    /// Sign only: everybody can read it
    #[arg(long)]
    sign_only: bool,
    /// What of the header stays readable outside
    #[arg(long, value_enum, default_value = "baseline")]
    headers: Headers,
    /// Do not repeat hidden headers in the text, for readers that do not know header protection
    #[arg(long)]
    no_legacy_display: bool,
    /// Do not carry the sender's certificate along (Autocrypt)
    #[arg(long)]
    no_autocrypt: bool,
    /// Hide the exact length, where all recipients can read that
    #[arg(long)]
    pad: bool,
}

/// What of the header stays readable outside (RFC 9788).
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Headers {
    /// Everything but subject, keywords and comments
    Baseline,
    /// As baseline, without names and time zone
    Shy,
    /// Everything
    None,
}

/// What it takes to seal one mail; found out under one lock, used without it.
pub(super) struct Plan {
    signer: Option<Arc<OwnSigner>>,
    sender: Option<Arc<Certificate>>,
    recipients: Vec<(String, Arc<Certificate>)>,
    /// Is there a Bcc recipient, who needs a copy of their own?
    pub(super) bcc: bool,
}

/// Looks up signers and recipients, each once.
pub(super) struct Sealer<'a> {
    app: &'a App<'a>,
    args: &'a SealArgs,
    keyring: Keyring<'a>,
    signers: HashMap<String, Option<Arc<OwnSigner>>>,
    recipients: HashMap<String, Arc<Certificate>>,
}

impl<'a> Sealer<'a> {
    pub(super) fn new(
        app: &'a App<'a>,
        args: &'a SealArgs,
        passphrase: &PassphraseArgs,
    ) -> anyhow::Result<Self> {
        let keyring = Keyring::open(app, passphrase)?;
        keyring.is_for(Purpose::SendMail);
        Ok(Self { app, args, keyring, signers: HashMap::new(), recipients: HashMap::new() })
    }

    /// Who signs `mail` and who receives it.
    pub(super) fn plan(&mut self, mail: &[u8]) -> anyhow::Result<Plan> {
        let addresses = mail::addresses(mail)?;
        let author = addresses.author()?.address.clone();
        let signer = if self.args.unsigned { None } else { Some(self.signer(&author)?) };
        let sender = signer.as_ref().map(|tsk| Arc::new(tsk.certificate()));
        let everybody = addresses.to.iter().chain(&addresses.cc).chain(&addresses.bcc);
        let recipients = match self.args.sign_only {
            true => Vec::new(),
            false => self.recipients(everybody.map(|mailbox| mailbox.address.as_str()))?,
        };
        Ok(Plan { signer, sender, recipients, bcc: !addresses.bcc.is_empty() })
    }

    fn signer(&mut self, author: &str) -> anyhow::Result<Arc<OwnSigner>> {
        if !self.signers.contains_key(author) {
            let found = match &self.args.sign_as {
                Some(who) => Some(self.keyring.required_signer(who)?),
                None => self.keyring.signer(&Who::Address(parse(author)?))?,
            };
            self.signers.insert(author.to_owned(), found.map(Arc::new));
        }
        self.signers[author].clone().ok_or_else(|| {
            Failure::new(
                Exit::CertificateUnusable,
                format!("there is no secret key for the sender, {author}"),
            )
            .hint(format!("`plombe key generate {author}` makes one; without signature: --unsigned"))
            .into()
        })
    }

    /// One or more for each address; everybody who is missing is named at once.
    fn recipients<'b>(
        &mut self,
        addresses: impl Iterator<Item = &'b str>,
    ) -> anyhow::Result<Vec<(String, Arc<Certificate>)>> {
        let addresses: Vec<&str> = addresses.collect();
        let mut unknown = Vec::new();
        for address in &addresses {
            if !self.recipients.contains_key(*address) {
                unknown.push((address.to_string(), Who::Address(parse(address)?)));
            }
        }
        let wanted: Vec<Who> = unknown.iter().map(|(_, who)| who.clone()).collect();
        let found = recipient::all(self.app, &wanted)?;
        for ((address, _), certificate) in unknown.into_iter().zip(found) {
            self.recipients.insert(address, Arc::new(certificate));
        }
        Ok(addresses.iter().map(|address| (address.to_string(), self.recipients[*address].clone())).collect())
    }
}

/// Seals `mail` as planned. Needs no lock: the work is done here.
pub(super) fn seal(
    app: &App<'_>,
    args: &SealArgs,
    plan: &Plan,
    mail: &[u8],
) -> Result<SealedMail, MailSealError> {
    let recipients =
        plan.recipients.iter().map(|(address, certificate)| Recipient { address, certificate }).collect();
    let settings = &app.config.settings.mail;
    let mut seal = Seal {
        headers: match args.headers {
            Headers::Baseline => HeaderPolicy::Baseline,
            Headers::Shy => HeaderPolicy::Shy,
            Headers::None => HeaderPolicy::None,
        },
        legacy_display: settings.legacy_display && !args.no_legacy_display,
        autocrypt: autocrypt(app, args, plan),
        padding: if args.pad { Padding::Padme } else { Padding::None },
        ..Seal::new(recipients, plan.signer.as_deref().map(Into::into), &app.policy, app.now)
    };
    if !settings.encrypt_to_self {
        seal.to_self = None;
    }
    seal.seal(mail)
}

/// Signs `mail` as planned, and leaves it readable.
pub(super) fn sign(app: &App<'_>, args: &SealArgs, plan: &Plan, mail: &[u8]) -> anyhow::Result<Vec<u8>> {
    let Some(signer) = plan.signer.as_deref().map(Into::into) else {
        return Err(Failure::usage("--sign-only without a signer does nothing").into());
    };
    let sign = Sign { signer, autocrypt: autocrypt(app, args, plan), policy: &app.policy, now: app.now };
    Ok(sign.sign(mail)?)
}

fn autocrypt<'p>(app: &App<'_>, args: &SealArgs, plan: &'p Plan) -> Option<AutocryptOut<'p>> {
    if args.no_autocrypt || !app.config.settings.mail.autocrypt {
        return None;
    }
    let certificate = plan.sender.as_deref()?;
    Some(AutocryptOut { certificate, prefer_encrypt: true, gossip: true })
}

impl SealArgs {
    pub(super) fn sign_only(&self) -> bool {
        self.sign_only
    }
}

fn parse(address: &str) -> anyhow::Result<Address> {
    Address::parse(address).map_err(|error| {
        Failure::new(Exit::Damaged, format!("{address}: {error}"))
            .hint("correct the header of this mail")
            .into()
    })
}
