//! Which passes there are, and how often each runs the workload.

use super::merge::Finished;
use super::{LONG_ENOUGH_NS, MOST_COUNTED, Request, Timing, has_monitoring};
use crate::profile::PassKind;

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
