//! One code object of the profile from what each pass saw of it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use super::times::Timed;
use super::{Gathered, Key, jit, relative, types};
use crate::bytecode::argument::Names;
use crate::bytecode::flow::{self, Events};
use crate::bytecode::instructions::{self, Raw};
use crate::bytecode::state::{self, Counted, Live};
use crate::bytecode::{Tables, argument, locations};
use crate::collect::wire;
use crate::cpython::Version;
use crate::profile::{Code, Failures, Instruction, Method, Misses, Position, Python, Site, State};

/// With more threads alive than this, a countdown may be missed between two polls.
const THREADS_BOUND: u64 = 16;

/// Polls in the source (3.11) come at most 31 starts of a function or a loop's body apart. In between,
/// every frame alive may run a site once more: with more frames than this, 53 misses can go unseen.
const FRAMES_BOUND: u64 = 20;
/// `co_flags` of what can be suspended: generators, coroutines, asynchronous generators (`Include/cpython/code.h`).
const SUSPENDS: u32 = 0x20 | 0x80 | 0x200;

/// What is the same for every code object of a run.
pub(super) struct Context<'a> {
    pub(super) tables: &'a Tables,
    pub(super) version: &'a Version,
    pub(super) timed: &'a Timed,
    /// The workspace folder.
    pub(super) root: &'a Path,
    pub(super) python: &'a Python,
    /// There was a count pass.
    pub(super) counted: bool,
    /// Calls with the JIT on for each counted one.
    pub(super) calls: Option<f64>,
    /// A pass told failed attempts apart by code object.
    pub(super) told_apart: bool,
    /// Files that were another text when counted.
    pub(super) uncounted: &'a BTreeSet<&'a str>,
}

impl Context<'_> {
    /// Whether misses seen with so many threads are lower bounds.
    pub(super) fn bounded(&self, threads: u64) -> bool {
        threads > THREADS_BOUND || self.python.free_threaded && threads > 1
    }

    fn counts(&self, path: &str) -> bool {
        self.counted && !self.uncounted.contains(path)
    }

    /// The code object.
    pub(super) fn code(&self, key: &Key, found: &Gathered) -> Code {
        let code = found.any;
        let raws = instructions::decode(&code.code, self.tables);
        let positions = locations::decode(&code.lines, code.first_line);
        let position = |raw: &Raw| positions.get(raw.offset as usize / 2).copied().flatten();
        let (executions, withheld) = self.executions(found, &raws);
        let starts = line_starts(&raws, &position);
        let names = Names {
            names: &code.names,
            locals: &code.locals,
            constants: &code.constants,
        };
        let live = found.natural.unwrap_or(code);
        let lives: Vec<Live> = raws.iter().map(|raw| self.live(raw, &live.adaptive)).collect();
        let quickened = self.version.quickened_marks.is_empty()
            || lives
                .iter()
                .any(|live| self.version.quickened_marks.contains(&live.name));
        let calls = found.counts.iter().map(|counts| calls(counts, &raws)).sum();
        let crowded = crowded(found, calls);
        let name = (
            relative(&key.path, self.root),
            key.qualname.clone(),
            key.first_line,
        );
        let times = self.timed.instructions(&found.sampled, &name, &raws);
        let mut instructions = Vec::with_capacity(raws.len());
        for (at, raw) in raws.iter().enumerate() {
            let before = at.checked_sub(1).map(|before| lives[before].name.as_str());
            let live = Live {
                quickened,
                ..lives[at].clone()
            };
            let (state, site) = self.site(raw, &live, before, executions[at], found, crowded);
            instructions.push(Instruction {
                offset: raw.offset,
                opcode: raw.name.clone(),
                argument: argument::text(raw, &names, self.tables, self.version),
                position: position(raw),
                starts_line: starts[at],
                executions: executions[at],
                state,
                time: times[at].map(Box::new),
                site: site.map(Box::new),
            });
        }
        let last_line = instructions
            .iter()
            .filter_map(|one| Some(one.position?.end_line))
            .max()
            .unwrap_or(key.first_line);
        Code {
            qualname: key.qualname.clone(),
            first_line: key.first_line,
            last_line: last_line.max(key.first_line),
            digest: key.digest.clone(),
            calls: self.counts(&key.path).then_some(calls),
            withheld,
            failures: self.told_apart.then(|| failures(&found.pystats)),
            total: self.timed.total(&found.sampled, &name),
            jit: jit::of(&found.jit, &instructions, self.calls, self.version).map(Box::new),
            instructions,
        }
    }

    /// Executions of each instruction, and whether they had to be withheld.
    fn executions(&self, found: &Gathered, raws: &[Raw]) -> (Vec<Option<u64>>, bool) {
        if !self.counts(&found.any.path) {
            return (vec![None; raws.len()], false);
        }
        let mut total = vec![Some(0u64); raws.len()];
        for counts in &found.counts {
            let solved = solve(counts, raws, self.version);
            if !solved.consistent && !found.partial {
                return (vec![None; raws.len()], true);
            }
            for (sum, count) in total.iter_mut().zip(solved.counts) {
                *sum = sum.zip(count).map(|(sum, count)| sum + count);
            }
        }
        (total, false)
    }

    fn live(&self, raw: &Raw, adaptive: &[u8]) -> Live {
        let at = raw.offset as usize;
        let name = adaptive
            .get(at)
            .map_or_else(|| raw.name.clone(), |&opcode| self.tables.live_name(opcode));
        let cached = self.tables.caches.get(&raw.name).copied().unwrap_or(0) > 0;
        let counter = adaptive
            .get(at + 2..at + 4)
            .filter(|_| cached)
            .map(|unit| u32::from(u16::from_le_bytes([unit[0], unit[1]])));
        Live {
            name,
            counter,
            quickened: true,
        }
    }

    fn site(
        &self,
        raw: &Raw,
        live: &Live,
        before: Option<&str>,
        executions: Option<u64>,
        found: &Gathered,
        crowded: bool,
    ) -> (State, Option<Site>) {
        let has_family = self.version.specializes(self.python.free_threaded)
            && self.tables.families.contains_key(&raw.name);
        let polled = polled(raw.offset, found);
        let forms: BTreeMap<String, u64> = polled.iter().flat_map(|polled| &polled.misses).fold(
            BTreeMap::new(),
            |mut forms, (form, count)| {
                *forms.entry(form.clone()).or_default() += count;
                forms
            },
        );
        let misses: u64 = forms.values().sum();
        let counted = Counted {
            executions,
            misses,
            forms: forms.len(),
        };
        if !has_family {
            let state = if executions == Some(0) {
                State::NotExecuted
            } else {
                State::Basic
            };
            return (state, None);
        }
        let (state, form) = state::judge(&raw.name, live, before, counted, self.tables, self.version);
        if state == State::Basic || self.version.informational.contains(&raw.name) {
            let state = if executions == Some(0) {
                State::NotExecuted
            } else {
                State::Basic
            };
            return (state, None);
        }
        let threads = found
            .counts
            .iter()
            .map(|counts| counts.threads)
            .max()
            .unwrap_or(0);
        let misses = if polled.is_empty() {
            state::inferred_misses(live, self.version)
                .filter(|_| form.is_some() && live.name == *form.as_deref().unwrap_or_default())
                .map(|count| Misses {
                    count,
                    method: Method::Inferred,
                    at_least: true,
                })
        } else {
            Some(Misses {
                count: misses,
                method: Method::Counted,
                at_least: self.bounded(threads) || crowded,
            })
        };
        let deferred = executions.map(|executions| self.deferred(&raw.name, executions, &polled, state));
        let failed = live
            .counter
            .filter(|_| form.is_none() && self.version.quickened_marks.is_empty());
        let site = Site {
            form,
            forms_seen: forms.into_iter().collect(),
            misses,
            deferred,
            failed_attempts: failed.map(|raw| self.version.failed_attempts(raw)),
            types: types::shapes(&found.types, raw.offset),
        };
        (state, Some(site))
    }

    /// Polls of a site: from the count pass, or from the misses pass where that is separate.
    /// Generic executions in the counted pass.
    fn deferred(&self, family: &str, executions: u64, polled: &[&wire::Polled], state: State) -> u64 {
        let specialized = polled.iter().any(|polled| !polled.misses.is_empty())
            || polled.is_empty() && state == State::Specialized;
        if !specialized {
            return executions;
        }
        let backoff = (1u32 << self.version.counter_bits) - 1;
        let generic: u64 = polled
            .iter()
            .filter(|polled| !polled.misses.is_empty())
            .map(|polled| {
                // An era ends with the counter at 0: an attempt that succeeds.
                let ended = polled.eras.iter().enumerate().map(|(era, &(raw, rounds))| {
                    self.version.generic_executions(raw & backoff, era > 0, rounds)
                });
                let ended: u64 = ended.sum();
                if self.tables.is_form(family, &self.tables.live_name(polled.op)) {
                    return ended;
                }
                ended
                    + self
                        .version
                        .generic_executions(polled.raw, polled.fell_back > 0, polled.rounds)
            })
            .sum();
        generic.min(executions)
    }
}

/// Failed attempts of all that is the same code object, in the order of opcodes and kinds.
fn failures(counts: &[&wire::Counts]) -> Vec<Failures> {
    let mut sums: BTreeMap<(&str, u32), u64> = BTreeMap::new();
    let families = counts.iter().flat_map(|counts| &counts.failures);
    for (opcode, kinds) in families {
        for (kind, count) in kinds {
            *sums.entry((opcode, *kind)).or_default() += count;
        }
    }
    let told = sums.into_iter().map(|((opcode, kind), count)| Failures {
        opcode: opcode.to_owned(),
        kind,
        count,
    });
    told.collect()
}

/// Polls of a site: from the count pass, or from the misses pass where that is separate.
fn polled<'a>(offset: u32, found: &Gathered<'a>) -> Vec<&'a wire::Polled> {
    let passes = if found.misses.is_empty() {
        &found.counts
    } else {
        &found.misses
    };
    passes.iter().flat_map(|counts| counts.polled(offset)).collect()
}

/// Whether more frames may have been amid a run than the polls of the source allow for.
fn crowded(found: &Gathered, calls: u64) -> bool {
    let suspended = found.any.flags & SUSPENDS != 0 && calls > FRAMES_BOUND;
    let many = |counts: &&wire::Counts| suspended || counts.frames + counts.threads > FRAMES_BOUND;
    found.misses.iter().any(many)
}

/// Starts at the entry; resumptions start elsewhere.
fn calls(counts: &wire::Counts, raws: &[Raw]) -> u64 {
    let entry = raws.get(instructions::entry(raws)).map_or(0, |raw| raw.offset);
    counts.started_at(entry)
}

/// Executions of each instruction.
pub(super) fn solve(counts: &wire::Counts, raws: &[Raw], version: &Version) -> flow::Executions {
    let calls = calls(counts, raws);
    if let Some(traced) = counts.traced() {
        let entry = instructions::entry(raws);
        let count = |(at, raw): (usize, &Raw)| {
            Some(if at < entry {
                calls
            } else {
                traced.get(&raw.offset).copied().unwrap_or(0)
            })
        };
        return flow::Executions {
            counts: raws.iter().enumerate().map(count).collect(),
            consistent: true,
        };
    }
    let (starts, ends) = counts.starts_and_ends();
    let events = Events {
        starts,
        ends,
        raises: counts.raises.clone(),
        active: counts.active.clone(),
        calls,
    };
    flow::solve(raws, &events, version)
}

/// Control enters a line at an instruction that follows one of another line, or is jumped to from one.
/// As for tracers, a call does not enter the line of the `def`.
fn line_starts(raws: &[Raw], position: &dyn Fn(&Raw) -> Option<Position>) -> Vec<bool> {
    let line = |raw: &Raw| position(raw).map(|position| position.line);
    let index: HashMap<u32, usize> = raws
        .iter()
        .enumerate()
        .map(|(at, raw)| (raw.offset, at))
        .collect();
    let mut starts: Vec<bool> = raws
        .iter()
        .enumerate()
        .map(|(at, raw)| line(raw).is_some() && (at == 0 || line(&raws[at - 1]) != line(raw)))
        .collect();
    for raw in raws {
        if let Some(&to) = raw.target.as_ref().and_then(|target| index.get(target)) {
            let there = line(&raws[to]);
            starts[to] |= there.is_some() && there != line(raw);
        }
    }
    let resume = raws.len().min(instructions::entry(raws) + 1);
    starts[..resume].fill(false);
    if let Some(first) = raws.iter().skip(resume).position(|raw| line(raw).is_some()) {
        starts[resume + first] = true;
    }
    starts
}
