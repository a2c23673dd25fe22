//! The report for a terminal: annotated source, then what costs, then what to know about it.

use std::fmt::Write;

use crate::attribute::Costs;
use crate::explain::number::{counted, duration};
use crate::explain::{self, Thresholds, sentences, times, words};
use crate::profile::{PassKind, Profile, State, WorkloadKind};

pub(super) mod cells;
mod listing;
mod page;
mod ranking;
mod region;
pub mod trace;
mod traces;
pub mod versions;

use page::{Page, Role};

/// What the terminal can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Write ANSI colours. Nothing is said by colour alone.
    pub color: bool,
    /// Cells of a line; below 40 is treated as 40.
    pub width: usize,
    /// Write ASCII only: other characters of the source are escaped.
    pub ascii: bool,
}

impl Default for Style {
    /// 80 cells, without colour.
    fn default() -> Self {
        Self {
            color: false,
            width: 80,
            ascii: false,
        }
    }
}

/// The report. The same input gives the same text.
#[must_use]
pub fn render(profile: &Profile, costs: &Costs, thresholds: &Thresholds, style: &Style) -> String {
    let findings = explain::findings(costs, thresholds);
    let mut page = Page::new(*style);
    header(&mut page, profile, costs);
    let regions = region::choose(profile, costs, thresholds);
    listing::write(&mut page, costs, &regions, &findings);
    page.heading("What costs");
    match explain::verdict(profile, costs, thresholds) {
        Some(verdict) => page.paragraph("", Role::Plain, &verdict),
        None => ranking::write(&mut page, &findings),
    }
    ranking::rest(&mut page, &findings, thresholds);
    traces::write(&mut page, costs);
    notes(&mut page, profile, costs);
    outcome(&mut page, profile);
    footer(&mut page, profile, costs, &regions);
    page.finish()
}

fn header(page: &mut Page, profile: &Profile, costs: &Costs) {
    let mut spans = vec![page.span(Role::Strong, &profile.workload.target)];
    spans.extend(
        facts(profile, costs)
            .iter()
            .map(|fact| page.span(Role::Plain, fact)),
    );
    page.flow(&spans, " · ", 0);
}

/// By what was run, how often undisturbed, and what the counts are of.
pub(super) fn facts(profile: &Profile, costs: &Costs) -> Vec<String> {
    let mut facts = sentences::interpreter(profile);
    let (one, many) = match profile.workload.kind {
        WorkloadKind::Call => ("call", "calls"),
        _ => ("run", "runs"),
    };
    if let Some(pass) = profile.pass(PassKind::Natural) {
        let mut fact = counted(pass.calls, &format!("natural {one}"), &format!("natural {many}"));
        match pass.call_ns {
            Some(ns) if pass.calls > 1 => {
                let _ = write!(fact, ", {} each", duration(ns));
            }
            _ => {
                let _ = write!(fact, ", {}", duration(pass.wall_ns as f64));
            }
        }
        facts.push(fact);
    }
    facts.push(match profile.pass(PassKind::Count) {
        Some(pass) if costs.instructions.is_some() => {
            format!("counts of {}", counted(pass.calls, one, many))
        }
        None if costs.instructions.is_some() => "executions imported".to_owned(),
        _ => "executions not counted".to_owned(),
    });
    facts
}

fn notes(page: &mut Page, profile: &Profile, costs: &Costs) {
    let mut sentences: Vec<_> = profile.notes.iter().map(words::note).collect();
    let stale = costs.files.iter().filter(|file| file.stale);
    sentences.extend(stale.map(|file| words::stale(&file.file.path)));
    if sentences.is_empty() {
        return;
    }
    page.heading("Notes");
    for sentence in sentences {
        page.paragraph("· ", Role::Plain, &sentence);
    }
}

fn outcome(page: &mut Page, profile: &Profile) {
    let outcomes = outcomes(profile);
    if outcomes.is_empty() {
        return;
    }
    page.heading("Outcome");
    for sentence in outcomes {
        page.paragraph("", Role::Generic, &sentence);
    }
}

/// How the passes ended that did not complete, each way once.
pub(super) fn outcomes(profile: &Profile) -> Vec<String> {
    let mut outcomes: Vec<(PassKind, String)> = Vec::new();
    for pass in &profile.passes {
        if let Some(sentence) = words::outcome(&pass.outcome)
            && !outcomes.iter().any(|(_, known)| *known == sentence)
        {
            outcomes.push((pass.kind, sentence));
        }
    }
    let several = outcomes.len() > 1;
    let sentence = |(pass, sentence)| {
        if several {
            format!("In the {}: {sentence}", words::pass(pass))
        } else {
            sentence
        }
    };
    outcomes.into_iter().map(sentence).collect()
}

fn footer(page: &mut Page, profile: &Profile, costs: &Costs, regions: &region::Regions) {
    page.blank();
    if let Some((codes, share)) = regions.left_out {
        page.paragraph("", Role::Dim, &words::left_out(codes, share));
    }
    if let Some(total) = costs
        .instructions
        .filter(|total| *total > 0 && costs.unplaced > 0)
    {
        let share = costs.unplaced as f64 / total as f64;
        if share >= 0.001 {
            page.paragraph("", Role::Dim, &words::unplaced(share));
        }
    }
    let mut states: Vec<_> = regions.states.iter().copied().collect();
    states.sort_by_key(|state| *state != State::Unspecialized);
    states.dedup_by_key(|state| mark(*state).map(|(mark, _)| mark));
    if !states.is_empty() {
        let legend: Vec<_> = states
            .iter()
            .filter_map(|state| Some(format!("{} {}", mark(*state)?.0, words::legend(*state))))
            .collect();
        let spans: Vec<_> = legend.iter().map(|entry| page.span(Role::Dim, entry)).collect();
        page.flow(&spans, "   ", 0);
    }
    if let Some(whole) = costs.time.filter(|_| !regions.list.is_empty()) {
        page.paragraph("", Role::Dim, &times::whole(&whole));
    } else if costs.instructions.is_some() && !regions.list.is_empty() {
        page.paragraph("", Role::Dim, words::SHARE);
    }
    let facts = words::provenance(profile);
    let spans: Vec<_> = facts.iter().map(|fact| page.span(Role::Dim, fact)).collect();
    page.flow(&spans, " · ", 0);
}

/// The symbol of a state that a report marks, and how it is painted.
fn mark(state: State) -> Option<(&'static str, Role)> {
    let role = if state == State::Unspecialized {
        Role::Generic
    } else {
        Role::Missing
    };
    Some((words::mark(state)?, role))
}
