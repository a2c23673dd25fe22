//! What a file is, by its content: never by its name.

use super::Problem;

/// A format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// Counters as a pystats build writes them.
    PystatsRaw,
    /// Counters as the summary script writes them.
    PystatsJson,
    /// A report of the summary script, in Markdown.
    PystatsReport,
    /// The text of a report as a web page shows it.
    PystatsPage,
}

impl Format {
    /// In words.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::PystatsRaw => "a pystats dump",
            Self::PystatsJson => "the JSON of a pystats summary",
            Self::PystatsReport => "a pystats report",
            Self::PystatsPage => "the text of a pystats report",
        }
    }
}

/// Lines of a text that are looked at: what a program printed may come first.
const LINES: usize = 200;

/// Tells a format by the first bytes.
pub(super) fn sniff(head: &[u8]) -> Result<Format, Problem> {
    if head.starts_with(&[0x1f, 0x8b]) {
        return Err(Problem::Refused(
            "this is packed more than once: unpack it first".to_owned(),
        ));
    }
    let text = String::from_utf8_lossy(head);
    if let Some(format) = of_json(text.trim_start()) {
        return Ok(format);
    }
    of_text(&text).ok_or(Problem::Unknown)
}

fn of_json(text: &str) -> Option<Format> {
    if !text.starts_with('{') {
        return None;
    }
    let has = |key: &str| text.contains(key);
    (has("\"opcode[") || has("\"_defines\"") || has("\"_stats_defines\"")).then_some(Format::PystatsJson)
}

fn of_text(text: &str) -> Option<Format> {
    let mut before = "";
    for line in text.lines().take(LINES) {
        let trimmed = line.trim();
        if is_counter(trimmed) {
            return Some(Format::PystatsRaw);
        }
        if trimmed == "## Execution counts" {
            return Some(Format::PystatsReport);
        }
        let is_head = trimmed == "Name Count Self Cumulative Miss ratio"
            || trimmed == "Name Base Count Head Count Change";
        if is_head || trimmed == "Execution counts for Tier 1 instructions." && before == "Execution counts" {
            return Some(Format::PystatsPage);
        }
        if !trimmed.is_empty() {
            before = trimmed;
        }
    }
    None
}

/// A line of a raw dump that no other program writes.
fn is_counter(line: &str) -> bool {
    let starts = ["opcode[", "uops[", "uop["]
        .iter()
        .any(|start| line.starts_with(start));
    starts && line.contains("].") && line.contains(':') || line.starts_with("Calls to PyEval_EvalDefault: ")
}
