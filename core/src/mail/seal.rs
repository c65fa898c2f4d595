// SPDX-License-Identifier: LGPL-2.0-or-later
//! Seal a plain mail: PGP/MIME (RFC 3156) with header protection (RFC 9788), one copy per Bcc recipient.

use std::time::SystemTime;

use super::{
    AutocryptOut, HeaderPolicy, autocrypt,
    payload::Draft,
    structure::layer_at,
    wire::{OutField, random_token},
};
use crate::{
    cert::Certificate,
    crypto_policy::CryptoPolicy,
    message::{self, Container, Padding, SealError, SealReport, SignError, Signer},
    mime::{Mailbox, MimeError, comparable_address},
};

/// A recipient's address with the certificate that was chosen for it.
#[derive(Clone, Copy)]
pub struct Recipient<'a> {
    /// `local@domain`, as in the mail's To, Cc or Bcc.
    pub address: &'a str,
    /// The certificate.
    pub certificate: &'a Certificate,
}

/// How to seal a mail. `..Seal::new(..)` fills the rest with safe defaults.
pub struct Seal<'a> {
    /// One or more for every address in To, Cc and Bcc; others are ignored.
    pub recipients: Vec<Recipient<'a>>,
    /// Signs inside the encryption.
    pub signer: Option<Signer<'a>>,
    /// The sender's own certificate, so that sent mail stays readable. `Seal::new` takes the signer's.
    pub to_self: Option<Certificate>,
    /// What stays readable outside.
    pub headers: HeaderPolicy,
    /// Repeat hidden fields in the text, for readers who decrypt but do not know header protection.
    pub legacy_display: bool,
    /// What to tell recipients about keys.
    pub autocrypt: Option<AutocryptOut<'a>>,
    /// Container to insist on; `None` takes the best that every recipient of a copy reads.
    pub container: Option<Container>,
    /// Hide the length.
    pub padding: Padding,
    /// Judges recipients' and signer's keys.
    pub policy: &'a CryptoPolicy,
    /// Signature time, and Date of a mail that has none.
    pub now: SystemTime,
}

/// A sealed mail: one copy for everybody in To and Cc, and one for each Bcc recipient.
pub struct SealedMail {
    /// Each goes to its own envelope recipients only.
    pub copies: Vec<SealedCopy>,
}

/// One mail to hand to the transport.
pub struct SealedCopy {
    /// Envelope recipients (RCPT TO) of this copy.
    pub envelope_to: Vec<String>,
    /// Is this the copy of a Bcc recipient?
    pub bcc: bool,
    /// RFC 5322 message with CRLF line ends, 7-bit safe.
    pub mail: Vec<u8>,
    /// How it was sealed, per recipient.
    pub report: SealReport,
}

impl<'a> Seal<'a> {
    /// Signed by `signer`, baseline header protection with legacy display, readable for the sender too.
    pub fn new(
        recipients: Vec<Recipient<'a>>,
        signer: Option<Signer<'a>>,
        policy: &'a CryptoPolicy,
        now: SystemTime,
    ) -> Self {
        Self {
            recipients,
            signer,
            to_self: signer.map(|signer| signer.certificate()),
            headers: HeaderPolicy::Baseline,
            legacy_display: true,
            autocrypt: None,
            container: None,
            padding: Padding::None,
            policy,
            now,
        }
    }

    /// Seals `mail`, which has its recipients in To, Cc and Bcc.
    pub fn seal(&self, mail: &[u8]) -> Result<SealedMail, MailSealError> {
        let draft = Draft::read(mail, self.now)?;
        if layer_at(&draft.document, 0)
            .0
            .is_some_and(|layer| layer.name() != "signed" && layer.name() != "inline-signed")
        {
            return Err(MailSealError::AlreadySealed);
        }
        let visible: Vec<Mailbox> = draft.addresses.visible_recipients().into_iter().cloned().collect();
        let hidden: Vec<Mailbox> = draft.addresses.hidden_recipients().into_iter().cloned().collect();
        if visible.is_empty() && hidden.is_empty() {
            return Err(MailSealError::NoRecipient);
        }
        // All certificates first: half a mailing is worse than none.
        let everybody = self.certificates(&visible)?;
        let each_hidden = hidden.iter().map(|one| self.certificates(std::slice::from_ref(one)));
        let each_hidden: Vec<Vec<&Certificate>> = each_hidden.collect::<Result<_, _>>()?;

        let mut outside = draft.outside(&self.headers);
        let payload = draft.sealed_payload(&outside, self.legacy_display, &self.gossip(&visible))?;
        outside.extend(
            self.autocrypt.and_then(|out| autocrypt::header(&out, &draft.author, self.policy, self.now)),
        );
        let mut copies = Vec::new();
        if !visible.is_empty() {
            copies.push(self.copy(&payload, &outside, everybody, &visible, false)?);
        }
        for (one, certificates) in hidden.iter().zip(each_hidden) {
            copies.push(self.copy(&payload, &outside, certificates, std::slice::from_ref(one), true)?);
        }
        Ok(SealedMail { copies })
    }

    fn certificates(&self, mailboxes: &[Mailbox]) -> Result<Vec<&'a Certificate>, MailSealError> {
        let mut found = Vec::new();
        for mailbox in mailboxes {
            let before = found.len();
            found.extend(self.certificates_of(mailbox));
            if found.len() == before {
                return Err(MailSealError::NoCertificate { address: mailbox.address.clone() });
            }
        }
        Ok(found)
    }

    fn certificates_of(&self, mailbox: &Mailbox) -> impl Iterator<Item = &'a Certificate> {
        let wanted = mailbox.comparable();
        let of_address = move |recipient: &&Recipient<'a>| comparable_address(recipient.address) == wanted;
        self.recipients.iter().filter(of_address).map(|recipient| recipient.certificate)
    }

    /// Where several people read the mail, each learns the others' keys from it and can answer all of them sealed.
    fn gossip(&self, visible: &[Mailbox]) -> Vec<OutField> {
        if !self.autocrypt.is_some_and(|out| out.gossip) || visible.len() < 2 {
            return Vec::new();
        }
        let about = |mailbox: &Mailbox| {
            let certificate = self.certificates_of(mailbox).next()?;
            autocrypt::gossip(certificate, &mailbox.address, self.policy, self.now)
        };
        visible.iter().filter_map(about).collect()
    }

    fn copy(
        &self,
        payload: &[u8],
        outside: &[OutField],
        certificates: Vec<&Certificate>,
        to: &[Mailbox],
        bcc: bool,
    ) -> Result<SealedCopy, MailSealError> {
        let mut recipients: Vec<&Certificate> = Vec::new();
        for certificate in certificates.into_iter().chain(&self.to_self) {
            if recipients.iter().all(|known| known.fingerprint() != certificate.fingerprint()) {
                recipients.push(certificate);
            }
        }
        let seal = message::Seal {
            signers: self.signer.into_iter().collect(),
            container: self.container,
            padding: self.padding,
            armor: true,
            ..message::Seal::new(recipients, self.policy, self.now)
        };
        let mut armored = Vec::with_capacity(payload.len() / 2 * 3 + 4096);
        let report = seal.seal(&mut &payload[..], &mut armored)?;
        Ok(SealedCopy {
            envelope_to: to.iter().map(|mailbox| mailbox.address.clone()).collect(),
            bcc,
            mail: encrypted_mail(outside, &armored),
            report,
        })
    }
}

/// RFC 3156 section 4.
fn encrypted_mail(outside: &[OutField], armored: &[u8]) -> Vec<u8> {
    let boundary = random_token();
    let mut mail = Vec::with_capacity(armored.len() + armored.len() / 32 + 4096);
    outside.iter().for_each(|field| field.write(&mut mail));
    OutField::new("MIME-Version", "1.0").write(&mut mail);
    mail.extend_from_slice(
        format!(
            "Content-Type: multipart/encrypted;\r\n protocol=\"application/pgp-encrypted\";\r\n boundary=\"{boundary}\"\r\n\
             \r\n\
             --{boundary}\r\n\
             Content-Type: application/pgp-encrypted\r\n\
             Content-Description: PGP/MIME version identification\r\n\
             \r\n\
             Version: 1\r\n\
             \r\n\
             --{boundary}\r\n\
             Content-Type: application/octet-stream; name=\"encrypted.asc\"\r\n\
             Content-Description: OpenPGP encrypted message\r\n\
             Content-Disposition: inline; filename=\"encrypted.asc\"\r\n\
             \r\n"
        )
        .as_bytes(),
    );
    mail.extend(super::wire::crlf(armored.trim_ascii()));
    mail.extend_from_slice(format!("\r\n\r\n--{boundary}--\r\n").as_bytes());
    mail
}

/// Why a mail cannot be sealed or signed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MailSealError {
    /// Structure beyond the bounds.
    #[error(transparent)]
    Mime(#[from] MimeError),
    /// The header holds bytes that another program could take for the end of a line.
    #[error("the header field {name} holds a bare carriage return or a NUL byte; remove it")]
    UnsafeHeader {
        /// Which.
        name: String,
    },
    /// No From, or several authors and no Sender.
    #[error("this mail does not say clearly who it is from: it needs one From address")]
    NoAuthor,
    /// Nobody in To, Cc or Bcc.
    #[error("this mail has no recipient: it needs To, Cc or Bcc")]
    NoRecipient,
    /// A recipient without certificate.
    #[error("no certificate for {address}; find or import one first")]
    NoCertificate {
        /// Whose.
        address: String,
    },
    /// The mail is encrypted already.
    #[error("this mail is encrypted already")]
    AlreadySealed,
    /// Encryption failed.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// Signing failed.
    #[error(transparent)]
    Sign(#[from] SignError),
}
