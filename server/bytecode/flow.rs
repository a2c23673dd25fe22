//! Executions of every instruction from where straight runs start and end.
//!
//! Whatever flows into an instruction and does not end there flows into the next one, unless the
//! instruction never falls through: then nothing may be left over. A few transfers raise no event
//! (`SEND`'s exit, `JUMP_BACKWARD_NO_INTERRUPT`, `FOR_ITER`'s exit before 3.14); they are unknowns
//! of the linear equations that "nothing left over" gives.

use std::collections::{BTreeMap, HashMap};

use super::instructions::Raw;
use crate::cpython::Version;

/// Counted transfers of one code object, by byte offset.
#[derive(Debug, Default, Clone)]
pub struct Events {
    /// Function starts, resumptions and handler entries.
    pub starts: BTreeMap<u32, u64>,
    /// Jumps, taken branches, returns and yields.
    pub ends: BTreeMap<u32, u64>,
    /// Exceptions leaving the instruction.
    pub raises: BTreeMap<u32, u64>,
    /// Frames that stand here, not ended.
    pub active: BTreeMap<u32, u64>,
    /// Calls: they give the prologue before the first `RESUME`.
    pub calls: u64,
}

/// What the events say.
#[derive(Debug, PartialEq, Eq)]
pub struct Executions {
    /// By instruction; `None` where an unknown could not be determined.
    pub counts: Vec<Option<u64>>,
    /// All equations hold and no count is negative.
    pub consistent: bool,
}

/// A linear expression: constant and coefficients of unknowns.
#[derive(Debug, Clone, Default)]
struct Linear {
    constant: i128,
    unknowns: BTreeMap<usize, i128>,
}

impl Linear {
    fn add(&mut self, unknown: usize, coefficient: i128) {
        let value = self.unknowns.entry(unknown).or_default();
        *value += coefficient;
        if *value == 0 {
            self.unknowns.remove(&unknown);
        }
    }

    /// `self * a - other * b`.
    fn combine(&self, a: i128, other: &Self, b: i128) -> Self {
        let mut out = Self {
            constant: self.constant * a - other.constant * b,
            ..Self::default()
        };
        for (&unknown, &coefficient) in &self.unknowns {
            out.add(unknown, coefficient * a);
        }
        for (&unknown, &coefficient) in &other.unknowns {
            out.add(unknown, -coefficient * b);
        }
        out
    }
}

/// Solves the flow of one code object.
#[must_use]
pub fn solve(instructions: &[Raw], events: &Events, version: &Version) -> Executions {
    let index: HashMap<u32, usize> = instructions
        .iter()
        .enumerate()
        .map(|(at, raw)| (raw.offset, at))
        .collect();
    let edges = silent_edges(instructions, &index, version);
    let (start, end) = known(instructions, &index, events, version);
    let mut incoming: HashMap<usize, Vec<usize>> = HashMap::new();
    let mut outgoing: HashMap<usize, Vec<usize>> = HashMap::new();
    for (unknown, &(from, to)) in edges.iter().enumerate() {
        outgoing.entry(from).or_default().push(unknown);
        incoming.entry(to).or_default().push(unknown);
    }
    let mut flow = Linear::default();
    let mut at_each = Vec::with_capacity(instructions.len());
    let mut rows = Vec::new();
    for (at, raw) in instructions.iter().enumerate() {
        flow.constant += i128::from(start[at]);
        for &unknown in incoming.get(&at).into_iter().flatten() {
            flow.add(unknown, 1);
        }
        at_each.push(flow.clone());
        for &unknown in outgoing.get(&at).into_iter().flatten() {
            flow.add(unknown, -1);
        }
        flow.constant -= i128::from(end[at]);
        let last = at + 1 == instructions.len();
        if last || version.no_fall_through.contains(&raw.name) {
            rows.push(std::mem::take(&mut flow));
        }
    }
    let (values, mut consistent) = eliminate(rows, edges.len());
    let mut counts: Vec<Option<u64>> = at_each
        .iter()
        .map(|linear| evaluate(linear, &values, &mut consistent))
        .collect();
    fill_prologue(instructions, &mut counts, events.calls);
    Executions { counts, consistent }
}

/// Transfers without an event, as instruction indices.
fn silent_edges(instructions: &[Raw], index: &HashMap<u32, usize>, version: &Version) -> Vec<(usize, usize)> {
    let silent =
        |raw: &Raw| version.silent_jumps.contains(&raw.name) || version.silent_branches.contains(&raw.name);
    instructions
        .iter()
        .enumerate()
        .filter(|(_, raw)| silent(raw))
        .filter_map(|(at, raw)| Some((at, landing(raw, index, version)?)))
        .collect()
}

/// Where a transfer lands: an exhausted loop skips the instructions that only tracers see.
fn landing(raw: &Raw, index: &HashMap<u32, usize>, version: &Version) -> Option<usize> {
    let target = *index.get(&raw.target?)?;
    let skips = if raw.name == "FOR_ITER" {
        version.for_iter_exit_skips
    } else {
        0
    };
    Some(target + skips)
}

/// Starts and ends by instruction, transfers with an event resolved to their targets.
fn known(
    instructions: &[Raw],
    index: &HashMap<u32, usize>,
    events: &Events,
    version: &Version,
) -> (Vec<u64>, Vec<u64>) {
    let mut start = vec![0u64; instructions.len()];
    let mut end = vec![0u64; instructions.len()];
    // 3.12 reports offsets inside an instruction's caches.
    let at = |offset: u32| match instructions.binary_search_by_key(&offset, |raw| raw.offset) {
        Ok(at) => Some(at),
        Err(after) => after.checked_sub(1),
    };
    for (&offset, &count) in &events.starts {
        if let Some(at) = at(offset) {
            start[at] += count;
        }
    }
    for (&offset, &count) in &events.ends {
        let Some(from) = at(offset) else { continue };
        let raw = &instructions[from];
        let jumps = raw.target.is_some();
        // END_ASYNC_FOR reports another instruction as the source of its branch: no transfer.
        if !jumps && !version.no_fall_through.contains(&raw.name) {
            continue;
        }
        if jumps && raw.name.starts_with("SEND") {
            continue;
        }
        let to = landing(raw, index, version).filter(|&to| to < start.len());
        let told_twice =
            to.is_some_and(|to| version.echoes.contains(&instructions[to].name)) && raw.name != "FOR_ITER";
        let count = if told_twice { count.div_ceil(2) } else { count };
        end[from] += count;
        if let Some(to) = to {
            start[to] += count;
        }
    }
    for (&offset, &count) in events.raises.iter().chain(&events.active) {
        if let Some(at) = at(offset) {
            end[at] += count;
        }
    }
    (start, end)
}

/// Gauss-Jordan without fractions. The value of each unknown as (numerator, denominator).
fn eliminate(rows: Vec<Linear>, unknowns: usize) -> (Vec<Option<(i128, i128)>>, bool) {
    let mut pivots: BTreeMap<usize, Linear> = BTreeMap::new();
    let mut consistent = true;
    for mut row in rows {
        for (&unknown, pivot) in &pivots {
            if let Some(&coefficient) = row.unknowns.get(&unknown) {
                row = row.combine(pivot.unknowns[&unknown], pivot, coefficient);
            }
        }
        let Some((&unknown, &coefficient)) = row.unknowns.iter().next() else {
            consistent &= row.constant == 0;
            continue;
        };
        for pivot in pivots.values_mut() {
            if let Some(&other) = pivot.unknowns.get(&unknown) {
                *pivot = pivot.combine(coefficient, &row, other);
            }
        }
        pivots.insert(unknown, row);
    }
    let value = |unknown| {
        let pivot = pivots.get(&unknown)?;
        (pivot.unknowns.len() == 1).then(|| (-pivot.constant, pivot.unknowns[&unknown]))
    };
    ((0..unknowns).map(value).collect(), consistent)
}

fn evaluate(linear: &Linear, values: &[Option<(i128, i128)>], consistent: &mut bool) -> Option<u64> {
    let mut total = linear.constant;
    for (&unknown, &coefficient) in &linear.unknowns {
        let (numerator, denominator) = values[unknown]?;
        if numerator % denominator != 0 {
            *consistent = false;
            return None;
        }
        total += coefficient * (numerator / denominator);
    }
    if total < 0 {
        *consistent = false;
    }
    Some(u64::try_from(total.max(0)).unwrap_or(u64::MAX))
}

/// Monitoring starts at the first `RESUME`; what stands before it ran once a call.
fn fill_prologue(instructions: &[Raw], counts: &mut [Option<u64>], calls: u64) {
    counts[..super::instructions::entry(instructions)].fill(Some(calls));
}
