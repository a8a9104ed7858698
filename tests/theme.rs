//! Contrast of every pair of tokens that meet on screen, in each theme: those of the style sheet, and the playground's ready
//! ones. By WCAG 2.2, 1.4.3 and 1.4.11: 4.5 for texts, 3 for what must be seen to use a control.

use std::collections::BTreeMap;
use std::fs;

type Tokens = BTreeMap<String, String>;

/// A text, and what is behind it.
const TEXTS: [(&str, &str); 15] = [
    ("ink", "surface"),
    ("ink", "surface-soft"),
    ("ink", "bad-soft"),
    ("ink-soft", "surface"),
    ("ink-soft", "surface-soft"),
    ("on-accent", "accent"),
    ("on-accent", "accent-strong"),
    ("accent", "surface"),
    ("accent-strong", "accent-soft"),
    ("bad", "surface"),
    ("bad", "bad-soft"),
    ("good", "good-soft"),
    ("open", "open-soft"),
    ("good", "surface"),
    ("open", "surface"),
];

/// A border, a ring or a drawing, and what is beside it.
const SIGNS: [(&str, &str); 7] = [
    ("line", "surface"),
    ("line", "surface-soft"),
    ("accent", "surface"),
    ("accent", "accent-soft"),
    ("focus", "surface"),
    ("focus", "surface-soft"),
    ("bad", "surface"),
];

fn read(file: &str) -> String {
    fs::read_to_string(format!("{}/{file}", env!("CARGO_MANIFEST_DIR")))
        .unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// The declarations of the rule with this selector.
fn rule(sheet: &str, selector: &str) -> Tokens {
    let start = format!("\n{selector} {{\n");
    let (_, body) = sheet.split_once(&start).unwrap_or_else(|| panic!("there is no rule {selector}"));
    let (body, _) = body.split_once("\n}").expect("a rule has an end");
    body.lines()
        .filter_map(|line| line.trim().strip_prefix("--")?.strip_suffix(';')?.split_once(": "))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// What a token is where nobody has set it: `var(--flexepin-ink, #16202e)` is `#16202e`.
fn default(value: &str) -> String {
    let inner = value.strip_prefix("var(--flexepin-").and_then(|rest| rest.split_once(", "));
    inner.map_or(value, |(_, default)| default.strip_suffix(')').unwrap_or(default)).to_owned()
}

/// The sheet's tokens, light or dark.
fn built_in(sheet: &str, theme: &str) -> Tokens {
    let mut tokens = rule(sheet, "[data-theme]");
    if theme == "dark" {
        tokens.extend(rule(sheet, "[data-theme=\"dark\"]"));
    }
    tokens.into_iter().map(|(name, value)| (name, default(&value))).collect()
}

fn luminance(tokens: &Tokens, name: &str) -> f64 {
    let mut value = &tokens[name];
    // The focus has the accent's colour where it has none of its own.
    while let Some(other) = value.strip_prefix("var(--").and_then(|rest| rest.strip_suffix(')')) {
        value = &tokens[other];
    }
    let hex = value.strip_prefix('#').unwrap_or_else(|| panic!("{name} is {value}"));
    assert_eq!(hex.len(), 6, "{name} is {value}");
    let channel = |at: usize| {
        let part = f64::from(u8::from_str_radix(&hex[at..at + 2], 16).expect("hexadecimal")) / 255.0;
        if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * channel(0) + 0.7152 * channel(2) + 0.0722 * channel(4)
}

fn contrast(tokens: &Tokens, one: &str, other: &str) -> f64 {
    let (one, other) = (luminance(tokens, one), luminance(tokens, other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

/// Each theme by its name, with all its tokens.
fn themes() -> Vec<(String, Tokens)> {
    let (sheet, ready) = (read("static/flexepin-cashier.css"), read("playground/themes.css"));
    let mut themes: Vec<_> = ["light", "dark"].map(|theme| (theme.to_owned(), built_in(&sheet, theme))).into();
    for comment in ready.split("/* theme=\"").skip(1) {
        let (theme, rest) = comment.split_once("\" */\n.").expect("each theme says light or dark");
        let (name, _) = rest.split_once(" {").expect("a class");
        let mut tokens = built_in(&sheet, theme);
        let own = rule(&ready, &format!(".{name}"));
        for (token, value) in &own {
            let token = token.strip_prefix("flexepin-").unwrap_or_else(|| panic!("{name}: {token} is none of ours"));
            assert!(
                tokens.contains_key(token) || ["font", "font-size", "focus-width", "width"].contains(&token),
                "{name}: there is no {token}"
            );
            tokens.insert(token.to_owned(), value.clone());
        }
        themes.push((name.to_owned(), tokens));
    }
    themes
}

#[test]
fn every_pair_of_tokens_that_meet_can_be_told_apart_in_each_theme() {
    let themes = themes();
    assert_eq!(themes.len(), 6);
    let mut weak = Vec::new();
    for (name, tokens) in &themes {
        for (pairs, least) in [(&TEXTS[..], 4.5), (&SIGNS[..], 3.0)] {
            for (one, other) in pairs {
                let ratio = contrast(tokens, one, other);
                if ratio < least {
                    weak.push(format!("{name}: {one} on {other} has {ratio:.2}, and needs {least}"));
                }
            }
        }
    }
    assert!(weak.is_empty(), "{}", weak.join("\n"));
}

#[test]
fn the_documented_defaults_are_the_sheets() {
    let (sheet, document) = (read("static/flexepin-cashier.css"), read("docs/merchant.md"));
    let (light, dark) = (rule(&sheet, "[data-theme]"), rule(&sheet, "[data-theme=\"dark\"]"));
    let mut told = 0;
    for (name, value) in light.iter().filter(|(_, value)| !value.starts_with("var(--flexepin-focus")) {
        let written = |value: &String| format!("`{}`", default(value));
        let dark = dark.get(name).map_or("the same".to_owned(), written);
        let row = format!("| `--flexepin-{name}` | {} | {dark} |", written(value));
        assert!(document.contains(&row), "docs/merchant.md has no {row}");
        told += 1;
    }
    assert!(told > 15, "{told}");
}

#[test]
fn contrast_is_computed_as_wcag_does() {
    let tokens = Tokens::from(
        [("a", "#000000"), ("b", "#ffffff"), ("c", "#777777")].map(|(name, value)| (name.to_owned(), value.to_owned())),
    );
    assert!((contrast(&tokens, "a", "b") - 21.0).abs() < 1e-9);
    // The example of the standard's own tools.
    assert!((contrast(&tokens, "c", "b") - 4.478).abs() < 0.001);
    assert!((contrast(&tokens, "b", "b") - 1.0).abs() < 1e-9);
}
