// SPDX-License-Identifier: LGPL-2.0-or-later
//! Why a log-in was refused: a code for the log, one sentence for everybody else.

use std::fmt;

/// A log-in that did not happen.
///
/// `Display` says the same for every reason: whoever forges tokens does not learn which check they failed at. The log gets
/// [`Self::reason`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the log-in was refused; please start it again (the keystore's log has the reason)")]
pub struct LoginRefused(Reason);

impl LoginRefused {
    /// For the log.
    pub fn reason(&self) -> Reason {
        self.0
    }

    /// True when the provider could not be asked: nothing is wrong with the log-in, trying later may help. That it
    /// cannot be reached is no secret, so this may be told.
    pub fn is_outage(&self) -> bool {
        matches!(self.0, Reason::ProviderUnreachable | Reason::ProviderFailed)
    }
}

impl From<Reason> for LoginRefused {
    fn from(reason: Reason) -> Self {
        Self(reason)
    }
}

/// Declares the reasons with their stable codes and, for whoever reads a log, what each means.
macro_rules! reasons {
    ($($(#[$doc:meta])+ $name:ident = $code:literal,)+) => {
        /// What a log-in failed at. The codes are stable: rules and alarms on the log lean on them.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Reason {
            $($(#[$doc])+ $name,)+
        }

        impl Reason {
            /// Stable code for the log.
            pub fn code(self) -> &'static str {
                match self {
                    $(Self::$name => $code,)+
                }
            }
        }
    };
}

reasons! {
    /// No issuer of that name is configured (any more).
    UnknownIssuer = "unknown_issuer",
    /// The client wants the code sent to a place that this issuer's configuration does not list.
    RedirectUriNotAllowed = "redirect_uri_not_allowed",

    /// No answer from the provider in time.
    ProviderUnreachable = "provider_unreachable",
    /// The provider answered with an error of its own, or a redirect.
    ProviderFailed = "provider_failed",
    /// The provider's answer is too large, or not what the specification says.
    ProviderAnswerMalformed = "provider_answer_malformed",
    /// The discovery document speaks for another issuer.
    DiscoveryIssuerMismatch = "discovery_issuer_mismatch",
    /// The discovery document points to a host that is not configured for this issuer.
    EndpointNotAllowed = "endpoint_not_allowed",

    /// The state was not made by this keystore, or was changed.
    StateInvalid = "state_invalid",
    /// The log-in took longer than a state lives.
    StateExpired = "state_expired",
    /// The state was given to another device.
    StateOfOtherDevice = "state_of_other_device",
    /// The state was used before.
    StateReplayed = "state_replayed",
    /// The response names another issuer than the one that was asked (RFC 9207).
    ResponseIssuerMismatch = "response_issuer_mismatch",
    /// The provider promises to name itself in its responses, and this one does not (RFC 9207).
    ResponseIssuerMissing = "response_issuer_missing",
    /// No authorization code, or one that cannot be one.
    CodeMalformed = "code_malformed",
    /// The provider does not take the code: used, expired, or for another PKCE verifier.
    CodeRefused = "code_refused",
    /// The provider does not take our client id or secret.
    ClientRefused = "client_refused",

    /// The token response has no ID token.
    IdTokenMissing = "id_token_missing",
    /// The ID token is larger than any we know.
    IdTokenTooLarge = "id_token_too_large",
    /// Not three parts of base64url, or no JSON objects in them.
    IdTokenMalformed = "id_token_malformed",
    /// Encrypted ID tokens are not supported.
    IdTokenEncrypted = "id_token_encrypted",
    /// A name occurs twice in an object: two readers may see two different tokens.
    DuplicateMember = "duplicate_member",
    /// A token for another use (`typ`).
    TypeWrong = "type_wrong",
    /// Not one of the algorithms configured for the issuer.
    AlgorithmNotAllowed = "algorithm_not_allowed",
    /// Extensions that must be understood (`crit`); we know none.
    CriticalHeader = "critical_header",
    /// The header brings a key or an address of one along.
    KeyInHeader = "key_in_header",
    /// The header does not say which key signed.
    KeyIdMissing = "key_id_missing",
    /// No key of this issuer has that id.
    KeyUnknown = "key_unknown",
    /// The key of that id is not made for that algorithm.
    KeyUnfit = "key_unfit",
    /// The signature is not by that key.
    SignatureWrong = "signature_wrong",

    /// A claim that must be there is not.
    ClaimMissing = "claim_missing",
    /// A claim has the wrong type, or a value beyond its bounds.
    ClaimMalformed = "claim_malformed",
    /// The token is another issuer's.
    IssuerWrong = "issuer_wrong",
    /// The token is meant for somebody else.
    AudienceWrong = "audience_wrong",
    /// The token is meant for others as well.
    AudienceShared = "audience_shared",
    /// The token has several audiences and does not say who asked for it.
    AuthorizedPartyMissing = "authorized_party_missing",
    /// Somebody else asked for the token.
    AuthorizedPartyWrong = "authorized_party_wrong",
    /// The token has expired.
    Expired = "expired",
    /// The token is not valid yet.
    NotYetValid = "not_yet_valid",
    /// The token was issued in the future.
    IssuedInFuture = "issued_in_future",
    /// The token was issued before this log-in began.
    IssuedBeforeLogin = "issued_before_login",
    /// A logout token that was issued too long ago.
    IssuedLongAgo = "issued_long_ago",
    /// A logout token that does not say that it is one.
    EventMissing = "event_missing",
    /// A token with a nonce is an ID token and ends nothing.
    NoncePresent = "nonce_present",
    /// A logout token that names neither a user nor a session.
    SubjectMissing = "subject_missing",
    /// The token answers another log-in.
    NonceWrong = "nonce_wrong",
    /// The access token beside it is not the one that it speaks of.
    AccessTokenHashWrong = "access_token_hash_wrong",
    /// The user proved who they are longer ago than the configuration allows, or in the future.
    AuthenticationTimeWrong = "authentication_time_wrong",
    /// Not a mail address.
    EmailMalformed = "email_malformed",
    /// The provider does not say that the address is the user's.
    EmailUnverified = "email_unverified",
    /// The issuer may not vouch for addresses of that domain.
    DomainForeign = "domain_foreign",
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}
