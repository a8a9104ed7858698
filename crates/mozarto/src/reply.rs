//! Mozarto's answer as a type. What decides about money (`isSuccess`, `errorCode`, `data.result`) must have its
//! documented type or the whole is not the documented JSON; what only informs is taken where it is readable and left
//! out where not.
//!
//! The visitors are written by hand: an untagged enum takes the first shape that fits, and here shapes decide about
//! money. Source: page "Flexepin", section "Responses"; page "Errors", section "Error response format".

use crate::ErrorCode;
use serde::Deserialize;
use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::fmt;
use std::marker::PhantomData;

/// An answer's body: a JSON object in which every documented field may be absent or null.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reply {
    /// `isSuccess`.
    pub is_success: Option<bool>,
    /// `errorCode`: when present, it says more than the HTTP status.
    pub error_code: Option<ErrorCode>,
    /// `message`: for the merchant's log; a customer never reads it.
    pub message: Option<String>,
    /// `errors`: its texts.
    pub errors: Vec<String>,
    /// `transactionId`, at the top level on errors. Safe to show.
    pub transaction_id: Option<String>,
    /// `data`.
    pub data: Option<Data>,
    /// `status`, at the top level: `pending` and `untouched` are the proxy's; Mozarto's own say nothing more than
    /// `isSuccess`.
    pub status: Option<String>,
    /// `attempt`: the key of the attempt that holds a voucher, in the proxy's `VOUCHER_IN_USE`. Safe to show.
    pub attempt: Option<String>,
    /// `reference`: what support can find that attempt by. Safe to show.
    pub reference: Option<String>,
}

/// `data`: Flexepin's answer, or a text.
#[derive(Clone, Debug, PartialEq)]
pub enum Data {
    /// An object: Flexepin's own answer.
    Voucher(VoucherData),
    /// A string, such as `PSP Configuration not found…`.
    Text(String),
}

/// Flexepin's answer inside `data`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct VoucherData {
    /// `result`: the string `"0"` is success, `"4075"` an invalid PIN.
    pub result: Option<String>,
    /// `result_description`: words about the result.
    pub result_description: Option<String>,
    /// `status`: `USED`, `PENDING` and others.
    pub status: Option<String>,
    /// `currency`: the voucher's. Safe to show.
    pub currency: Option<String>,
    /// `value`: the voucher's face value in major units.
    pub value: Option<f64>,
    /// `serial`: the voucher's number, which is no secret. Safe to show.
    pub serial: Option<String>,
    /// `transactionId`: Mozarto's, in `data` on success. Safe to show.
    pub transaction_id: Option<String>,
}

impl Reply {
    /// Flexepin's answer, if `data` is one.
    pub fn voucher(&self) -> Option<&VoucherData> {
        match &self.data {
            Some(Data::Voucher(voucher)) => Some(voucher),
            _ => None,
        }
    }

    /// Mozarto's id of the transaction, wherever the answer has it.
    pub fn transaction_id(&self) -> Option<&str> {
        self.transaction_id.as_deref().or_else(|| self.voucher()?.transaction_id.as_deref())
    }
}

/// A server's text made fit for a screen: at most 64 characters, without control and bidirectional-override characters.
fn shown(text: &str) -> Option<String> {
    let invisible = |c: &char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{61c}' | '\u{feff}')
    };
    let text: String = text.trim().chars().filter(|c| !invisible(c)).take(64).collect();
    (!text.is_empty()).then_some(text)
}

/// The next value as a text fit for a screen, where it is a text.
fn shown_text<'de, A: MapAccess<'de>>(map: &mut A) -> Result<Option<String>, A::Error> {
    Ok(map.next_value_seed(IfReadable::<String>::new())?.as_deref().and_then(shown))
}

impl<'de> Deserialize<'de> for Reply {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ReplyVisitor;

        impl<'de> Visitor<'de> for ReplyVisitor {
            type Value = Reply;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an answer of Mozarto")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Reply, A::Error> {
                let mut reply = Reply::default();
                let mut seen = Seen::default();
                while let Some(key) = map.next_key::<String>()? {
                    match key.as_str() {
                        "isSuccess" => reply.is_success = seen.once(0, map.next_value()?)?,
                        "errorCode" => {
                            let word: Option<String> = map.next_value()?;
                            reply.error_code = seen.once(1, word.as_deref().map(ErrorCode::from))?;
                        }
                        "data" => reply.data = seen.once(2, map.next_value()?)?,
                        "status" => reply.status = seen.once(3, map.next_value_seed(IfReadable::new())?)?,
                        "attempt" => reply.attempt = shown_text(&mut map)?,
                        "reference" => reply.reference = shown_text(&mut map)?,
                        "message" => reply.message = map.next_value_seed(IfReadable::new())?,
                        "errors" => reply.errors = map.next_value_seed(IfReadable::new())?.unwrap_or_default(),
                        "transactionId" => reply.transaction_id = shown_text(&mut map)?,
                        _ => drop(map.next_value::<IgnoredAny>()?),
                    }
                }
                Ok(reply)
            }
        }

        // Not `deserialize_map`: in a browser that would also read a JSON array of pairs as an object.
        deserializer.deserialize_any(ReplyVisitor)
    }
}

impl<'de> Deserialize<'de> for Data {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct DataVisitor;

        impl<'de> Visitor<'de> for DataVisitor {
            type Value = Data;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object or a string")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Data, E> {
                Ok(Data::Text(text.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Data, A::Error> {
                let mut voucher = VoucherData::default();
                let mut seen = Seen::default();
                while let Some(key) = map.next_key::<String>()? {
                    match key.as_str() {
                        "result" => voucher.result = seen.once(0, map.next_value()?)?,
                        "status" => voucher.status = seen.once(1, map.next_value_seed(IfReadable::new())?)?,
                        "result_description" => voucher.result_description = map.next_value_seed(IfReadable::new())?,
                        "value" => voucher.value = map.next_value_seed(IfReadable::new())?,
                        "currency" => voucher.currency = shown_text(&mut map)?,
                        "serial" => voucher.serial = shown_text(&mut map)?,
                        "transactionId" => voucher.transaction_id = shown_text(&mut map)?,
                        _ => drop(map.next_value::<IgnoredAny>()?),
                    }
                }
                Ok(Data::Voucher(voucher))
            }
        }

        deserializer.deserialize_any(DataVisitor)
    }
}

/// Refuses the second occurrence of a field that decides: two values are two truths.
#[derive(Default)]
struct Seen([bool; 4]);

impl Seen {
    fn once<T, E: de::Error>(&mut self, field: usize, value: T) -> Result<T, E> {
        if std::mem::replace(&mut self.0[field], true) {
            return Err(E::custom("a field that decides is there twice"));
        }
        Ok(value)
    }
}

/// Reads a value that only informs: `None` where it has another type than `T`.
struct IfReadable<T> {
    wanted: PhantomData<T>,
    /// Inside an array already: an array in an array is passed over, so that no answer can exhaust the stack.
    nested: bool,
}

impl<T> IfReadable<T> {
    fn new() -> Self {
        Self { wanted: PhantomData, nested: false }
    }
}

/// What [`IfReadable`] can read.
trait Readable: Sized {
    fn from_text(_: &str) -> Option<Self> {
        None
    }
    fn from_number(_: f64) -> Option<Self> {
        None
    }
    fn from_texts(_: Vec<String>) -> Option<Self> {
        None
    }
}

impl Readable for String {
    fn from_text(text: &str) -> Option<Self> {
        Some(text.to_owned())
    }
}

impl Readable for f64 {
    fn from_number(number: f64) -> Option<Self> {
        Some(number)
    }
}

impl Readable for Vec<String> {
    fn from_texts(texts: Vec<String>) -> Option<Self> {
        Some(texts)
    }
}

impl<'de, T: Readable> DeserializeSeed<'de> for IfReadable<T> {
    type Value = Option<T>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<T>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, T: Readable> Visitor<'de> for IfReadable<T> {
    type Value = Option<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Option<T>, E> {
        Ok(T::from_text(text))
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Option<T>, E> {
        Ok(T::from_number(number))
    }

    #[expect(clippy::cast_precision_loss, reason = "a voucher's value is far below 2^53")]
    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Option<T>, E> {
        Ok(T::from_number(number as f64))
    }

    #[expect(clippy::cast_precision_loss, reason = "a voucher's value is far below 2^53")]
    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Option<T>, E> {
        Ok(T::from_number(number as f64))
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<Option<T>, E> {
        Ok(None)
    }

    fn visit_unit<E: de::Error>(self) -> Result<Option<T>, E> {
        Ok(None)
    }

    fn visit_none<E: de::Error>(self) -> Result<Option<T>, E> {
        Ok(None)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<T>, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Option<T>, A::Error> {
        let mut texts = Vec::new();
        if self.nested {
            while items.next_element::<IgnoredAny>()?.is_some() {}
            return Ok(None);
        }
        while let Some(item) = items.next_element_seed(IfReadable::<String> { wanted: PhantomData, nested: true })? {
            texts.extend(item);
        }
        Ok(T::from_texts(texts))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Option<T>, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn read(value: Value) -> Option<Reply> {
        serde_json::from_value(value).ok()
    }

    #[test]
    fn what_decides_must_have_its_documented_type() {
        for undocumented in [
            json!([]),
            json!("text"),
            json!(null),
            json!({"isSuccess": "true"}),
            json!({"isSuccess": 1}),
            json!({"errorCode": 7}),
            json!({"data": {"result": 0}}),
            json!({"data": []}),
            json!({"data": 5}),
        ] {
            assert_eq!(read(undocumented.clone()), None, "{undocumented}");
        }
        assert!(serde_json::from_str::<Reply>(r#"{"isSuccess":false,"isSuccess":true}"#).is_err());
        assert!(serde_json::from_str::<Reply>(r#"{"data":{"result":"1","result":"0"}}"#).is_err());
    }

    #[test]
    fn what_informs_is_left_out_where_it_is_unreadable() {
        let reply = read(
            json!({"message": 5, "errors": ["a", 1, null, {"b": []}], "transactionId": {}, "new": {"x": [1]}, "data": null}),
        );
        assert_eq!(reply, Some(Reply { errors: vec!["a".into()], ..Reply::default() }));
        assert_eq!(read(json!({"errors": {"amount": "must not be empty"}, "message": null})), Some(Reply::default()));
        assert_eq!(read(json!({"data": {"value": "25"}})).and_then(|reply| reply.voucher()?.value), None);
    }

    #[test]
    fn shown_text_is_capped_and_cannot_reorder_the_line() {
        let reply =
            read(json!({"transactionId": format!(" \u{202e}ab\u{7}c\u{200b}{}", "x".repeat(500))})).expect("readable");
        assert_eq!(reply.transaction_id.as_deref(), Some(format!("abc{}", "x".repeat(61)).as_str()));
        assert_eq!(read(json!({"transactionId": " \u{202e}"})).expect("readable").transaction_id, None);
    }
}
