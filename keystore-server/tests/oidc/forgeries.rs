// SPDX-License-Identifier: LGPL-2.0-or-later
//! The matrix: each row is a token that differs from an honest one in one thing, and the reason for which it is refused.

use aws_lc_rs::{digest, hmac};
use plombe_keystore::identity::oidc::{Callback, CheckedLogin, LoginFlow, LoginRefused, Reason};
use serde_json::{Value, json};

use crate::{
    LAPTOP, REDIRECT, config,
    forging_provider::ForgingProvider,
    login_flow, story_time,
    token::{Keys, Signing, Token, encode, half_hash, sign_texts},
};

/// What is wrong, why it is refused, and how it is made.
pub(crate) struct Row(pub(crate) &'static str, pub(crate) Reason, pub(crate) fn(Token<'_>) -> String);

#[rustfmt::skip]
pub(crate) const MATRIX: &[Row] = &[
    // Whose key.
    Row("key of another tenant's issuer, under its own id", Reason::KeyUnknown, |t| { let (other, _) = t.other; let id = other.id("rsa"); t.header("kid", id).sign_with(other, Signing::Rs256) }),
    Row("key of another tenant's issuer, under our issuer's id", Reason::SignatureWrong, |t| { let (other, _) = t.other; t.sign_with(other, Signing::Rs256) }),
    Row("key made up", Reason::SignatureWrong, |t| t.sign_with(&Keys::generate("made-up"), Signing::Rs256)),
    Row("key id that is a path", Reason::KeyUnknown, |t| t.header("kid", "../../../dev/null").sign()),
    Row("key id that is an address", Reason::KeyUnknown, |t| t.header("kid", "https://mallory.example/jwks").sign()),
    Row("key id that is a query", Reason::KeyUnknown, |t| t.header("kid", "x' UNION SELECT 'mallory").sign()),
    Row("key id that is empty", Reason::KeyUnknown, |t| t.header("kid", "").sign()),
    Row("key id that is a list", Reason::IdTokenMalformed, |t| { let id = t.keys.id("rsa"); t.header("kid", json!([id])).sign() }),
    Row("key id that is too long", Reason::IdTokenMalformed, |t| t.header("kid", "k".repeat(300)).sign()),
    Row("key id missing", Reason::KeyIdMissing, |t| t.without("kid").sign()),
    Row("key brought along (jwk)", Reason::KeyInHeader, |t| { let jwk = t.other.0.rsa_jwk(); let other = t.other.0; t.header("jwk", jwk).sign_with(other, Signing::Rs256) }),
    Row("address of a key set (jku)", Reason::KeyInHeader, |t| t.header("jku", "https://mallory.example/jwks").sign()),
    Row("address of a certificate (x5u)", Reason::KeyInHeader, |t| t.header("x5u", "https://mallory.example/chain.pem").sign()),
    Row("certificate brought along (x5c)", Reason::KeyInHeader, |t| t.header("x5c", json!(["MIIB"])).sign()),

    // Which algorithm.
    Row("alg none", Reason::AlgorithmNotAllowed, |t| t.header("alg", "none").unsigned() + "."),
    Row("alg NoNe", Reason::AlgorithmNotAllowed, |t| t.header("alg", "NoNe").unsigned() + "."),
    Row("alg none, with a good signature", Reason::AlgorithmNotAllowed, |t| t.header("alg", "none").sign()),
    Row("alg missing", Reason::AlgorithmNotAllowed, |t| t.without("alg").sign()),
    Row("alg is a list", Reason::AlgorithmNotAllowed, |t| t.header("alg", json!(["RS256"])).sign()),
    Row("alg in lower case", Reason::AlgorithmNotAllowed, |t| t.header("alg", "rs256").sign()),
    Row("HS256 with the public key in DER", Reason::AlgorithmNotAllowed, |t| { let key = t.keys.rsa_public_der(); hs256(t, &key) }),
    Row("HS256 with the public key as JWK", Reason::AlgorithmNotAllowed, |t| { let key = t.keys.rsa_jwk().to_string(); hs256(t, key.as_bytes()) }),
    Row("HS256 with an empty key", Reason::AlgorithmNotAllowed, |t| hs256(t, b"")),
    Row("RS512, which is not configured", Reason::AlgorithmNotAllowed, |t| { let keys = t.keys; t.header("alg", "RS512").sign_with(keys, Signing::Rs512) }),
    Row("PS256, which is not configured", Reason::AlgorithmNotAllowed, |t| { let keys = t.keys; t.header("alg", "PS256").sign_with(keys, Signing::Ps256) }),
    Row("RS256 under the id of the P-256 key", Reason::KeyUnfit, |t| { let id = t.keys.id("p256"); t.header("kid", id).sign() }),
    Row("ES256 under the id of the RSA key", Reason::KeyUnfit, |t| { let keys = t.keys; t.header("alg", "ES256").sign_with(keys, Signing::Es256) }),
    Row("EdDSA under the id of the P-256 key", Reason::KeyUnfit, |t| { let keys = t.keys; let id = keys.id("p256"); t.header("alg", "EdDSA").header("kid", id).sign_with(keys, Signing::EdDsa) }),
    Row("ES256 signature in DER", Reason::SignatureWrong, |t| { let keys = t.keys; let id = keys.id("p256"); t.header("alg", "ES256").header("kid", id).sign_with(keys, Signing::Es256AsDer) }),
    Row("PSS signature called RS256", Reason::SignatureWrong, |t| { let keys = t.keys; t.sign_with(keys, Signing::Ps256) }),
    Row("ES256 signature of zeros", Reason::SignatureWrong, |t| { let id = t.keys.id("p256"); t.header("alg", "ES256").header("kid", id).unsigned() + "." + &encode([0; 64]) }),

    // What was signed.
    Row("signature missing", Reason::SignatureWrong, |t| t.unsigned() + "."),
    Row("claims changed after signing", Reason::SignatureWrong, |t| { let (header, claims) = t.texts(); let token = t.sign(); let signature = token.rsplit('.').next().unwrap(); format!("{}.{}.{signature}", encode(header), encode(claims.replace("alice@", "bob@"))) }),
    Row("header changed after signing", Reason::SignatureWrong, |t| { let (header, claims) = t.texts(); let token = t.sign(); let signature = token.rsplit('.').next().unwrap(); format!("{}.{}.{signature}", encode(header.replace("JWT", "jwt")), encode(claims)) }),

    // How it is written.
    Row("empty", Reason::IdTokenMalformed, |_| String::new()),
    Row("two parts", Reason::IdTokenMalformed, |t| t.unsigned()),
    Row("a fourth part", Reason::IdTokenMalformed, |t| t.sign() + ".e30"),
    Row("five parts (JWE)", Reason::IdTokenEncrypted, |_| format!("{}.AA.AA.AA.AA", encode(r#"{"alg":"RSA-OAEP","enc":"A256GCM"}"#))),
    Row("three parts with enc", Reason::IdTokenEncrypted, |t| t.header("enc", "A256GCM").sign()),
    Row("padded base64", Reason::IdTokenMalformed, |t| t.sign() + "=="),
    Row("base64 with white space", Reason::IdTokenMalformed, |t| t.sign() + "\n"),
    Row("base64 with bits left over", Reason::IdTokenMalformed, respelled),
    Row("header in the other alphabet", Reason::IdTokenMalformed, |t| format!("{}+/{}", encode("{}"), &t.sign()[2..])),
    Row("header is no JSON", Reason::IdTokenMalformed, |t| { let (_, claims) = t.texts(); sign_texts("alg=RS256", &claims, t.keys, Signing::Rs256) }),
    Row("claims are a list", Reason::IdTokenMalformed, |t| { let (header, claims) = t.texts(); sign_texts(&header, &format!("[{claims}]"), t.keys, Signing::Rs256) }),
    Row("claims with something behind them", Reason::IdTokenMalformed, |t| { let (header, claims) = t.texts(); sign_texts(&header, &format!("{claims} {{}}"), t.keys, Signing::Rs256) }),
    Row("too large", Reason::IdTokenTooLarge, |t| t.claim("groups", "g".repeat(16 * 1024)).sign()),
    Row("a claim twice", Reason::DuplicateMember, |t| { let (header, claims) = t.texts(); sign_texts(&header, &claims.replacen('{', r#"{"email":"bob@example.org","#, 1), t.keys, Signing::Rs256) }),
    Row("a claim twice, once in escapes", Reason::DuplicateMember, |t| { let (header, claims) = t.texts(); sign_texts(&header, &claims.replacen('{', r#"{"\u0073ub":"bob","#, 1), t.keys, Signing::Rs256) }),
    Row("an unused claim twice, deep inside", Reason::DuplicateMember, |t| { let (header, claims) = t.texts(); sign_texts(&header, &claims.replacen('{', r#"{"x":[{"a":1,"a":2}],"#, 1), t.keys, Signing::Rs256) }),
    Row("alg twice", Reason::DuplicateMember, |t| { let (header, claims) = t.texts(); sign_texts(&header.replacen('{', r#"{"alg":"none","#, 1), &claims, t.keys, Signing::Rs256) }),
    Row("critical extension", Reason::CriticalHeader, |t| t.header("crit", json!(["b64"])).header("b64", false).sign()),
    Row("critical extensions, none", Reason::CriticalHeader, |t| t.header("crit", json!([])).sign()),
    Row("an access token", Reason::TypeWrong, |t| t.header("typ", "at+jwt").sign()),
    Row("a logout token", Reason::TypeWrong, |t| t.header("typ", "logout+jwt").sign()),

    // Who issued it, for whom.
    Row("another tenant's issuer", Reason::IssuerWrong, |t| { let (_, url) = t.other; t.claim("iss", url).sign() }),
    Row("issuer with a slash", Reason::IssuerWrong, |t| { let with = format!("{}/", t.claims["iss"].as_str().unwrap()); t.claim("iss", with).sign() }),
    Row("issuer in upper case", Reason::IssuerWrong, |t| { let upper = t.claims["iss"].as_str().unwrap().to_uppercase(); t.claim("iss", upper).sign() }),
    Row("issuer in a list", Reason::ClaimMalformed, |t| { let list = json!([t.claims["iss"]]); t.claim("iss", list).sign() }),
    Row("another audience", Reason::AudienceWrong, |t| t.claim("aud", "webmail").sign()),
    Row("audience in another case", Reason::AudienceWrong, |t| t.claim("aud", "Plombe").sign()),
    Row("no audience in the list", Reason::AudienceWrong, |t| t.claim("aud", json!([])).sign()),
    Row("audience is a number", Reason::ClaimMalformed, |t| t.claim("aud", 7).sign()),
    Row("a number among the audiences", Reason::ClaimMalformed, |t| t.claim("aud", json!(["plombe", 7])).sign()),
    Row("several audiences, no azp", Reason::AuthorizedPartyMissing, |t| t.claim("aud", json!(["plombe", "webmail"])).sign()),
    Row("several audiences, azp ours", Reason::AudienceShared, |t| t.claim("aud", json!(["plombe", "webmail"])).claim("azp", "plombe").sign()),
    Row("several audiences, azp another", Reason::AuthorizedPartyWrong, |t| t.claim("aud", json!(["plombe", "webmail"])).claim("azp", "webmail").sign()),
    Row("azp another", Reason::AuthorizedPartyWrong, |t| t.claim("azp", "webmail").sign()),
    Row("azp is null", Reason::ClaimMalformed, |t| t.claim("azp", Value::Null).sign()),

    // When.
    Row("expired", Reason::Expired, |t| { let then = t.now - 300; t.claim("exp", then).sign() }),
    Row("expired, at the edge of the clock skew", Reason::Expired, |t| { let then = t.now - 30; t.claim("exp", then).sign() }),
    Row("not yet valid", Reason::NotYetValid, |t| { let then = t.now + 31; t.claim("nbf", then).sign() }),
    Row("issued in the future", Reason::IssuedInFuture, |t| { let then = t.now + 31; t.claim("iat", then).sign() }),
    Row("issued before the log-in", Reason::IssuedBeforeLogin, |t| { let then = t.now - 31; t.claim("iat", then).sign() }),
    Row("authenticated in the future", Reason::AuthenticationTimeWrong, |t| { let then = t.now + 31; t.claim("auth_time", then).sign() }),
    Row("expiry in words", Reason::ClaimMalformed, |t| { let then = (t.now + 300).to_string(); t.claim("exp", then).sign() }),
    Row("expiry never", Reason::ClaimMalformed, |t| t.claim("exp", u64::MAX).sign()),
    Row("expiry 1e300", Reason::ClaimMalformed, |t| t.claim("exp", 1e300).sign()),
    Row("issued before 1970", Reason::ClaimMalformed, |t| t.claim("iat", -1).sign()),

    // What is missing.
    Row("no iss", Reason::ClaimMissing, |t| t.without("iss").sign()),
    Row("no sub", Reason::ClaimMissing, |t| t.without("sub").sign()),
    Row("no aud", Reason::ClaimMissing, |t| t.without("aud").sign()),
    Row("no exp", Reason::ClaimMissing, |t| t.without("exp").sign()),
    Row("no iat", Reason::ClaimMissing, |t| t.without("iat").sign()),
    Row("no nonce", Reason::ClaimMissing, |t| t.without("nonce").sign()),
    Row("no email", Reason::ClaimMissing, |t| t.without("email").sign()),
    Row("no email_verified", Reason::EmailUnverified, |t| t.without("email_verified").sign()),

    // Which log-in.
    Row("nonce of another log-in", Reason::NonceWrong, |t| t.claim("nonce", "AAECAwQFBgcICQoLDA0ODw").sign()),
    Row("nonce empty", Reason::NonceWrong, |t| t.claim("nonce", "").sign()),
    Row("nonce in a list", Reason::ClaimMalformed, |t| { let list = json!([t.claims["nonce"]]); t.claim("nonce", list).sign() }),
    Row("hash of another access token", Reason::AccessTokenHashWrong, |t| t.claim("at_hash", half_hash(&digest::SHA256, "another")).sign()),
    Row("hash by another algorithm", Reason::AccessTokenHashWrong, |t| t.claim("at_hash", half_hash(&digest::SHA512, crate::token::ACCESS_TOKEN)).sign()),
    Row("hash empty", Reason::AccessTokenHashWrong, |t| t.claim("at_hash", "").sign()),

    // Who.
    Row("subject empty", Reason::ClaimMalformed, |t| t.claim("sub", "").sign()),
    Row("subject too long", Reason::ClaimMalformed, |t| t.claim("sub", "s".repeat(256)).sign()),
    Row("subject with a line break", Reason::ClaimMalformed, |t| t.claim("sub", "alice\nadmin").sign()),
    Row("subject is a number", Reason::ClaimMalformed, |t| t.claim("sub", 248_289_761_001_u64).sign()),
    Row("mail unverified", Reason::EmailUnverified, |t| t.claim("email_verified", false).sign()),
    Row("mail verified in words", Reason::EmailUnverified, |t| t.claim("email_verified", "true").sign()),
    Row("mail verified 1", Reason::EmailUnverified, |t| t.claim("email_verified", 1).sign()),
    Row("mail as a list", Reason::ClaimMalformed, |t| t.claim("email", json!(["alice@example.org"])).sign()),
    Row("mail without a domain", Reason::EmailMalformed, |t| t.claim("email", "alice").sign()),
    Row("mail with two domains", Reason::EmailMalformed, |t| t.claim("email", "alice@mallory.example@example.org").sign()),
    Row("mail with a quoted local part", Reason::EmailMalformed, |t| t.claim("email", "\"alice@mallory.example\"@example.org").sign()),
    Row("mail with a line break", Reason::EmailMalformed, |t| t.claim("email", "alice\r\nBcc: mallory@example.org").sign()),
    Row("mail with a name", Reason::EmailMalformed, |t| t.claim("email", "Alice <alice@example.org>").sign()),
    Row("mail with a look-alike local part", Reason::EmailMalformed, |t| t.claim("email", "\u{0430}lice@example.org").sign()),
    Row("domain with a dot behind it", Reason::EmailMalformed, |t| t.claim("email", "alice@example.org.").sign()),
    Row("domain of others", Reason::DomainForeign, |t| t.claim("email", "alice@mallory.example").sign()),
    Row("domain of another tenant", Reason::DomainForeign, |t| t.claim("email", "alice@other.org").sign()),
    Row("domain below ours", Reason::DomainForeign, |t| t.claim("email", "alice@mail.example.org").sign()),
    Row("domain that begins like ours", Reason::DomainForeign, |t| t.claim("email", "alice@example.org.mallory.example").sign()),
    Row("domain that ends like ours", Reason::DomainForeign, |t| t.claim("email", "alice@notexample.org").sign()),
    Row("domain with a Cyrillic letter", Reason::DomainForeign, |t| t.claim("email", "alice@ex\u{0430}mple.org").sign()),
    Row("domain with a Cyrillic letter, as A-label", Reason::DomainForeign, |t| t.claim("email", "alice@xn--exmple-4nf.org").sign()),
    Row("domain in full-width letters", Reason::DomainForeign, |t| t.claim("email", "alice@\u{ff45}xample.org").sign()),
    Row("domain with an ideographic full stop", Reason::DomainForeign, |t| t.claim("email", "alice@example\u{3002}org").sign()),
    Row("domain with a soft hyphen", Reason::DomainForeign, |t| t.claim("email", "alice@exam\u{ad}ple.org").sign()),
];

#[tokio::test]
async fn every_forged_or_wrong_token_is_refused_for_its_reason() {
    let scene = Scene::begin().await;
    let mut failures = Vec::new();
    for Row(name, reason, forge) in MATRIX {
        match scene.log_in(forge).await {
            Ok(_) => failures.push(format!("{name}: accepted")),
            Err(refused) if refused.reason() != *reason => {
                failures.push(format!("{name}: {} instead of {reason}", refused.reason()));
            }
            // Nobody outside learns how far a forgery came.
            Err(refused) => assert_eq!(refused.to_string(), LoginRefused::from(Reason::Expired).to_string()),
        }
    }
    assert!(failures.is_empty(), "{} of {}:\n{}", failures.len(), MATRIX.len(), failures.join("\n"));
    assert!(MATRIX.len() >= 40);
}

#[tokio::test]
async fn honest_tokens_of_each_algorithm_pass() {
    let scene = Scene::begin().await;
    let es256 = |t: Token<'_>| {
        let keys = t.keys;
        t.header("alg", "ES256").header("kid", keys.id("p256")).sign_with(keys, Signing::Es256)
    };
    let eddsa = |t: Token<'_>| {
        let (keys, hash) = (t.keys, half_hash(&digest::SHA512, crate::token::ACCESS_TOKEN));
        t.header("alg", "EdDSA")
            .header("kid", keys.id("ed25519"))
            .claim("at_hash", hash)
            .sign_with(keys, Signing::EdDsa)
    };
    let forges: [fn(Token<'_>) -> String; 3] = [|t| t.sign(), es256, eddsa];
    for forge in forges {
        let identity = scene.log_in(&forge).await.unwrap().into_identity(true).unwrap();
        assert_eq!(identity.subject, "248289761001");
        assert_eq!(identity.email.to_string(), "alice@example.org");
        assert_eq!(identity.issuer, scene.provider.url);
        assert_eq!(identity.tenant, "example");
        assert_eq!(identity.auth_time, Some(story_time() - std::time::Duration::from_secs(5)));
    }
}

#[tokio::test]
async fn what_an_honest_provider_may_leave_out_or_write_otherwise_passes() {
    let scene = Scene::begin().await;
    let forges: &[fn(Token<'_>) -> String] = &[
        |t| t.without("at_hash").sign(),
        |t| t.without("typ").sign(),
        |t| t.without("auth_time").sign(),
        |t| t.claim("aud", json!(["plombe"])).claim("azp", "plombe").sign(),
        |t| t.claim("email", "Alice@EXAMPLE.org").sign(),
        // Clocks that differ by less than the skew.
        |t| {
            let then = t.now - 29;
            t.claim("exp", then).sign()
        },
        |t| {
            let then = t.now + 30;
            t.claim("iat", then).claim("nbf", then).sign()
        },
        |t| t.claim("groups", json!({ "a": [1, 2.5, null, true] })).sign(),
    ];
    for forge in forges {
        assert_eq!(scene.log_in(forge).await.unwrap().into_identity(true).unwrap().tenant, "example");
    }
}

/// Our issuer and another tenant's, both ready to sign anything.
struct Scene {
    provider: ForgingProvider,
    other: ForgingProvider,
    keystore: LoginFlow,
}

impl Scene {
    async fn begin() -> Self {
        let provider = ForgingProvider::begin("ours").await;
        let other = ForgingProvider::begin("theirs").await;
        let keystore = login_flow(vec![
            config("example", &provider.url, json!({})),
            config("other", &other.url, json!({})),
        ]);
        Self { provider, other, keystore }
    }

    /// A whole log-in at the keystore, which knows both issuers, with the token that `forge` makes of an honest one.
    async fn log_in(&self, forge: &fn(Token<'_>) -> String) -> Result<CheckedLogin, LoginRefused> {
        let started = self.keystore.start("example", REDIRECT, LAPTOP, story_time()).await?;
        let (_, nonce) = started.authorization_url.query_pairs().find(|(name, _)| name == "nonce").unwrap();
        let other = (&self.other.keys, self.other.url.as_str());
        let honest = Token::honest(&self.provider.keys, &self.provider.url, other, &nonce, story_time());
        self.provider.hand_out(&forge(honest));
        let callback = Callback { state: &started.state, code: "code", issuer: Some(&self.provider.url) };
        self.keystore.finish(callback, LAPTOP, story_time()).await
    }
}

fn hs256(token: Token<'_>, key: &[u8]) -> String {
    let signed = token.header("alg", "HS256").unsigned();
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), signed.as_bytes());
    format!("{signed}.{}", encode(tag))
}

/// The same signature bytes in a second spelling: 256 bytes leave four bits of the last letter unused.
fn respelled(token: Token<'_>) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut token = token.sign();
    let last = token.pop().unwrap();
    let value = ALPHABET.iter().position(|letter| char::from(*letter) == last).unwrap();
    token.push(char::from(ALPHABET[value + 1]));
    token
}
