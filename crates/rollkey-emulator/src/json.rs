//! The reader of JSON: stricter than most, so that no client gets by with a document that another
//! reader would understand otherwise.
//!
//! Members that occur twice are refused and the depth is bounded. Nothing in here knows what a
//! document means.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// A JSON document that is malformed, too deep, or says something twice.
#[derive(Debug)]
pub(crate) struct NotJson;

/// Reads one JSON object, nested at most `depth` deep, with nothing after it.
pub(crate) fn object(text: &[u8], depth: usize) -> Result<Map<String, Value>, NotJson> {
    let mut reader = serde_json::Deserializer::from_slice(text);
    let value = Nested(depth).deserialize(&mut reader).map_err(|_| NotJson)?;
    reader.end().map_err(|_| NotJson)?;
    match value {
        Value::Object(members) => Ok(members),
        _ => Err(NotJson),
    }
}

/// A value that may nest this much deeper.
#[derive(Clone, Copy)]
struct Nested(usize);

impl<'de> DeserializeSeed<'de> for Nested {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Nested {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value that is not too deep")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut items = Vec::new();
        while let Some(item) = access.next_element_seed(inner)? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut members = Map::new();
        while let Some(name) = access.next_key::<String>()? {
            let value = access.next_value_seed(inner)?;
            if members.insert(name, value).is_some() {
                return Err(A::Error::custom("a member occurs twice"));
            }
        }
        Ok(Value::Object(members))
    }
}

impl Nested {
    fn deeper<E: Error>(self) -> Result<Self, E> {
        self.0.checked_sub(1).map(Self).ok_or_else(|| E::custom("too deep"))
    }
}

#[cfg(test)]
mod tests {
    use super::object;

    #[test]
    fn a_plain_object_is_read() {
        assert_eq!(object(br#"{"a":[1,2.5,"x",null,true,{"b":-3}]}"#, 3).unwrap().len(), 1);
    }

    #[test]
    fn what_others_would_let_pass_is_refused() {
        for text in [
            r#"{"a":1,"a":1}"#,
            r#"{"a":{"b":1,"b":2}}"#,
            r#"{"a":1} {"#,
            "[]",
            "1",
            "",
            r#"{"a":[[[[1]]]]}"#,
        ] {
            assert!(object(text.as_bytes(), 3).is_err(), "{text}");
        }
        assert!(object(b"{\"a\":\"\xff\"}", 3).is_err());
        assert!(object("[".repeat(100_000).as_bytes(), usize::MAX).is_err());
    }
}
