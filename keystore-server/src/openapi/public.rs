// SPDX-License-Identifier: LGPL-2.0-or-later
//! What is asked without a seal: the keystore's card, its log, its directory.

use plombe_core::keystore::calls::history;
use schemars::Schema;
use serde_json::{Map, Value, json};

/// One of them.
pub(super) struct Route {
    pub(super) method: &'static str,
    /// As the router writes it.
    pub(super) path: &'static str,
    id: &'static str,
    summary: &'static str,
    query: &'static [(&'static str, &'static str)],
    answers: &'static [(u16, Body, &'static str)],
}

#[derive(Clone, Copy)]
enum Body {
    Info,
    Document,
    Hashes,
    Losses,
    Problem,
    Text,
    Binary,
    Armored,
    Empty,
}

use Body::{Armored, Binary, Document, Empty, Hashes, Info, Losses, Problem, Text};

const SAME: (u16, Body, &str) = (304, Empty, "What `If-None-Match` names is still what is here.");
const NO_CERTIFICATE: (u16, Body, &str) = (404, Text, "Nothing here that is shown.");
const TOO_OFTEN: (u16, Body, &str) = (429, Text, "Too many look-ups from there.");
const STOPPED: (u16, Body, &str) = (503, Text, "The keystore has stopped.");
const LOG_LIMIT: (u16, Body, &str) = (429, Problem, "Too many questions about the log from there.");
const LOG_AWAY: (u16, Body, &str) = (503, Problem, "The database cannot be read now.");
const KEYS: &[(u16, Body, &str)] =
    &[(200, Armored, "Certificates, armored."), SAME, NO_CERTIFICATE, TOO_OFTEN, STOPPED];
const WKD: &[(u16, Body, &str)] =
    &[(200, Binary, "Certificates with the asked User IDs."), SAME, NO_CERTIFICATE, TOO_OFTEN, STOPPED];
const POLICY: &[(u16, Body, &str)] = &[(200, Text, "An empty policy."), NO_CERTIFICATE, TOO_OFTEN, STOPPED];
const UPLOADS: &[(u16, Body, &str)] = &[
    (200, Document, "Fingerprint, what is with each address, and a token."),
    (400, Document, "Not what is asked for here, or no certificate that could be shown."),
    (403, Document, "This keystore sends no challenge mails, so nothing is taken."),
    (413, Document, "Too large."),
    (429, Document, "Too many from there."),
    (503, Document, "No mail can be sent now, or the keystore has stopped."),
];
const ADDS: &[(u16, Body, &str)] = &[
    (200, Text, "Where an address can be proven by mail, one is under way."),
    (400, Text, "No certificate that could be shown."),
    (403, Text, "This keystore sends no challenge mails, so nothing is taken."),
    (413, Text, "Too large."),
    (429, Text, "Too many from there."),
    (503, Text, "No mail can be sent now, or the keystore has stopped."),
];

pub(super) const ROUTES: &[Route] = &[
    Route {
        method: "GET",
        path: "/v1/info",
        id: "Info",
        summary: "The keystore's keys and how one logs in.",
        query: &[],
        answers: &[(200, Info, "Its card.")],
    },
    Route {
        method: "GET",
        path: super::PATH,
        id: "OpenApi",
        summary: "This document.",
        query: &[],
        answers: &[(200, Document, "An OpenAPI document.")],
    },
    Route {
        method: "GET",
        path: "/v1/health",
        id: "Health",
        summary: "Does the process answer?",
        query: &[],
        answers: &[(200, Text, "It does.")],
    },
    Route {
        method: "GET",
        path: "/v1/ready",
        id: "Ready",
        summary: "Can it record, and so serve?",
        query: &[],
        answers: &[(200, Text, "It can."), (503, Text, "It cannot, and says why.")],
    },
    Route {
        method: "GET",
        path: plombe_core::keystore::calls::passkeys::PAGE_PATH,
        id: "PasskeyPage",
        summary: "The page on which a browser talks to an authenticator.",
        query: &[],
        answers: &[(200, Text, "HTML.")],
    },
    Route {
        method: "GET",
        path: "/passkey.js",
        id: "PasskeyScript",
        summary: "Its script.",
        query: &[],
        answers: &[(200, Text, "JavaScript.")],
    },
    Route {
        method: "GET",
        path: "/passkey.css",
        id: "PasskeyStyle",
        summary: "How it looks.",
        query: &[],
        answers: &[(200, Text, "CSS.")],
    },
    Route {
        method: "POST",
        path: "/v1/login/oidc/{name}/logout",
        id: "BackChannelLogOut",
        summary: "An identity provider says that somebody has logged out there (OpenID Connect Back-Channel Logout 1.0).",
        query: &[],
        answers: &[
            (200, Empty, "What began with that log-in has ended."),
            (400, Document, "It is no logout token of that issuer for this keystore, or came before."),
            (503, Document, "It cannot be checked or recorded now."),
        ],
    },
    Route {
        method: "GET",
        path: "/v1/log/checkpoint",
        id: "LogCheckpoint",
        summary: "How far the log has grown, signed (C2SP checkpoint).",
        query: &[],
        answers: &[(200, Text, "A signed note."), (404, Problem, "The log is empty."), LOG_LIMIT],
    },
    Route {
        method: "POST",
        path: history::SHOW_PATH,
        id: "ShowLogCheckpoint",
        summary: "Shows what this log has signed. If it does not extend that any more, the keystore stops until administrators have looked.",
        query: &[],
        answers: &[(204, Empty, "It has looked."), (429, Problem, "Too often from there.")],
    },
    Route {
        method: "GET",
        path: history::PUBLIC_LOSSES_PATH,
        id: "LostLogs",
        summary: "What this log has signed and does not have any more, and since when administrators go on without it.",
        query: &[],
        answers: &[(200, Losses, "Signed notes, smallest first.")],
    },
    Route {
        method: "GET",
        path: "/v1/log/proof/{old}/{new}",
        id: "LogProof",
        summary: "That the log of the one size extends that of the other (RFC 6962).",
        query: &[],
        answers: &[
            (200, Hashes, "The proof."),
            (400, Problem, "These are not numbers."),
            (404, Problem, "The log has no such size."),
            LOG_LIMIT,
            LOG_AWAY,
        ],
    },
    Route {
        method: "GET",
        path: "/v1/log/tile/{level}/{*number}",
        id: "LogTile",
        summary: "Hashes of one tile as far as they go (C2SP tlog-tiles).",
        query: &[],
        answers: &[
            (200, Binary, "32 bytes each."),
            (400, Problem, "The level is not a number."),
            (404, Problem, "There is no such tile."),
            LOG_LIMIT,
            LOG_AWAY,
        ],
    },
    Route {
        method: "GET",
        path: "/.well-known/openpgpkey/policy",
        id: "WkdDirectPolicy",
        summary: "Web Key Directory, direct method: the policy of the domain that was asked.",
        query: &[],
        answers: POLICY,
    },
    Route {
        method: "GET",
        path: "/.well-known/openpgpkey/{domain}/policy",
        id: "WkdPolicy",
        summary: "Web Key Directory, advanced method: a domain's policy.",
        query: &[],
        answers: POLICY,
    },
    Route {
        method: "GET",
        path: "/.well-known/openpgpkey/hu/{hash}",
        id: "WkdDirect",
        summary: "Web Key Directory, direct method: certificates of an address.",
        query: &[("l", "The local part. Not looked at.")],
        answers: WKD,
    },
    Route {
        method: "GET",
        path: "/.well-known/openpgpkey/{domain}/hu/{hash}",
        id: "Wkd",
        summary: "Web Key Directory, advanced method: certificates of an address.",
        query: &[("l", "The local part. Not looked at.")],
        answers: WKD,
    },
    Route {
        method: "GET",
        path: "/pks/lookup",
        id: "HkpLookup",
        summary: "HKP: certificates of an address, a fingerprint or a key ID.",
        query: &[("op", "`get`, `index` or `vindex`."), ("search", "What to look for, whole.")],
        answers: &[
            (200, Armored, "Certificates, or the machine-readable index."),
            NO_CERTIFICATE,
            TOO_OFTEN,
            (501, Text, "Not one of these operations."),
            STOPPED,
        ],
    },
    Route {
        method: "POST",
        path: "/pks/add",
        id: "HkpAdd",
        summary: "HKP: takes a certificate (`keytext`) and asks its addresses by mail whether it may be shown.",
        query: &[],
        answers: ADDS,
    },
    Route {
        method: "GET",
        path: "/vks/v1/by-fingerprint/{fingerprint}",
        id: "VksByFingerprint",
        summary: "VKS: the certificate of a fingerprint.",
        query: &[],
        answers: KEYS,
    },
    Route {
        method: "GET",
        path: "/vks/v1/by-keyid/{key_id}",
        id: "VksByKeyId",
        summary: "VKS: the certificates of a key ID.",
        query: &[],
        answers: KEYS,
    },
    Route {
        method: "GET",
        path: "/vks/v1/by-email/{address}",
        id: "VksByEmail",
        summary: "VKS: the certificates of an address.",
        query: &[],
        answers: KEYS,
    },
    Route {
        method: "POST",
        path: "/vks/v1/upload",
        id: "VksUpload",
        summary: "VKS: takes a certificate (`keytext`), and shows nothing of it yet.",
        query: &[],
        answers: UPLOADS,
    },
    Route {
        method: "POST",
        path: "/vks/v1/request-verify",
        id: "VksRequestVerify",
        summary: "VKS: asks addresses of an uploaded certificate (`token`, `addresses`) by mail whether it may be shown.",
        query: &[],
        answers: UPLOADS,
    },
    Route {
        method: "GET",
        path: "/vks/confirm/{token}",
        id: "ConfirmPage",
        summary: "The page that a challenge mail links to. Opening it does nothing.",
        query: &[],
        answers: &[
            (200, Text, "HTML, with a button."),
            (404, Text, "The link is used, too old, or none."),
            TOO_OFTEN,
            STOPPED,
        ],
    },
    Route {
        method: "POST",
        path: "/vks/confirm/{token}",
        id: "Confirm",
        summary: "Its button: the certificate is shown for the address from now on.",
        query: &[],
        answers: &[
            (200, Text, "It is."),
            (404, Text, "The link is used, too old, or none."),
            (409, Text, "The address has become somebody's, or has a certificate."),
            TOO_OFTEN,
            STOPPED,
        ],
    },
];

/// OpenAPI has no sign for the rest of a path.
pub(super) fn template(path: &str) -> String {
    path.replace("{*", "{")
}

pub(super) fn operation(route: &Route, info: &Schema, problem: &Schema) -> Value {
    let names = route.path.split('{').skip(1).filter_map(|part| part.split('}').next());
    let in_path = names.map(|name| {
        json!({
            "name": name.trim_start_matches('*'), "in": "path", "required": true, "schema": { "type": "string" }
        })
    });
    let in_query = route.query.iter().map(|(name, about)| {
        json!({ "name": name, "in": "query", "description": about, "schema": { "type": "string" } })
    });
    let mut answers = Map::new();
    for (status, body, about) in route.answers {
        let answer = json!({ "description": about, "content": content(*body, info, problem) });
        answers.insert(status.to_string(), answer);
    }
    json!({
        "operationId": route.id,
        "summary": route.summary,
        "security": [],
        "parameters": in_path.chain(in_query).collect::<Vec<_>>(),
        "responses": answers
    })
}

fn content(body: Body, info: &Schema, problem: &Schema) -> Value {
    let json = |schema: Value| json!({ "application/json": { "schema": schema } });
    match body {
        Info => json(info.clone().to_value()),
        Problem => json(problem.clone().to_value()),
        Document => json(json!({ "type": "object" })),
        Hashes => json(json!({ "type": "array", "items": { "$ref": "#/components/schemas/NodeHash" } })),
        Losses => {
            let (note, number) = (json!({ "type": "string" }), json!({ "type": "integer" }));
            let properties =
                json!({ "checkpoint": note, "from": number, "acknowledged_at": number, "position": number });
            json(json!({ "type": "array", "items": { "type": "object", "properties": properties } }))
        }
        Text => json!({ "text/plain": { "schema": { "type": "string" } } }),
        Binary => json!({ "application/octet-stream": {} }),
        Armored => json!({ "application/pgp-keys": { "schema": { "type": "string" } } }),
        Empty => json!({}),
    }
}
