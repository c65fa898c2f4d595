// SPDX-License-Identifier: LGPL-2.0-or-later
//! What concerns this directory of a certificate that somebody sent, and the token that carries it.

use std::{
    collections::BTreeMap,
    net::IpAddr,
    time::{Duration, SystemTime},
};

use axum::http::StatusCode;
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use plombe_core::{
    cert::{Capabilities, Certificate},
    keystore::KeyFingerprint,
    recipients::Address,
};
use serde::Serialize;

use super::{
    challenge::{RevokeByUpload, look_at},
    look_up::{self, Versions},
    reply,
    upload::{Refused, Result, ask, malformed, unavailable},
};
use crate::{
    access_policy::seconds,
    app::App,
    hierarchy::BlobName,
    ledger::AskError,
    mail::Challenges,
    registry::{INSTANCE, MailProven},
};

/// Of the part of a certificate that concerns this directory; one with post-quantum keys and some rotations has some tens of kilobytes.
const LARGEST: usize = 64 * 1024;
/// In that part. More is no person's.
const MOST_ADDRESSES: usize = 10;
/// Between upload and asking for mails a person reads a page.
const TOKEN_GOOD_FOR: Duration = Duration::from_secs(3600);
/// What concerns this directory of a certificate that somebody sent.
#[derive(Clone)]
pub(super) struct Uploaded {
    pub(super) key: KeyFingerprint,
    /// With the user IDs of those addresses and its own signatures.
    pub(super) certificate: Certificate,
    /// In it, in domains here.
    pub(super) addresses: Vec<Address>,
    pub(super) is_revoked: bool,
}

impl Uploaded {
    pub(super) async fn read(
        app: &App,
        challenges: &Challenges,
        from: IpAddr,
        keytext: String,
    ) -> Result<Self> {
        if !challenges.may_upload(from) {
            app.refusals.count("upload-source-limit");
            return Err(Refused(StatusCode::TOO_MANY_REQUESTS, "too many uploads from there; wait a minute"));
        }
        let app = app.clone();
        reply::aside(move || Self::parse(&app, &keytext)).await
    }

    fn parse(app: &App, keytext: &str) -> Result<Self> {
        let refused = |why| Refused(StatusCode::BAD_REQUEST, why);
        let bare = || STANDARD.decode(keytext.split_ascii_whitespace().collect::<String>()).ok();
        let bytes = if keytext.contains("-----BEGIN PGP") { None } else { bare() };
        let bytes = bytes.unwrap_or_else(|| keytext.as_bytes().to_vec());
        let all = Certificate::parse(&bytes).map_err(|_| refused("send one OpenPGP certificate"))?;
        let uploaded = Self::of(app, &all, app.now()).ok_or_else(malformed)?;
        if uploaded.addresses.len() > MOST_ADDRESSES {
            return Err(refused("a certificate here has at most 10 addresses of this directory's domains"));
        }
        if uploaded.certificate.to_bytes().len() > LARGEST {
            return Err(Refused(StatusCode::PAYLOAD_TOO_LARGE, "a certificate here has at most 64 KiB"));
        }
        if !uploaded.is_revoked && uploaded.certificate.can_encrypt(&app.policy, app.now()).is_err() {
            return Err(refused("nothing can be sealed to this certificate, so it cannot be proven by mail"));
        }
        // Who opens the mail has shown one of them. Another, which waits until the first expires, may be anybody's.
        let described = uploaded.certificate.describe(&app.policy, app.now());
        let may_encrypt = |it: &Capabilities| it.encrypt || !(it.certify || it.sign || it.authenticate);
        if described.keys.iter().filter(|key| may_encrypt(&key.capabilities)).count() > 1 {
            return Err(refused(
                "a certificate that is proven by mail has one key to be sealed to; this one has several",
            ));
        }
        Ok(uploaded)
    }

    fn of(app: &App, all: &Certificate, now: SystemTime) -> Option<Self> {
        let addresses =
            all.addresses(&app.policy, now).into_iter().filter_map(|text| Address::parse(&text).ok());
        let addresses: Vec<Address> = {
            let registry = app.ledger.registry();
            // Mail servers that take others are rare; what they do with them is anybody's guess.
            let is_here = |address: &Address| {
                address.local().is_ascii() && registry.tenant_of_address(&address.to_string()).is_some()
            };
            addresses.filter(is_here).collect()
        };
        let certificate = all.filter_to_addresses(&addresses).ok()?;
        let (_, is_revoked) = look_at(&certificate, &app.policy, now);
        Some(Self { key: all.fingerprint().try_into().ok()?, certificate, addresses, is_revoked })
    }

    /// What is with each of its addresses.
    pub(super) async fn statuses(&self, app: &App) -> BTreeMap<String, Status> {
        let (app, this) = (app.clone(), self.clone());
        let statuses =
            move || this.addresses.iter().map(|it| (it.to_string(), this.status(&app, it))).collect();
        reply::aside(statuses).await
    }

    /// What everybody sees who looks the address up.
    fn status(&self, app: &App, address: &Address) -> Status {
        if self.is_revoked {
            return Status::Revoked;
        }
        let shown = look_up::by_address(app, address, Versions::V6WithoutV4).certificates;
        match shown.iter().any(|shown| shown.fingerprint() == self.certificate.fingerprint()) {
            true => Status::Published,
            false => Status::Unpublished,
        }
    }

    pub(super) async fn revoke(&self, app: &App) -> Result<()> {
        let is_news = |proven: &MailProven| !proven.revoked;
        let is_here = self.is_revoked && app.ledger.registry().mail_proven_of_key(&self.key).any(is_news);
        if !is_here {
            return Ok(());
        }
        let act = RevokeByUpload {
            key: self.key.clone(),
            uploaded: self.certificate.clone(),
            policy: app.policy.clone(),
        };
        match ask(app, act).await {
            Ok(_) | Err(AskError::Unrecorded(_)) => Ok(()),
            Err(_) => Err(unavailable()),
        }
    }

    /// So that nothing needs to be kept: sealed for this keystore, as the token.
    pub(super) fn seal(&self, app: &App, now: SystemTime) -> Option<String> {
        let expires = seconds(now + TOKEN_GOOD_FOR);
        let sealed = app.keychain().seal(INSTANCE, &token_name(expires), &self.certificate.to_bytes())?;
        Some(URL_SAFE_NO_PAD.encode([&expires.to_be_bytes()[..], &sealed].concat()))
    }

    pub(super) async fn open(app: &App, token: &str, now: SystemTime) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (expires, sealed) = bytes.split_first_chunk::<8>()?;
        let expires = u64::from_be_bytes(*expires);
        // A stranger's bytes are no reason to read keys again; who meets a server that lags behind uploads again.
        let opened = app.keychain().open(INSTANCE, &token_name(expires), sealed).ok()?;
        if seconds(now) >= expires {
            return None;
        }
        let app = app.clone();
        reply::aside(move || Self::of(&app, &Certificate::parse(&opened).ok()?, now)).await
    }
}

fn token_name(expires: u64) -> BlobName<'static> {
    BlobName { kind: "upload", id: b"", version: expires }
}

/// What is with an address of it, as VKS says it.
#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Status {
    Unpublished,
    Pending,
    Published,
    Revoked,
}
