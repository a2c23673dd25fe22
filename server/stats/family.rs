//! What the statistics of a process say of one family of opcodes.

use super::{Cell, Statistics, Table};

/// Kinds of failures that are told.
const KINDS: usize = 3;
/// Where families stand in a report, of this and of older versions.
const SECTION: &str = "Specialization stats";

/// Specialization of all families, by base opcode: of a whole process, not of any line.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Families {
    /// The dump and what it is.
    pub source: String,
    tables: Vec<Table>,
}

impl Families {
    /// Of a dump; none when it says nothing of families, or compares two.
    #[must_use]
    pub fn of(source: String, statistics: &Statistics) -> Option<Self> {
        if matches!(statistics, Statistics::Comparison(_)) {
            return None;
        }
        let mut tables = statistics.tables();
        tables.retain(|table| table.section == SECTION);
        (!tables.is_empty()).then_some(Self { source, tables })
    }

    /// Facts of a family, each without a full stop; none when the dump has none of it.
    #[must_use]
    pub fn facts(&self, base: &str) -> Vec<String> {
        let tables: Vec<_> = self.tables.iter().filter(|table| table.title == base).collect();
        let find = |head: &str| {
            tables
                .iter()
                .find(|table| table.columns.first().is_some_and(|first| first == head))
        };
        let mut facts = Vec::new();
        if let Some(kinds) = find("Kind") {
            let count = |name: &str| kinds.row(name).and_then(|row| row.get(1)?.count());
            let (hits, misses) = (count("hit"), count("miss").unwrap_or(0));
            if let Some(hits) = hits.filter(|hits| *hits > 0) {
                let ratio = Cell::ratio(misses, hits.saturating_add(misses));
                facts.push(format!(
                    "{} misses of {} specialized executions ({})",
                    Cell::Count(misses).text(),
                    Cell::Count(hits.saturating_add(misses)).text(),
                    ratio.text()
                ));
            }
            if let Some(deferred) = count("deferred").filter(|deferred| *deferred > 0) {
                facts.push(format!("{} generic executions", Cell::Count(deferred).text()));
            }
        }
        if let Some(failures) = find("Failure kind") {
            let kinds: Vec<_> = failures
                .rows
                .iter()
                .take(KINDS)
                .filter_map(|row| Some(format!("{} {}", row.first()?.text(), row.get(1)?.text())))
                .collect();
            if !kinds.is_empty() {
                let more = failures.rows.len() - kinds.len();
                let more = if more > 0 {
                    format!(" and {more} more kinds")
                } else {
                    String::new()
                };
                facts.push(format!("failed attempts: {}{more}", kinds.join(", ")));
            }
        }
        facts
    }
}
