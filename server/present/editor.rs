//! What an editor shows of a profile: hints, diagnostics, hovers and listings, as plain data.
//!
//! Lines are 1-based, columns 0-based UTF-8 bytes, all in the measured text.

use core::time::Duration;
use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::attribute::{Costs, FileCosts};
use crate::explain::number::{count, percent, short_count};
use crate::explain::{self, Thresholds};
use crate::profile::Profile;

/// What hints consist of.
#[derive(Debug, Clone, PartialEq)]
#[allow(clippy::struct_excessive_bools)] // One a part.
pub struct HintOptions {
    /// Whether there are any.
    pub enabled: bool,
    /// Share of the executed instructions a line must have, 0 to 1.
    pub min_share: f64,
    /// Show the mark.
    pub mark: bool,
    /// Show the share.
    pub share: bool,
    /// Show the executions.
    pub executions: bool,
    /// ASCII only.
    pub ascii: bool,
    /// Most characters of a label.
    pub max_length: usize,
}

/// A hint at the end of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hint {
    /// The line.
    pub line: u32,
    /// The text.
    pub label: String,
    /// More.
    pub tooltip: String,
}

/// The hints of a file, by line.
#[must_use]
pub fn hints(costs: &FileCosts, options: &HintOptions) -> Vec<Hint> {
    if !options.enabled {
        return Vec::new();
    }
    let mut hints = Vec::new();
    for line in costs.lines.values() {
        let (Some(share), Some(executions)) = (line.share, line.executions) else {
            continue;
        };
        if share < options.min_share || executions == 0 {
            continue;
        }
        let marked = line.sites.iter().any(|site| site.instruction.is_marked());
        let mut label = String::new();
        if marked && options.mark {
            label.push_str(if options.ascii { "! " } else { "▲ " });
        }
        if options.share {
            let _ = write!(label, "{} ", percent(share));
        }
        if options.executions {
            let _ = write!(label, "×{}", short_count(executions));
        }
        hints.push(Hint {
            line: line.line,
            label: label.trim_end().chars().take(options.max_length).collect(),
            tooltip: format!("{} executions", count(executions)),
        });
    }
    hints
}

/// How loud a diagnostic is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// An error.
    Error,
    /// A warning.
    Warning,
    /// Information.
    Information,
    /// A hint.
    Hint,
}

/// Which diagnostics there are.
#[derive(Debug, Clone, PartialEq)]
pub struct DiagnosticOptions {
    /// Whether there are any.
    pub enabled: bool,
    /// What a site must reach.
    pub thresholds: Thresholds,
    /// For strong advice.
    pub strong: Severity,
    /// For the rest.
    pub weak: Severity,
}

/// A site that matters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Line and column.
    pub start: (u32, u32),
    /// Line and column, exclusive.
    pub end: (u32, u32),
    /// How loud.
    pub severity: Severity,
    /// The cause's id.
    pub code: String,
    /// What is said.
    pub message: String,
    /// Other places.
    pub related: Vec<Related>,
}

/// A place a diagnostic refers to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Related {
    /// Path, as in the profile.
    pub path: String,
    /// Line and column.
    pub start: (u32, u32),
    /// Line and column, exclusive.
    pub end: (u32, u32),
    /// What is there.
    pub message: String,
}

/// The diagnostics of all files, by path.
#[must_use]
pub fn diagnostics(costs: &Costs, options: &DiagnosticOptions) -> BTreeMap<String, Vec<Diagnostic>> {
    let mut all: BTreeMap<String, Vec<Diagnostic>> = BTreeMap::new();
    if !options.enabled {
        return all;
    }
    for finding in explain::findings(costs, &options.thresholds) {
        let position = finding.site.position;
        let (start, end) = position.columns.unwrap_or((0, 0));
        all.entry(finding.file.file.path.clone())
            .or_default()
            .push(Diagnostic {
                start: (position.line, start),
                end: (position.end_line, end),
                severity: options.strong,
                code: finding.site.instruction.opcode.to_lowercase().replace('_', "-"),
                message: finding.evidence().join(", "),
                related: Vec::new(),
            });
    }
    all
}

/// A hover.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hover {
    /// Line and column.
    pub start: (u32, u32),
    /// Line and column, exclusive.
    pub end: (u32, u32),
    /// Markdown.
    pub markdown: String,
}

/// How a hover is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HoverOptions {
    /// ASCII only.
    pub ascii: bool,
    /// Since the measurement.
    pub age: Option<Duration>,
}

/// What there is to say about a place.
#[must_use]
pub fn hover(
    profile: &Profile,
    costs: &Costs,
    path: &str,
    line: u32,
    column: u32,
    options: &HoverOptions,
) -> Option<Hover> {
    let file = costs.files.iter().find(|file| file.file.path == path)?;
    let found = file.line(line)?;
    let site = found.sites.iter().find(|site| {
        site.position
            .columns
            .is_some_and(|(start, end)| start <= column && column < end)
    });
    let (start, end) = site.and_then(|site| site.position.columns).unwrap_or((0, 0));
    Some(Hover {
        start: (line, start),
        end: (line, end),
        markdown: format!(
            "**{}** · {} executions · CPython {}{}",
            percent(found.share.unwrap_or(0.0)),
            count(found.executions.unwrap_or(0)),
            profile.python.version,
            match options.age {
                Some(age) => format!(" · {} s ago", age.as_secs()),
                None => String::new(),
            }
        ),
    })
}

/// An annotated disassembly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// What it is of.
    pub title: String,
    /// The text.
    pub text: String,
    /// Source line of each line of the text.
    pub lines: Vec<Option<u32>>,
}

/// The function around a line.
#[must_use]
pub fn listing(profile: &Profile, costs: &Costs, path: &str, line: u32, _ascii: bool) -> Option<Listing> {
    let file = costs.files.iter().find(|file| file.file.path == path)?;
    let function = file
        .functions
        .iter()
        .filter(|function| function.code.first_line <= line && line <= function.end_line)
        .max_by_key(|function| function.code.first_line)?;
    let mut text = format!(
        "{} of {path} · CPython {}\n",
        function.code.qualname, profile.python.version
    );
    let mut lines = vec![None];
    for instruction in &function.code.instructions {
        let _ = writeln!(text, "{:>6} {}", instruction.offset, instruction.opcode);
        lines.push(instruction.position.map(|position| position.line));
    }
    Some(Listing {
        title: function.code.qualname.clone(),
        text,
        lines,
    })
}
