// SPDX-License-Identifier: LGPL-2.0-or-later
//! A root key that is made in a PKCS#11 token and never leaves it.
//!
//! ```text
//! wrapped = version (1) = 2 ‖ IV (12) ‖ ciphertext (32) ‖ tag (16)      AES-256-GCM by the token, AAD = fields(…, purpose)
//! ```
//!
//! The token encrypts; the key that it encrypts is held by the server afterwards. So a token protects disks and backups, not
//! the memory of a running server.

use std::path::{Path, PathBuf};

use cryptoki::{
    context::{CInitializeArgs, CInitializeFlags, Pkcs11},
    error::{Error, RvError},
    mechanism::{Mechanism, aead::GcmParams},
    object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle},
    session::{Session, UserType},
    slot::Slot,
    types::AuthPin,
};
use plombe_core::{keystore::fields, secret::ResidentKey};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::{RootKey, RootKeyError, secret_file};
use crate::fresh;

const VERSION: u8 = 2;
const IV_LEN: usize = 12;
const TAG_BITS: u64 = 128;

/// Where the key is.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pkcs11Config {
    /// The token's library: `/usr/lib/softhsm/libsofthsm2.so`.
    pub module: PathBuf,
    /// Label of the token. Slots change their numbers, labels stay.
    pub token: String,
    /// Label of the key in it.
    #[serde(default = "default_label")]
    pub key: String,
    /// A file with mode 0600 that holds the PIN.
    pub pin_file: PathBuf,
}

/// What the key is called where nothing else is said.
pub fn default_label() -> String {
    "plombe-root".to_owned()
}

/// Talks to the token for each key that it wraps; the PIN is read each time and not kept.
pub struct Pkcs11RootKey {
    config: Pkcs11Config,
    library: Pkcs11,
    slot: Slot,
    id: String,
}

impl Pkcs11RootKey {
    /// Has the token make a key that cannot be taken out of it.
    ///
    /// # Errors
    /// When there is one of that label, or the token does not do it.
    pub fn create(config: Pkcs11Config) -> Result<Self, RootKeyError> {
        let (library, slot) = token(&config)?;
        let session = log_in(&library, slot, &config, true)?;
        if !find(&session, &config)?.is_empty() {
            return Err(TokenProblem::KeyExists(config.key).into());
        }
        let id = fresh::random::<16>();
        let template = [
            Attribute::Class(ObjectClass::SECRET_KEY),
            Attribute::KeyType(KeyType::AES),
            Attribute::ValueLen(32.into()),
            Attribute::Label(config.key.as_bytes().to_vec()),
            Attribute::Id(id.to_vec()),
            Attribute::Token(true),
            Attribute::Private(true),
            Attribute::Sensitive(true),
            Attribute::Extractable(false),
            Attribute::Encrypt(true),
            Attribute::Decrypt(true),
            Attribute::Wrap(false),
            Attribute::Unwrap(false),
        ];
        session.generate_key(&Mechanism::AesKeyGen, &template).map_err(failed("make a key"))?;
        drop(session);
        Self::open(config)
    }

    /// Looks for the key, and at what the token says about it.
    ///
    /// # Errors
    /// See [`TokenProblem`]: which part is missing, and what to do.
    pub fn open(config: Pkcs11Config) -> Result<Self, RootKeyError> {
        let (library, slot) = token(&config)?;
        let session = log_in(&library, slot, &config, false)?;
        let key = the_key(&session, &config)?;
        let wanted = [AttributeType::Sensitive, AttributeType::Extractable, AttributeType::Id];
        let mut id = None;
        for attribute in session.get_attributes(key, &wanted).map_err(failed("describe the key"))? {
            match attribute {
                Attribute::Sensitive(false) | Attribute::Extractable(true) => {
                    return Err(TokenProblem::Extractable(config.key).into());
                }
                Attribute::Id(bytes) if !bytes.is_empty() => {
                    id = Some(bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>());
                }
                _ => {}
            }
        }
        let id = format!("pkcs11:{}", id.ok_or_else(|| TokenProblem::NoId(config.key.clone()))?);
        drop(session);
        Ok(Self { config, library, slot, id })
    }

    fn with_key<R>(
        &self,
        act: impl FnOnce(&Session, ObjectHandle) -> Result<R, RootKeyError>,
    ) -> Result<R, RootKeyError> {
        let session = log_in(&self.library, self.slot, &self.config, false)?;
        let key = the_key(&session, &self.config)?;
        act(&session, key)
    }
}

impl RootKey for Pkcs11RootKey {
    fn id(&self) -> String {
        self.id.clone()
    }

    fn wrap(&self, purpose: &[u8], key: &[u8; 32]) -> Result<Vec<u8>, RootKeyError> {
        let aad = aad(purpose);
        let mut iv = *fresh::random::<IV_LEN>();
        let sealed = self.with_key(|session, root| {
            let params = GcmParams::new(&mut iv, &aad, TAG_BITS.into()).map_err(failed("encrypt"))?;
            session.encrypt(&Mechanism::AesGcm(params), root, key).map_err(failed("encrypt"))
        })?;
        // Some tokens insist on an IV of their own and write it over the one they are given: what counts is what is there now.
        Ok([&[VERSION][..], &iv, &sealed].concat())
    }

    fn unwrap(&self, purpose: &[u8], wrapped: &[u8]) -> Result<ResidentKey, RootKeyError> {
        let [VERSION, rest @ ..] = wrapped else { return Err(RootKeyError::Unwrap) };
        let (iv, sealed) = rest.split_first_chunk::<IV_LEN>().ok_or(RootKeyError::Unwrap)?;
        let (mut iv, aad) = (*iv, aad(purpose));
        self.with_key(|session, root| {
            let params = GcmParams::new(&mut iv, &aad, TAG_BITS.into()).map_err(failed("decrypt"))?;
            let opened = session.decrypt(&Mechanism::AesGcm(params), root, sealed);
            let key = Zeroizing::new(opened.map_err(not_decrypted)?);
            let key: &[u8; 32] = key.as_slice().try_into().map_err(|_| RootKeyError::Unwrap)?;
            Ok(ResidentKey::from_slice(key))
        })
    }
}

fn aad(purpose: &[u8]) -> Vec<u8> {
    fields(&[b"plombe keystore root wrapping v2", purpose])
}

fn token(config: &Pkcs11Config) -> Result<(Pkcs11, Slot), RootKeyError> {
    let library = Pkcs11::new(&config.module)
        .map_err(|source| TokenProblem::Library { module: config.module.clone(), source })?;
    match library.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
        // Another root key of the same library, while one takes over from the other.
        Ok(()) | Err(Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => {}
        Err(source) => return Err(TokenProblem::Library { module: config.module.clone(), source }.into()),
    }
    let mut labels = Vec::new();
    let mut found = Vec::new();
    for slot in library.get_slots_with_initialized_token().map_err(failed("list its tokens"))? {
        let label = library.get_token_info(slot).map_err(failed("describe its token"))?.label().to_owned();
        if label == config.token {
            found.push(slot);
        }
        labels.push(label);
    }
    match found[..] {
        [slot] => Ok((library, slot)),
        _ => Err(TokenProblem::Token { wanted: config.token.clone(), found: labels }.into()),
    }
}

fn log_in(
    library: &Pkcs11,
    slot: Slot,
    config: &Pkcs11Config,
    writing: bool,
) -> Result<Session, RootKeyError> {
    let session = if writing { library.open_rw_session(slot) } else { library.open_ro_session(slot) }
        .map_err(failed("open a session"))?;
    let pin = AuthPin::new(secret_file::read_line(&config.pin_file)?.as_str().into());
    match session.login(UserType::User, Some(&pin)) {
        // Log-in belongs to the process, not to the session.
        Ok(()) | Err(Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => Ok(session),
        Err(Error::Pkcs11(RvError::PinIncorrect | RvError::PinInvalid | RvError::PinLenRange, _)) => {
            Err(TokenProblem::WrongPin(config.pin_file.clone()).into())
        }
        Err(Error::Pkcs11(RvError::PinLocked, _)) => {
            Err(TokenProblem::PinLocked(config.token.clone()).into())
        }
        Err(error) => Err(failed("log in")(error)),
    }
}

fn find(session: &Session, config: &Pkcs11Config) -> Result<Vec<ObjectHandle>, RootKeyError> {
    let template = [
        Attribute::Class(ObjectClass::SECRET_KEY),
        Attribute::KeyType(KeyType::AES),
        Attribute::Label(config.key.as_bytes().to_vec()),
    ];
    session.find_objects(&template).map_err(failed("look for the key"))
}

fn the_key(session: &Session, config: &Pkcs11Config) -> Result<ObjectHandle, RootKeyError> {
    match find(session, config)?[..] {
        [key] => Ok(key),
        [] => Err(TokenProblem::NoKey { key: config.key.clone(), token: config.token.clone() }.into()),
        _ => Err(TokenProblem::SeveralKeys(config.key.clone()).into()),
    }
}

fn failed(doing: &'static str) -> impl Fn(Error) -> RootKeyError {
    move |source| TokenProblem::Failed { doing, source }.into()
}

/// A token that answers that the data is wrong is sound; tokens call that by several names.
fn not_decrypted(error: Error) -> RootKeyError {
    use RvError::{
        DataInvalid, DataLenRange, EncryptedDataInvalid, EncryptedDataLenRange, FunctionFailed, GeneralError,
        MechanismParamInvalid,
    };
    match error {
        Error::Pkcs11(
            DataInvalid
            | DataLenRange
            | EncryptedDataInvalid
            | EncryptedDataLenRange
            | FunctionFailed
            | GeneralError
            | MechanismParamInvalid,
            _,
        ) => RootKeyError::Unwrap,
        error => failed("decrypt")(error),
    }
}

/// What is wrong with the token, and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TokenProblem {
    /// The library.
    #[error("cannot use the PKCS#11 library {}; is it installed, and for this machine?", module.display())]
    Library {
        /// Which.
        module: PathBuf,
        /// Why.
        source: Error,
    },
    /// No token of that label, or two.
    #[error(
        "there is not exactly one token labelled {wanted:?} (there are: {found:?}); initialise one, or correct `token`"
    )]
    Token {
        /// Which is configured.
        wanted: String,
        /// Which there are.
        found: Vec<String>,
    },
    /// The PIN.
    #[error("the PIN in {} is wrong; correct it before the token locks itself", .0.display())]
    WrongPin(PathBuf),
    /// Too many wrong PINs.
    #[error("token {0:?} has locked its PIN; set a new one with the security officer's PIN")]
    PinLocked(String),
    /// No key of that label.
    #[error(
        "token {token:?} has no AES key labelled {key:?}; is it the token that this keystore was made with?"
    )]
    NoKey {
        /// Label of the key.
        key: String,
        /// Label of the token.
        token: String,
    },
    /// Two keys of that label.
    #[error("there are several AES keys labelled {0:?}; give the right one a label of its own")]
    SeveralKeys(String),
    /// Made by something else, for something else.
    #[error("the AES key {0:?} can be taken out of its token; let `plombe-keystore` make another one")]
    Extractable(String),
    /// A key without `CKA_ID`.
    #[error("the AES key {0:?} has no id (CKA_ID), so it cannot be told from others; give it one")]
    NoId(String),
    /// There is one already.
    #[error("there is an AES key labelled {0:?} already; choose another label")]
    KeyExists(String),
    /// Anything else.
    #[error("the token does not {doing}")]
    Failed {
        /// What it was asked.
        doing: &'static str,
        /// What it said.
        source: Error,
    },
}

impl Pkcs11Config {
    /// Makes paths absolute.
    pub fn resolve(&mut self, folder: &Path) {
        self.module = folder.join(&self.module);
        self.pin_file = folder.join(&self.pin_file);
    }
}
