//! Two sets of statistics side by side: base, head and the change.

use std::collections::HashMap;

use super::tables::{self, family_total};
use super::{Cell, Counters, Statistics, Table};

/// How rows of two tables become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Join {
    /// All columns of both.
    Plain,
    /// All columns of both and the change of the first, by how much it is.
    Change,
    /// The first column of both and its change, by how much it is.
    ChangeOfOne,
    /// As `Change`, in the order of the base.
    ChangeInOrder,
}

/// Why two sets cannot be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a comparison cannot be compared again: give the two sides it was made from")]
pub struct IsComparison;

/// The tables of a comparison. Families, and tier 2, are compared where both sides have them.
pub fn compare(base: &Statistics, head: &Statistics) -> Result<Vec<Table>, IsComparison> {
    let (base, head) = match (base, head) {
        (Statistics::Comparison(_), _) | (_, Statistics::Comparison(_)) => return Err(IsComparison),
        (Statistics::Counters(base), Statistics::Counters(head)) => both(base, head),
        _ => (base.tables(), head.tables()),
    };
    Ok(join(&base, &head))
}

fn both(base: &Counters, head: &Counters) -> (Vec<Table>, Vec<Table>) {
    let (of_base, of_head) = (base.group("opcode"), head.group("opcode"));
    let mut families: Vec<_> = of_base
        .opcodes
        .iter()
        .filter(|(name, of)| of.is_specializable() && of_head.get(name).is_some())
        .map(|(name, _)| *name)
        .filter(|name| family_total(&of_base, name) > 0 || family_total(&of_head, name) > 0)
        .collect();
    families.sort_unstable();
    (
        tables::build(base, &of_base, &families, false),
        tables::build(head, &of_head, &families, false),
    )
}

/// What identifies a table: a title may have several, which their first columns or their order tell
/// apart.
type Key<'t> = (&'t str, &'t str, &'t str, usize);

fn keyed(tables: &[Table]) -> Vec<(Key<'_>, &Table)> {
    let mut seen: HashMap<(&str, &str, &str), usize> = HashMap::new();
    tables
        .iter()
        .map(|table| {
            let first = table.columns.first().map_or("", String::as_str);
            let key = (table.section.as_str(), table.title.as_str(), first);
            let nth = seen.entry(key).or_default();
            *nth += 1;
            ((key.0, key.1, key.2, *nth), table)
        })
        .collect()
}

fn join(base: &[Table], head: &[Table]) -> Vec<Table> {
    let of_head: HashMap<_, _> = keyed(head).into_iter().collect();
    let of_base: HashMap<_, _> = keyed(base).into_iter().collect();
    let mut joined: Vec<_> = keyed(base)
        .into_iter()
        .filter_map(|(key, base)| {
            let empty = Table {
                rows: Vec::new(),
                ..base.clone()
            };
            let head = match of_head.get(&key) {
                Some(head) => *head,
                // A printed report leaves out empty tables of what it has.
                None if of_head.keys().any(|other| (other.0, other.1) == (key.0, key.1)) => &empty,
                None => return None,
            };
            join_tables(base, head)
        })
        .collect();
    for (key, head) in keyed(head) {
        let shared = of_base.keys().any(|other| (other.0, other.1) == (key.0, key.1));
        if shared && !of_base.contains_key(&key) {
            let empty = Table {
                rows: Vec::new(),
                ..head.clone()
            };
            let at = joined
                .iter()
                .rposition(|table| (table.section.as_str(), table.title.as_str()) == (key.0, key.1));
            if let Some(table) = join_tables(&empty, head) {
                joined.insert(at.map_or(joined.len(), |at| at + 1), table);
            }
        }
    }
    joined
}

fn mode(table: &Table) -> Option<Join> {
    match table.columns.first().map(String::as_str) {
        Some("Pair" | "Predecessors" | "Successors") => None,
        Some("Generation") => Some(Join::Plain),
        Some("Range") => Some(Join::ChangeInOrder),
        Some("Name") if table.columns.iter().any(|column| column == "Cumulative") => Some(Join::ChangeOfOne),
        _ => Some(Join::Change),
    }
}

fn join_tables(base: &Table, head: &Table) -> Option<Table> {
    let mode = mode(base)?;
    if base.rows.is_empty() && head.rows.is_empty() {
        return None;
    }
    let width = match mode {
        Join::ChangeOfOne => 1,
        _ => base.columns.len().saturating_sub(1),
    };
    let of_head: HashMap<String, &Vec<Cell>> = head.rows.iter().map(|row| (name(row), row)).collect();
    let of_base: HashMap<String, &Vec<Cell>> = base.rows.iter().map(|row| (name(row), row)).collect();
    let only_in_head = head.rows.iter().filter(|row| !of_base.contains_key(&name(row)));
    let mut rows: Vec<Vec<Cell>> = base
        .rows
        .iter()
        .chain(only_in_head)
        .map(|row| {
            let key = name(row);
            let sides = [of_base.get(&key).copied(), of_head.get(&key).copied()];
            let mut joined = vec![row.first().cloned().unwrap_or(Cell::Empty)];
            for side in sides {
                joined.extend((1..=width).map(|column| {
                    side.and_then(|row| row.get(column))
                        .cloned()
                        .unwrap_or(Cell::Empty)
                }));
            }
            if mode != Join::Plain {
                joined.push(change(sides.map(|side| side.and_then(|row| row.get(1)?.count()))));
            }
            joined
        })
        .collect();
    if matches!(mode, Join::Change | Join::ChangeOfOne) {
        let size = |row: &Vec<Cell>| row.last().and_then(Cell::value).unwrap_or(0.0).abs();
        rows.sort_by(|a, b| size(b).total_cmp(&size(a)));
    }
    let mut columns = vec![base.columns.first().cloned().unwrap_or_default()];
    for side in ["Base", "Head"] {
        columns.extend(
            base.columns
                .iter()
                .skip(1)
                .take(width)
                .map(|column| format!("{side} {column}")),
        );
    }
    if mode != Join::Plain {
        columns.push("Change".to_owned());
    }
    Some(Table {
        section: base.section.clone(),
        title: base.title.clone(),
        columns,
        rows,
    })
}

fn name(row: &[Cell]) -> String {
    row.first().map(Cell::text).unwrap_or_default()
}

fn change([base, head]: [Option<u64>; 2]) -> Cell {
    match (base, head) {
        (Some(base), Some(head)) => Cell::Ratio {
            part: i128::from(head) - i128::from(base),
            whole: u128::from(base),
        },
        _ => Cell::Ratio { part: 0, whole: 0 },
    }
}
