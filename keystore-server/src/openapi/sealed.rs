// SPDX-License-Identifier: LGPL-2.0-or-later
//! Calls: what is sealed, and what it is sealed in.

use plombe_core::keystore::{
    ProblemCode,
    calls::Access,
    envelope::{MAX_REPLY_BYTES, MAX_REQUEST_BYTES},
};
use schemars::Schema;
use serde_json::{Map, Value, json};

use super::Described;

pub(super) fn operation(call: &Described, about: &str, request: &Schema, answer: &Schema) -> Value {
    let summary = about.split_inclusive(". ").next().unwrap_or_default().trim_end();
    let security = match call.access {
        Access::LogIn => json!([{ "proof": [] }]),
        Access::Renewal | Access::Session => json!([{ "session": [], "proof": [] }]),
    };
    json!({
        "operationId": call.name,
        "summary": summary,
        "description": about,
        "security": security,
        "requestBody": { "$ref": "#/components/requestBodies/Sealed" },
        "responses": {
            "200": { "$ref": "#/components/responses/Sealed" },
            "4XX": { "$ref": "#/components/responses/NotOpened" }
        },
        "x-sealed-request": request,
        "x-sealed-answer": answer,
        "x-repeatable": call.repeatable
    })
}

/// What all calls have in common.
pub(super) fn request_bodies() -> Value {
    json!({
        "Sealed": {
            "required": true,
            "content": { "application/json": { "schema": { "$ref": "#/components/schemas/SealedRequest" } } }
        }
    })
}

/// The same for what comes back.
pub(super) fn responses() -> Value {
    let headers = json!({
        "DPoP-Nonce": {
            "description": "For the next proof (RFC 9449 section 8).", "schema": { "type": "string" }
        },
        "X-Request-Id": {
            "description": "The request's id, as it stands in the server's log.",
            "schema": { "type": "string", "format": "uuid" }
        }
    });
    json!({
        "Sealed": {
            "description": "The sealed answer, refusals too: the real status is inside.",
            "headers": headers,
            "content": { "application/json": { "schema": { "$ref": "#/components/schemas/SealedReply" } } }
        },
        "NotOpened": {
            "description": "The request could not be opened. Not sealed, so not to be believed.",
            "headers": headers,
            "content": { "application/json": { "schema": { "$ref": "#/components/schemas/ApiProblem" } } }
        }
    })
}

/// What there is no Rust type for, or only a private one.
pub(super) fn schemas() -> Map<String, Value> {
    let bytes = json!({ "$ref": "#/components/schemas/Bytes" });
    let Value::Object(schemas) = json!({
        "SealedRequest": {
            "type": "object",
            "description": format!("A `Request`, sealed by HPKE to the keystore's key. At most {MAX_REQUEST_BYTES} bytes."),
            "properties": { "v": { "const": 1 }, "enc": bytes, "ct": bytes },
            "required": ["v", "enc", "ct"],
            "additionalProperties": false
        },
        "Request": {
            "type": "object",
            "description": "What is sealed: the call, and what every call carries.",
            "properties": {
                "request_id": { "$ref": "#/components/schemas/RequestId" },
                "checkpoint": { "type": "string", "description": "The newest checkpoint that the client has." },
                "call": { "type": "object", "description": "The schema that the call names as x-sealed-request." }
            },
            "required": ["request_id", "call"],
            "additionalProperties": false
        },
        "SealedReply": {
            "type": "object",
            "description": format!("A `Reply`, sealed under the request's own key. At most {MAX_REPLY_BYTES} bytes."),
            "properties": { "v": { "const": 1 }, "nonce": bytes, "ct": bytes },
            "required": ["v", "nonce", "ct"]
        },
        "Reply": {
            "type": "object",
            "description": "What is sealed in a reply.",
            "properties": {
                "status": { "type": "integer", "description": "The real status. From 400 on the body is a problem." },
                "body": { "description": "The schema that the call names as x-sealed-answer, or ApiProblem." },
                "checkpoint": { "type": "string", "description": "The log's newest checkpoint." }
            },
            "required": ["status", "body"]
        },
        "RequestId": {
            "type": "string", "format": "uuid",
            "description": "What a client calls one operation, chosen by it at random."
        }
    }) else {
        return Map::new();
    };
    schemas
}

pub(super) fn security_schemes() -> Value {
    let codes: Vec<_> = ProblemCode::ALL.iter().map(|code| code.as_str()).collect();
    json!({
        "session": {
            "type": "http", "scheme": "DPoP",
            "description": "The session's token (RFC 9449 section 7.1)."
        },
        "proof": {
            "type": "apiKey", "in": "header", "name": "DPoP",
            "description": "Proof of possession of the device's key (RFC 9449), with the hash of the body.",
            "x-problem-codes": codes
        }
    })
}
