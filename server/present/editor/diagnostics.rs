//! Sites that matter, on their expressions.

use std::collections::BTreeMap;

use crate::attribute::{Costs, FileCosts, SiteCosts, Tally};
use crate::cpython::causes::Advice;
use crate::explain::number::percent;
use crate::explain::{self, Finding, Thresholds, cause, jit, sentences, times};
use crate::profile::{Position, State};

use super::expression;
use super::related::{Places, Related};

/// Share of the time, or of the executed instructions without times, that the line of a strong
/// finding has at least; 0 to 1.
pub const STRONG_LINE_SHARE: f64 = 0.05;

/// Executions that the site of a strong finding has at least.
pub const STRONG_EXECUTIONS: u64 = 1_000;

/// Cells of an expression in a message: some editors show messages at the end of the line.
const NAME: usize = 40;

/// How much a diagnostic asks for attention.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Something is broken; for those who want findings to stop them.
    Error,
    /// Something is wrong.
    Warning,
    /// Something to know.
    Information,
    /// Something small.
    Hint,
}

/// Which findings become diagnostics, and how loud they are.
#[derive(Debug, Clone, PartialEq)]
pub struct DiagnosticOptions {
    /// Make diagnostics at all.
    pub enabled: bool,
    /// What a site must reach.
    pub thresholds: Thresholds,
    /// Of sites that reach [`STRONG_LINE_SHARE`] and [`STRONG_EXECUTIONS`].
    pub strong: Severity,
    /// Of the others.
    pub weak: Severity,
}

impl Default for DiagnosticOptions {
    /// Information and hints: code that works deserves no warning.
    fn default() -> Self {
        Self {
            enabled: true,
            thresholds: Thresholds::default(),
            strong: Severity::Information,
            weak: Severity::Hint,
        }
    }
}

/// A finding on an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// 1-based line, 0-based UTF-8 byte column, in the measured text.
    pub start: (u32, u32),
    /// The same, exclusive.
    pub end: (u32, u32),
    /// How much it asks for attention.
    pub severity: Severity,
    /// Name of the cause in the catalogue; `unspecialized`, `deopting` or `polymorphic` where none
    /// is known; `not-traced` for what keeps the JIT out.
    pub code: String,
    /// One sentence without a full stop, plain text.
    pub message: String,
    /// Other places that belong to it.
    pub related: Vec<Related>,
}

/// The findings of every file that has some, by path, in source order.
///
/// Code that the compiler duplicated gets one diagnostic. Files whose text is not the measured
/// one and code with withheld counts get none.
#[must_use]
pub fn diagnostics(costs: &Costs, options: &DiagnosticOptions) -> BTreeMap<String, Vec<Diagnostic>> {
    let mut by_path = BTreeMap::new();
    if !options.enabled {
        return by_path;
    }
    let mut merged: BTreeMap<Key, Merged> = BTreeMap::new();
    for finding in explain::findings(costs, &options.thresholds) {
        let file = finding.file;
        let is_withheld = file.functions[finding.site.function].code.withheld;
        let Some(code) = code(finding.site.instruction.state) else {
            continue;
        };
        if file.stale || is_withheld || finding.line.line == 0 || !finding.pays {
            continue;
        }
        let key = Key {
            path: &file.file.path,
            position: finding.site.position,
            opcode: &finding.site.instruction.opcode,
            argument: &finding.site.instruction.argument,
            code,
        };
        let tally = finding.site.tally;
        merged
            .entry(key)
            .and_modify(|known| known.tally = sum(known.tally, tally))
            .or_insert(Merged { finding, tally });
    }
    let places = Places::new(costs);
    for (key, merged) in merged {
        let diagnostics: &mut Vec<_> = by_path.entry(key.path.to_owned()).or_default();
        diagnostics.push(diagnostic(&places, &merged, key.code, options));
    }
    untraced(costs, options, &mut by_path);
    by_path
}

/// What keeps loops from being traced, on the expressions that do.
fn untraced(costs: &Costs, options: &DiagnosticOptions, by_path: &mut BTreeMap<String, Vec<Diagnostic>>) {
    for file in costs
        .files
        .iter()
        .filter(|file| !file.stale && jit::is_told(file))
    {
        for line in file.lines.values().filter(|line| line.line > 0) {
            let facts = jit::line(file, line).into_iter();
            for fact in facts.filter(|fact| fact.kind == jit::Kind::NotTraced) {
                let Some(position) = fact.position else { continue };
                let (start, end) = range(file, position);
                let diagnostics = by_path.entry(file.file.path.clone()).or_default();
                diagnostics.push(Diagnostic {
                    start,
                    end,
                    severity: options.weak,
                    code: "not-traced".to_owned(),
                    message: fact.text.clone(),
                    related: Vec::new(),
                });
            }
        }
    }
    for diagnostics in by_path.values_mut() {
        diagnostics.sort_by_key(|diagnostic| (diagnostic.start, diagnostic.end));
    }
}

/// What duplicates of a site have in common.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Key<'c> {
    path: &'c str,
    position: Position,
    opcode: &'c str,
    argument: &'c str,
    code: &'static str,
}

struct Merged<'c> {
    /// The heaviest of the duplicates.
    finding: Finding<'c>,
    /// Of all of them together.
    tally: Option<Tally>,
}

fn sum(one: Option<Tally>, other: Option<Tally>) -> Option<Tally> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one + other),
        (known, None) | (None, known) => known,
    }
}

fn code(state: State) -> Option<&'static str> {
    match state {
        State::Unspecialized => Some("unspecialized"),
        State::Deopting => Some("deopting"),
        State::Polymorphic => Some("polymorphic"),
        _ => None,
    }
}

fn diagnostic(places: &Places, merged: &Merged, code: &str, options: &DiagnosticOptions) -> Diagnostic {
    let finding = &merged.finding;
    let site = SiteCosts {
        tally: merged.tally,
        ..finding.site.clone()
    };
    let share = finding.line.weight();
    let whole = times::whole_of(finding.line);
    let cause = cause::best(site.instruction, finding.file.minor);
    // What saves little is a fact, not a call for attention, whatever the site weighs.
    let is_minor = cause.as_ref().is_some_and(|found| {
        matches!(
            found.cause.advice,
            Advice::Small | Advice::Upgrade | Advice::Leave
        )
    });
    let is_strong = !is_minor
        && share.is_some_and(|share| share >= STRONG_LINE_SHARE)
        && site
            .executions()
            .is_some_and(|executions| executions >= STRONG_EXECUTIONS);
    let (start, end) = range(finding.file, site.position);
    Diagnostic {
        start,
        end,
        severity: if is_strong { options.strong } else { options.weak },
        code: cause.map_or_else(|| code.to_owned(), |found| found.cause.id.clone()),
        message: message(finding.file, &site, share, whole),
        related: places.of(finding.file, &site),
    }
}

fn message(file: &FileCosts, site: &SiteCosts, share: Option<f64>, whole: &str) -> String {
    let name = expression::text(file, site.position, NAME, false).map(|text| format!("`{text}`"));
    let share = share.map(|share| format!("line: {} of {whole}", percent(share)));
    let rest: Vec<_> = name.into_iter().chain(share).collect();
    let problem = sentences::problem_first(file, site);
    if rest.is_empty() {
        problem
    } else {
        format!("{problem} ({})", rest.join(", "))
    }
}

/// The expression, or without columns the text of its first line.
fn range(file: &FileCosts, position: Position) -> ((u32, u32), (u32, u32)) {
    if let Some((start, end)) = position.columns {
        return (
            (position.line, start),
            (position.end_line.max(position.line), end),
        );
    }
    let text = file.text.as_ref().and_then(|text| text.line(position.line));
    let text = text.unwrap_or_default();
    let column = |bytes: usize| u32::try_from(bytes).unwrap_or(u32::MAX);
    let end = text.trim_end().len();
    let start = (text.len() - text.trim_start().len()).min(end);
    ((position.line, column(start)), (position.line, column(end)))
}
