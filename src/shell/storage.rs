//! The records of open attempts, in the browser's storage: `localStorage` for a customer whom the merchant names,
//! `sessionStorage` for one whom it does not. One entry a record, so that two tabs never write over each other. Never the
//! PIN.
//!
//! Where storage is full or forbidden the records are in memory, for all widgets of the page: redemption works, and a
//! reload forgets them. That is said on the console, once. The memory is the page's, not this module's: it outlives an
//! instance that traps. Widgets of one page hear of each other's changes by an event of ours, as those of other tabs do by
//! `storage`.

use gloo_timers::future::TimeoutFuture;
use js_sys::Map;
use mozarto::Amount;
use redemption::{AttemptKey, Record, Stage};
use serde::{Deserialize, Serialize};
use std::cell::{Cell, RefCell};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;
use web_sys::{Storage, console};

/// What every entry's name begins with; the rest is the attempt's key.
const PREFIX: &str = "flexepin-cashier.open.";

/// The event on the page's window that tells its other widgets of a change.
pub(super) const CHANGED: &str = "flexepin-cashier:records";

thread_local! {
    /// What could not be stored: texts by entry names.
    static IN_MEMORY: RefCell<Map> = RefCell::new(Map::new());
    static WARNED: Cell<bool> = const { Cell::new(false) };
}

/// A record as it stands in storage.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    endpoint: String,
    user_id: Option<String>,
    amount_minor: f64,
    currency: String,
    last_four: String,
    began_at_ms: f64,
    stage: String,
    #[serde(default)]
    tries: u32,
    transaction_id: Option<String>,
}

/// What could not be stored: texts by entry names.
#[cfg(feature = "component")]
pub(crate) fn memory() -> Map {
    IN_MEMORY.with_borrow(Clone::clone)
}

/// What could not be stored is kept in this map from now on.
pub(crate) fn remember_in(memory: Map) {
    IN_MEMORY.replace(memory);
}

/// Keeps a record, in the place of an earlier one of its key. One that says how far an attempt has come never brings
/// back what another tab has forgotten.
pub(crate) fn store(record: &Record) {
    let earlier = take_from_memory(&record.key)
        || storage(record.user_id.as_deref())
            .is_some_and(|storage| storage.get_item(&name(&record.key)).ok().flatten().is_some());
    if earlier || matches!(record.stage, Stage::Sent | Stage::Named) {
        // Plain numbers and texts: writing them as JSON does not fail.
        let Ok(text) = text_of(record) else { return };
        let stored =
            storage(record.user_id.as_deref()).and_then(|storage| storage.set_item(&name(&record.key), &text).ok());
        if stored.is_none() {
            IN_MEMORY.with_borrow(|memory| memory.set(&name(&record.key).into(), &text.into()));
            warn_once();
        }
        tell_other_widgets();
    }
}

/// Forgets the record of an attempt.
pub(crate) fn forget(key: &AttemptKey) {
    take_from_memory(key);
    for storage in [storage(Some("")), storage(None)].into_iter().flatten() {
        // An entry that cannot be removed is asked about once more; nothing is lost by it.
        let _ = storage.remove_item(&name(key));
    }
    tell_other_widgets();
}

/// The records of this endpoint and customer.
pub(crate) fn read(endpoint: &str, user_id: Option<&str>) -> Vec<Record> {
    let mut records = Vec::new();
    IN_MEMORY.with_borrow(|memory| {
        memory.for_each(&mut |text, name| records.extend(name.as_string().zip(text.as_string()).and_then(entry)));
    });
    if let Some(storage) = storage(user_id) {
        let names = (0..storage.length().unwrap_or(0)).filter_map(|at| storage.key(at).ok().flatten());
        records.extend(names.filter_map(|name| {
            let text = storage.get_item(&name).ok()??;
            entry((name, text))
        }));
    }
    records.retain(|record| record.endpoint == endpoint && record.user_id.as_deref() == user_id);
    records
}

fn take_from_memory(key: &AttemptKey) -> bool {
    IN_MEMORY.with_borrow(|memory| memory.delete(&name(key).into()))
}

fn warn_once() {
    if !WARNED.replace(true) {
        let text = "flexepin-cashier: the browser stores nothing for this page. Vouchers can be redeemed; one whose answer \
                    is lost is not shown again after a reload.";
        console::warn_1(&text.into());
    }
}

fn tell_other_widgets() {
    // In a task of its own, as `storage` events are: whoever has just stored is in the middle of something.
    spawn_local(async {
        TimeoutFuture::new(0).await;
        if let (Some(window), Ok(changed)) = (web_sys::window(), web_sys::Event::new(CHANGED)) {
            let _ = window.dispatch_event(&changed);
        }
    });
}

/// Whether a change of storage under this name concerns open attempts. `None` stands for a storage that was emptied.
pub(crate) fn concerns(name: Option<&str>) -> bool {
    name.is_none_or(|name| name.starts_with(PREFIX))
}

fn name(key: &AttemptKey) -> String {
    format!("{PREFIX}{}", key.as_str())
}

/// `None` where the browser forbids it.
fn storage(user_id: Option<&str>) -> Option<Storage> {
    let window = web_sys::window()?;
    let storage = if user_id.is_some() { window.local_storage() } else { window.session_storage() };
    storage.ok().flatten()
}

#[expect(clippy::cast_precision_loss, reason = "minor units and milliseconds are far below 2^53")]
fn text_of(record: &Record) -> Result<String, JsValue> {
    let entry = Entry {
        endpoint: record.endpoint.clone(),
        user_id: record.user_id.clone(),
        amount_minor: record.amount.minor() as f64,
        currency: record.amount.currency().code().to_owned(),
        last_four: record.last_four.clone(),
        began_at_ms: record.began_at_ms as f64,
        stage: record.stage.as_str().to_owned(),
        tries: record.tries,
        transaction_id: record.transaction_id.clone(),
    };
    let value = entry.serialize(&serde_wasm_bindgen::Serializer::json_compatible())?;
    Ok(js_sys::JSON::stringify(&value)?.into())
}

/// The record of an entry's name and text.
fn entry((name, text): (String, String)) -> Option<Record> {
    record_of(AttemptKey::parse(name.strip_prefix(PREFIX)?)?, &text)
}

/// `None` where the entry is not one that this version has written.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` saturates, and 0 is no amount")]
fn record_of(key: AttemptKey, text: &str) -> Option<Record> {
    let entry: Entry = serde_wasm_bindgen::from_value(js_sys::JSON::parse(text).ok()?).ok()?;
    let is_digits = entry.last_four.len() == 4 && entry.last_four.bytes().all(|byte| byte.is_ascii_digit());
    is_digits.then_some(())?;
    Some(Record {
        key,
        endpoint: entry.endpoint,
        user_id: entry.user_id,
        amount: Amount::from_minor(entry.amount_minor as u64, entry.currency.parse().ok()?).ok()?,
        last_four: entry.last_four,
        began_at_ms: entry.began_at_ms as u64,
        stage: Stage::from_word(&entry.stage),
        tries: entry.tries,
        transaction_id: entry.transaction_id,
    })
}
