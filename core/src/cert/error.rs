// SPDX-License-Identifier: LGPL-2.0-or-later
//! What goes wrong with certificates and TSKs, as far as a caller can do something different about it.

use super::Profile;

/// Why a certificate or TSK cannot be read, made or changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CertError {
    /// Not OpenPGP, or not a certificate, or damaged.
    #[error("this is not an OpenPGP certificate, or it is damaged")]
    Malformed,
    /// Well-formed, but there is no secret key in it.
    #[error("there is no secret key in this file, only certificates")]
    NoSecretKey,
    /// Exactly one was expected.
    #[error("there are several certificates in this file where one was expected")]
    SeveralCertificates,
    /// More bytes, certificates or packets than any honest file has.
    #[error("refused: too large for a file of certificates ({limit})")]
    TooLarge {
        /// Which bound was hit, in words.
        limit: &'static str,
    },
    /// Two certificates that were to be merged have different primary keys.
    #[error("these are different certificates: their primary keys differ")]
    DifferentCertificate,
    /// The address is not in any valid user ID.
    #[error("the certificate has no valid user ID with this address")]
    NoSuchAddress,
    /// The user ID is not in the certificate, or was revoked.
    #[error("the certificate has no such user ID, or it was revoked already")]
    NoSuchUserId,
    /// The key is not in the certificate.
    #[error("the certificate has no such subkey")]
    NoSuchKey,
    /// A certificate for mail needs one.
    #[error("this is the last valid user ID; add another one first, or revoke the certificate")]
    LastUserId,
    /// Not an address, or with characters that would break out of a user ID or a mail header.
    #[error("this is not a mail address or name that a user ID can carry")]
    BadUserId,
    /// Not a revocation of this certificate.
    #[error("this revocation does not belong to the certificate, or its signature is wrong")]
    NotItsRevocation,
    /// The primary key's secret part is not in the TSK (kept offline, or on a card).
    #[error(
        "the secret part of the primary key is not here (kept offline or on a card); \
         use the copy of the key that has it"
    )]
    PrimarySecretMissing,
    /// The certificate as it stands cannot be changed.
    #[error("the certificate cannot be changed: {0}")]
    Unusable(#[from] super::Unusable),
    /// The crypto backend of this build lacks the profile's algorithms.
    #[error(
        "profile {profile} needs algorithms that this build's crypto backend does not have; use a build with \
         `--no-default-features --features crypto-rust`, or OpenSSL 3.5 or newer for post-quantum algorithms"
    )]
    ProfileUnsupported {
        /// The one that was asked for.
        profile: Profile,
    },
    /// Dates before 1970 or after 2106, an expiry before the key was made.
    #[error("this date does not fit into an OpenPGP certificate")]
    BadTime,
    /// The backend refused an operation that should always work: a random source or memory failure.
    #[error("the cryptographic backend failed")]
    Backend,
}

/// Why a TSK stays locked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UnlockError {
    /// The passphrase does not fit. A damaged secret key looks the same, on purpose.
    #[error("wrong passphrase")]
    WrongPassphrase,
    /// It needs one.
    #[error("this key is locked by a passphrase")]
    PassphraseNeeded,
    /// A secret key does not belong to the public key beside it: somebody changed the file.
    #[error("secret and public key do not belong together; the key file was tampered with")]
    KeyMismatch,
    /// Every secret key in it is a stub, or of an algorithm that this build does not use.
    #[error(
        "there is no secret key in this file that can be used here (stubs, a card, DSA, ElGamal, or an unknown algorithm)"
    )]
    NoUsableSecret,
    /// Deriving the key from the passphrase would take more memory or time than any honest file asks for.
    #[error("refused: unlocking this key asks for an absurd amount of memory or time")]
    TooCostly,
}
