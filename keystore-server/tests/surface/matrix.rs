// SPDX-License-Identifier: LGPL-2.0-or-later
//! Every endpoint of the OpenAPI document, asked by everybody: the outcome is what `matrix.txt` says. An endpoint without its row
//! fails. Requests are well-formed, and what they are about exists and belongs to tenant A.

use std::collections::{BTreeMap, BTreeSet};

use plombe_core::keystore::ProblemCode;
use serde_json::Value;

use crate::{
    stage::{Column, Stage},
    targets,
    wire::{Request, send},
};

const TABLE: &str = include_str!("matrix.txt");

/// Rows of the table: `METHOD path` and what each column gets.
fn table() -> BTreeMap<String, Vec<String>> {
    let mut lines = TABLE.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let head: Vec<_> = lines.next().unwrap().split_whitespace().skip(2).collect();
    assert_eq!(head, Column::ALL.map(Column::name), "the columns of matrix.txt");
    let rows = lines.map(|line| {
        let mut words = line.split_whitespace().map(str::to_owned);
        let name = format!("{} {}", words.next().unwrap(), words.next().unwrap());
        (name, words.collect::<Vec<_>>())
    });
    rows.collect()
}

#[test]
fn every_endpoint_gives_everybody_what_the_table_says() {
    let mut stage = Stage::new();
    let document = send(stage.address(), &Request::new("GET", "/v1/openapi.json").to_bytes()).unwrap();
    let document: Value = serde_json::from_slice(&document.body).unwrap();
    let mut expected = table();
    let mut wrong = Vec::new();
    // What ends the callers' own sessions comes last.
    let paths = document["paths"].as_object().unwrap();
    let (ending, others): (Vec<_>, Vec<_>) =
        paths.iter().partition(|(path, _)| *path == "/v1/session/logout");
    for (path, item) in others.into_iter().chain(ending) {
        for (method, operation) in item.as_object().unwrap() {
            let name = format!("{} {path}", method.to_uppercase());
            let found: Vec<String> = match operation.get("x-sealed-request") {
                Some(_) => Column::ALL.iter().map(|column| sealed(&mut stage, path, *column)).collect(),
                None => Column::ALL.iter().map(|column| public(&stage, method, path, *column)).collect(),
            };
            match expected.remove(&name) {
                None => wrong.push(format!(
                    "no row for it yet; if this is right, add it:\n{name} {}",
                    found.join(" ")
                )),
                Some(row) if row != found => {
                    wrong.push(format!("{name}\n  said  {}\n  found {}", row.join(" "), found.join(" ")))
                }
                Some(_) => {}
            }
        }
    }
    wrong.extend(expected.keys().map(|name| format!("{name}: a row, and no endpoint")));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Asks, and checks that another tenant's callers cannot tell what is there from what is not.
fn sealed(stage: &mut Stage, path: &str, column: Column) -> String {
    let Some(target) = targets::request(stage, path, column) else { return "-".to_owned() };
    let caller = target.caller.as_ref().unwrap_or_else(|| stage.caller(column));
    let answer = caller.ask(stage.address(), path, &target.call.to_string());
    if matches!(column, Column::BUser | Column::BAdmin)
        && let Some(ghost) = ghost(&target.call)
    {
        let of_nothing = caller.ask(stage.address(), path, &ghost.to_string());
        match (&answer, &of_nothing) {
            (Ok(real), Ok(nothing)) => {
                assert_eq!((real.status, &real.body), (nothing.status, &nothing.body), "{path} {column:?}");
            }
            (real, nothing) => assert_eq!(real.as_ref().err(), nothing.as_ref().err(), "{path} {column:?}"),
        }
    }
    match answer {
        Ok(reply) if reply.status == 200 => "ok".to_owned(),
        Ok(reply) => reply.body["code"].as_str().unwrap_or("?").to_owned(),
        Err(code) => code.as_str().to_owned(),
    }
}

/// The same call about things that are nowhere. `None` when it names none.
fn ghost(call: &Value) -> Option<Value> {
    fn replace(value: &mut Value, named: &mut BTreeSet<String>) {
        match value {
            Value::String(text) if text.parse::<uuid::Uuid>().is_ok() => {
                named.insert(text.clone());
                *text = "00000000-0000-7000-8000-000000000000".to_owned();
            }
            Value::String(text) if text.len() == 40 && text.bytes().all(|b| b.is_ascii_hexdigit()) => {
                named.insert(text.clone());
                *text = "0".repeat(40);
            }
            Value::Array(items) => items.iter_mut().for_each(|item| replace(item, named)),
            Value::Object(members) => members.values_mut().for_each(|member| replace(member, named)),
            _ => {}
        }
    }
    let (mut ghost, mut named) = (call.clone(), BTreeSet::new());
    replace(&mut ghost, &mut named);
    (!named.is_empty()).then_some(ghost)
}

/// Without a seal nobody is anybody: a session and a proof change nothing.
fn public(stage: &Stage, method: &str, path: &str, column: Column) -> String {
    let target = targets::public(stage, path);
    let (with_credentials, _) = stage.caller(column).seal("/v1/whoami", b"{}", None);
    let mut request = Request::new(&method.to_uppercase(), &target);
    if path.starts_with("/.well-known/") {
        request = request.without("Host").header("Host", "example.org");
    }
    request.headers.extend(with_credentials.headers.into_iter().skip(1));
    let answer = send(stage.address(), &request.to_bytes()).expect("it answers");
    let problem = answer.problem().filter(|problem| ProblemCode::ALL.contains(&problem.code));
    match (answer.status, problem) {
        (200 | 204, _) => "ok".to_owned(),
        (_, Some(problem)) => problem.code.as_str().to_owned(),
        (status, None) => status.to_string(),
    }
}
