//! From counters to the tables of the summary script.

use std::cmp::Reverse;
use std::collections::HashMap;

use super::counters::{Counters, Group};
use super::optimizer;
use super::{Cell, Table};

pub(super) const COUNTED: [&str; 5] = ["Name", "Count", "Self", "Cumulative", "Miss ratio"];
/// Pairs that a table of pairs shows.
const PAIRS: usize = 100;
/// Neighbours of an opcode that are shown.
const NEIGHBOURS: usize = 5;
/// Instructions that a breakdown shows.
const BREAKDOWN: usize = 10;

/// All tables that have rows.
#[must_use]
pub fn all(counters: &Counters) -> Vec<Table> {
    let group = counters.group("opcode");
    let mut families: Vec<_> = group
        .opcodes
        .iter()
        .filter(|(_, of)| of.is_specializable())
        .map(|(name, _)| *name)
        .filter(|name| family_total(&group, name) > 0)
        .collect();
    families.sort_unstable();
    let mut tables = build(counters, &group, &families, true);
    tables.retain(|table| !table.rows.is_empty());
    tables
}

/// All tables, empty ones too, of these families.
pub(super) fn build(counters: &Counters, group: &Group, families: &[&str], with_pairs: bool) -> Vec<Table> {
    let mut tables = vec![executions(group, "Execution counts", "")];
    if with_pairs {
        tables.push(pairs(group, "Pair counts", ""));
        tables.extend(neighbours(group));
    }
    for family in families {
        tables.extend(specialization(counters, group, family));
    }
    tables.push(effectiveness(counters, group));
    tables.push(breakdown(
        group,
        "Deferred by instruction",
        "specialization.deferred",
        |name, _| name != "RESUME",
    ));
    tables.push(breakdown(
        group,
        "Misses by instruction",
        "specialization.miss",
        |_, head| !head,
    ));
    tables.push(calls(counters));
    tables.push(objects(counters));
    tables.push(collections(counters));
    tables.extend(optimizer::tables(counters, with_pairs));
    tables.push(rare(counters));
    let mut meta = Table::new("Meta stats", "", &["", "Count"]);
    meta.rows
        .push(vec![label("Number of data files"), Cell::Count(counters.files)]);
    tables.push(meta);
    tables
}

pub(super) fn label(text: &str) -> Cell {
    Cell::Label(text.to_owned())
}

/// Executions by name with the share of misses.
pub(super) fn executions(group: &Group, section: &str, title: &str) -> Table {
    let total = group.executions();
    let mut counts: Vec<_> = group
        .opcodes
        .iter()
        .filter_map(|(name, of)| {
            let missed = if of.is_specializable() {
                0
            } else {
                of.get("specialization.miss")
            };
            Some((*name, of.find("execution_count")?, missed))
        })
        .collect();
    counts.sort_by_key(|&(_, count, missed)| Reverse((count, missed)));
    let mut table = Table::new(section, title, &COUNTED);
    let mut seen = 0_u64;
    for (name, count, missed) in counts {
        seen = seen.saturating_add(count);
        table.rows.push(vec![
            label(name),
            Cell::Count(count),
            Cell::ratio(count, total),
            Cell::ratio(seen, total),
            if missed > 0 {
                Cell::ratio(missed, count)
            } else {
                Cell::Empty
            },
        ]);
    }
    table
}

/// The most frequent pairs.
pub(super) fn pairs(group: &Group, section: &str, title: &str) -> Table {
    let total = group.executions();
    let mut pairs = group.pairs();
    pairs.sort_by_key(|&(_, _, count)| Reverse(count));
    let mut table = Table::new(section, title, &["Pair", "Count", "Self", "Cumulative"]);
    let mut seen = 0_u64;
    for (first, second, count) in pairs.into_iter().take(PAIRS) {
        seen = seen.saturating_add(count);
        table.rows.push(vec![
            label(&format!("{first} {second}")),
            Cell::Count(count),
            Cell::ratio(count, total),
            Cell::ratio(seen, total),
        ]);
    }
    table
}

fn neighbours(group: &Group) -> Vec<Table> {
    let pairs = group.pairs();
    let mut before: HashMap<&str, Vec<(&str, u64)>> = HashMap::new();
    let mut after: HashMap<&str, Vec<(&str, u64)>> = HashMap::new();
    for (first, second, count) in pairs {
        before.entry(second).or_default().push((first, count));
        after.entry(first).or_default().push((second, count));
    }
    let mut tables = Vec::new();
    for (name, _) in &group.opcodes {
        for (head, of) in [("Predecessors", &before), ("Successors", &after)] {
            let mut found = of.get(name).cloned().unwrap_or_default();
            let total = found
                .iter()
                .fold(0_u64, |sum, (_, count)| sum.saturating_add(*count));
            found.sort_by_key(|&(_, count)| Reverse(count));
            let mut table = Table::new(
                "Predecessor/Successor Pairs",
                name,
                &[head, "Count", "Percentage"],
            );
            for (other, count) in found.into_iter().take(NEIGHBOURS) {
                table
                    .rows
                    .push(vec![label(other), Cell::Count(count), Cell::ratio(count, total)]);
            }
            tables.push(table);
        }
    }
    tables
}

/// What the executions of a family are parts of: completed and failed specialized ones, and those of
/// the base form.
pub(super) fn family_total(group: &Group, family: &str) -> u64 {
    let Some(of) = group.get(family) else { return 0 };
    ["specialization.hit", "specialization.miss", "execution_count"]
        .iter()
        .fold(0, |sum, what| of.get(what).saturating_add(sum))
}

fn specialization(counters: &Counters, group: &Group, family: &str) -> [Table; 3] {
    const SECTION: &str = "Specialization stats";
    let mut kinds = Table::new(SECTION, family, &["Kind", "Count", "Ratio"]);
    let mut attempts = Table::new(SECTION, family, &["Success", "Count", "Ratio"]);
    let mut failures = Table::new(SECTION, family, &["Failure kind", "Count", "Ratio"]);
    let Some(of) = group.get(family) else {
        return [kinds, attempts, failures];
    };
    let total = family_total(group, family);
    let mut counted: Vec<_> = of
        .values
        .iter()
        .filter_map(|(key, value)| Some((key.strip_prefix("specialization.")?, *value)))
        .filter(|(key, _)| !matches!(*key, "success" | "failure") && !key.starts_with("failure_kind"))
        .collect();
    counted.sort_unstable();
    for (key, value) in counted {
        kinds
            .rows
            .push(vec![label(key), Cell::Count(value), Cell::ratio(value, total)]);
    }
    let (success, failure) = (of.get("specialization.success"), of.get("specialization.failure"));
    let tried = success.saturating_add(failure);
    if tried > 0 {
        for (name, value) in [("Success", success), ("Failure", failure)] {
            attempts
                .rows
                .push(vec![label(name), Cell::Count(value), Cell::ratio(value, tried)]);
        }
    }
    let mut reasons: Vec<_> = of
        .values
        .iter()
        .filter_map(|(key, value)| {
            let number = key
                .strip_prefix("specialization.failure_kinds[")?
                .strip_suffix(']')?;
            Some((number.parse::<u32>().ok()?, *value))
        })
        .filter(|(_, value)| *value > 0)
        .collect();
    reasons.sort_unstable();
    reasons.sort_by_key(|&(_, value)| Reverse(value));
    for (number, value) in reasons {
        let reason = label(&counters.failure_kind(family, number));
        failures
            .rows
            .push(vec![reason, Cell::Count(value), Cell::ratio(value, failure)]);
    }
    [kinds, attempts, failures]
}

fn effectiveness(counters: &Counters, group: &Group) -> Table {
    let total = group.executions();
    let (mut basic, mut generic, mut hits, mut misses) = (0_u64, 0_u64, 0_u64, 0_u64);
    for (name, of) in &group.opcodes {
        let Some(count) = of.find("execution_count") else {
            continue;
        };
        if of.is_specializable() {
            generic = generic.saturating_add(count);
        } else if counters.is_specialized(name) {
            let failed = of.get("specialization.miss").min(count);
            hits = hits.saturating_add(count - failed);
            misses = misses.saturating_add(failed);
        } else {
            basic = basic.saturating_add(count);
        }
    }
    let mut table = Table::new(
        "Specialization effectiveness",
        "",
        &["Instructions", "Count", "Ratio"],
    );
    let rows = [
        ("Basic", basic),
        ("Not specialized", generic),
        ("Specialized hits", hits),
        ("Specialized misses", misses),
    ];
    for (name, count) in rows {
        table
            .rows
            .push(vec![label(name), Cell::Count(count), Cell::ratio(count, total)]);
    }
    table
}

fn breakdown(group: &Group, title: &str, what: &str, counts: impl Fn(&str, bool) -> bool) -> Table {
    let mut found: Vec<_> = group
        .opcodes
        .iter()
        .filter(|(name, of)| counts(name, of.is_specializable()))
        .map(|(name, of)| (*name, of.get(what)))
        .collect();
    let mut table = Table::new("Specialization effectiveness", title, &["Name", "Count", "Ratio"]);
    let total = found
        .iter()
        .fold(0_u64, |sum, (_, count)| sum.saturating_add(*count));
    if total == 0 {
        return table;
    }
    found.sort_by_key(|&(_, count)| Reverse(count));
    for (name, count) in found.into_iter().take(BREAKDOWN) {
        table
            .rows
            .push(vec![label(name), Cell::Count(count), Cell::ratio(count, total)]);
    }
    table
}

fn calls(counters: &Counters) -> Table {
    let mut entries: Vec<_> = counters
        .entries()
        .filter(|(key, _)| key.starts_with("Calls "))
        .collect();
    entries.sort_unstable();
    let total = entries
        .iter()
        .filter(|(key, _)| key.contains("Calls to"))
        .fold(0_u64, |sum, (_, value)| sum.saturating_add(*value));
    let mut frames: Vec<_> = counters
        .entries()
        .filter(|(key, _)| key.starts_with("Frame"))
        .collect();
    frames.sort_unstable();
    let mut table = Table::new("Call stats", "", &["", "Count", "Ratio"]);
    for (key, value) in entries.into_iter().chain(frames) {
        let name = key
            .strip_suffix(']')
            .and_then(|key| key.split_once('['))
            .and_then(|(name, number)| Some((name, number.parse::<u32>().ok()?)))
            .map(|(name, number)| format!("{name} ({})", counters.call_kind(number)));
        let name = name.unwrap_or_else(|| key.to_owned());
        table.rows.push(vec![
            Cell::Label(name),
            Cell::Count(value),
            Cell::ratio(value, total),
        ]);
    }
    table
}

fn objects(counters: &Counters) -> Table {
    let sum = |end: &str| {
        counters
            .entries()
            .filter(|(key, _)| key.starts_with("Object ") && key.ends_with(end))
            .fold(0_u64, |sum, (_, value)| sum.saturating_add(value))
    };
    let allocations = counters
        .get("Object allocations")
        .saturating_add(counters.get("Object allocations from freelist"));
    let (increfs, decrefs) = (sum("increfs"), sum("decrefs"));
    let mut table = Table::new("Object stats", "", &["", "Count", "Ratio"]);
    for (key, value) in counters.entries() {
        let Some(name) = key.strip_prefix("Object") else {
            continue;
        };
        let whole = if key.contains("materialize") {
            Some(counters.get("Object inline values"))
        } else if key.contains("allocations") {
            Some(allocations)
        } else if key.contains("increfs") {
            Some(increfs)
        } else if key.contains("decrefs") {
            Some(decrefs)
        } else {
            None
        };
        let ratio = whole.map_or(Cell::Empty, |whole| Cell::ratio(value, whole));
        table
            .rows
            .push(vec![label(&capitalized(name.trim())), Cell::Count(value), ratio]);
    }
    table
}

fn capitalized(text: &str) -> String {
    let mut rest = text.chars();
    rest.next()
        .map_or_else(String::new, |first| first.to_uppercase().chain(rest).collect())
}

fn collections(counters: &Counters) -> Table {
    /// Columns and what they show; the last two are of 3.14 and later.
    const COLUMNS: [(&str, &str); 5] = [
        ("Collections", "collections"),
        ("Objects collected", "objects collected"),
        ("Object visits", "object visits"),
        ("Reachable from roots", "objects reachable from roots"),
        ("Not reachable from roots", "objects not reachable from roots"),
    ];
    let key = |generation: u32, what: &str| format!("GC[{generation}] {what}");
    let shown: Vec<_> = COLUMNS
        .iter()
        .take_while(|(_, what)| counters.find(&key(0, what)).is_some())
        .collect();
    let mut heads = vec!["Generation"];
    heads.extend(shown.iter().map(|(head, _)| *head));
    let mut table = Table::new("GC stats", "", &heads);
    for generation in 0..=u32::from(u8::MAX) {
        if counters.find(&key(generation, "collections")).is_none() {
            break;
        }
        let mut row = vec![Cell::Count(u64::from(generation))];
        row.extend(
            shown
                .iter()
                .map(|(_, what)| Cell::Count(counters.get(&key(generation, what)))),
        );
        table.rows.push(row);
    }
    table
}

fn rare(counters: &Counters) -> Table {
    let mut table = Table::new("Rare events", "", &["Event", "Count"]);
    for (key, value) in counters.entries() {
        if let Some(name) = key
            .strip_prefix("Rare event (")
            .and_then(|rest| rest.strip_suffix(')'))
        {
            table
                .rows
                .push(vec![label(&name.replace('_', " ")), Cell::Count(value)]);
        }
    }
    table
}
