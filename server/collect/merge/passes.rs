//! What the passes themselves say: how they ended, how long they took, what to know about them.

use super::{Finished, sample, times};
use crate::collect::{has_monitoring, wire};
use crate::cpython;
use crate::profile::{Note, Outcome, Pass, PassKind, Python};
use crate::trace::Trace;

/// Fewer timed batches of calls have no median worth the name.
const FEWEST_BATCHES: usize = 10;
/// What disturbs takes less than the rest: calls that differ by more do different things.
const LEAST_UNDISTURBED: f64 = 0.8;

/// The passes that were made; processes of one pass are one.
pub(super) fn all(finished: &[Finished]) -> Vec<Pass> {
    let processes = finished.chunk_by(|one, next| one.kind == next.kind);
    processes.filter_map(pass).collect()
}

fn pass(processes: &[Finished]) -> Option<Pass> {
    let first = processes.first()?;
    let results = || processes.iter().filter_map(|process| process.result.as_ref());
    let mut calls: Vec<_> = results().flat_map(calls).collect();
    sort(&mut calls);
    let call_ns = median(&calls).or_else(|| {
        let result = results().find(|result| result.calls > 0)?;
        Some(result.first_ns.unwrap_or(result.wall_ns) as f64)
    });
    let failed = processes.iter().find(|process| process.outcome.is_failure());
    Some(Pass {
        kind: first.kind,
        calls: results().map(|result| result.calls).sum(),
        wall_ns: results().map(|result| result.wall_ns).sum(),
        call_ns,
        outcome: failed.unwrap_or(first).outcome.clone(),
    })
}

/// Calls by how long each took, ns, and how many did.
fn calls(result: &wire::Result) -> Vec<(f64, u64)> {
    let batches = result.batches.iter().filter(|(calls, _)| *calls > 0);
    let each = |&(calls, ns): &(u64, u64)| (ns as f64 / calls as f64, calls);
    // Batches of a fraction of a millisecond are the way up to longer ones: too short to time well.
    let long: Vec<_> = batches
        .clone()
        .filter(|(_, ns)| *ns >= 500_000)
        .map(each)
        .collect();
    let mut calls = if long.is_empty() {
        batches.map(each).collect()
    } else {
        long
    };
    sort(&mut calls);
    calls
}

/// By time.
fn sort(calls: &mut [(f64, u64)]) {
    calls.sort_by(|one, other| one.0.total_cmp(&other.0));
}

/// The median batch's time of a call, ns.
fn median(calls: &[(f64, u64)]) -> Option<f64> {
    Some(calls.get(calls.len() / 2)?.0)
}

/// Part of the time of all calls that they would have taken had each been like the median one, at most 1:
/// the rest is what else went on in the machine. 1 where calls differ by more than that.
pub(super) fn undisturbed(result: &wire::Result) -> f64 {
    let calls = calls(result);
    let all: f64 = calls.iter().map(|(ns, calls)| ns * *calls as f64).sum();
    let number: u64 = calls.iter().map(|(_, calls)| calls).sum();
    match median(&calls) {
        Some(median) if calls.len() >= FEWEST_BATCHES && all > 0.0 => {
            let part = median * number as f64 / all;
            if part >= LEAST_UNDISTURBED {
                part.min(1.0)
            } else {
                1.0
            }
        }
        _ => 1.0,
    }
}

/// The pass in which every instruction was traced; none when it gave no times.
pub(super) fn traced(trace: &Trace) -> Option<Pass> {
    let times = trace.times?;
    Some(Pass {
        kind: PassKind::Trace,
        calls: times.repeats,
        wall_ns: 0,
        call_ns: Some(times.call_ns),
        outcome: trace.outcome.clone(),
    })
}

pub(super) fn notes(python: &Python, finished: &[Finished]) -> Vec<Note> {
    let mut notes = Vec::new();
    if !python.known {
        notes.push(Note::UnknownVersion {
            minor: python.minor.clone(),
        });
    }
    let version = cpython::version(&python.minor);
    if version.is_some_and(|version| !version.specializes(python.free_threaded)) {
        notes.push(Note::NoSpecialization);
    }
    if python.pystats && !has_monitoring(python) {
        let why = "before 3.12 nothing tells by function what pystats count".to_owned();
        notes.push(Note::Skipped {
            pass: PassKind::Pystats,
            why,
        });
    }
    if is_too_short(finished) {
        let text = "The run was too short to be sampled: it has no times; a function is called again and again \
                    for as long as --time says.";
        notes.push(Note::Other {
            text: text.to_owned(),
        });
    }
    let mut children = false;
    for pass in finished {
        if let Some(Err(error)) = &pass.samples {
            let why = format!("{error}{}", advice(error));
            notes.push(Note::Skipped { pass: pass.kind, why });
            continue;
        }
        let why = match &pass.outcome {
            Outcome::Completed | Outcome::Exited { status: 0 } => None,
            Outcome::Exited { status } => Some(format!("the target exited with status {status}")),
            Outcome::Raised { exception, .. } => Some(format!("the target raised {exception}")),
            Outcome::Killed { signal, .. } => Some(format!("the process died of {signal}")),
            Outcome::TimedOut { seconds } => Some(format!("stopped after {seconds} s")),
        };
        let Some(result) = &pass.result else {
            let why = why.unwrap_or_else(|| {
                "its process left no result, as when it becomes another program or may write no file"
                    .to_owned()
            });
            notes.push(Note::Skipped { pass: pass.kind, why });
            continue;
        };
        if let Some(why) = why {
            notes.push(Note::Partial { pass: pass.kind, why });
        }
        children |= result.children;
        if let Some(by) = &result.foreign_instrument {
            notes.push(Note::Instrumented { by: by.clone() });
        }
        if pass.kind == PassKind::Count && result.string_codes > 0 {
            notes.push(Note::NotFromFile {
                file: "<string>".to_owned(),
                codes: result.string_codes,
                executions: None,
            });
        }
        notes.extend(result.notes.iter().map(|text| Note::Other { text: text.clone() }));
    }
    if children {
        notes.push(Note::Children);
    }
    // Several processes of a pass may say the same.
    let mut told = Vec::with_capacity(notes.len());
    for note in notes {
        if !told.contains(&note) {
            told.push(note);
        }
    }
    told
}

/// It was sampled and ended as it should, with too few samples to tell anything.
fn is_too_short(finished: &[Finished]) -> bool {
    let completed = finished.iter().filter(|pass| pass.outcome == Outcome::Completed);
    let samples = completed.filter_map(|pass| pass.samples.as_ref()?.as_ref().ok());
    samples.clone().next().is_some() && times::too_few(samples)
}

/// What to do where sampling was not possible.
fn advice(error: &sample::Error) -> &'static str {
    match error {
        sample::Error::Denied { .. } => {
            ": the system forbids one process to read another, as containers do without the right SYS_PTRACE"
        }
        _ => "",
    }
}
