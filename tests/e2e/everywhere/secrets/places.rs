//! Where a PIN could have been left, and in what spelling. Each place is a name and its whole text; the control test of
//! `secrets` proves that each is really looked into.

use crate::browser::Browser;
use crate::given;
use crate::merchant::Merchant;
use crate::sandbox::grouped;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// A look that is shorter than this would find digits of others' keys and times.
const LONG_ENOUGH: usize = 10;

/// Gives every place of the page in hand as `{name: text}`.
const PLACES: &str = "
    const deep = (value, depth = 0) => {
      if (value instanceof Node || value === window) return '';
      if (value === null || typeof value !== 'object') return typeof value === 'function' ? '' : String(value);
      if (depth > 4) return '';
      let text = '';
      for (const key in value) {
        try { text += ` ${key}: ${deep(value[key], depth + 1)}` } catch {}
      }
      return text;
    };
    const markup = (node) => {
      const attributes = [...node.attributes ?? []].map(({name, value}) => ` ${name}=${value}`).join('');
      const own = node.localName ? `<${node.localName}${attributes}>` : node.nodeValue ?? '';
      const within = [node.shadowRoot, ...node.childNodes].filter(Boolean);
      return own + within.map(markup).join('');
    };
    const stored = (storage) => Object.keys(storage).map(key => `${key}=${storage.getItem(key)}`).join('\\n');
    const cached = async () => {
      let text = '';
      for (const name of await caches.keys()) {
        text += name;
        for (const {url} of await (await caches.open(name)).keys()) text += url;
      }
      return text;
    };
    const options = (element) => {
      const described = element ? Object.entries(Object.getOwnPropertyDescriptors(Object.getPrototypeOf(element))) : [];
      return described.filter(([, {get}]) => get).map(([name]) => deep(element[name])).join('\\n');
    };
    return Promise.all([cached(), indexedDB.databases()]).then(([caches, databases]) => ({
      events: deep(window.flexepinEvents),
      asked: deep(window.asked ?? []),
      console: deep(window.flexepinConsole) + deep(window.flexepinViolations),
      localStorage: stored(localStorage),
      sessionStorage: stored(sessionStorage),
      cookie: document.cookie,
      indexedDB: deep(databases),
      caches,
      location: location.href + document.referrer + document.baseURI,
      history: deep(history.state),
      title: document.title,
      name: window.name,
      performance: performance.getEntries().map(entry => deep(entry)).join('\\n'),
      dom: markup(document),
      options: options(document.querySelector('flexepin-cashier')),
    }))";

/// Every place of the page in hand, but what stands in fields.
pub(crate) async fn of_page(browser: &Browser) -> Vec<(String, String)> {
    let places = browser.script(PLACES, &[]).await;
    let places = places.as_object().expect("places by their names").clone();
    places.into_iter().map(|(name, text)| (name, text.as_str().unwrap_or_default().to_owned())).collect()
}

/// What stands in the fields of the page in hand, also in shadow roots.
pub(crate) async fn fields(browser: &Browser) -> String {
    let look = "
        const within = ({shadowRoot}) => shadowRoot ? all(shadowRoot) : [];
        const all = root => [...root.querySelectorAll('*')].flatMap(element => [element, ...within(element)]);
        return all(document).filter(({localName, type}) => localName === 'input' && type !== 'radio')
          .map(({value}) => value).join('')";
    browser.script(look, &[]).await.as_str().expect("a text").to_owned()
}

/// Every place in the requests that a shop saw. Bodies count where they are none to the endpoint.
pub(crate) fn of_requests(shop: &Merchant) -> Vec<(String, String)> {
    let requests = shop.requests().into_iter().flat_map(|seen| {
        let body = if seen.line == "POST /cashier/flexepin" { String::new() } else { seen.body };
        [("line", seen.line), ("headers", seen.headers), ("body", body)]
    });
    requests.map(|(name, text)| (name.to_owned(), text)).collect()
}

/// The logs of proxy and sandbox.
pub(crate) fn logs() -> Vec<(PathBuf, String)> {
    let logs = logs_in(Path::new(&given("E2E_LOGS")));
    for program in ["flexepin-cashier-proxy.log", "mozarto-sandbox.log"] {
        assert!(logs.iter().any(|(path, _)| path.ends_with(program)), "{program} is not there");
    }
    logs
}

/// The logs in a folder.
pub(crate) fn logs_in(folder: &Path) -> Vec<(PathBuf, String)> {
    let files = std::fs::read_dir(folder).expect("the folder is there").map(|entry| entry.expect("readable").path());
    let logs = files.filter(|path| path.extension().is_some_and(|extension| extension == "log"));
    logs.map(|path| (path.clone(), String::from_utf8_lossy(&std::fs::read(&path).expect("readable")).into_owned()))
        .collect()
}

/// The spellings that a PIN could have, each as a text.
pub(crate) fn spellings(pin: &str) -> Vec<String> {
    let plain = [pin.to_owned(), grouped(pin), grouped(pin).replace(' ', "-")];
    let encoded = [
        grouped(pin).replace(' ', "%20"),
        grouped(pin).replace(' ', "+"),
        grouped(pin).replace(' ', "\u{a0}"),
        grouped(pin).replace(' ', "%C2%A0"),
        hex(pin),
        // The last ten digits of its middle: what a mask would leave.
        format!("****{}**", &pin[4..14]),
    ];
    let within =
        plain.iter().flat_map(|plain| ["", "a", "ab"].map(|before| STANDARD.encode(format!("{before}{plain}z"))));
    plain.iter().cloned().chain(encoded).chain(within).collect()
}

/// Whether a text has the PIN in it, or ten digits of it in a row, in any spelling.
pub(crate) fn is_in(text: &str, pin: &str) -> bool {
    let text = text.replace("%25", "%");
    let mut bare = text.replace("%20", "").replace("%C2%A0", "").replace("%2B", "").replace("%2D", "");
    bare.retain(|letter| !letter.is_whitespace() && !matches!(letter, '-' | '+'));
    let parts = (0..=pin.len() - LONG_ENOUGH).map(|at| &pin[at..at + LONG_ENOUGH]);
    let plain = [pin.to_owned(), grouped(pin), grouped(pin).replace(' ', "-")];
    // In base64 three letters become four signs, so a text has three looks; its edges mix with its neighbours.
    let within = plain.iter().flat_map(|plain| {
        (0..3).map(move |skip| STANDARD.encode(&plain.as_bytes()[skip..skip + LONG_ENOUGH / 3 * 3 + 3]))
    });
    parts.clone().any(|part| bare.contains(part))
        || within.chain(parts.clone().map(hex)).any(|look| text.contains(&look))
}

fn hex(text: &str) -> String {
    text.bytes().fold(String::new(), |mut hex, byte| {
        // Writing to a string does not fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

#[test]
fn a_pin_is_found_in_every_spelling_and_its_last_four_digits_are_none() {
    let pin = "8305921746380517";
    for spelled in spellings(pin) {
        for text in [spelled.clone(), format!("{{\"a\":\"{spelled}\"}}"), format!("x{spelled}")] {
            assert!(is_in(&text, pin), "{text}");
        }
    }
    for other in ["", "ending in 0517", "8305 9217 4", "1234 5678 9012 3456", "05178305", &Value::Null.to_string()] {
        assert!(!is_in(other, pin), "{other}");
    }
}
