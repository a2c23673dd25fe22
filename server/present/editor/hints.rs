//! One hint at the end of each measured line.

use std::collections::HashMap;

use crate::attribute::{FileCosts, FunctionCosts, LineCosts, Shape, Tally};
use crate::explain::number::{LEAST_SHARE, brief_count, brief_percent};
use crate::explain::{jit, sentences, words};
use crate::profile::State;

use super::hover::headline;

/// What a client wants hints to hold.
#[derive(Debug, Clone, Copy, PartialEq)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is a switch of its own to the user"
)]
pub struct HintOptions {
    /// Show hints at all.
    pub enabled: bool,
    /// Share of the time, or of the executed instructions where there are no times, that a line must
    /// have; 0 to 1.
    pub min_share: f64,
    /// Show the mark of a generic or missing site.
    pub mark: bool,
    /// Show the line's share of the time, or of the executed instructions.
    pub share: bool,
    /// Show the line's executions.
    pub executions: bool,
    /// Write ASCII only.
    pub ascii: bool,
    /// Most characters of a label. What does not fit is left out, the least important first.
    pub max_length: usize,
}

impl Default for HintOptions {
    /// Everything, in 24 characters: editors cut the hints of a line, those of other servers
    /// included, at about 43.
    fn default() -> Self {
        Self {
            enabled: true,
            min_share: 0.0,
            mark: true,
            share: true,
            executions: true,
            ascii: false,
            max_length: 24,
        }
    }
}

/// A hint at the end of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hint {
    /// 1-based, in the measured text.
    pub line: u32,
    /// At most [`HintOptions::max_length`] characters.
    pub label: String,
    /// The hover's headline, in Markdown.
    pub tooltip: String,
}

/// One hint per line that ran, in line order: its mark, share of the time (of the executed
/// instructions where times were not measured) and
/// executions; where a function begins, its calls. Where nothing was counted only marked lines
/// have one.
///
/// None for a file whose text is not the measured one, and for lines with withheld counts.
#[must_use]
pub fn hints(costs: &FileCosts, options: &HintOptions) -> Vec<Hint> {
    if !options.enabled || costs.stale {
        return Vec::new();
    }
    let functions = functions(costs);
    // The code of a module begins on line 0.
    let lines = costs.lines.values().filter(|line| line.line > 0);
    lines
        .filter(|line| !sentences::is_withheld(costs, line))
        .filter_map(|line| {
            let parts = match line.tally {
                // Dumps of samplers have times without counts.
                None if line.time.is_some() && is_heavy(line.weight(), options) => vec![
                    marked(line, options).map(|(mark, _)| mark.to_owned()),
                    share(line, options),
                ],
                None => vec![
                    marked(line, options).map(|(mark, word)| format!("{mark} {word}")),
                    traced(costs, line),
                ],
                Some(_) if let Some(function) = functions.get(&line.line) => vec![
                    marked(line, options).map(|(mark, _)| mark.to_owned()),
                    calls(function, options),
                ],
                Some(tally) if tally.executions() > 0 && is_heavy(line.weight(), options) => {
                    vec![
                        marked(line, options).map(|(mark, _)| mark.to_owned()),
                        share(line, options),
                        executions(line, options),
                    ]
                }
                Some(_) => return None,
            };
            let label = fitted(parts, options.max_length);
            (!label.is_empty()).then(|| Hint {
                line: line.line,
                label,
                tooltip: headline(costs, line, options.ascii),
            })
        })
        .collect()
}

fn is_heavy(share: Option<f64>, options: &HintOptions) -> bool {
    options.min_share <= 0.0 || share.is_some_and(|share| share >= options.min_share)
}

/// How a line without counts stands with the JIT's traces.
fn traced(file: &FileCosts, line: &LineCosts) -> Option<String> {
    let first = jit::line(file, line).into_iter().next()?;
    let word = match first.kind {
        jit::Kind::NotTraced => "not traced",
        jit::Kind::Left => "trace left",
        jit::Kind::Traced => "traced",
    };
    Some(word.to_owned())
}

/// Mark and word of the heaviest marked site.
fn marked(line: &LineCosts, options: &HintOptions) -> Option<(&'static str, &'static str)> {
    let sites = line
        .sites
        .iter()
        .filter(|site| options.mark && site.instruction.is_marked());
    let heaviest = sites.max_by_key(|site| {
        let cost = site.tally.map_or(0, |tally| match site.instruction.state {
            State::Unspecialized => Tally::executions(tally),
            _ => tally.misses,
        });
        (cost, std::cmp::Reverse(site.instruction.offset))
    })?;
    let state = heaviest.instruction.state;
    let mark = match words::mark(state)? {
        mark if !options.ascii => mark,
        "▲" => "!",
        _ => "~",
    };
    // The word of several forms is too long for a hint.
    let word = words::state(if state == State::Polymorphic {
        State::Deopting
    } else {
        state
    });
    Some((mark, word))
}

/// The functions that go on below their first line, by that line. How often a `def` ran and what
/// entering the function took would be read as what it did.
fn functions<'c, 'p>(costs: &'c FileCosts<'p>) -> HashMap<u32, &'c FunctionCosts<'p>> {
    let functions = costs.functions.iter().filter(|function| {
        let code = function.code;
        function.shape == Shape::Function && function.end_line > code.first_line && code.calls.is_some()
    });
    functions
        .map(|function| (function.code.first_line, function))
        .collect()
}

fn calls(function: &FunctionCosts, options: &HintOptions) -> Option<String> {
    let calls = function.code.calls.filter(|calls| *calls > 0)?;
    let is_shown = options.executions && is_heavy(function.weight(), options);
    let word = if calls == 1 { "call" } else { "calls" };
    is_shown.then(|| format!("{}{} {word}", times(options), brief_count(calls)))
}

fn times(options: &HintOptions) -> &'static str {
    if options.ascii { "x" } else { "×" }
}

fn share(line: &LineCosts, options: &HintOptions) -> Option<String> {
    // Of next to nothing the executions say enough.
    let share = line
        .weight()
        .filter(|share| options.share && *share >= LEAST_SHARE)?;
    let share = brief_percent(share);
    // A bare percentage is read as a share of the time.
    Some(match line.time {
        Some(_) => share,
        None => format!("{share} instr"),
    })
}

fn executions(line: &LineCosts, options: &HintOptions) -> Option<String> {
    let executions = line
        .executions
        .filter(|number| options.executions && *number > 0)?;
    Some(format!("{}{}", times(options), brief_count(executions)))
}

/// The first parts that fit together.
fn fitted(parts: Vec<Option<String>>, room: usize) -> String {
    let mut label = String::new();
    for part in parts.into_iter().flatten() {
        let gap = usize::from(!label.is_empty());
        if label.chars().count() + gap + part.chars().count() > room {
            break;
        }
        if gap > 0 {
            label.push(' ');
        }
        label.push_str(&part);
    }
    label
}
