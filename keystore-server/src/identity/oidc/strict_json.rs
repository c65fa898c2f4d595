// SPDX-License-Identifier: LGPL-2.0-or-later
//! JSON objects in which no name occurs twice.
//!
//! RFC 8259 leaves open which of two equal names counts. A provider that checks the first `email` and a keystore that
//! reads the last would be one attack.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::Reason;

/// Reads one object and nothing behind it.
///
/// # Errors
///
/// [`Reason::DuplicateMember`] at any depth; `otherwise` when it is no JSON object.
pub(super) fn object(bytes: &[u8], otherwise: Reason) -> Result<Map<String, Value>, Reason> {
    match serde_json::from_slice(bytes) {
        Ok(Strict(Value::Object(object))) => Ok(object),
        Ok(_) => Err(otherwise),
        Err(error) if error.is_data() => Err(Reason::DuplicateMember),
        Err(_) => Err(otherwise),
    }
}

/// A value whose objects were checked while they were read; afterwards there is nothing left to see.
struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Checker).map(Strict)
    }
}

struct Checker;

impl<'de> Visitor<'de> for Checker {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON without duplicate names")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some((name, Strict(value))) = members.next_entry::<String, Strict>()? {
            if object.insert(name, value).is_some() {
                return Err(A::Error::custom("a name occurs twice"));
            }
        }
        Ok(Value::Object(object))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut array = Vec::new();
        while let Some(Strict(value)) = items.next_element()? {
            array.push(value);
        }
        Ok(Value::Array(array))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_bool<E>(self, yes: bool) -> Result<Value, E> {
        Ok(yes.into())
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_occurs_twice_is_refused_at_any_depth() {
        for twice in [r#"{"a":1,"a":1}"#, r#"{"x":[{"a":1,"b":2,"a":3}]}"#, r#"{"a":1,"\u0061":2}"#] {
            assert_eq!(
                object(twice.as_bytes(), Reason::IdTokenMalformed),
                Err(Reason::DuplicateMember),
                "{twice}"
            );
        }
    }

    #[test]
    fn what_is_no_object_is_malformed() {
        for other in ["", "1", "[]", "{} {}", "{\"a\":}", "\u{feff}{}"] {
            assert_eq!(
                object(other.as_bytes(), Reason::IdTokenMalformed),
                Err(Reason::IdTokenMalformed),
                "{other}"
            );
        }
    }

    #[test]
    fn every_kind_of_value_survives() {
        let text = r#"{"a":[true,null,1,-1,1.5,"x"],"b":{"c":{}}}"#;
        let plain: Value = serde_json::from_str(text).unwrap();
        assert_eq!(Value::Object(object(text.as_bytes(), Reason::IdTokenMalformed).unwrap()), plain);
    }
}
