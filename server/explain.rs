//! From costs to findings and sentences: which sites matter, and what to say about them.
//!
//! Every English sentence of a report is made here.

use crate::attribute::{Costs, FileCosts, LineCosts, SiteCosts};
use crate::cpython::causes::Advice;
use crate::profile::{Note, Profile, State};

pub mod cause;
pub mod entry;
pub mod failures;
pub mod ignore;
pub mod jit;
pub mod number;
pub mod rewrite;
pub mod sentences;
pub mod times;
pub mod traced;
pub mod types;
pub mod versions;
pub mod words;

use std::collections::BTreeMap;

use number::{count, counted, percent};

/// What a site must reach to be worth a reader's time.
#[derive(Debug, Clone, PartialEq)]
pub struct Thresholds {
    /// Executions of the site in the counted pass.
    pub executions: u64,
    /// Share of the run's time that its line must have, of the executed instructions where times were
    /// not measured; 0 to 1.
    pub line_share: f64,
    /// Share of the time that its remedy must save at most to be advised, 0 to 1.
    pub saving_share: f64,
    /// Causes (or states, where no cause is known) that are not wanted.
    pub ignore: Vec<String>,
    /// What remedies save on this machine, ns an execution by cause; where one is missing the
    /// catalogue's own timing stands in.
    pub saves: BTreeMap<String, f64>,
}

impl Default for Thresholds {
    /// 100 executions on a line with 1 % of the time, and 0.1 % of it to save.
    fn default() -> Self {
        Self {
            executions: 100,
            line_share: 0.01,
            saving_share: 0.001,
            ignore: Vec::new(),
            saves: BTreeMap::new(),
        }
    }
}

/// A site that matters: generic after trying, or specialized and missing.
#[derive(Debug, Clone, Copy)]
pub struct Finding<'c> {
    /// The file it is in.
    pub file: &'c FileCosts<'c>,
    /// The line it is on.
    pub line: &'c LineCosts<'c>,
    /// The instruction.
    pub site: &'c SiteCosts<'c>,
    /// Executions that did not take the fast path; none when not counted.
    pub weight: Option<u64>,
    /// What its remedy saves at most; none where that was never timed.
    pub saving: Option<Saving>,
    /// Whether there is something to gain: its remedy is no "leave it", and where what it saves is known,
    /// that reaches the threshold.
    pub pays: bool,
}

/// An upper bound on what a remedy saves.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Saving {
    /// Of all counted calls together, ns.
    pub ns: f64,
    /// The same as a share of the time that lines have theirs of, 0 to 1: of the time of the measured
    /// files, else of the undisturbed time of these calls.
    pub share: Option<f64>,
    /// Timed on this machine, not only when the catalogue was made.
    pub calibrated: bool,
}

/// What an execution saves where nothing was timed, ns, for the order of findings only: the
/// median of the catalogue.
const NEUTRAL_NS: f64 = 8.0;

/// The same for remedies that save next to nothing.
const LITTLE_NS: f64 = 0.5;

/// The sites that matter, heaviest first.
///
/// A generic site weighs its deferred executions (all of them where those are not known), a
/// missing one its misses, each times what the remedy of its cause saves. Sites that were not
/// counted come last, those on the line with the most samples first, then by their misses if those
/// are known, then in source order; without times they cannot be held to the thresholds and all come.
#[must_use]
pub fn findings<'c>(costs: &'c Costs<'c>, thresholds: &Thresholds) -> Vec<Finding<'c>> {
    let samples = costs.time.and_then(|whole| whole.samples());
    let is_well_sampled = samples.is_none_or(|samples| samples >= WELL_SAMPLED);
    let mut ranked: Vec<_> = marked(costs)
        .filter(|finding| matters(finding, thresholds, is_well_sampled))
        .map(|mut finding| {
            // A cause is matched for it.
            let each = per_execution(finding.file, finding.line, finding.site, &thresholds.saves);
            finding.saving = finding
                .weight
                .zip(each)
                .and_then(|(weight, each)| saving(finding.line, weight, costs, each));
            finding.pays = pays(&finding, thresholds, costs);
            let ns = each.map_or(NEUTRAL_NS, |(ns, _)| ns.max(LITTLE_NS));
            let rank = match finding.saving {
                Some(saving) if ns.is_infinite() => Some(saving.ns),
                _ => finding.weight.map(|weight| weight as f64 * ns),
            };
            // Without counts, the line's time says what matters before the misses do.
            let uncounted = finding.weight.is_none().then(|| {
                let samples = finding.line.time.map_or(0, |time| time.samples);
                (samples, finding.site.misses())
            });
            (rank, uncounted, finding)
        })
        .collect();
    // The sort is stable: equal ranks stay in source order.
    ranked.sort_by(|(first, uncounted, _), (second, other, _)| {
        let by_rank = match (first, second) {
            (Some(first), Some(second)) => second.total_cmp(first),
            (first, second) => second.is_some().cmp(&first.is_some()),
        };
        by_rank.then_with(|| other.cmp(uncounted))
    });
    ranked.into_iter().map(|(_, _, finding)| finding).collect()
}

/// Whether the remedy is worth writing down. Without measured times the whole is the wall time of the
/// run, with the start of the interpreter in it: nothing to hold a part against.
fn pays(finding: &Finding, thresholds: &Thresholds, costs: &Costs) -> bool {
    let saving = finding.saving.filter(|_| costs.time.is_some());
    let share = saving.and_then(|saving| saving.share);
    share.is_none_or(|share| share >= thresholds.saving_share)
        && cause::best(finding.site.instruction, finding.file.minor).is_none_or(|found| {
            let is_idle = share.is_none() && found.cause.saves_nothing_on(finding.file.minor);
            found.cause.advice != Advice::Leave && !(is_idle && costs.time.is_some())
        })
}

/// What the remedy of a site's cause saves an execution, ns, and whether that was timed here; infinite
/// where only the time of the line bounds it.
fn per_execution(
    file: &FileCosts,
    line: &LineCosts,
    site: &SiteCosts,
    calibrated: &BTreeMap<String, f64>,
) -> Option<(f64, bool)> {
    let cause = cause::best(site.instruction, file.minor)?.cause;
    if cause.grows {
        return line.time.map(|_| (f64::INFINITY, false));
    }
    if let Some(ns) = calibrated.get(&cause.id) {
        return Some((ns.max(0.0), true));
    }
    cause.saves_ns.get(file.minor).map(|ns| (*ns, false))
}

/// What the remedy saves in all, from what it saves an execution.
fn saving(line: &LineCosts, weight: u64, costs: &Costs, (each, calibrated): (f64, bool)) -> Option<Saving> {
    let busy = costs.time.map(|whole| whole.busy_ns()).filter(|busy| *busy > 0.0);
    let whole = busy.or(costs.natural_ns);
    let all = whole.unwrap_or(f64::INFINITY);
    // No more than the line takes as a whole: times of single instructions run into one another.
    let most = line.time.as_ref().map_or(1.0, |time| {
        (time.share + time.error.unwrap_or(0.0)).clamp(0.0, 1.0)
    });
    let ns = (each * weight as f64).min(all * most);
    (ns > 0.0 && ns.is_finite()).then(|| Saving {
        ns,
        share: whole.map(|all| ns / all),
        calibrated,
    })
}

/// The same for a site of any weight, marked or not; none where its remedy, or its weight, is not known.
#[must_use]
pub fn saving_at(
    costs: &Costs,
    file: &FileCosts,
    line: &LineCosts,
    site: &SiteCosts,
    calibrated: &BTreeMap<String, f64>,
) -> Option<Saving> {
    let weight = site.instruction.is_marked().then(|| weight(site))??;
    saving(line, weight, costs, per_execution(file, line, site, calibrated)?)
}

/// Samples of a run from which on five of them are 1 % of the time.
const WELL_SAMPLED: u64 = 500;

/// Executions that did not take a fast path; none when not counted.
fn weight(site: &SiteCosts) -> Option<u64> {
    site.tally.map(|tally| match site.instruction.state {
        State::Unspecialized if tally.deferred > 0 => tally.deferred,
        State::Unspecialized => tally.executions(),
        _ => tally.misses,
    })
}

fn matters(finding: &Finding, thresholds: &Thresholds, is_well_sampled: bool) -> bool {
    let is_heavy = || {
        let line = finding.line;
        let enough = |share: f64| share >= thresholds.line_share;
        // Of few samples one is a large part: then the line's instructions must be enough too.
        let sampled = line.time.is_none() || is_well_sampled;
        line.weight().is_some_and(enough) && (sampled || line.share.is_none_or(enough))
    };
    let is_enough = match finding.site.executions() {
        Some(executions) => executions >= thresholds.executions && is_heavy(),
        None => finding.line.time.is_none() || is_heavy(),
    };
    // A cause is matched for the last: it is asked of few.
    is_enough && !has_settled(finding.site) && !is_unwanted(finding, &thresholds.ignore)
}

/// Misses after which a site is specialized anew (`ADAPTIVE_COOLDOWN_VALUE` in CPython's
/// `Include/internal/pycore_code.h`, and the miss that ends it).
const ROUND: u64 = 53;

/// Misses of a site that is specialized anew twice: what a change of types at the start costs.
const SETTLING: u64 = 2 * ROUND;

/// Whether it missed a little at first and hit from then on: no more misses than two rounds of
/// specialization take, and those a small part, or just whole rounds: then the last form never missed.
fn has_settled(site: &SiteCosts) -> bool {
    let missing = matches!(site.instruction.state, State::Deopting | State::Polymorphic);
    missing
        && match (site.misses(), site.executions()) {
            (Some(misses), Some(executions)) => {
                misses <= SETTLING
                    && (misses.saturating_mul(10) < executions || misses > 0 && misses.is_multiple_of(ROUND))
            }
            _ => false,
        }
}

/// Whether a comment on the line or the project's settings turn it off.
fn is_unwanted(finding: &Finding, ignore: &[String]) -> bool {
    let code = code(finding.file, finding.site);
    let lines = [finding.site.position.line, finding.site.position.end_line];
    ignore.contains(&code)
        || finding.file.text.as_ref().is_some_and(|text| {
            let mut lines = lines.iter().filter_map(|line| text.line(*line));
            lines.any(|line| ignore::is_ignored(line, &code))
        })
}

/// Name of a marked site's cause in the catalogue; its state where none is known.
#[must_use]
pub fn code(file: &FileCosts, site: &SiteCosts) -> String {
    match cause::best(site.instruction, file.minor) {
        Some(found) => found.cause.id.clone(),
        None => match site.instruction.state {
            State::Unspecialized => "unspecialized",
            State::Deopting => "deopting",
            _ => "polymorphic",
        }
        .to_owned(),
    }
}

/// Every marked site, in source order.
fn marked<'c>(costs: &'c Costs<'c>) -> impl Iterator<Item = Finding<'c>> {
    sites(costs)
        .filter(|(_, _, site)| site.instruction.is_marked())
        .map(|(file, line, site)| {
            let weight = weight(site);
            Finding {
                file,
                line,
                site,
                weight,
                saving: None,
                pays: true,
            }
        })
}

fn sites<'c>(
    costs: &'c Costs<'c>,
) -> impl Iterator<Item = (&'c FileCosts<'c>, &'c LineCosts<'c>, &'c SiteCosts<'c>)> {
    costs.files.iter().flat_map(|file| {
        file.lines
            .values()
            .flat_map(move |line| line.sites.iter().map(move |site| (file, line, site)))
    })
}

impl Finding<'_> {
    /// What was measured at the site, in facts to be joined: how much, what share, which forms.
    #[must_use]
    pub fn evidence(&self) -> Vec<String> {
        let instruction = self.site.instruction;
        let mut facts = vec![if instruction.state == State::Unspecialized {
            self.generic_evidence()
        } else {
            self.missing_evidence()
        }];
        let seen = instruction
            .site
            .as_ref()
            .map(|site| &site.forms_seen)
            .filter(|seen| seen.len() > 1);
        if let Some(seen) = seen {
            let forms: Vec<_> = seen
                .iter()
                .map(|(form, misses)| format!("{form} ({})", counted(misses, "miss", "misses")))
                .collect();
            facts.push(format!("seen as {}", forms.join(", ")));
        }
        if let Some(share) = self.line.weight() {
            let whole = times::whole_of(self.line);
            facts.push(format!("on a line with {} of {whole}", percent(share)));
        }
        if let Some(share) = self.saving.and_then(|saving| saving.share) {
            facts.push(format!("its remedy saves at most {} of the time", percent(share)));
        }
        facts.extend(self.counted_by_cpython());
        facts
    }

    /// The failure kinds of its family in its function, where the build counts them.
    fn counted_by_cpython(&self) -> Option<String> {
        let failures = self
            .file
            .functions
            .get(self.site.function)?
            .code
            .failures
            .as_ref()?;
        let opcode = &self.site.instruction.opcode;
        failures::of_family(failures, opcode, self.file.minor)
    }

    fn generic_evidence(&self) -> String {
        let attempts = self
            .site
            .instruction
            .site
            .as_ref()
            .and_then(|site| site.failed_attempts);
        match (self.site.tally, attempts) {
            (Some(tally), _) if tally.deferred > 0 => {
                format!(
                    "generic in {} of {} executions",
                    count(tally.deferred),
                    count(tally.executions())
                )
            }
            (Some(tally), _) => format!("generic, {}", executions(tally.executions())),
            (None, Some(attempts)) if attempts > 0 => {
                format!(
                    "generic after {}",
                    counted(attempts.into(), "failed attempt", "failed attempts")
                )
            }
            (None, _) => "generic, executions not counted".to_owned(),
        }
    }

    fn missing_evidence(&self) -> String {
        let site = self.site;
        let Some(misses) = site.misses() else {
            return "missing, misses not counted".to_owned();
        };
        let method = site.instruction.site.as_ref().and_then(|site| site.misses);
        let (bound, method) = match method {
            Some(method) => (
                if method.at_least { "at least " } else { "" },
                words::misses_method(method),
            ),
            None => ("", ""),
        };
        let misses_text = counted(misses, "miss", "misses");
        match site.executions() {
            Some(all) => {
                let rate = percent(if all == 0 { 0.0 } else { misses as f64 / all as f64 });
                format!("{bound}{misses_text} in {} ({rate}), {method}", executions(all))
            }
            None => format!("{bound}{misses_text}, {method}"),
        }
    }
}

fn executions(number: u64) -> String {
    counted(number, "execution", "executions")
}

/// What to say when no site matters; none when some do.
#[must_use]
pub fn verdict(profile: &Profile, costs: &Costs, thresholds: &Thresholds) -> Option<String> {
    let found = findings(costs, thresholds);
    if found.iter().any(|finding| finding.pays) {
        return None;
    }
    if !found.is_empty() {
        return Some(words::nothing_pays(found.len(), thresholds.saving_share));
    }
    let mut seen = Seen::default();
    for (_, _, site) in sites(costs) {
        seen.add(site.instruction.state);
    }
    let has_note = |wanted: fn(&Note) -> bool| profile.notes.iter().any(wanted);
    let sentence = if seen.ran == 0 {
        "Nothing to judge: no code of the workspace ran.".to_owned()
    } else if has_note(|note| matches!(note, Note::NoSpecialization)) {
        "Nothing to judge: this build of CPython does not specialize.".to_owned()
    } else if has_note(|note| {
        matches!(
            note,
            Note::Imported {
                specialization: false,
                ..
            }
        )
    }) {
        "Nothing to judge: the dump does not say what specialized.".to_owned()
    } else if has_note(|note| matches!(note, Note::UnknownVersion { .. })) && seen.specialized == 0 {
        "Nothing to judge: what specialized here is not known for this version of CPython.".to_owned()
    } else if seen.marked > 0 {
        let share = percent(thresholds.line_share);
        format!(
            "Nothing to gain worth the effort: {} generic or missing, with fewer than {} or on a line with less than {}% of the {}.",
            counted(seen.marked, "site is", "sites are"),
            executions(thresholds.executions),
            share.trim_end_matches('%').trim_end_matches(".0"),
            if costs.time.is_some() {
                "time"
            } else {
                "instructions"
            },
        )
    } else if seen.imported > 0 {
        "Not judged: the dump tells the forms that were seen, not what CPython tried or whether guards held."
            .to_owned()
    } else if seen.hidden > 0 {
        "Nothing to judge: a debugger, profiler or monitoring tool hid the specialized forms.".to_owned()
    } else if seen.specialized == 0 && seen.cold > 0 {
        "Too cold to judge: nothing ran often enough for CPython to try to specialize it.".to_owned()
    } else if seen.cold > 0 {
        "Nothing to gain: everything that ran often enough to be tried is specialized and hits.".to_owned()
    } else if seen.specialized == 0 {
        "Nothing to gain: none of the instructions that ran has a specialized form.".to_owned()
    } else {
        "Nothing to gain: everything that can be specialized is, and hits.".to_owned()
    };
    Some(sentence)
}

/// Numbers of instructions by what can be said about them.
#[derive(Default)]
struct Seen {
    ran: u64,
    marked: u64,
    specialized: u64,
    cold: u64,
    hidden: u64,
    imported: u64,
}

impl Seen {
    fn add(&mut self, state: State) {
        self.ran += u64::from(state != State::NotExecuted);
        match state {
            State::NotExecuted | State::Basic => {}
            State::Cold => self.cold += 1,
            State::Specialized => self.specialized += 1,
            State::Unspecialized | State::Deopting | State::Polymorphic => self.marked += 1,
            State::Instrumented => self.hidden += 1,
            State::Imported => self.imported += 1,
        }
    }
}
