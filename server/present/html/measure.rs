//! The one place that says what the shares of the report are of.

use serde::Serialize;

use crate::attribute::{Costs, FunctionCosts, LineCosts};
use crate::explain::{times, words};

/// What shares are parts of, in words.
#[derive(Debug, Serialize)]
pub(super) struct Measure {
    /// Head of a column of shares.
    column: &'static str,
    /// What a share is and is not, as a sentence.
    sentence: String,
}

/// What shares are of in this report.
pub(super) fn of(costs: &Costs) -> Measure {
    match &costs.time {
        Some(whole) => Measure {
            column: "time %",
            sentence: times::whole(whole),
        },
        None => Measure {
            column: "instr %",
            sentence: words::SHARE.to_owned(),
        },
    }
}

/// How much of the run a line is, 0 to 1.
pub(super) fn line(costs: &LineCosts) -> Option<f64> {
    costs.weight()
}

/// How much of the run a code object is without nested ones, 0 to 1.
pub(super) fn function(costs: &FunctionCosts) -> Option<f64> {
    costs.weight()
}
