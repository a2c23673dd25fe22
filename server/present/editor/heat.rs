//! How hot each line is.

use crate::attribute::FileCosts;
use crate::explain::sentences;

/// What shares of heat are parts of, to stand after a percentage.
#[must_use]
pub fn heat_of(costs: &FileCosts) -> &'static str {
    if costs.lines.values().any(|line| line.time.is_some()) {
        "of the time"
    } else {
        "of the executed instructions"
    }
}

/// A line and its part of the whole.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Heat {
    /// 1-based, in the measured text.
    pub line: u32,
    /// Share of the time, or of the executed instructions of all files; above 0 to 1.
    pub share: f64,
}

/// The lines that ran, in line order. None for a file whose text is not the measured one.
#[must_use]
pub fn heat(costs: &FileCosts) -> Vec<Heat> {
    if costs.stale {
        return Vec::new();
    }
    // The code of a module begins on line 0.
    let lines = costs.lines.values().filter(|line| line.line > 0);
    lines
        .filter(|line| !sentences::is_withheld(costs, line))
        .filter_map(|line| {
            let share = line.weight().filter(|share| *share > 0.0)?;
            Some(Heat {
                line: line.line,
                share,
            })
        })
        .collect()
}
