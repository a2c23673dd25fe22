//! Process-wide statistics of a pystats build: counters in, tables out.
//!
//! Nothing here belongs to a line: counters are of a whole process, by opcode name. The tables are
//! those of CPython's `Tools/scripts/summarize_stats.py`, with its rows, order and ratios.

pub mod compare;
pub mod counters;
pub mod family;
pub mod opcodes;
mod optimizer;
pub mod tables;

pub use counters::Counters;

/// What a file of statistics says.
#[derive(Debug, Clone, PartialEq)]
pub enum Statistics {
    /// Counters, from which every table is computed.
    Counters(Box<Counters>),
    /// The tables of a report that someone printed.
    Report(Vec<Table>),
    /// The tables of a printed comparison: base and head.
    Comparison(Vec<Table>),
}

/// A table.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// Heading of the section, for instance `Execution counts`.
    pub section: String,
    /// Heading within the section: an opcode or a part; empty when the section has but one table.
    pub title: String,
    /// Heads of the columns.
    pub columns: Vec<String>,
    /// Rows, each as long as `columns`.
    pub rows: Vec<Vec<Cell>>,
}

/// A cell of a table.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// There is nothing to say.
    Empty,
    /// The name of the row.
    Label(String),
    /// A number of events, objects or bytes.
    Count(u64),
    /// A part of a whole, exact.
    Ratio {
        /// The part; negative for a decrease.
        part: i128,
        /// The whole; 0 when there is none.
        whole: u128,
    },
    /// A ratio that was printed and whose whole is not known.
    Printed(String),
}

impl Cell {
    /// A part of a whole.
    #[must_use]
    pub fn ratio(part: u64, whole: u64) -> Self {
        Self::Ratio {
            part: i128::from(part),
            whole: u128::from(whole),
        }
    }

    /// The text as the summary script prints it: thousands with commas, ratios as percentages with one
    /// decimal.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Empty | Self::Ratio { part: 0, whole: 0 } => String::new(),
            Self::Label(text) | Self::Printed(text) => text.clone(),
            Self::Count(count) => thousands(&count.to_string()),
            Self::Ratio { part, whole: 0 } => format!("{} / 0 !!", signed(&part.to_string())),
            Self::Ratio { .. } => {
                let percent = format!("{:.1}", self.value().unwrap_or_default() * 100.0);
                format!("{}%", signed(&percent))
            }
        }
    }

    /// A ratio as a number; none where it has none.
    #[must_use]
    pub fn value(&self) -> Option<f64> {
        match self {
            Self::Ratio { part, whole } if *whole > 0 => Some(*part as f64 / *whole as f64),
            _ => None,
        }
    }

    /// The number of a counted cell.
    #[must_use]
    pub fn count(&self) -> Option<u64> {
        match self {
            Self::Count(count) => Some(*count),
            _ => None,
        }
    }
}

fn signed(number: &str) -> String {
    number
        .strip_prefix('-')
        .map_or_else(|| thousands(number), |digits| format!("-{}", thousands(digits)))
}

/// Commas between groups of three digits of the whole part.
fn thousands(number: &str) -> String {
    let (whole, fraction) = match number.find('.') {
        Some(point) => number.split_at(point),
        None => (number, ""),
    };
    let mut text = String::with_capacity(number.len() + number.len() / 3);
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text + fraction
}

impl Table {
    /// A table without rows.
    #[must_use]
    pub fn new(section: &str, title: &str, columns: &[&str]) -> Self {
        Self {
            section: section.to_owned(),
            title: title.to_owned(),
            columns: columns.iter().map(|&column| column.to_owned()).collect(),
            rows: Vec::new(),
        }
    }

    /// The row of this name.
    #[must_use]
    pub fn row(&self, name: &str) -> Option<&[Cell]> {
        self.rows
            .iter()
            .find(|row| row.first().is_some_and(|cell| cell.text() == name))
            .map(Vec::as_slice)
    }
}

impl Statistics {
    /// The tables, without empty ones.
    #[must_use]
    pub fn tables(&self) -> Vec<Table> {
        match self {
            Self::Counters(counters) => tables::all(counters),
            Self::Report(tables) | Self::Comparison(tables) => tables.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Cell;

    /// Against what Python's `format` gives.
    #[test]
    fn numbers_are_printed_as_the_script_prints_them() {
        assert_eq!(Cell::Count(1_234_567).text(), "1,234,567");
        assert_eq!(Cell::Count(100).text(), "100");
        assert_eq!(Cell::ratio(1, 8).text(), "12.5%");
        assert_eq!(Cell::ratio(136_158, 5232).text(), "2,602.4%");
        assert_eq!(Cell::ratio(0, 0).text(), "");
        let change = Cell::Ratio {
            part: -989,
            whole: 1000,
        };
        assert_eq!(change.text(), "-98.9%");
        let from_nothing = Cell::Ratio {
            part: 17_544,
            whole: 0,
        };
        assert_eq!(from_nothing.text(), "17,544 / 0 !!");
    }
}
