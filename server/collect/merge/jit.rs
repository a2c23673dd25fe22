//! What the pass with the JIT on showed of a code object.

use std::collections::BTreeMap;

use super::Finished;
use crate::collect::wire;
use crate::cpython::Version;
use crate::profile::jit::{Jit, Trace, Traced};
use crate::profile::{Instruction, Outcome, PassKind};

/// A loop that jumped back this many times as often as it takes to be tried, and has no executor, ran
/// hot without one.
const HOT: f64 = 2.0;

/// Calls with the JIT on for each counted one; none when it was not looked at.
pub(super) fn calls(finished: &[Finished]) -> Option<f64> {
    let of = |kind: PassKind| finished.iter().find(|pass| pass.kind == kind);
    let jit = of(PassKind::Jit).filter(|pass| pass.outcome == Outcome::Completed)?;
    let counted = of(PassKind::Count)?.result.as_ref()?.calls;
    Some(jit.result.as_ref()?.calls as f64 / counted.max(1) as f64)
}

/// Executors of a code object, what they contain, and loops that ran hot without one; none where there
/// is nothing to say.
pub(super) fn of(
    found: &[&wire::Jit],
    instructions: &[Instruction],
    calls: Option<f64>,
    version: &Version,
) -> Option<Jit> {
    if found.is_empty() {
        return None;
    }
    let mut traces: BTreeMap<u32, Trace> = BTreeMap::new();
    let mut sites: BTreeMap<u32, Traced> = BTreeMap::new();
    for jit in found {
        for executor in &jit.executors {
            let trace = traces.entry(executor.offset).or_default();
            // A module loaded twice has two: the longer one is told of.
            if trace.made > 0 && trace.uops > Some(executor.uops) {
                trace.made += 1;
                continue;
            }
            *trace = Trace {
                offset: executor.offset,
                made: trace.made + 1,
                uops: Some(executor.uops),
                bytes: executor.bytes,
                valid: executor.valid,
                closed: Some(executor.closed),
                exits: Some(executor.exits),
                ..Trace::default()
            };
        }
        for (&offset, &(inside, uops)) in &jit.sites {
            let site = sites.entry(offset).or_default();
            site.offset = offset;
            site.traces += inside;
            site.uops = Some(site.uops.unwrap_or(0) + uops);
        }
    }
    if let (Some(calls), Some(threshold)) = (calls, version.jit_threshold) {
        for one in instructions.iter().filter(|one| one.opcode == "JUMP_BACKWARD") {
            let jumps = one.executions.unwrap_or(0) as f64 * calls;
            // Inside another trace it needs none of its own.
            if jumps >= HOT * f64::from(threshold)
                && !traces.contains_key(&one.offset)
                && !sites.contains_key(&one.offset)
            {
                #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
                let trace = Trace {
                    offset: one.offset,
                    jumps: Some(jumps as u64),
                    ..Trace::default()
                };
                traces.insert(one.offset, trace);
            }
        }
    }
    let jit = Jit {
        traces: traces.into_values().collect(),
        sites: sites.into_values().collect(),
    };
    (!jit.is_empty()).then_some(jit)
}
