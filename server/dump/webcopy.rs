//! The text of a report as a browser copies it: no marks of headings and tables are left.

use super::report::{cell, finish};
use super::{Damage, Problem};
use crate::stats::{Cell, Statistics, Table};

/// Heads of tables, cells joined by one space, with their columns. An empty first head leaves no trace.
const HEADS: [(&str, &[&str]); 32] = [
    (
        "Name Count Self Cumulative Miss ratio",
        &["Name", "Count", "Self", "Cumulative", "Miss ratio"],
    ),
    (
        "Pair Count Self Cumulative",
        &["Pair", "Count", "Self", "Cumulative"],
    ),
    (
        "Predecessors Count Percentage",
        &["Predecessors", "Count", "Percentage"],
    ),
    (
        "Successors Count Percentage",
        &["Successors", "Count", "Percentage"],
    ),
    ("Kind Count Ratio", &["Kind", "Count", "Ratio"]),
    ("Success Count Ratio", &["Success", "Count", "Ratio"]),
    ("Failure kind Count Ratio", &["Failure kind", "Count", "Ratio"]),
    ("Instructions Count Ratio", &["Instructions", "Count", "Ratio"]),
    ("Name Count Ratio", &["Name", "Count", "Ratio"]),
    ("Count Ratio", &["", "Count", "Ratio"]),
    ("Size Ratio", &["", "Size", "Ratio"]),
    ("Count", &["", "Count"]),
    (
        "Generation Collections Objects collected Object visits",
        &["Generation", "Collections", "Objects collected", "Object visits"],
    ),
    (
        "Generation Collections Objects collected Object visits Reachable from roots Not reachable from roots",
        &[
            "Generation",
            "Collections",
            "Objects collected",
            "Object visits",
            "Reachable from roots",
            "Not reachable from roots",
        ],
    ),
    ("Range Count Ratio", &["Range", "Count", "Ratio"]),
    ("Opcode Count", &["Opcode", "Count"]),
    ("Event Count", &["Event", "Count"]),
    (
        "Name Base Count Head Count Change",
        &["Name", "Base Count", "Head Count", "Change"],
    ),
    (
        "Kind Base Count Base Ratio Head Count Head Ratio Change",
        &[
            "Kind",
            "Base Count",
            "Base Ratio",
            "Head Count",
            "Head Ratio",
            "Change",
        ],
    ),
    (
        "Success Base Count Base Ratio Head Count Head Ratio Change",
        &[
            "Success",
            "Base Count",
            "Base Ratio",
            "Head Count",
            "Head Ratio",
            "Change",
        ],
    ),
    (
        "Failure kind Base Count Base Ratio Head Count Head Ratio Change",
        &[
            "Failure kind",
            "Base Count",
            "Base Ratio",
            "Head Count",
            "Head Ratio",
            "Change",
        ],
    ),
    (
        "Instructions Base Count Base Ratio Head Count Head Ratio Change",
        &[
            "Instructions",
            "Base Count",
            "Base Ratio",
            "Head Count",
            "Head Ratio",
            "Change",
        ],
    ),
    (
        "Name Base Count Base Ratio Head Count Head Ratio Change",
        &[
            "Name",
            "Base Count",
            "Base Ratio",
            "Head Count",
            "Head Ratio",
            "Change",
        ],
    ),
    (
        "Base Count Base Ratio Head Count Head Ratio Change",
        &[
            "",
            "Base Count",
            "Base Ratio",
            "Head Count",
            "Head Ratio",
            "Change",
        ],
    ),
    (
        "Base Count Head Count Change",
        &["", "Base Count", "Head Count", "Change"],
    ),
    (
        "Generation Base Collections Base Objects collected Base Object visits Head Collections Head Objects collected Head Object visits",
        &[
            "Generation",
            "Base Collections",
            "Base Objects collected",
            "Base Object visits",
            "Head Collections",
            "Head Objects collected",
            "Head Object visits",
        ],
    ),
    (
        "Range Base Count Base Ratio Head Count Head Ratio Change",
        &[
            "Range",
            "Base Count",
            "Base Ratio",
            "Head Count",
            "Head Ratio",
            "Change",
        ],
    ),
    (
        "Opcode Base Count Head Count Change",
        &["Opcode", "Base Count", "Head Count", "Change"],
    ),
    (
        "Event Base Count Head Count Change",
        &["Event", "Base Count", "Head Count", "Change"],
    ),
    (
        "Base Size Base Ratio Head Size Head Ratio Change",
        &["", "Base Size", "Base Ratio", "Head Size", "Head Ratio", "Change"],
    ),
    ("Instructions Count", &["Instructions", "Count"]),
    ("Kind Count", &["Kind", "Count"]),
];

const SECTIONS: [&str; 11] = [
    "Execution counts",
    "Pair counts",
    "Predecessor/Successor Pairs",
    "Specialization stats",
    "Specialization effectiveness",
    "Call stats",
    "Object stats",
    "GC stats",
    "Optimization (Tier 2) stats",
    "Rare events",
    "Meta stats",
];

const TITLES: [&str; 9] = [
    "Deferred by instruction",
    "Misses by instruction",
    "Trace length histogram",
    "Optimized trace length histogram",
    "Trace run length histogram",
    "Trace total memory histogram",
    "Uop execution stats",
    "Unsupported opcodes",
    "Optimizer errored out with opcode",
];

/// Reads the text of a page.
pub(super) fn read(text: &str, damage: &mut Damage) -> Result<Statistics, Problem> {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let mut tables: Vec<Table> = Vec::new();
    let (mut section, mut title) = (String::new(), String::new());
    let mut is_open = false;
    let mut complete = false;
    // A row's name whose numbers come after its explanation.
    let mut named: Option<&str> = None;
    for (index, &line) in lines.iter().enumerate() {
        let before = index
            .checked_sub(1)
            .and_then(|before| lines.get(before))
            .copied()
            .unwrap_or("");
        let after = lines.get(index + 1).copied().unwrap_or("");
        let alone = before.is_empty() && after.is_empty();
        if SECTIONS.contains(&line)
            && alone
            && !(section.starts_with("Optimization") && line == "Pair counts")
        {
            line.clone_into(&mut section);
            title.clear();
            is_open = false;
        } else if alone && (TITLES.contains(&line) || line == "Pair counts" || line == "JIT memory stats") {
            line.clone_into(&mut title);
            is_open = false;
        } else if let Some(opcode) = anchored(line) {
            opcode.clone_into(&mut title);
            is_open = false;
        } else if let Some((_, columns)) = HEADS.iter().find(|(head, _)| *head == line) {
            tables.push(Table::new(&section, &title, columns));
            is_open = true;
            named = None;
        } else if line.starts_with("Stats gathered on: ") {
            complete = true;
        } else if is_open && !line.is_empty() {
            let Some(table) = tables.last_mut() else { continue };
            let (label, numbers) = split(line);
            if numbers.is_empty() {
                // An explanation follows, or is this.
                if after.is_empty() && !before.is_empty() || named.is_none() && after.is_empty() {
                    named = named.filter(|_| before.is_empty()).or(Some(line));
                }
            } else if label.is_empty() && table.columns[0] != "Generation" {
                if let Some(name) = named.take() {
                    push(table, name, &numbers);
                }
            } else {
                named = None;
                push(table, &label, &numbers);
            }
        }
    }
    if !complete {
        damage.about("the report is cut: its last line is missing");
    }
    finish(tables)
}

fn anchored(line: &str) -> Option<&str> {
    line.strip_prefix("Successors and predecessors for ").or_else(|| {
        line.strip_prefix("specialization stats for ")?
            .strip_suffix(" family")
    })
}

/// The name of a row and its numbers, read from the right.
fn split(line: &str) -> (String, Vec<String>) {
    let mut words: Vec<&str> = line.split(' ').filter(|word| !word.is_empty()).collect();
    let mut numbers = Vec::new();
    while let Some(&word) = words.last() {
        if word == "!!" && words.len() >= 4 {
            numbers.push(words.split_off(words.len() - 4).join(" "));
        } else if is_number(word) && words.get(words.len().wrapping_sub(2)).copied() != Some("<=") {
            numbers.push(word.to_owned());
            words.pop();
        } else {
            break;
        }
    }
    // `kind 37 12 3.4%`: a name may end with a number.
    if words == ["kind"]
        && let Some(number) = numbers.pop()
    {
        return (format!("kind {number}"), numbers.into_iter().rev().collect());
    }
    numbers.reverse();
    (words.join(" "), numbers)
}

fn is_number(word: &str) -> bool {
    let digits = word.strip_suffix('%').unwrap_or(word);
    let digits = digits.strip_prefix('-').unwrap_or(digits);
    !digits.is_empty()
        && digits.starts_with(|c: char| c.is_ascii_digit())
        && digits
            .chars()
            .all(|c| c.is_ascii_digit() || matches!(c, ',' | '.'))
}

/// Puts numbers into the columns they fit: counts into counts, percentages into the rest. Empty cells
/// have left no trace.
fn push(table: &mut Table, label: &str, numbers: &[String]) {
    let mut row = vec![Cell::Empty; table.columns.len()];
    let mut numbers = numbers.iter();
    if table.columns[0] == "Generation" {
        if let Some(number) = numbers.next() {
            row[0] = cell(number);
        }
    } else {
        row[0] = Cell::Label(label.to_owned());
    }
    let is_ratio = |column: &str| {
        [
            "Ratio",
            "Self",
            "Cumulative",
            "Miss ratio",
            "Percentage",
            "Change",
        ]
        .iter()
        .any(|end| column.ends_with(end))
    };
    let mut at = 1;
    for number in numbers {
        let cell = cell(number);
        let ratio = matches!(cell, Cell::Printed(_));
        while at < row.len() && is_ratio(&table.columns[at]) != ratio {
            at += 1;
        }
        if at < row.len() {
            row[at] = cell;
            at += 1;
        }
    }
    table.rows.push(row);
}
