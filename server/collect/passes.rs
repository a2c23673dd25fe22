//! Which passes there are, and how often each runs the workload.

use std::time::Duration;

use super::merge::Finished;
use super::{LONG_ENOUGH_NS, MOST_COUNTED, Request, Timing, has_monitoring};
use crate::profile::{PassKind, WorkloadKind};

/// Most processes of the sampled pass. Shares of one of them are off by 0.02, of five by 0.01
/// (`docs/accuracy.md`).
pub const MOST_PROCESSES: u32 = 5;
/// All but the first may take this part of the pass's time to start.
const STARTING: f64 = 0.25;
/// Calls that each of them is to have time for.
const FEWEST_CALLS: f64 = 10.0;

/// Without monitoring, executions and misses need a pass each.
pub(super) fn kinds(request: &Request) -> Vec<PassKind> {
    let mut kinds = vec![PassKind::Natural];
    if request.timing == Timing::Sampled {
        kinds.push(PassKind::Sample);
    }
    if request.count {
        kinds.push(PassKind::Count);
        if !has_monitoring(&request.python) {
            kinds.push(PassKind::Misses);
        }
        if request.tells_failures() {
            kinds.push(PassKind::Pystats);
        }
        if request.types {
            kinds.push(PassKind::Types);
        }
    }
    if request.jit {
        kinds.push(PassKind::Jit);
    }
    kinds
}

/// One call, or for short workloads the power of ten that makes about a millisecond.
pub(super) fn counted_calls(natural: &Finished) -> u64 {
    let Some(result) = &natural.result else { return 1 };
    if result.calls <= 1 {
        return 1;
    }
    let per_call = result.wall_ns as f64 / result.calls as f64;
    let mut calls = 1;
    while calls * 10 <= result.calls.min(MOST_COUNTED) && calls as f64 * per_call < LONG_ENOUGH_NS {
        calls *= 10;
    }
    calls
}

/// How many processes the time of the sampled pass is divided among: one for what runs once, and where
/// starting another would take long (`overhead`: what a process takes besides its calls).
pub(super) fn sampled_processes(request: &Request, natural: &Finished, overhead: Duration) -> u32 {
    let repeats = matches!(request.workload.kind, WorkloadKind::Call | WorkloadKind::Doctest);
    let Some(result) = natural.result.as_ref().filter(|result| result.calls > 0) else {
        return 1;
    };
    if !repeats || request.calls.is_some() {
        return 1;
    }
    let budget = request.sampled_budget.as_secs_f64();
    let call = result.wall_ns as f64 / result.calls as f64 / 1e9;
    let by_start = 1.0 + STARTING * budget / overhead.as_secs_f64();
    let by_calls = budget / (FEWEST_CALLS * call);
    (1..=MOST_PROCESSES)
        .rev()
        .find(|&processes| f64::from(processes) <= by_start.min(by_calls))
        .unwrap_or(1)
}

/// Name of a pass, as in the report.
#[must_use]
pub fn name(kind: PassKind) -> &'static str {
    match kind {
        PassKind::Natural => "natural",
        PassKind::Count => "count",
        PassKind::Misses => "misses",
        PassKind::Types => "types",
        PassKind::Pystats => "pystats",
        PassKind::Sample => "sample",
        PassKind::Trace => "trace",
        PassKind::Jit => "jit",
    }
}
