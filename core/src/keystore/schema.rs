// SPDX-License-Identifier: LGPL-2.0-or-later
//! JSON schemas of what has a JSON form of its own: all of it is text.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::{
    ApprovalId, Bytes, CodeId, DeviceId, DeviceThumbprint, GrantId, HpkePublicKey, KeyFingerprint, Origin,
    PasskeyId, PrincipalId, RequestId, SecretBytes, SessionId, SessionToken, TenantId,
};
use crate::log::NodeHash;

macro_rules! texts {
    ($($name:ident, $format:literal, $pattern:literal, $description:literal;)*) => {$(
        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({
                    "type": "string", "format": $format, "pattern": $pattern, "description": $description
                })
            }
        }
    )*};
}

const UUID: &str = "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$";

macro_rules! ids {
    ($($name:ident, $description:literal;)*) => {$(
        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({
                    "type": "string", "format": "uuid", "pattern": UUID, "description": $description
                })
            }
        }
    )*};
}

texts! {
    Bytes, "base64url", "^[A-Za-z0-9_-]*$", "Bytes: base64url without padding.";
    SecretBytes, "base64url", "^[A-Za-z0-9_-]*$", "Secret bytes: base64url without padding, in sealed bodies only.";
    SessionToken, "base64url", "^[A-Za-z0-9_-]{43}$", "A session's token: 32 random bytes. Secret.";
    HpkePublicKey, "base64url", "^[A-Za-z0-9_-]{43}$", "X25519 public key, 32 bytes.";
    DeviceThumbprint, "base64url", "^[A-Za-z0-9_-]{43}$", "SHA-256 thumbprint of a device's key (RFC 7638).";
    NodeHash, "base64url", "^[A-Za-z0-9_-]{43}$", "Hash of a node of the log's tree (RFC 6962), 32 bytes.";
    KeyFingerprint, "fingerprint", "^([0-9A-F]{40}|[0-9A-F]{64})$", "Fingerprint of a version 4 or 6 key.";
    Origin, "uri", "^https?://", "`https://host[:port]`, or `http://` with a loopback host.";
}

ids! {
    TenantId, "An organisation, or a part of one that shares nothing with the others.";
    PrincipalId, "A person or program that may ask.";
    DeviceId, "One device of a principal.";
    SessionId, "One log-in of a device.";
    GrantId, "Use of a key by somebody other than its owner.";
    CodeId, "An enrolment code that was given out.";
    ApprovalId, "A request that waits for other people's consent.";
    PasskeyId, "A passkey of a principal.";
    RequestId, "What a client calls one operation, chosen by it at random.";
}
