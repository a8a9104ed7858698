//! docs/merchant.md as data: its examples by what marks them in the fence's first line, and what it lists, compared with
//! the sources. `everywhere/examples` executes the examples; here is what needs no browser.
//!
//! | mark | the block is |
//! |---|---|
//! | `html page=NAME` | the page NAME |
//! | `js page=NAME`, `css page=NAME`, with `on=OTHER` | put into the page OTHER, as a module or a style sheet |
//! | `http policy=NAME on=OTHER` | the header that the page OTHER is sent with |
//! | `from=FILE` | lines of FILE, which is tested itself |
//! | `example=outcomes` | what the merchant's server asks, and what it gets |

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// A fenced block.
#[derive(Clone, Debug)]
pub(crate) struct Block {
    /// The word behind the fence, such as `html`.
    pub(crate) language: String,
    /// Its text.
    pub(crate) text: String,
    marks: Vec<(String, String)>,
}

impl Block {
    /// The value of a mark.
    pub(crate) fn mark(&self, name: &str) -> Option<&str> {
        self.marks.iter().find(|(mark, _)| mark == name).map(|(_, value)| value.as_str())
    }

    /// Whether something is done with it: here, or by `everywhere/examples`.
    fn is_known(&self) -> bool {
        let names: Vec<&str> = self.marks.iter().map(|(name, _)| name.as_str()).collect();
        match (self.language.as_str(), names[..].as_ref()) {
            ("html", ["page"]) | ("js" | "css", ["page", "on"]) | ("http", ["policy", "on"]) | (_, ["from"]) => true,
            ("js", ["page"]) => self.mark("page") == Some("npm"),
            ("sh" | "json", ["example"]) => self.mark("example") == Some("outcomes"),
            _ => false,
        }
    }
}

/// Every block of the document.
pub(crate) fn blocks() -> Vec<Block> {
    let mut blocks = Vec::new();
    let text = text();
    let mut lines = text.lines();
    while let Some(fence) = lines.find_map(|line| line.strip_prefix("```")) {
        let mut words = fence.split_whitespace();
        let language = words.next().unwrap_or_default().to_owned();
        let mark = |word: &str| word.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
        let marks = words.map(|word| mark(word).unwrap_or_else(|| panic!("{word} is no mark: {fence}"))).collect();
        let text =
            lines.by_ref().take_while(|line| *line != "```").fold(String::new(), |text, line| text + line + "\n");
        blocks.push(Block { language, text, marks });
    }
    blocks
}

/// The text of the page `name`.
pub(crate) fn page(name: &str) -> String {
    let block = blocks().into_iter().find(|block| block.language == "html" && block.mark("page") == Some(name));
    block.unwrap_or_else(|| panic!("docs/merchant.md has no page {name}")).text
}

/// What the document promises of scripted PINs: the four digits that script it, the event, and its code.
pub(crate) fn scripted_pins() -> Vec<(String, String, String)> {
    let text = text();
    let rows = section(&text, "## Trying it").lines().filter(|line| line.starts_with("| `9900 "));
    let mut promised = Vec::new();
    for row in rows {
        let [pins, _, outcome] = row.trim_matches('|').split('|').collect::<Vec<_>>()[..] else {
            panic!("not three cells: {row}")
        };
        let event = outcome.trim().split(',').next().unwrap_or_default();
        let codes: Vec<&str> = outcome.split('`').skip(1).step_by(2).collect();
        for (at, pin) in pins.split('`').skip(1).step_by(2).enumerate() {
            let digits = pin.split(' ').nth(1).unwrap_or_else(|| panic!("no script: {pin}"));
            let code = codes.get(at).or(codes.first()).copied().unwrap_or("REDEEMED");
            promised.push((digits.to_owned(), format!("flexepin-{event}"), code.to_owned()));
        }
    }
    promised
}

fn text() -> String {
    read("docs/merchant.md")
}

fn read(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// The texts of a folder's files that end so, and of those below it.
fn sources(folder: &str, end: &str) -> String {
    let entries = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)).expect("the folder is there");
    let mut found = String::new();
    for entry in entries {
        let entry = entry.expect("the folder is readable");
        let name = format!("{folder}/{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            found += &sources(&name, end);
        } else if name.ends_with(end) {
            found += &read(&name);
        }
    }
    found
}

/// What stands behind each `start` up to the next character that is in no name.
fn names_behind<'a>(text: &'a str, start: &str) -> BTreeSet<&'a str> {
    let name = |rest: &'a str| rest.split(|it: char| !it.is_ascii_lowercase() && it != '-').next().unwrap_or_default();
    text.split(start).skip(1).map(name).filter(|name| !name.is_empty()).collect()
}

/// The section under a heading, up to the next of its rank.
fn section<'a>(text: &'a str, heading: &str) -> &'a str {
    let start = text.find(&format!("\n{heading}\n")).unwrap_or_else(|| panic!("there is no {heading}"));
    let body = &text[start + heading.len() + 2..];
    body.find("\n## ").map_or(body, |end| &body[..end])
}

/// The words in code type of each row's cell (counted from 0) of the tables in a text.
fn code_in_cells(text: &str, cell: usize) -> Vec<&str> {
    let cells = text.lines().filter_map(|line| line.strip_prefix('|')?.split('|').nth(cell));
    cells.flat_map(|cell| cell.split('`').skip(1).step_by(2)).collect()
}

#[test]
fn something_is_done_with_every_block() {
    let blocks = blocks();
    assert!(blocks.len() > 20, "{}", blocks.len());
    for block in blocks {
        assert!(block.is_known(), "{} {:?}:\n{}", block.language, block.marks, block.text);
    }
}

#[test]
fn lines_of_other_files_are_theirs() {
    let blocks: Vec<Block> = blocks().into_iter().filter(|block| block.mark("from").is_some()).collect();
    assert!(!blocks.is_empty());
    for block in blocks {
        let file = block.mark("from").expect("it was asked for");
        let source = read(file);
        let mut lines = source.lines().map(|line| line.trim_start_matches("//!").trim());
        for line in block.text.lines().map(str::trim).filter(|line| !line.is_empty()) {
            assert!(lines.any(|own| own == line), "{file} has not, or not in this order: {line}");
        }
    }
}

#[test]
fn every_property_and_part_of_the_looks_is_listed_and_no_other() {
    let text = text();
    let looks = section(&text, "## Looks");
    let css = read("static/flexepin-cashier.css");
    let listed = code_in_cells(looks, 1);
    let (properties, parts): (BTreeSet<&str>, BTreeSet<&str>) =
        listed.into_iter().partition(|name| name.starts_with("--"));
    let of_the_sheet: BTreeSet<&str> = names_behind(&css, "var(--flexepin-");
    assert_eq!(
        properties.iter().filter_map(|name| name.strip_prefix("--flexepin-")).collect::<BTreeSet<_>>(),
        of_the_sheet
    );

    let (scripts, views) = (sources("static", ".js"), sources("src/view", ".rs"));
    let mut of_the_markup = names_behind(&views, "part=\"");
    of_the_markup.extend(names_behind(&scripts, "part: \""));
    // The receipt's rows name theirs in a list.
    let rows: BTreeSet<String> =
        names_behind(&views, "\"receipt-").iter().map(|name| format!("receipt-{name}")).collect();
    assert_eq!(rows.len(), 5, "{rows:?}");
    of_the_markup.extend(rows.iter().map(String::as_str));
    assert_eq!(parts, of_the_markup);
}

#[test]
fn every_text_of_the_trouble_table_is_said_somewhere() {
    let text = text();
    let said = sources("static", ".js") + &sources("src", ".rs") + &read("crates/redemption/src/outcome.rs");
    let rows = section(&text, "## Trouble")
        .lines()
        .filter(|line| !line.contains("(the browser's)"))
        .collect::<Vec<_>>()
        .join("\n");
    let texts = code_in_cells(&rows, 0);
    assert!(texts.len() > 15, "{texts:?}");
    for text in texts {
        assert!(said.contains(text.trim_end_matches('…').trim_end()), "nobody says {text}");
    }
}

#[test]
fn every_link_leads_somewhere() {
    let text = text();
    let anchor = |heading: &str| {
        let word = |it: char| it.is_alphanumeric() || it == '-' || it == ' ';
        heading
            .trim_start_matches('#')
            .trim()
            .to_lowercase()
            .chars()
            .filter(|it| word(*it))
            .collect::<String>()
            .replace(' ', "-")
    };
    let anchors = |text: &str| text.lines().filter(|line| line.starts_with('#')).map(anchor).collect::<BTreeSet<_>>();
    let links: Vec<&str> = text.split("](").skip(1).filter_map(|rest| rest.split(')').next()).collect();
    assert!(links.len() > 20, "{links:?}");
    for link in links {
        let (file, place) = link.split_once('#').map_or((link, None), |(file, place)| (file, Some(place)));
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(file);
        assert!(path.exists(), "{link}");
        if let Some(place) = place {
            let target = if file.is_empty() { text.clone() } else { fs::read_to_string(path).expect("a document") };
            assert!(anchors(&target).contains(place), "{link}");
        }
    }
}
