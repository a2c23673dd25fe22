//! Statistics of a process as text, Markdown and JSON.

use std::fmt::Write;

use serde_json::{Value, json};
use unicode_width::UnicodeWidthStr;

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
        plain(&about.sources.join(", "))
    );
    if !about.base.is_empty() {
        let _ = writeln!(page, "compared with {}\n", plain(&about.base.join(", ")));
    }
    let mut section = "";
    let mut title = "";
    for table in tables {
        if table.section != section {
            section = &table.section;
            title = "";
            let _ = writeln!(page, "{}\n", plain(section));
        }
        if table.title != title {
            title = &table.title;
            let _ = writeln!(page, "  {}\n", plain(title));
        }
        grid(&mut page, table);
    }
    for note in &about.notes {
        let _ = writeln!(page, "Note: {}", plain(note));
    }
    page
}

fn grid(page: &mut String, table: &Table) {
    let mut lines = vec![table.columns.clone()];
    let rows = table
        .rows
        .iter()
        .map(|row| row.iter().map(|cell| plain(&cell.text())).collect());
    lines.extend(rows);
    let width = |column: usize| {
        let cells = lines.iter().filter_map(|line: &Vec<String>| line.get(column));
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

/// Without characters that a terminal would obey.
fn plain(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect()
}

/// Tables as a report in Markdown, which can be read back.
#[must_use]
pub fn markdown(tables: &[Table], about: &About) -> String {
    let mut page = String::new();
    let mut section = "";
    let mut title = "";
    for table in tables {
        if table.section != section {
            section = &table.section;
            title = "";
            let _ = writeln!(page, "## {}\n", escaped(section));
        }
        if table.title != title {
            title = &table.title;
            let _ = writeln!(page, "### {}\n", escaped(title));
        }
        let _ = writeln!(page, "| {} |", table.columns.join(" | "));
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
    plain(text)
        .replace('&', "&amp;")
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
