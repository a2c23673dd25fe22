//! Statistics of a process as text, Markdown and JSON.

use std::fmt::Write;

use serde_json::{Value, json};
use unicode_width::UnicodeWidthStr;

use super::terminal::cells::clean;
use crate::stats::{Cell, Table};

/// What the `format` field of the JSON says.
pub const FORMAT: &str = "bytecost-stats";
/// The version of the JSON; fields may be added without a new one.
pub const VERSION: u32 = 1;

/// What is told about tables.
#[derive(Debug, Clone, Default)]
pub struct About {
    /// `major.minor` of the interpreter, when known.
    pub minor: Option<String>,
    /// The files that the tables come from.
    pub sources: Vec<String>,
    /// The files they are compared with; empty when they are not.
    pub base: Vec<String>,
    /// Whatever could not be used.
    pub notes: Vec<String>,
}

/// Tables for a terminal.
#[must_use]
pub fn text(tables: &[Table], about: &About) -> String {
    let mut page = String::new();
    let version = about
        .minor
        .as_deref()
        .map_or_else(String::new, |minor| format!(" · CPython {minor}"));
    let _ = writeln!(
        page,
        "{}{version} · imported, process-wide: not the numbers of any line\n",
        clean(&about.sources.join(", "), false)
    );
    if !about.base.is_empty() {
        let _ = writeln!(page, "compared with {}\n", clean(&about.base.join(", "), false));
    }
    for (section, title, table) in headed(tables) {
        if let Some(section) = section {
            let _ = writeln!(page, "{}\n", clean(section, false));
        }
        if let Some(title) = title {
            let _ = writeln!(page, "  {}\n", clean(title, false));
        }
        grid(&mut page, table);
    }
    for note in &about.notes {
        let _ = writeln!(page, "Note: {}", clean(note, false));
    }
    page
}

/// Each table with the headings that begin at it: of its section, and within that.
fn headed(tables: &[Table]) -> impl Iterator<Item = (Option<&str>, Option<&str>, &Table)> {
    let before = std::iter::once(None).chain(tables.iter().map(Some));
    tables.iter().zip(before).map(|(table, before)| {
        let same_section = before.is_some_and(|before| before.section == table.section);
        let known = before.filter(|_| same_section).map_or("", |before| &before.title);
        let section = (!same_section).then_some(table.section.as_str());
        let title = Some(table.title.as_str()).filter(|title| *title != known && !title.is_empty());
        (section, title, table)
    })
}

fn grid(page: &mut String, table: &Table) {
    let head = table.columns.iter().map(|column| clean(column, false)).collect();
    let mut lines: Vec<Vec<String>> = vec![head];
    let rows = table
        .rows
        .iter()
        .map(|row| row.iter().map(|cell| clean(&cell.text(), false)).collect());
    lines.extend(rows);
    let width = |column: usize| {
        let cells = lines.iter().filter_map(|line| line.get(column));
        cells.map(|cell| cell.width()).max().unwrap_or(0)
    };
    let widths: Vec<_> = (0..table.columns.len()).map(width).collect();
    for line in &lines {
        let mut text = String::from("   ");
        for (column, (cell, width)) in line.iter().zip(&widths).enumerate() {
            let fill = " ".repeat(width - cell.width().min(*width));
            if column == 0 {
                let _ = write!(text, " {cell}{fill}");
            } else {
                let _ = write!(text, "  {fill}{cell}");
            }
        }
        page.push_str(text.trim_end());
        page.push('\n');
    }
    page.push('\n');
}

/// Tables as a report in Markdown, which can be read back.
#[must_use]
pub fn markdown(tables: &[Table], about: &About) -> String {
    let mut page = String::new();
    for (section, title, table) in headed(tables) {
        if let Some(section) = section {
            let _ = writeln!(page, "## {}\n", escaped(section));
        }
        if let Some(title) = title {
            let _ = writeln!(page, "### {}\n", escaped(title));
        }
        let columns: Vec<_> = table.columns.iter().map(|column| escaped(column)).collect();
        let _ = writeln!(page, "| {} |", columns.join(" | "));
        let marks: Vec<_> = (0..table.columns.len())
            .map(|at| if at == 0 { "---" } else { "---:" })
            .collect();
        let _ = writeln!(page, "|{}|", marks.join("|"));
        for row in &table.rows {
            let cells: Vec<_> = row.iter().map(|cell| escaped(&cell.text())).collect();
            let _ = writeln!(page, "| {} |", cells.join(" | "));
        }
        page.push('\n');
    }
    for note in &about.notes {
        let _ = writeln!(page, "Note: {}\n", escaped(note));
    }
    page
}

fn escaped(text: &str) -> String {
    let text = clean(text, false);
    if !text.contains(['&', '<', '|']) {
        return text;
    }
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('|', "&#124;")
}

/// Tables as JSON, with every ratio as the part and the whole it comes from.
#[must_use]
pub fn json(tables: &[Table], about: &About) -> String {
    let tables: Vec<_> = tables
        .iter()
        .map(|table| {
            json!({
                "section": table.section,
                "title": table.title,
                "columns": table.columns,
                "rows": table.rows.iter().map(|row| row.iter().map(value).collect()).collect::<Vec<Vec<_>>>(),
            })
        })
        .collect();
    let document = json!({
        "format": FORMAT,
        "version": VERSION,
        "method": "process-wide",
        "python": about.minor,
        "sources": about.sources,
        "base": about.base,
        "notes": about.notes,
        "tables": tables,
    });
    document.to_string() + "\n"
}

fn value(cell: &Cell) -> Value {
    match cell {
        Cell::Empty | Cell::Ratio { part: 0, whole: 0 } => Value::Null,
        Cell::Label(text) => json!(text),
        Cell::Count(count) => json!(count),
        Cell::Ratio { part, whole } => json!({
            "part": i64::try_from(*part).unwrap_or(i64::MAX),
            "whole": u64::try_from(*whole).unwrap_or(u64::MAX),
            "text": cell.text(),
        }),
        Cell::Printed(text) => json!({ "text": text }),
    }
}

#[cfg(test)]
mod tests {
    use super::{About, markdown, text};
    use crate::stats::{Cell, Table};

    #[test]
    fn nothing_of_a_dump_steers_the_terminal_or_turns_text_around() {
        let hostile = "a\u{1b}[2J\u{202e}b\u{2066}c\u{200f}\nd";
        let mut table = Table::new(hostile, hostile, &["name", hostile]);
        table
            .rows
            .push(vec![Cell::Label(hostile.to_owned()), Cell::Count(1)]);
        let about = About {
            minor: None,
            sources: vec![hostile.to_owned()],
            base: vec![hostile.to_owned()],
            notes: vec![hostile.to_owned()],
        };
        let tables = [table];
        for page in [text(&tables, &about), markdown(&tables, &about)] {
            assert!(
                !page.contains(['\u{1b}', '\u{202e}', '\u{2066}', '\u{200f}']),
                "{page:?}"
            );
            assert!(page.contains("a·[2J·b·c· d"), "{page}");
        }
    }
}
