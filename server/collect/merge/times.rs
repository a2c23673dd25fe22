//! Samples to times of instructions, lines and code objects.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::{Finished, passes, spread};
use crate::bytecode::instructions::Raw;
use crate::bytecode::locations;
use crate::collect::sample::{Counts, ROOT, Samples};
use crate::collect::wire;
use crate::profile::{LineTotal, Method, PassKind, Time, Times};
use crate::trace::{self, Trace, What};

/// A code object of a sampled process: the index of the process's pass, and the address there.
pub(super) type Place = (usize, u64);

/// The samples of a run by the code objects of its files.
#[derive(Default)]
pub(super) struct Timed {
    pub(super) times: Option<Times>,
    /// By code object, then offset.
    own: HashMap<Place, BTreeMap<u32, Time>>,
    /// By code object.
    totals: HashMap<Place, Time>,
    /// By path, then line.
    lines: HashMap<String, BTreeMap<u32, Time>>,
    traced: Traced,
}

/// Fewer samples tell nothing about lines: a share would be known to 10 points to both sides.
const FEWEST: u64 = 100;

/// Whether a run was too short to be sampled, in all its processes together.
pub(super) fn too_few<'a>(sampled: impl Iterator<Item = &'a Samples>) -> bool {
    sampled.map(Samples::found).sum::<u64>() < FEWEST
}

/// A code object as a trace names it: path relative to the root, qualified name, first line.
pub(super) type Name = (String, String, u32);

/// What a trace took, in ns, for code that is known by name.
#[derive(Default)]
struct Traced {
    own: HashMap<Name, BTreeMap<u32, f64>>,
    totals: HashMap<Name, f64>,
    lines: HashMap<String, BTreeMap<u32, f64>>,
}

impl Timed {
    /// From the trace, if there is one, else from the sampled pass.
    pub(super) fn new(finished: &[Finished], traced: Option<&Trace>) -> Self {
        if let Some((trace, times)) = traced.and_then(|trace| Some((trace, trace.times?))) {
            return Self::traced(trace, times.call_ns);
        }
        let sampled: Vec<_> = finished.iter().enumerate().filter_map(sampled).collect();
        if too_few(sampled.iter().map(|(_, _, samples)| *samples)) {
            return Self::default();
        }
        let mut timed = Self::default();
        let mut processes = Vec::new();
        for (process, result, samples) in sampled {
            processes.push(timed.add(process, result, samples));
        }
        if let Some(times) = &mut timed.times {
            times.dispersion = spread::dispersion(&processes);
        }
        timed
    }

    /// Adds what was seen of a process; the samples of its lines.
    fn add(&mut self, process: usize, result: &wire::Result, samples: &Samples) -> spread::ByLine {
        let scale = Scale(samples.window_ns as f64 / samples.ticks as f64 * passes::undisturbed(result));
        let mut by_line = spread::ByLine::default();
        let by_address: HashMap<u64, &wire::Code> = result
            .codes
            .iter()
            .filter(|code| code.origin != wire::Origin::Stray)
            .map(|code| (code.address, code))
            .collect();
        let codes: Vec<Option<&wire::Code>> = samples
            .codes
            .iter()
            .map(|seen| {
                let known = by_address.get(&seen.address).copied();
                known.filter(|code| code.first_line == seen.first_line && code.qualname == seen.qualname)
            })
            .collect();
        let positions: HashMap<u64, Vec<Option<crate::profile::Position>>> = codes
            .iter()
            .flatten()
            .map(|code| (code.address, locations::decode(&code.lines, code.first_line)))
            .collect();
        let line = |code: &wire::Code, offset: u32| {
            let position = positions[&code.address]
                .get(offset as usize / 2)
                .copied()
                .flatten();
            position.map(|position| position.line)
        };
        let mut all = Counts::default();
        let mut outside = Counts::default();
        let mut elsewhere = Counts::default();
        let nodes = &samples.tree.nodes;
        let mut seen_codes = HashSet::new();
        let mut seen_lines = HashSet::new();
        // Callers come before what they call.
        let mut is_under = Vec::with_capacity(nodes.len());
        for node in nodes {
            let under_caller = node.parent != ROOT && is_under[node.parent as usize];
            is_under.push(under_caller || codes[node.code as usize].is_some());
        }
        // Where callers could not be followed, there may have been one.
        let is_under = is_under.into_iter().chain(std::iter::repeat(true));
        for (node, is_under) in nodes
            .iter()
            .chain(&samples.inner.nodes)
            .zip(is_under)
            .filter(|(node, _)| node.counts.all() > 0)
        {
            if !is_under {
                outside.add(node.counts);
                continue;
            }
            all.add(node.counts);
            if let Some(code) = codes[node.code as usize] {
                let own = self.own.entry((process, code.address)).or_default();
                own.entry(node.offset).or_default().add(scale.time(node.counts));
                by_line.add(&code.path, line(code, node.offset), node.counts.busy());
            } else {
                elsewhere.add(node.counts);
                by_line.add("", None, node.counts.busy());
            }
        }
        for node in nodes.iter().filter(|node| node.counts.all() > 0) {
            seen_codes.clear();
            seen_lines.clear();
            let mut at = Some(node);
            // A line or function that is on the stack twice took its time once.
            while let Some(frame) = at {
                if let Some(code) = codes[frame.code as usize] {
                    if seen_codes.insert(code.address) {
                        let total = self.totals.entry((process, code.address)).or_default();
                        total.add(scale.time(node.counts));
                    }
                    if let Some(line) = line(code, frame.offset)
                        && seen_lines.insert((code.path.as_str(), line))
                    {
                        let lines = self.lines.entry(code.path.clone()).or_default();
                        lines.entry(line).or_default().add(scale.time(node.counts));
                    }
                }
                at = (frame.parent != ROOT).then(|| &nodes[frame.parent as usize]);
            }
        }
        let ns = |count: u64| count as f64 * scale.0;
        let times = self.times.get_or_insert(Times::none(Method::Sampled));
        times.calls += result.calls;
        times.wall_ns += samples.window_ns as f64;
        times.busy_ns += ns(all.busy());
        times.outside_ns += ns(outside.busy());
        times.waiting_ns += ns(all.waiting);
        times.collecting_ns += ns(all.collecting);
        times.elsewhere_ns += ns(elsewhere.busy());
        times.threads = times.threads.max(samples.threads as u64);
        times.samples = times.samples.map(|known| known + all.busy());
        times.torn += samples.torn;
        times.processes += 1;
        by_line
    }

    fn traced(trace: &Trace, call_ns: f64) -> Self {
        let mut traced = Traced::default();
        let name = |code: &trace::Code| (code.path.clone(), code.qualname.clone(), code.first_line);
        // Code and line of each frame, outermost first.
        let mut stack: Vec<(usize, Option<u32>)> = Vec::new();
        let mut all = 0.0;
        for event in &trace.events {
            match event.what {
                What::Call { .. } => stack.push((event.code, None)),
                What::Return(_) => {
                    stack.pop();
                }
                What::Instruction { index, ns: Some(ns) } => {
                    let code = &trace.codes[event.code];
                    let instruction = &code.instructions[index];
                    if let Some(frame) = stack.last_mut().filter(|frame| frame.0 == event.code) {
                        frame.1 = instruction.line.or(frame.1);
                    }
                    all += ns;
                    *traced
                        .own
                        .entry(name(code))
                        .or_default()
                        .entry(instruction.offset)
                        .or_default() += ns;
                    let mut codes = HashSet::new();
                    let mut lines = HashSet::new();
                    for &(code, line) in &stack {
                        let code = &trace.codes[code];
                        if codes.insert(std::ptr::from_ref(code)) {
                            *traced.totals.entry(name(code)).or_default() += ns;
                        }
                        if let Some(line) = line.filter(|line| lines.insert((code.path.as_str(), *line))) {
                            *traced
                                .lines
                                .entry(code.path.clone())
                                .or_default()
                                .entry(line)
                                .or_default() += ns;
                        }
                    }
                }
                What::Instruction { .. } | What::Line(_) | What::Exception(_) => {}
            }
        }
        let times = Times {
            calls: 1,
            wall_ns: call_ns,
            busy_ns: all,
            threads: 1,
            samples: None,
            processes: 1,
            ..Times::none(Method::Traced)
        };
        Self {
            times: Some(times),
            traced,
            ..Self::default()
        }
    }

    /// Time of each instruction of the code objects in these places together.
    pub(super) fn instructions(&self, places: &[Place], name: &Name, raws: &[Raw]) -> Vec<Option<Time>> {
        let mut times = vec![None; raws.len()];
        if self.times.is_none() {
            return times;
        }
        let sampled = places.iter().filter_map(|place| self.own.get(place));
        for (&offset, &time) in sampled.flatten() {
            // Callers stand in the caches of their calls until 3.12.
            let at = raws.partition_point(|raw| raw.offset <= offset);
            if let Some(known) = at.checked_sub(1).and_then(|at| times.get_mut(at)) {
                known.get_or_insert_with(Time::default).add(time);
            }
        }
        for (&offset, &ns) in self.traced.own.get(name).into_iter().flatten() {
            if let Ok(at) = raws.binary_search_by_key(&offset, |raw| raw.offset) {
                times[at].get_or_insert_with(Time::default).add(busy(ns));
            }
        }
        times
    }

    /// Time of the code objects in these places, with what they called.
    pub(super) fn total(&self, places: &[Place], name: &Name) -> Option<Time> {
        self.times.as_ref()?;
        if let Some(&ns) = self.traced.totals.get(name) {
            return Some(busy(ns));
        }
        let found = places.iter().filter_map(|place| self.totals.get(place));
        Some(found.fold(Time::default(), |mut sum, &time| {
            sum.add(time);
            sum
        }))
    }

    /// Time of the lines of a file, with what they called.
    pub(super) fn lines(&self, path: &str, relative: &str) -> Vec<LineTotal> {
        let traced = self.traced.lines.get(relative).into_iter().flatten();
        let traced = traced.map(|(&line, &ns)| LineTotal {
            line,
            total: busy(ns),
        });
        let lines = self.lines.get(path).into_iter().flatten();
        let sampled = lines.map(|(&line, &total)| LineTotal { line, total });
        sampled.chain(traced).collect()
    }
}

/// What a sampler saw of a process, with the index of its pass; none of other passes, and where the target
/// never ran.
fn sampled((index, pass): (usize, &Finished)) -> Option<(usize, &wire::Result, &Samples)> {
    let samples = pass.samples.as_ref()?.as_ref().ok()?;
    let has_run = pass.kind == PassKind::Sample && samples.ticks > 0;
    has_run.then_some((index, pass.result.as_ref()?, samples))
}

/// How many ns a sample of a process stands for.
struct Scale(f64);

impl Scale {
    fn time(&self, counts: Counts) -> Time {
        Time {
            busy_ns: counts.busy() as f64 * self.0,
            waiting_ns: counts.waiting as f64 * self.0,
            collecting_ns: counts.collecting as f64 * self.0,
            samples: counts.busy(),
        }
    }
}

fn busy(ns: f64) -> Time {
    Time {
        busy_ns: ns,
        ..Time::default()
    }
}
