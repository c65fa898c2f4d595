// SPDX-License-Identifier: LGPL-2.0-or-later
//! For each endpoint a request that would be right if only the right one asked.

use std::time::SystemTime;

use plombe_core::{
    cert::{Certificate, Profile as CertProfile, Tsk},
    crypto_policy::CryptoPolicy,
    custody,
    keystore::{
        Bytes, RecoveryCode, SecretBytes,
        calls::{
            approvals::{Approve, RequestBreakGlass},
            backup::PutBackup,
            directory::PublishCertificate,
            grants::{GiveGrant, KeyUse},
            login::Role,
            raw::AllowRaw,
            recovery::SetRecoveryCode,
        },
    },
    message::{Seal, SealedMessage},
    recipients::{Address, wkd},
};
use serde_json::{Value, json};

use crate::{
    stage::{Column, Stage},
    wire::Caller,
};

/// What is asked, and by whom when not by the column's usual caller.
pub(crate) struct Ask {
    pub(crate) call: Value,
    pub(crate) caller: Option<Caller>,
}

impl From<Value> for Ask {
    fn from(call: Value) -> Self {
        Self { call, caller: None }
    }
}

const CONTEXT: &str = "other";

/// The call's JSON. `None` when there is none for this column.
pub(crate) fn request(stage: &mut Stage, path: &str, column: Column) -> Option<Ask> {
    let key = stage.key.fingerprint.to_string();
    let spare = stage.spare.fingerprint.to_string();
    let alice = stage.alice.identity().principal;
    let context = json!({ "purpose": CONTEXT });
    let call = match path {
        "/v1/login/code" => {
            let principal = stage.fresh_principal();
            let code = stage.server.new_code(&mut stage.boss, principal);
            let code: plombe_core::keystore::EnrolmentCode = code.parse().unwrap();
            json!({ "secret": serde_json::to_value(code.secret()).unwrap(), "device_name": "x" })
        }
        "/v1/login/oidc/start" => json!({ "issuer": "none", "redirect_uri": "http://127.0.0.1:1/callback" }),
        "/v1/login/oidc/finish" => json!({ "code": "x", "state": "x", "device_name": "x" }),
        "/v1/session/renew"
        | "/v1/session/logout"
        | "/v1/whoami"
        | "/v1/keys/list"
        | "/v1/grants/list"
        | "/v1/backups/list"
        | "/v1/directory/list"
        | "/v1/history/lost"
        | "/v1/passkeys/start"
        | "/v1/passkeys/list"
        | "/v1/devices/confirm-by-passkey"
        | "/v1/approvals/list"
        | "/v1/principals/list" => json!({}),
        "/v1/devices/list" => json!({ "principal": alice }),
        "/v1/devices/confirm" => {
            let waiting = stage.fresh_pending();
            json!({ "device": waiting.identity().device, "thumbprint": waiting.device().thumbprint() })
        }
        "/v1/recovery/set" => json!({ "hash": "A".repeat(43) }),
        "/v1/recovery/use" => {
            stage
                .alice
                .call(&SetRecoveryCode { hash: RecoveryCode::hash(&[7; 16]).to_vec().into() })
                .unwrap();
            let caller = (column == Column::Pending).then(|| Caller::of(&stage.fresh_pending()));
            return Some(Ask { call: json!({ "secret": "BwcHBwcHBwcHBwcHBwcHBw" }), caller });
        }
        "/v1/keys/generate" => json!({ "user_ids": ["<alice@example.org>"], "profile": "rfc4880" }),
        "/v1/keys/import" => json!({ "tsk": foreign_tsk() }),
        "/v1/keys/unwrap" => json!({ "key": key, "pkesk": pkesk(stage), "context": context }),
        "/v1/keys/sign" => json!({
            "key": key, "subkey": stage.key.signing[0], "hash": 8, "digest": "A".repeat(43),
            "claim": { "signature_type": 0, "created": 0 }, "context": context
        }),
        "/v1/keys/certify" => {
            json!({ "key": key, "certificate": stage.spare.certificate, "user_ids": ["<alice@example.org>"] })
        }
        "/v1/keys/rotate" => json!({ "key": key }),
        "/v1/keys/expire" => json!({ "key": key, "expires_at": null }),
        "/v1/keys/add-user-id" => json!({ "key": key, "user_id": "Alice <alice@example.org>" }),
        "/v1/keys/revoke" => json!({ "key": spare, "target": "certificate", "reason": "retired" }),
        "/v1/backups/put" => json!({ "key": spare, "sealed": message(stage) }),
        "/v1/backups/fetch" => {
            let put = PutBackup {
                key: stage.key.fingerprint.clone(),
                sealed: sealed(stage).into(),
                replaces: None,
            };
            // There is one already after the first time.
            let _ = stage.alice.call(&put);
            json!({ "key": key })
        }
        "/v1/grants/give" => json!({
            "key": key, "to": stage.fresh_principal(), "uses": ["unwrap"],
            "expires_at": stage.boss.saved().grant.expires_at
        }),
        "/v1/grants/end" => {
            let give = GiveGrant {
                key: stage.key.fingerprint.clone(),
                to: stage.boss.identity().principal,
                uses: vec![KeyUse::Unwrap],
                expires_at: stage.boss.saved().grant.expires_at,
            };
            json!({ "grant": stage.alice.call(&give).unwrap().id })
        }
        "/v1/principals/create" => {
            json!({ "name": "", "addresses": [stage.fresh_address()], "roles": ["user"] })
        }
        "/v1/principals/state" => json!({ "principal": stage.fresh_principal(), "state": "suspended" }),
        "/v1/principals/roles" => {
            json!({ "principal": stage.fresh_principal(), "roles": ["user", "delegate"] })
        }
        "/v1/codes/create" => json!({ "principal": stage.fresh_principal() }),
        "/v1/revoke" => json!({ "target": { "principal": stage.fresh_principal() } }),
        "/v1/approvals/request-admin" => {
            json!({ "principal": stage.fresh_principal(), "roles": [Role::User, Role::Admin], "reason": "a third" })
        }
        "/v1/approvals/decide" => {
            let wanted = break_glass(stage);
            let approval = stage.boss.call(&wanted).unwrap().id;
            json!({ "approval": approval, "consent": true })
        }
        "/v1/break-glass/request" => serde_json::to_value(break_glass(stage)).unwrap(),
        "/v1/break-glass/unwrap" => {
            let wanted = break_glass(stage);
            let approval = stage.admin.call(&wanted).unwrap().id;
            stage.boss.call(&Approve { approval, consent: true }).unwrap();
            json!({ "approval": approval, "pkesk": pkesk(stage), "context": context })
        }
        "/v1/directory/publish" => json!({ "certificate": Bytes(stage.local.to_bytes()) }),
        "/v1/directory/withdraw" => {
            stage.alice.call(&PublishCertificate { certificate: stage.local.to_bytes().into() }).unwrap();
            json!({ "key": stage.local.fingerprint().to_hex() })
        }
        // What an authenticator says is tested elsewhere; here, who may ask.
        "/v1/passkeys/add" => json!({
            "ticket": "AAAA", "name": "x",
            "registration": { "client_data": "e30", "authenticator_data": "AA", "public_key": "AA", "algorithm": -7 }
        }),
        "/v1/passkeys/remove" => json!({ "passkey": "0f8fad5b-d9cb-469f-a165-70867728950e" }),
        "/v1/step-up/start" => json!({ "path": "/v1/revoke" }),
        "/v1/step-up/finish" => json!({
            "ticket": "AAAA",
            "assertion": { "credential": "AA", "client_data": "e30", "authenticator_data": "AA", "signature": "AA" }
        }),
        // Nothing is lost here; that two administrators acknowledge what is, is tested elsewhere.
        "/v1/history/acknowledge" => {
            json!({ "size": 1, "root": "A".repeat(43), "shown_at": 0, "reason": "a restore" })
        }
        "/v1/keys/raw/allow" => json!({ "key": key, "seconds": 3600 }),
        "/v1/keys/raw/forbid" => {
            let allow = allow_raw(stage);
            stage.alice.call(&allow).unwrap();
            json!({ "key": key })
        }
        "/v1/keys/raw/share-point" => {
            let allow = allow_raw(stage);
            stage.alice.call(&allow).unwrap();
            let point: Bytes = [&[0x40, 9][..], &[0; 31]].concat().into();
            json!({ "key": key, "subkey": decryption_subkey(stage), "point": point, "context": context })
        }
        // Of one's own organisation, whoever asks.
        "/v1/rules/show" => json!({}),
        "/v1/rules/set" => json!({ "replaces": 0, "rules": {} }),
        "/v1/rules/request" => json!({ "rules": {}, "reason": "they are too strict" }),
        "/v1/audit/entries" => json!({ "scope": "all", "limit": 5 }),
        "/v1/audit/consistency" => json!({ "old_size": 1, "new_size": 2 }),
        other => panic!("{other} is new: say here what a right request to it is, and in matrix.txt who may"),
    };
    Some(call.into())
}

/// A path without a seal, with everything in it that is in braces.
pub(crate) fn public(stage: &Stage, path: &str) -> String {
    let fingerprint = stage.key.fingerprint.to_string();
    let hash = wkd::hash(&Address::parse("alice@example.org").unwrap());
    let filled = path
        .replace("{name}", "example")
        .replace("{domain}", "example.org")
        .replace("{hash}", &hash)
        .replace("{fingerprint}", &fingerprint)
        .replace("{key_id}", &fingerprint[24..])
        .replace("{address}", "alice@example.org")
        .replace("{token}", "none")
        .replace("{old}", "1")
        .replace("{new}", "2")
        .replace("{level}", "0")
        .replace("{number}", "000.p/1");
    assert!(!filled.contains('{'), "{path} has a parameter that is new: say here what it is");
    if path == "/pks/lookup" { filled + "?op=get&search=alice@example.org" } else { filled }
}

fn break_glass(stage: &Stage) -> RequestBreakGlass {
    RequestBreakGlass {
        key: stage.key.fingerprint.clone(),
        uses: vec![KeyUse::Unwrap],
        reason: "She is ill".into(),
        valid_for_seconds: 3600,
    }
}

fn allow_raw(stage: &Stage) -> AllowRaw {
    AllowRaw { key: stage.key.fingerprint.clone(), seconds: 3600 }
}

fn decryption_subkey(stage: &Stage) -> String {
    let certificate = Certificate::parse(&stage.key.certificate.0).unwrap();
    let own: Vec<_> =
        stage.key.signing.iter().chain([&stage.key.fingerprint]).map(ToString::to_string).collect();
    let mut all = certificate.unverified_keys().into_iter().map(|key| key.to_hex());
    all.find(|key| !own.contains(key)).unwrap()
}

fn message(stage: &Stage) -> Value {
    serde_json::to_value(Bytes(sealed(stage))).unwrap()
}

fn pkesk(stage: &Stage) -> Value {
    let sealed = sealed(stage);
    let message = SealedMessage::parse(&sealed[..]).unwrap();
    let pkesk: Bytes = message.wrapped_session_keys()[0].to_bytes().into();
    serde_json::to_value(pkesk).unwrap()
}

fn sealed(stage: &Stage) -> Vec<u8> {
    let certificate = Certificate::parse(&stage.key.certificate.0).unwrap();
    let (policy, now) = (CryptoPolicy::standard(), SystemTime::now());
    let mut sealed = Vec::new();
    // Version 3 of the packet says the cipher itself, so the request needs no length.
    Seal::new(vec![&certificate], &policy, now).seal(&mut &b"hello"[..], &mut sealed).unwrap();
    sealed
}

/// A key for Alice's address that was made elsewhere.
fn foreign_tsk() -> Value {
    let user_ids = ["<alice@example.org>".to_owned()];
    let made = Tsk::generate(CertProfile::Rfc4880, &user_ids, None, SystemTime::now()).unwrap();
    let bytes = custody::to_bytes(&made.tsk).unwrap();
    serde_json::to_value(SecretBytes::new(bytes.as_slice())).unwrap()
}
