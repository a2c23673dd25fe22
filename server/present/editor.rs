//! What an editor shows of a profile: hints, diagnostics, hovers, disassembly.
//!
//! Nothing here knows a protocol. Lines and columns are those of the measured text: 1-based
//! lines, 0-based UTF-8 byte columns. Moving them to the text on screen is the caller's.

mod diagnostics;
mod expression;
mod heat;
mod hints;
mod hover;
mod listing;
mod markdown;
mod process;
mod related;
mod table;

pub use diagnostics::{
    Diagnostic, DiagnosticOptions, STRONG_EXECUTIONS, STRONG_LINE_SHARE, Severity, diagnostics,
};
pub use heat::{Heat, heat, heat_of};
pub use hints::{Hint, HintOptions, hints};
pub use hover::{Hover, HoverOptions, hover};
pub use listing::{Listing, listing};
pub use process::process_wide;
pub use related::Related;

use crate::attribute::{Costs, FileCosts};

/// The file of this path, if the text that was measured is not known to differ.
fn file<'c, 'p>(costs: &'c Costs<'p>, path: &str) -> Option<&'c FileCosts<'p>> {
    costs
        .files
        .iter()
        .find(|file| file.file.path == path && !file.stale)
}
