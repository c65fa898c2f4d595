// SPDX-License-Identifier: LGPL-2.0-or-later
//! What a challenge mail says, sealed to the certificate that it is about.
//!
//! The words are in `page/challenge.txt`. Only addresses come into the header, and an [`Address`] has no character that ends a line
//! or a field; the text is inside the encryption.

use std::time::SystemTime;

use plombe_core::{
    cert::Certificate,
    crypto_policy::CryptoPolicy,
    keystore::KeyFingerprint,
    mail::{MailSealError, Recipient, Seal},
    recipients::Address,
};

const WORDS: &str = include_str!("../../page/challenge.txt");

/// What is asked.
pub struct Letter<'a> {
    /// Whom it is from.
    pub from: &'a Address,
    /// Whose mail is asked about.
    pub to: &'a Address,
    /// Of the certificate that is to be shown.
    pub fingerprint: &'a KeyFingerprint,
    /// What to open.
    pub link: &'a str,
    /// How long it is good.
    pub minutes: u64,
}

impl Letter<'_> {
    /// A mail that only the holder of `certificate`'s key reads.
    ///
    /// # Errors
    /// When nothing can be sealed to it.
    pub fn seal(
        &self,
        certificate: &Certificate,
        policy: &CryptoPolicy,
        now: SystemTime,
    ) -> Result<Vec<u8>, MailSealError> {
        let to = self.to.to_string();
        let recipient = Recipient { address: &to, certificate };
        let seal = Seal { legacy_display: false, ..Seal::new(vec![recipient], None, policy, now) };
        let sealed = seal.seal(self.text().as_bytes())?;
        sealed.copies.into_iter().next().map(|copy| copy.mail).ok_or(MailSealError::NoRecipient)
    }

    fn text(&self) -> String {
        WORDS
            .replace("{from}", &self.from.to_string())
            .replace("{to}", &self.to.to_string())
            .replace("{fingerprint}", &self.fingerprint.to_string())
            .replace("{link}", self.link)
            .replace("{minutes}", &self.minutes.to_string())
            .replace('\n', "\r\n")
    }
}

#[cfg(test)]
mod tests {
    use plombe_core::cert::{Profile, Tsk};

    use super::*;

    fn letter(to: &str) -> Option<String> {
        let now = SystemTime::now();
        let made = Tsk::generate(Profile::Rfc4880, &["<x@example.org>".to_owned()], None, now).unwrap();
        let to = Address::parse(to).ok()?;
        let letter = Letter {
            from: &Address::parse("keystore@example.org").unwrap(),
            to: &to,
            fingerprint: &made.tsk.fingerprint().try_into().unwrap(),
            link: "https://keys.example.org/secret-link",
            minutes: 60,
        };
        let mail = letter.seal(&made.tsk.certificate(), &CryptoPolicy::standard(), now).unwrap();
        Some(String::from_utf8(mail).unwrap())
    }

    #[test]
    fn the_link_is_inside_the_encryption_alone() {
        let mail = letter("x@example.org").unwrap();
        assert!(mail.contains("\r\nAuto-Submitted: auto-generated\r\n"), "{mail}");
        assert!(mail.contains("\r\nSubject: [...]\r\n") && mail.contains("BEGIN PGP MESSAGE"), "{mail}");
        assert!(!mail.contains("secret-link"));
    }

    /// What an address may contain at all, and what would be more than one.
    #[test]
    fn no_address_becomes_a_second_field_or_recipient() {
        let odd = letter("!#$%&'*+-/=?^_`{|}~.x@example.org").unwrap();
        assert_eq!(odd.matches("\r\nTo: ").count(), 1, "{odd}");
        for evil in [
            "x@example.org\r\nBcc: victim@example.com",
            "x\r\nBcc: victim@example.com\r\n@example.org",
            "x\n@example.org",
            "x\0@example.org",
            "x,victim@example.com",
            "x@example.org,victim@example.com",
            "x> victim@example.org",
            "\"x\\r\\n\"@example.org",
            "<x@example.org>",
            "(x)@example.org",
            "x@[127.0.0.1]",
        ] {
            assert!(letter(evil).is_none(), "{evil:?}");
        }
    }
}
