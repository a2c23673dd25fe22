//! Tables of the tier-2 optimizer: what became of traces, how long they are, which uops ran.

use std::cmp::Reverse;

use super::counters::Counters;
use super::tables::{executions, label, pairs};
use super::{Cell, Table};

const SECTION: &str = "Optimization (Tier 2) stats";

/// Name, key and key of the whole; those that a version does not print are left out.
const TRACES: [(&str, &str, &str); 17] = [
    ("Optimization attempts", "Optimization attempts", ""),
    (
        "Traces created",
        "Optimization traces created",
        "Optimization attempts",
    ),
    (
        "Trace stack overflow",
        "Optimization trace stack overflow",
        "Optimization attempts",
    ),
    (
        "Trace stack underflow",
        "Optimization trace stack underflow",
        "Optimization attempts",
    ),
    (
        "Trace too long",
        "Optimization trace too long",
        "Optimization attempts",
    ),
    (
        "Trace too short",
        "Optimization trace too short",
        "Optimization attempts",
    ),
    (
        "Inner loop found",
        "Optimization inner loop",
        "Optimization attempts",
    ),
    (
        "Recursive call",
        "Optimization recursive call",
        "Optimization attempts",
    ),
    (
        "Low confidence",
        "Optimization low confidence",
        "Optimization attempts",
    ),
    (
        "Unknown callee",
        "Optimization unknown callee",
        "Optimization attempts",
    ),
    (
        "Trace immediately deopts",
        "Optimization trace immediately deopts",
        "Optimization attempts",
    ),
    (
        "Fitness terminated traces",
        "Optimization fitness terminated traces",
        "Optimization attempts",
    ),
    (
        "Executors invalidated",
        "Executors invalidated",
        "Optimization traces created",
    ),
    ("Traces executed", "Optimization traces executed", ""),
    (
        "Uops executed",
        "Optimization uops executed",
        "Optimization traces executed",
    ),
    (
        "Optimizer contradiction",
        "Optimization optimizer contradiction",
        "Optimization optimizer attempts",
    ),
    (
        "Optimizer frame overflow",
        "Optimization optimizer frame overflow",
        "Optimization optimizer attempts",
    ),
];

const OPTIMIZER: [(&str, &str, &str); 5] = [
    ("Optimizer attempts", "Optimization optimizer attempts", ""),
    (
        "Optimizer successes",
        "Optimization optimizer successes",
        "Optimization optimizer attempts",
    ),
    (
        "Optimizer no memory",
        "Optimization optimizer failure no memory",
        "Optimization optimizer attempts",
    ),
    (
        "Remove globals builtins changed",
        "Optimizer remove globals builtins changed",
        "Optimization optimizer attempts",
    ),
    (
        "Remove globals incorrect keys",
        "Optimizer remove globals incorrect keys",
        "Optimization optimizer attempts",
    ),
];

const MEMORY: [(&str, &str, &str); 6] = [
    ("Total memory size", "JIT total memory size", ""),
    ("Code size", "JIT code size", "JIT total memory size"),
    ("Trampoline size", "JIT trampoline size", "JIT total memory size"),
    ("Data size", "JIT data size", "JIT total memory size"),
    ("Padding size", "JIT padding size", "JIT total memory size"),
    (
        "Freed memory size",
        "JIT freed memory size",
        "JIT total memory size",
    ),
];

/// All of them; none when the build has no tier 2.
pub(super) fn tables(counters: &Counters, with_pairs: bool) -> Vec<Table> {
    if counters.find("Optimization attempts").is_none() {
        return Vec::new();
    }
    let mut tables = vec![
        facts(counters, "", "Count", &TRACES),
        facts(counters, "", "Count", &OPTIMIZER),
        facts(counters, "JIT memory stats", "Size", &MEMORY),
        histogram(
            counters,
            "Trace total memory size",
            "Trace total memory histogram",
            "",
        ),
    ];
    for (key, whole) in [
        ("Trace length", "Optimization traces created"),
        ("Optimized trace length", "Optimization traces created"),
        ("Trace run length", "Optimization traces executed"),
    ] {
        tables.push(histogram(counters, key, &format!("{key} histogram"), whole));
    }
    tables.push(executions(
        &counters.group("uops"),
        SECTION,
        "Uop execution stats",
    ));
    if with_pairs {
        tables.push(pairs(&counters.group("uop"), SECTION, "Pair counts"));
    }
    tables.push(stops(counters, "unsupported_opcode", "Unsupported opcodes"));
    tables.push(stops(
        counters,
        "error_in_opcode",
        "Optimizer errored out with opcode",
    ));
    tables
}

fn facts(counters: &Counters, title: &str, unit: &str, rows: &[(&str, &str, &str)]) -> Table {
    let mut table = Table::new(SECTION, title, &["", unit, "Ratio"]);
    for (name, key, whole) in rows {
        if let Some(value) = counters.find(key) {
            let ratio = match *whole {
                "" => Cell::Empty,
                whole => Cell::ratio(value, counters.get(whole)),
            };
            table.rows.push(vec![label(name), Cell::Count(value), ratio]);
        }
    }
    table
}

fn histogram(counters: &Counters, key: &str, title: &str, whole: &str) -> Table {
    let mut buckets: Vec<_> = counters
        .entries()
        .filter_map(|(name, value)| {
            let bound = name.strip_prefix(key)?.strip_prefix('[')?.strip_suffix(']')?;
            Some((bound.parse::<u64>().ok()?, value))
        })
        .collect();
    buckets.sort_unstable();
    let last = buckets.iter().rposition(|(_, value)| *value > 0).unwrap_or(0);
    buckets.truncate(last + 1);
    let total = buckets
        .iter()
        .fold(0_u64, |sum, (_, value)| sum.saturating_add(*value));
    let whole = if whole.is_empty() {
        total
    } else {
        counters.get(whole)
    };
    let mut table = Table::new(SECTION, title, &["Range", "Count", "Ratio"]);
    for (bound, value) in buckets {
        let range = Cell::Label(format!("<= {}", Cell::Count(bound).text()));
        table
            .rows
            .push(vec![range, Cell::Count(value), Cell::ratio(value, whole)]);
    }
    table
}

fn stops(counters: &Counters, prefix: &str, title: &str) -> Table {
    let group = counters.group(prefix);
    let mut found: Vec<_> = group
        .opcodes
        .iter()
        .map(|(name, of)| (*name, of.get("count")))
        .filter(|(_, count)| *count > 0)
        .collect();
    found.sort_by_key(|&(_, count)| Reverse(count));
    let mut table = Table::new(SECTION, title, &["Opcode", "Count"]);
    for (name, count) in found {
        table.rows.push(vec![label(name), Cell::Count(count)]);
    }
    table
}
