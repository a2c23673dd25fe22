//! Reports of the summary script, back to tables: Markdown with pipe tables (to early 2024), with HTML
//! tables (since), and what a browser makes of them.

use std::collections::HashMap;

use super::{Damage, Problem};
use crate::stats::{Cell, Statistics, Table};

/// Rows of all tables together that are kept.
const ROWS: usize = 1 << 18;

/// Reads a report or a printed comparison in Markdown.
pub(super) fn read(text: &str, damage: &mut Damage) -> Result<Statistics, Problem> {
    let mut reader = Reader::default();
    for line in text.lines() {
        reader.line(line);
    }
    if !reader.is_complete {
        damage.about("the report is cut: its last line is missing");
    }
    finish(reader.tables)
}

/// Tables with whatever can be computed in place of what was rounded.
pub(super) fn finish(mut tables: Vec<Table>) -> Result<Statistics, Problem> {
    tables.retain(|table| !table.rows.is_empty());
    if tables.is_empty() {
        return Err(Problem::Damaged {
            place: None,
            what: "the report has no table".to_owned(),
        });
    }
    let is_comparison = tables
        .iter()
        .any(|table| table.columns.iter().any(|column| column.starts_with("Base ")));
    if is_comparison {
        tables.iter_mut().for_each(recompute_changes);
        return Ok(Statistics::Comparison(tables));
    }
    recompute(&mut tables);
    Ok(Statistics::Report(tables))
}

#[derive(Default)]
struct Reader {
    tables: Vec<Table>,
    section: String,
    title: String,
    /// Columns and cells of a table that is open.
    columns: Vec<String>,
    cells: Vec<Cell>,
    /// A cell that goes on on the next lines.
    open: Option<String>,
    in_pipes: bool,
    rows: usize,
    is_complete: bool,
}

impl Reader {
    fn line(&mut self, line: &str) {
        let line = line.trim();
        if let Some(text) = &mut self.open {
            if text.len() < 1 << 12 {
                text.push('\n');
                text.push_str(line);
            }
            if line.ends_with("</td>") {
                let text = self.open.take().unwrap_or_default();
                self.cell(&text);
            }
            return;
        }
        self.in_pipes &= line.starts_with('|');
        if let Some(title) = line.strip_prefix("### ") {
            title.trim().clone_into(&mut self.title);
        } else if let Some(section) = line.strip_prefix("## ") {
            section.trim().clone_into(&mut self.section);
            self.title.clear();
        } else if line.starts_with("Stats gathered on: ") {
            self.is_complete = true;
        } else if line.starts_with('|') {
            self.pipes(line);
        } else if line == "<thead>" {
            self.columns.clear();
        } else if line == "<tbody>" {
            self.begin();
        } else if line == "<tr>" {
            self.cells.clear();
        } else if line == "</tr>" {
            self.end_row();
        } else if line.starts_with("<th") {
            let name = line.split_once('>').map_or("", |(_, rest)| rest);
            self.columns
                .push(name.trim_end_matches("</th>").trim().to_owned());
        } else if line.starts_with("<td") {
            let text = line.split_once('>').map_or("", |(_, rest)| rest);
            if text.ends_with("</td>") {
                let text = text.to_owned();
                self.cell(&text);
            } else {
                self.open = Some(text.to_owned());
            }
        }
    }

    fn pipes(&mut self, line: &str) {
        let inner = line.trim_start_matches('|').trim_end().trim_end_matches('|');
        let parts: Vec<_> = inner.split('|').map(str::trim).collect();
        if !self.in_pipes {
            self.columns = parts.iter().map(|&part| part.to_owned()).collect();
            self.in_pipes = true;
            self.begin();
        } else if parts.iter().any(|part| !part.is_empty())
            && parts
                .iter()
                .all(|part| part.chars().all(|c| matches!(c, '-' | ':')))
        {
            // The line below the heads.
        } else {
            self.cells = parts.into_iter().map(cell).collect();
            self.end_row();
        }
    }

    fn begin(&mut self) {
        let mut columns = std::mem::take(&mut self.columns);
        // 3.11 has these below a heading of their own.
        let follows_kinds = self.tables.last().is_some_and(|last| {
            last.section == self.section && last.title == self.title && last.columns[0] == "Kind"
        });
        if follows_kinds && columns.first().is_some_and(String::is_empty) {
            "Success".clone_into(&mut columns[0]);
        }
        if columns.is_empty() {
            return;
        }
        self.tables.push(Table {
            section: self.section.clone(),
            title: self.title.clone(),
            columns,
            rows: Vec::new(),
        });
    }

    fn cell(&mut self, text: &str) {
        let text = text.trim_end_matches("</td>");
        let text = text.split("<details>").next().unwrap_or_default();
        self.cells.push(cell(text.trim()));
    }

    fn end_row(&mut self) {
        let mut cells = std::mem::take(&mut self.cells);
        let Some(table) = self.tables.last_mut() else {
            return;
        };
        if cells.is_empty() || self.rows >= ROWS {
            return;
        }
        self.rows += 1;
        cells.resize(table.columns.len(), Cell::Empty);
        table.rows.push(cells);
    }
}

/// A cell by its text.
pub(super) fn cell(text: &str) -> Cell {
    if text.is_empty() {
        return Cell::Empty;
    }
    let digits: String = text.chars().filter(|&c| c != ',').collect();
    if digits.bytes().all(|byte| byte.is_ascii_digit())
        && let Ok(count) = digits.parse()
    {
        return Cell::Count(count);
    }
    if text.ends_with('%') || text.ends_with("!!") {
        return Cell::Printed(text.to_owned());
    }
    let plain: String = text.chars().filter(|c| !c.is_control()).collect();
    Cell::Label(plain.replace("&lt;", "<").replace("&amp;", "&"))
}

/// The change of each row by its counts, if that is what was printed.
fn recompute_changes(table: &mut Table) {
    let find = |head: &str| table.columns.iter().position(|column| column == head);
    let base = table
        .columns
        .iter()
        .position(|column| column.starts_with("Base "));
    let head = table
        .columns
        .iter()
        .position(|column| column.starts_with("Head "));
    let (Some(base), Some(head), Some(change)) = (base, head, find("Change")) else {
        return;
    };
    for row in &mut table.rows {
        if let (Some(base), Some(head)) = (row[base].count(), row[head].count()) {
            let exact = Cell::Ratio {
                part: i128::from(head) - i128::from(base),
                whole: u128::from(base),
            };
            if exact.text() == row[change].text() {
                row[change] = exact;
            }
        }
    }
}

/// Puts exact ratios in place of printed ones, where the whole they are parts of is in the report, and
/// only if every row of the column then prints as it did.
fn recompute(tables: &mut [Table]) {
    let executions: HashMap<String, u64> = tables
        .iter()
        .filter(|table| table.section == "Execution counts")
        .flat_map(|table| &table.rows)
        .filter_map(|row| Some((row[0].text(), row.get(1)?.count()?)))
        .collect();
    let total = executions
        .values()
        .fold(0_u64, |sum, count| sum.saturating_add(*count));
    let misses: HashMap<String, u64> = tables
        .iter()
        .filter(|table| table.title == "Misses by instruction")
        .flat_map(|table| &table.rows)
        .filter_map(|row| Some((row[0].text(), row.get(1)?.count()?)))
        .collect();
    let traces = trace_wholes(tables);
    let mut failed = 0;
    for table in tables {
        let counts = counts_of(table);
        let mut wholes = vec![counts.iter().fold(0_u64, |sum, count| sum.saturating_add(*count))];
        match table.columns[0].as_str() {
            "Kind" => {
                let of = |name: &str| table.row(name).and_then(|row| row.get(1)?.count()).unwrap_or(0);
                let base = executions.get(&table.title).copied().unwrap_or(0);
                wholes = vec![of("hit").saturating_add(of("miss")).saturating_add(base)];
            }
            "Success" => {
                failed = table
                    .row("Failure")
                    .and_then(|row| row.get(1)?.count())
                    .unwrap_or(0);
            }
            "Failure kind" => wholes = vec![failed],
            "" => {
                let calls = table.rows.iter().filter(|row| row[0].text().contains("Calls to"));
                wholes.push(
                    calls
                        .filter_map(|row| row.get(1)?.count())
                        .fold(0, u64::saturating_add),
                );
                wholes.extend(&traces);
            }
            _ => {}
        }
        wholes.push(total);
        if table.section.starts_with("Optimization") {
            wholes.extend(&traces);
        }
        wholes.retain(|whole| *whole > 0);
        for column in 2..table.columns.len() {
            if table.columns[column] == "Miss ratio" {
                for (row, count) in table.rows.iter_mut().zip(&counts) {
                    if let Some(missed) = misses.get(&row[0].text()) {
                        put(&mut row[column], &Cell::ratio(*missed, *count));
                    }
                }
                continue;
            }
            let mut seen = 0_u64;
            let parts: Vec<_> = counts
                .iter()
                .map(|count| {
                    seen = seen.saturating_add(*count);
                    if table.columns[column] == "Cumulative" {
                        seen
                    } else {
                        *count
                    }
                })
                .collect();
            let fits = |whole: &&u64| {
                table
                    .rows
                    .iter()
                    .zip(&parts)
                    .all(|(row, part)| match &row[column] {
                        Cell::Printed(text) => Cell::ratio(*part, **whole).text() == *text,
                        _ => true,
                    })
            };
            if let Some(&whole) = wholes.iter().find(fits) {
                for (row, part) in table.rows.iter_mut().zip(&parts) {
                    put(&mut row[column], &Cell::ratio(*part, whole));
                }
            }
        }
    }
}

fn counts_of(table: &Table) -> Vec<u64> {
    let counts = table.rows.iter();
    counts
        .map(|row| row.get(1).and_then(Cell::count).unwrap_or(0))
        .collect()
}

/// Numbers of traces and uops that ratios of the optimizer are parts of.
fn trace_wholes(tables: &[Table]) -> Vec<u64> {
    let sum = |table: &Table| counts_of(table).into_iter().fold(0, u64::saturating_add);
    tables
        .iter()
        .filter(|table| table.section.starts_with("Optimization"))
        .filter(|table| table.columns[0].is_empty() || table.title == "Uop execution stats")
        .flat_map(|table| {
            let sum = (table.title == "Uop execution stats").then(|| sum(table));
            let named = [
                "Traces created",
                "Traces executed",
                "Optimization attempts",
                "Optimizer attempts",
            ];
            let known = named.iter().filter_map(|name| table.row(name)?.get(1)?.count());
            known.chain(sum).collect::<Vec<_>>()
        })
        .collect()
}

fn put(cell: &mut Cell, exact: &Cell) {
    if matches!(cell, Cell::Printed(text) if *text == exact.text()) {
        *cell = exact.clone();
    }
}
