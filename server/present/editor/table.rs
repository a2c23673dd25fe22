//! Rows of cells to aligned text.

use unicode_width::UnicodeWidthStr;

use crate::present::terminal::cells::{self, Cells};

/// Blanks between columns.
const GAP: usize = 2;

/// How a column is laid out.
#[derive(Debug, Clone, Copy)]
pub(super) struct Column {
    /// Numbers stand on the right.
    pub right: bool,
    /// Most cells.
    pub most: usize,
    /// Fewest cells it may be cut to when a row is too wide; equal to `most` for never.
    pub least: usize,
}

impl Column {
    /// Text that may be cut to `least` cells.
    pub const fn text(most: usize, least: usize) -> Self {
        Self {
            right: false,
            most,
            least,
        }
    }

    /// Text or numbers that are never cut.
    pub const fn whole(right: bool) -> Self {
        Self {
            right,
            most: usize::MAX,
            least: usize::MAX,
        }
    }
}

/// Lays rows out in columns of at most `room` cells together; empty columns are left out. Every
/// cell comes out on one line and safe to show.
///
/// Columns are cut from the left on. What may not be cut can be wider than the room.
pub(super) fn align(columns: &[Column], rows: &[Vec<String>], room: usize, ascii: bool) -> Vec<String> {
    let rows: Vec<Vec<String>> = rows
        .iter()
        .map(|row| row.iter().map(|cell| cells::clean(cell, ascii)).collect())
        .collect();
    let mut widths: Vec<usize> = columns
        .iter()
        .enumerate()
        .map(|(index, column)| {
            let cells = rows.iter().filter_map(|row| row.get(index));
            cells.map(|cell| cell.width()).max().unwrap_or(0).min(column.most)
        })
        .collect();
    let used = widths.iter().filter(|width| **width > 0);
    let mut over = used
        .map(|width| width + GAP)
        .sum::<usize>()
        .saturating_sub(room + GAP);
    for (width, column) in widths.iter_mut().zip(columns) {
        let cut = width.saturating_sub(column.least).min(over);
        *width -= cut;
        over -= cut;
    }
    rows.iter()
        .map(|row| lay_out(columns, &widths, row, ascii))
        .collect()
}

fn lay_out(columns: &[Column], widths: &[usize], row: &[String], ascii: bool) -> String {
    let mut line = String::new();
    let mut is_first = true;
    for ((cell, column), width) in row.iter().zip(columns).zip(widths) {
        if *width == 0 {
            continue;
        }
        if !is_first {
            line.push_str(&" ".repeat(GAP));
        }
        is_first = false;
        let text = Cells::new(cell, ascii).fit(*width);
        let blank = " ".repeat(width.saturating_sub(text.width()));
        if column.right {
            line.push_str(&blank);
            line.push_str(&text);
        } else {
            line.push_str(&text);
            line.push_str(&blank);
        }
    }
    line.truncate(line.trim_end().len());
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(rows: &[&[&str]]) -> Vec<Vec<String>> {
        rows.iter()
            .map(|row| row.iter().map(|cell| (*cell).to_owned()).collect())
            .collect()
    }

    #[test]
    fn columns_are_aligned_in_cells() {
        let columns = [Column::text(20, 4), Column::whole(false), Column::whole(true)];
        let rows = rows(&[&["数 % 7", "", "1"], &["x", "", "20,000"]]);
        assert_eq!(
            align(&columns, &rows, 40, false),
            ["数 % 7       1", "x       20,000"]
        );
    }

    #[test]
    fn what_is_too_wide_is_cut() {
        let columns = [Column::text(20, 4), Column::text(20, 4), Column::whole(true)];
        let rows = rows(&[&["abcdefghijkl", "mnopqrstuvwx", "12345"]]);
        for room in [13, 17, 20, 25, 33, 40] {
            let line = &align(&columns, &rows, room, false)[0];
            assert!(line.width() <= room.max(17), "{line}");
            assert!(line.ends_with("12345"), "{line}");
        }
        assert_eq!(align(&columns, &rows, 25, false), ["abc…  mnopqrstuvwx  12345"]);
    }
}
