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
    let mut traces: BTreeMap<(u32, bool), Trace> = BTreeMap::new();
    let mut sites: BTreeMap<u32, Traced> = BTreeMap::new();
    for jit in found {
        for executor in &jit.executors {
            let trace = traces.entry((executor.offset, executor.side)).or_default();
            // A module loaded twice has two: the longer one is told of.
            if trace.made > 0 && trace.uops > Some(executor.uops) {
                trace.made += 1;
                continue;
            }
            *trace = Trace {
                offset: executor.offset,
                is_side: executor.side,
                made: trace.made + 1,
                uops: Some(executor.uops),
                bytes: executor.bytes,
                valid: executor.valid,
                closed: Some(executor.closed),
                exits: Some(executor.exits),
                deopts: Some(executor.deopts),
                errors: Some(executor.errors),
                ..Trace::default()
            };
        }
        for (&offset, &(inside, uops)) in &jit.sites {
            let site = sites.entry(offset).or_default();
            site.offset = offset;
            site.traces += inside;
            site.uops = Some(site.uops.unwrap_or(0) + uops);
        }
        for &(offset, first, second, is_followed) in &jit.exits {
            let taken = version.jit_exit.as_ref().map_or(0, |counter| {
                let word = if counter.word == 0 { first } else { second };
                taken(word, is_followed, counter.initial, version.counter_bits)
            });
            if taken > 0 {
                let site = sites.entry(offset).or_default();
                site.offset = offset;
                site.exits_at_least += taken;
            }
        }
    }
    if let (Some(calls), Some(threshold)) = (calls, version.jit_threshold) {
        for one in instructions.iter().filter(|one| one.opcode == "JUMP_BACKWARD") {
            let jumps = one.executions.unwrap_or(0) as f64 * calls;
            // Inside another trace it needs none of its own.
            if jumps >= HOT * f64::from(threshold)
                && !traces.contains_key(&(one.offset, false))
                && sites.get(&one.offset).is_none_or(|site| site.traces == 0)
            {
                #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
                let trace = Trace {
                    offset: one.offset,
                    jumps: Some(jumps as u64),
                    ..Trace::default()
                };
                traces.insert((one.offset, false), trace);
            }
        }
    }
    let jit = Jit {
        traces: traces.into_values().collect(),
        sites: sites.into_values().collect(),
    };
    (!jit.is_empty()).then_some(jit)
}

/// How often an exit was taken, at least: its counter goes down each time, and from the start again when
/// a trace is tried.
fn taken(counter: u16, is_followed: bool, initial: (u32, u32), bits: u32) -> u64 {
    let (value, backoff) = (u32::from(counter) >> bits, u32::from(counter) & ((1 << bits) - 1));
    if is_followed || backoff != initial.1 || value > initial.0 {
        return u64::from(initial.0) + 1;
    }
    u64::from(initial.0 - value)
}

#[cfg(test)]
mod tests {
    use super::taken;

    #[test]
    fn exits_count_down_until_a_trace_is_tried() {
        // As 3.14 and 3.15 have them: 4 and 3 bits of backoff.
        assert_eq!(taken(0xfffc, false, (4095, 12), 4), 0);
        assert_eq!(taken(0xdf9c, false, (4095, 12), 4), 518);
        assert_eq!(taken(0xfffc, true, (4095, 12), 4), 4096);
        assert_eq!(taken(32_006, false, (4000, 6), 3), 0);
        assert_eq!(taken(31_998, false, (4000, 6), 3), 1);
        assert_eq!(taken(65_526, false, (4000, 6), 3), 4001);
        assert_eq!(taken(0x7f7, false, (64, 6), 4), 65);
    }
}
