// SPDX-License-Identifier: LGPL-2.0-or-later
//! The OpenAPI document of everything that is served, made from the wire types themselves.
//!
//! OpenAPI has no words for a body that is sealed: what goes over the wire is `SealedRequest` and `SealedReply`; what is inside
//! of them is named by `x-sealed-request` and `x-sealed-answer`.

mod public;
mod sealed;

use plombe_core::keystore::{
    ApiProblem, Info,
    calls::{Access, Call},
};
use schemars::{JsonSchema, Schema, SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};

/// Where it is served.
pub const PATH: &str = "/v1/openapi.json";

/// A call of the protocol, with what is needed to describe it.
pub struct Described {
    /// Where it is.
    pub path: &'static str,
    access: Access,
    repeatable: bool,
    name: String,
    schemas: fn(&mut SchemaGenerator) -> (Schema, Schema),
}

impl Described {
    /// Describes a call.
    pub fn new<C: Call + JsonSchema>() -> Self
    where
        C::Answer: JsonSchema,
    {
        Self {
            path: C::PATH,
            access: C::ACCESS,
            repeatable: C::REPEATABLE,
            name: C::schema_name().into_owned(),
            schemas: |generator| (generator.subschema_for::<C>(), generator.subschema_for::<C::Answer>()),
        }
    }
}

/// The document.
pub fn document(calls: &[Described]) -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
    });
    let mut generator = settings.into_generator();
    let (info, problem) = (generator.subschema_for::<Info>(), generator.subschema_for::<ApiProblem>());
    let mut paths = Map::new();
    for call in calls {
        let (request, answer) = (call.schemas)(&mut generator);
        let about = generator.definitions().get(&call.name).and_then(|schema| schema.get("description"));
        let about = plain(about.and_then(Value::as_str).unwrap_or_default());
        paths.insert(
            call.path.to_owned(),
            json!({ "post": sealed::operation(call, &about, &request, &answer) }),
        );
    }
    for route in public::ROUTES {
        let item = paths.entry(public::template(route.path)).or_insert_with(|| json!({}));
        item[route.method.to_ascii_lowercase()] = public::operation(route, &info, &problem);
    }
    let mut schemas: Map<String, Value> = generator.take_definitions(true);
    schemas.values_mut().for_each(plain_descriptions);
    schemas.extend(sealed::schemas());
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Plombe keystore",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "What a keystore serves. Bodies of calls are sealed inside TLS: docs/keystore-protocol.md says how.",
            "license": { "name": "LGPL-2.0-or-later", "identifier": "LGPL-2.0-or-later" }
        },
        "paths": paths,
        "components": {
            "schemas": schemas,
            "requestBodies": sealed::request_bodies(),
            "responses": sealed::responses(),
            "securitySchemes": sealed::security_schemes()
        }
    })
}

/// Methods and paths of everything that is not a sealed call, as the router writes them.
pub fn public_routes() -> impl Iterator<Item = (&'static str, &'static str)> {
    public::ROUTES.iter().map(|route| (route.method, route.path))
}

fn plain_descriptions(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            for (name, value) in members {
                match value {
                    Value::String(text) if name == "description" => *text = plain(text),
                    other => plain_descriptions(other),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(plain_descriptions),
        _ => {}
    }
}

/// Documentation links of Rust's lead nowhere here: their words stay.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("[`") {
        let Some(end) = rest[start..].find("`]").map(|end| start + end) else { break };
        out.push_str(&rest[..start]);
        out.push_str(&rest[start + 1..=end]);
        rest = &rest[end + 2..];
        if rest.starts_with('(')
            && let Some(close) = rest.find(')')
        {
            rest = &rest[close + 1..];
        }
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    const CHECKED_IN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/keystore/openapi.json");
    const WRITE: &str = "PLOMBE_WRITE_OPENAPI";

    #[test]
    fn the_document_that_is_checked_in_is_the_one_that_is_served() {
        let now = crate::api::router::openapi();
        if std::env::var_os(WRITE).is_some() {
            std::fs::write(CHECKED_IN, serde_json::to_string_pretty(&now).unwrap() + "\n").unwrap();
        }
        let checked_in = std::fs::read_to_string(CHECKED_IN).unwrap_or_default();
        let checked_in: Value = serde_json::from_str(&checked_in).unwrap_or_default();
        assert!(
            checked_in == now,
            "docs/keystore/openapi.json is not what is served; write it with\n\
             {WRITE}=1 cargo test -p plombe-keystore --lib openapi"
        );
    }

    #[test]
    fn every_reference_leads_somewhere() {
        fn references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
            match value {
                Value::Object(members) => members.iter().for_each(|(name, value)| match value {
                    Value::String(text) if name == "$ref" => found.push(text),
                    other => references(other, found),
                }),
                Value::Array(items) => items.iter().for_each(|item| references(item, found)),
                _ => {}
            }
        }
        let document = crate::api::router::openapi();
        let mut found = Vec::new();
        references(&document, &mut found);
        assert!(found.len() > 100, "{}", found.len());
        for reference in found {
            assert!(document.pointer(&reference[1..]).is_some(), "{reference}");
        }
    }

    /// A session key, a shared point, an enrolment code, a session's value: no answer has another secret, and none has a key.
    #[test]
    fn no_answer_gives_other_secrets_away_than_these() {
        /// Follows references from `value`, which stands in the schema `of`.
        fn secrets<'a>(
            document: &'a Value,
            value: &'a Value,
            of: &'a str,
            met: &mut BTreeSet<&'a str>,
            found: &mut BTreeSet<(&'a str, &'a str)>,
        ) {
            match value {
                Value::Object(members) => members.iter().for_each(|(member, value)| match value {
                    Value::String(reference) if member == "$ref" => {
                        let name = reference.rsplit('/').next().unwrap_or_default();
                        if ["SecretBytes", "SessionToken"].contains(&name) {
                            found.insert((of, name));
                        } else if met.insert(name) {
                            let schema = document.pointer(&reference[1..]).unwrap();
                            secrets(document, schema, name, met, found);
                        }
                    }
                    other => secrets(document, other, of, met, found),
                }),
                Value::Array(items) => items.iter().for_each(|one| secrets(document, one, of, met, found)),
                _ => {}
            }
        }
        let document = crate::api::router::openapi();
        let mut all = BTreeSet::new();
        for (path, item) in document["paths"].as_object().unwrap() {
            for operation in item.as_object().unwrap().values() {
                let (mut met, mut found) = (BTreeSet::new(), BTreeSet::new());
                // What is sealed, and what everybody may read.
                for answer in [&operation["x-sealed-answer"], &operation["responses"]] {
                    secrets(&document, answer, "", &mut met, &mut found);
                }
                all.extend(found.into_iter().map(|secret| (path.as_str(), secret)));
            }
        }
        let (key, code) = (("Unwrapped", "SecretBytes"), ("NewCode", "SecretBytes"));
        let (point, value) = (("SharedPoint", "SecretBytes"), ("SessionGrant", "SessionToken"));
        let expected = BTreeSet::from([
            ("/v1/break-glass/unwrap", key),
            ("/v1/codes/create", code),
            ("/v1/keys/raw/share-point", point),
            ("/v1/keys/unwrap", key),
            ("/v1/login/code", value),
            ("/v1/login/oidc/finish", value),
            ("/v1/session/renew", value),
        ]);
        assert_eq!(all, expected);
    }

    #[test]
    fn links_of_the_documentation_become_words() {
        assert_eq!(
            super::plain("As in [`Unwrap`](super::Unwrap), or [`x`]. [1]"),
            "As in `Unwrap`, or `x`. [1]"
        );
        let text = crate::api::router::openapi().to_string();
        assert!(!text.contains("](") && !text.contains("[`"), "a link of rustdoc is in the document");
    }
}
