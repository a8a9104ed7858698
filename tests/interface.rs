//! One interface, told in four places: the wasm (`crates/redemption`, `src/embed`), the page's script (`static/*.js`),
//! the typings (`static/flexepin-cashier.d.ts`) and `docs/merchant.md`. Each set of words is taken from each place, and
//! must be the same. Rust's enums are listed with a `match` that does not compile when a variant is missing; the other
//! places are read as text, in the one form that they are written in: what is not found there is an empty set, and that
//! fails.
//!
//! Left to `tests/types`: whether the typings mean what they should.

use mozarto::Money;
use redemption::{Code, Next, PhaseName, Reason};
use std::collections::BTreeSet;
use std::fs;

type Words = BTreeSet<String>;

const TYPINGS: &str = "static/flexepin-cashier.d.ts";
const ELEMENT: &str = "static/element.js";
const OPTIONS: &str = "static/options.js";

/// The words of every variant of an enum, which must all be named.
macro_rules! every {
    ($of:ident: $($variant:ident)+) => {{
        let word = |variant: $of| match variant { $($of::$variant => variant.as_str().to_owned(),)+ };
        [$($of::$variant),+].map(word).into_iter().collect::<Words>()
    }};
}

fn read(file: &str) -> String {
    fs::read_to_string(format!("{}/{file}", env!("CARGO_MANIFEST_DIR")))
        .unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// What is in a file behind the first `start` and before the next `end`.
fn between(file: &str, start: &str, end: &str) -> String {
    let text = read(file);
    let behind = text.split_once(start).unwrap_or_else(|| panic!("{file} has no \"{start}\"")).1;
    behind.split_once(end).unwrap_or_else(|| panic!("{file} has no end \"{end}\" of \"{start}\"")).0.to_owned()
}

/// The texts that stand between `start` and the next `end`, everywhere.
fn all_between(text: &str, start: &str, end: &str) -> Words {
    text.split(start).skip(1).filter_map(|rest| rest.split_once(end)).map(|(word, _)| word.to_owned()).collect()
}

/// All texts in double quotes.
fn quoted(text: &str) -> Words {
    text.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

/// The words of a union of the typings.
fn union(name: &str) -> Words {
    let text = between(TYPINGS, &format!("export type {name} ="), ";");
    quoted(&text.lines().filter(|line| !line.trim().starts_with("/**")).collect::<String>())
}

/// The lines of an interface's own members in the typings.
fn members(interface: &str) -> Vec<String> {
    let body = between(TYPINGS, &format!("interface {interface} "), "\n}");
    let own = |line: &&str| line.starts_with(|first: char| first.is_alphabetic() || first == '"');
    body.lines().filter_map(|line| line.strip_prefix("  ")).filter(own).map(str::to_owned).collect()
}

/// The names of an interface's properties: fields, and what has a setter.
fn properties(interface: &str) -> Words {
    let name = |line: &String| {
        let line = line.strip_prefix("readonly ").unwrap_or(line);
        let (name, _) = line.strip_prefix("set ").map_or_else(|| line.split_once(':'), |line| line.split_once('('))?;
        let name = name.trim_end_matches('?').trim_matches('"');
        name.chars().all(|it| it.is_alphanumeric() || it == '-').then(|| name.to_owned())
    };
    members(interface).iter().filter_map(name).collect()
}

/// The names of an interface's methods.
fn methods(interface: &str) -> Words {
    let name = |line: &String| {
        let (name, _) = line.split_at(line.find(|it: char| !it.is_alphanumeric())?);
        line[name.len()..].starts_with(['(', '<']).then(|| name.to_owned())
    };
    members(interface).iter().filter_map(name).collect()
}

fn camel_case(words: &str, separator: char) -> String {
    let mut parts = words.split(separator);
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |name, part| name + &part[..1].to_uppercase() + &part[1..])
}

/// Asserts that the places have the same words, and some.
fn same(what: &str, places: &[(&str, Words)]) {
    let (first, expected) = &places[0];
    assert!(!expected.is_empty(), "{first} has no {what}");
    for (place, found) in &places[1..] {
        let missing: Vec<_> = expected.difference(found).collect();
        let extra: Vec<_> = found.difference(expected).collect();
        assert!(missing.is_empty() && extra.is_empty(), "{what}: {first} has {missing:?}, {place} has {extra:?} alone");
    }
}

/// The texts of the English catalogue, which a test of `src/i18n` holds together with what is built in.
fn english() -> serde_json::Map<String, serde_json::Value> {
    let catalogue: serde_json::Value = serde_json::from_str(&read("static/locales/en.json")).expect("JSON");
    catalogue["messages"].as_object().expect("texts").clone()
}

/// Asserts that docs/merchant.md names each word, in code type.
fn documented(what: &str, words: &Words) {
    let document = read("docs/merchant.md");
    let names = |word: &&String| {
        ["`", "(", " ", "\"", "=", ":", "?"].iter().any(|end| document.contains(&format!("`{word}{end}")))
    };
    let missing: Vec<_> = words.iter().filter(|word| !names(word)).collect();
    assert!(missing.is_empty(), "docs/merchant.md does not name the {what} {missing:?}");
}

/// The options of options.js, each as its property and its attribute, if it has one.
fn table() -> Vec<(String, Option<String>)> {
    let table = between(OPTIONS, "export const OPTIONS = {\n", "\n};");
    let row = |line: &str| {
        let (name, rest) = line.trim().split_once(": {").unwrap_or_else(|| panic!("not an option: {line}"));
        (name.to_owned(), all_between(rest, "attribute: \"", "\"").pop_first())
    };
    table.lines().map(row).collect()
}

#[test]
fn options_are_the_same() {
    let table = table();
    let by_property: Words = table.iter().map(|(name, _)| name.clone()).collect();
    let attributes: Words = table.iter().filter_map(|(_, attribute)| attribute.clone()).collect();
    let without: Words =
        table.iter().filter(|(_, attribute)| attribute.is_none()).map(|(name, _)| name.clone()).collect();

    let given = between("src/embed/options.rs", "struct Given {", "}");
    let mut read_by_the_app: Words =
        given.lines().filter_map(|line| line.trim().split_once(": ")).map(|(name, _)| camel_case(name, '_')).collect();
    read_by_the_app.extend(all_between(&read("src/embed/options.rs"), "Reflect::get(options, &\"", "\""));
    // The element's own: the app hears of neither, but of the language that the locale comes to.
    read_by_the_app.extend(["theme".to_owned(), "locale".to_owned()]);
    assert!(read_by_the_app.remove("language"), "the app is given the language");

    let props = between("src/component/props.rs", "pub struct CashierProps {", "\n}");
    let mut props: Words = all_between(&props, "    pub ", ":").iter().map(|name| camel_case(name, '_')).collect();
    // A place on the page and callbacks are a component's own.
    props.retain(|name| !["class", "handle", "catalogue"].contains(&name.as_str()) && !name.starts_with("on"));

    let mut element = properties("FlexepinCashierElement");
    assert!(element.remove("phase"), "the phase is a property");
    same(
        "options",
        &[
            (OPTIONS, by_property),
            ("src/embed/options.rs", read_by_the_app),
            ("src/component/props.rs", props),
            ("FlexepinOptions", properties("FlexepinOptions")),
            ("FlexepinCashierElement", element),
        ],
    );

    for (name, attribute) in table.iter().filter_map(|(name, attribute)| Some((name, attribute.as_ref()?))) {
        assert_eq!(*name, camel_case(attribute, '-'), "the attribute is the property in its own spelling");
    }
    let mut written: Words = attributes.union(&without).cloned().collect();
    documented("options", &written);
    written.insert("class".to_owned());
    same("attributes", &[(OPTIONS, written), ("FlexepinCashierAttributes", properties("FlexepinCashierAttributes"))]);
}

#[test]
fn methods_are_the_same() {
    let handle = between("src/embed/handle.rs", "impl Handle {", "\n}");
    let mut app: Words = all_between(&handle, "pub fn ", "(").iter().map(|name| camel_case(name, '_')).collect();
    assert!(app.remove("ready"), "the element says when the app is seen");

    let class = between(ELEMENT, "class FlexepinCashierElement extends HTMLElement {", "\n  }\n");
    let method = |line: &str| {
        let line = line.strip_prefix("    ").filter(|line| line.ends_with(") {"))?;
        let name = line.strip_prefix("get ").unwrap_or(line).split_once('(')?.0;
        let own = name.chars().all(char::is_alphabetic) && name != "constructor" && !name.ends_with("Callback");
        own.then(|| name.to_owned())
    };
    let element: Words = class.lines().filter_map(method).collect();

    let mut typings = methods("FlexepinCashierElement");
    // The app tells the element its phase as it changes, and is not asked.
    for names in [&mut app, &mut typings] {
        names.insert("phase".to_owned());
    }
    for inherited in ["addEventListener", "removeEventListener"] {
        assert!(typings.remove(inherited), "{inherited} knows the events");
    }
    documented("methods", &element);
    same("methods", &[(ELEMENT, element), ("src/embed/handle.rs", app), ("FlexepinCashierElement", typings)]);
}

#[test]
fn what_a_page_imports_is_the_same() {
    let module: Words = between("static/module.js", "\nexport { ", " }").split(", ").map(str::to_owned).collect();
    let global = between("static/script.js", "window.FlexepinCashier = Object.freeze({ ", " })");
    let global: Words = global.split(", ").filter_map(|field| field.split(':').next()).map(str::to_owned).collect();
    let typings: Words = [("export function ", "("), ("export const ", ":")]
        .iter()
        .flat_map(|(start, end)| all_between(&read(TYPINGS), start, end))
        .collect();
    let class = properties("FlexepinCashierGlobal");
    same(
        "exports",
        &[
            ("static/module.js", module),
            ("static/script.js", global),
            ("the typings", typings),
            ("the global's", class),
        ],
    );
}

#[test]
fn events_are_the_same() {
    let named = |file: &str| all_between(&read(file), "\"flexepin-", "\"");
    let mut said: Words =
        named(ELEMENT).union(&named("src/embed/notices.rs")).map(|event| format!("flexepin-{event}")).collect();
    said.retain(|event| event.chars().all(|it| it.is_alphabetic() || it == '-') && event != "flexepin-cashier");
    documented("events", &said);
    same(
        "events",
        &[("the element and src/embed/notices.rs", said), ("FlexepinEventMap", properties("FlexepinEventMap"))],
    );
}

#[test]
fn codes_are_the_same() {
    let attempts = every!(Code:
        Redeemed Pending InvalidPin MismatchedAmount MismatchedCurrency AlreadyRedeemed VoucherRejected
        InvalidPspCredentials RequestInvalid NoRule NotConfigured ProviderRejected Unauthorized PspTimeout
        PspUnavailable PspRateLimited ServerError UnknownPspError NoAnswer NotSent AttemptInProgress
        AttemptUnconfirmed VoucherInUse AttemptClosed AttemptMismatch SessionRequired AttemptForeign TooManyTries
        AttemptUnknown SettledUntouched);
    let widget = all_between(&read(ELEMENT), "code: \"", "\"");
    documented("codes", &attempts);
    documented("codes", &widget);
    same("codes", &[("redemption::Code", attempts), ("FlexepinAttemptCode", union("FlexepinAttemptCode"))]);
    same("codes of the widget itself", &[(ELEMENT, widget), ("FlexepinWidgetCode", union("FlexepinWidgetCode"))]);
}

#[test]
fn words_of_details_and_phases_are_the_same() {
    let cases = [
        ("money", every!(Money: Yes No Unknown), "FlexepinMoney"),
        ("next", every!(Next: None Edit SameAttempt Session Status Support), "FlexepinNext"),
        (
            "phase",
            every!(PhaseName: Editing Confirming Preparing Redeeming Waiting Checking Redeemed Unconfirmed Failed),
            "FlexepinPhase",
        ),
        ("reason", every!(Reason: Submit Retry Status Session), "BeforeSubmitReason"),
    ];
    let element = read(ELEMENT);
    for (what, rust, typings) in cases {
        let of_the_element = all_between(&element, &format!("{what}: \""), "\"");
        assert!(of_the_element.is_subset(&rust), "{ELEMENT} has words for {what} of its own: {of_the_element:?}");
        documented(what, &rust);
        same(what, &[("Rust", rust), (typings, union(typings))]);
    }
}

#[test]
fn causes_of_load_errors_are_the_same() {
    let mut causes = all_between(&read("static/load.js"), "failure(\"", "\"");
    causes.extend(all_between(&read(ELEMENT), "cause: \"", "\""));
    documented("causes", &causes);
    same("causes", &[("static/load.js", causes), ("LoadErrorCause", union("LoadErrorCause"))]);
}

#[test]
fn words_of_options_and_fields_are_the_same() {
    for (option, typings) in [("theme", "FlexepinTheme"), ("credentials", "FlexepinCredentials")] {
        let table = quoted(&between(OPTIONS, &format!("attribute: \"{option}\", parse: oneOf("), ")"));
        same(option, &[(OPTIONS, table), (typings, union(typings))]);
    }
    let element = quoted(&between(ELEMENT, "if (![", "].includes(field))"));
    let app = all_between(&read("src/embed/handle.rs"), " \"", "\" => Field::");
    same("fields", &[(ELEMENT, element), ("src/embed/handle.rs", app), ("FlexepinField", union("FlexepinField"))]);
    let keys: Words = english().keys().cloned().collect();
    same("messages", &[("static/locales/en.json", keys), ("FlexepinMessageKey", union("FlexepinMessageKey"))]);
}

#[test]
fn fields_of_details_are_the_same() {
    let notices = "src/embed/notices.rs";
    let of = |start: &str, end: &str| all_between(&between(notices, start, end), "(\"", "\",");
    let outcome = of("fn detail(", "]);");
    let redemption = all_between(&between(notices, "fn add_redemption(", "\n}"), "set(detail, \"", "\"");
    let discrepancy = all_between(&between(notices, "let requested = object(", ");"), "(\"", "\",");
    let question = all_between(&between("src/shell/before_submit.rs", "fn question(", "\n}"), "(\"", "\",");
    let grant = all_between(&between("src/shell/before_submit.rs", "fn granted(", "\n}"), "field(\"", "\")");
    let requested = between(TYPINGS, "readonly requested: {", "};");
    let own = |interface, besides: &[&str]| -> Words {
        properties(interface).into_iter().filter(|name| !besides.contains(&name.as_str())).collect()
    };
    for (what, rust, typings) in [
        ("FlexepinOutcome", outcome, properties("FlexepinOutcome")),
        ("RedeemedDetail", redemption, own("RedeemedDetail", &["code", "money", "next"])),
        ("Discrepancy", discrepancy, all_between(&requested, "readonly ", ":")),
        ("ChangeDetail", of("\"flexepin-change\", object(", "])"), properties("ChangeDetail")),
        ("BeforeSubmitQuestion", question, properties("BeforeSubmitQuestion")),
        ("BeforeSubmitGrant", grant, properties("BeforeSubmitGrant")),
    ] {
        same(what, &[("the wasm", rust), ("the typings", typings)]);
    }
}
