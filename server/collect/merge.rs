//! The passes' raw results to one profile.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use sha2::{Digest, Sha256};

use super::wire::{self, Origin};
use crate::bytecode::argument::Names;
use crate::bytecode::flow::{self, Events};
use crate::bytecode::instructions::{self, Raw};
use crate::bytecode::state::{self, Counted, Live};
use crate::bytecode::{Tables, argument, locations};
use crate::cpython::{self, Version};
use crate::profile::{
    Code, File, Instruction, Method, Misses, Note, Outcome, Pass, PassKind, Position, Profile, Python, Site,
    State, Workload,
};

/// With more threads alive than this, a countdown may be missed between two polls.
const THREADS_BOUND: u64 = 16;

/// Polls in the source (3.11) come at most 31 starts of a function or a loop's body apart. In between,
/// every frame alive may run a site once more: with more frames than this, 53 misses can go unseen.
const FRAMES_BOUND: u64 = 20;
/// `co_flags` of what can be suspended: generators, coroutines, asynchronous generators (`Include/cpython/code.h`).
const SUSPENDS: u32 = 0x20 | 0x80 | 0x200;

/// A pass with what its process said and how that process ended.
pub struct Finished {
    /// The instrument.
    pub kind: PassKind,
    /// How the pass ended, the process's own end considered.
    pub outcome: Outcome,
    /// What the helper wrote; none when it could not.
    pub result: Option<wire::Result>,
}

/// Identity of a code object across passes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Key {
    path: String,
    first_line: u32,
    qualname: String,
    digest: String,
}

/// Everything known about one code object.
struct Gathered<'a> {
    natural: Option<&'a wire::Code>,
    any: &'a wire::Code,
    counts: Vec<&'a wire::Counts>,
    misses: Vec<&'a wire::Counts>,
    /// Its counts come from a pass that was cut short.
    partial: bool,
}

/// Merges the passes of one workload. `read` gives the bytes of a file as they are now.
#[must_use]
pub fn merge(
    python: Python,
    workload: Workload,
    root: &Path,
    finished: &[Finished],
    read: &dyn Fn(&str) -> std::io::Result<Vec<u8>>,
) -> Profile {
    let version = cpython::nearest(&python.minor);
    let mut notes = notes(&python, finished);
    let passes = finished.iter().map(pass).collect();
    let mut gathered: BTreeMap<Key, Gathered> = BTreeMap::new();
    let mut strays: BTreeMap<String, (u64, Option<u64>)> = BTreeMap::new();
    let empty = Tables::default();
    let tables = finished
        .iter()
        .find_map(|pass| pass.result.as_ref())
        .map_or(&empty, |result| &result.tables);
    for pass in finished {
        let Some(result) = &pass.result else { continue };
        for code in &result.codes {
            if code.origin == Origin::Stray {
                note_stray(&mut strays, code, pass.kind, result.partial, tables, version);
            } else {
                gather(&mut gathered, code, pass);
            }
        }
    }
    let natural_ran = finished
        .iter()
        .any(|pass| pass.kind == PassKind::Natural && pass.result.is_some());
    let counted = finished
        .iter()
        .any(|pass| pass.kind == PassKind::Count && pass.result.is_some());
    let context = Context {
        tables,
        version,
        free_threaded: python.free_threaded,
        counted,
    };
    let mut files: BTreeMap<String, Vec<Code>> = BTreeMap::new();
    let mut diverged = 0u64;
    let mut most_threads = 0u64;
    for (key, found) in &gathered {
        let code = context.code(key, found);
        if natural_ran && diverges(&code) {
            diverged += 1;
        }
        if code.withheld {
            notes.push(Note::Inconsistent {
                code: format!("{}:{} {}", key.path, key.first_line, key.qualname),
            });
        }
        most_threads = most_threads.max(
            found
                .counts
                .iter()
                .map(|counts| counts.threads)
                .max()
                .unwrap_or(0),
        );
        files.entry(key.path.clone()).or_default().push(code);
    }
    if context.bounded(most_threads) {
        notes.push(Note::Threads {
            threads: most_threads,
        });
    }
    if diverged > 0 {
        notes.push(Note::Diverged {
            what: format!("{diverged} code objects ran when counted but not in the natural pass"),
        });
    }
    for (file, (codes, executions)) in strays {
        notes.push(Note::NotFromFile {
            file: relative(&file, root),
            codes,
            executions,
        });
    }
    let described = described(finished);
    let files = files
        .into_iter()
        .map(|(path, codes)| {
            file(
                &path,
                codes,
                described.get(path.as_str()).copied(),
                root,
                read,
                &mut notes,
            )
        })
        .collect();
    Profile {
        python,
        workload,
        passes,
        notes,
        root: root.display().to_string(),
        files,
    }
}

fn gather<'a>(gathered: &mut BTreeMap<Key, Gathered<'a>>, code: &'a wire::Code, pass: &'a Finished) {
    let key = Key {
        path: code.path.clone(),
        first_line: code.first_line,
        qualname: code.qualname.clone(),
        digest: code_digest(code),
    };
    let found = gathered.entry(key).or_insert_with(|| Gathered {
        natural: None,
        any: code,
        counts: Vec::new(),
        misses: Vec::new(),
        partial: false,
    });
    let cut = matches!(pass.outcome, Outcome::TimedOut { .. } | Outcome::Killed { .. })
        || pass.result.as_ref().is_some_and(|result| result.partial);
    match pass.kind {
        // A module loaded twice leaves two copies: the one that specialized more was the hot one.
        PassKind::Natural => {
            let busier = |old: &wire::Code| changed_bytes(code) > changed_bytes(old);
            if found.natural.is_none_or(busier) {
                found.natural = Some(code);
            }
        }
        PassKind::Count => {
            found.any = code;
            found.counts.extend(code.counts.as_ref());
            found.partial |= cut;
        }
        PassKind::Misses => found.misses.extend(code.counts.as_ref()),
    }
}

fn changed_bytes(code: &wire::Code) -> usize {
    code.code
        .iter()
        .zip(&code.adaptive)
        .filter(|(base, live)| base != live)
        .count()
}

/// Identity of the unspecialized bytecode and where it stands.
fn code_digest(code: &wire::Code) -> String {
    let mut hash = Sha256::new();
    hash.update(&code.code);
    hash.update(&code.lines);
    hex(&hash.finalize()[..8])
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

struct Context<'a> {
    tables: &'a Tables,
    version: &'a Version,
    free_threaded: bool,
    counted: bool,
}

impl Context<'_> {
    fn bounded(&self, threads: u64) -> bool {
        threads > THREADS_BOUND || self.free_threaded && threads > 1
    }

    fn code(&self, key: &Key, found: &Gathered) -> Code {
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
        let mut instructions = Vec::with_capacity(raws.len());
        for (at, raw) in raws.iter().enumerate() {
            let before = at.checked_sub(1).map(|before| lives[before].name.as_str());
            let live = Live {
                quickened,
                ..lives[at].clone()
            };
            let (state, site) = self.site(raw, &live, before, executions[at], found);
            instructions.push(Instruction {
                offset: raw.offset,
                opcode: raw.name.clone(),
                argument: argument::text(raw, &names, self.tables, self.version),
                position: position(raw),
                starts_line: starts[at],
                executions: executions[at],
                state,
                site,
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
            calls: self
                .counted
                .then(|| found.counts.iter().map(|counts| counts.calls).sum()),
            withheld,
            instructions,
        }
    }

    /// Executions of each instruction, and whether they had to be withheld.
    fn executions(&self, found: &Gathered, raws: &[Raw]) -> (Vec<Option<u64>>, bool) {
        if !self.counted {
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
    ) -> (State, Option<Site>) {
        let has_family = self.tables.families.contains_key(&raw.name);
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
                at_least: self.bounded(threads) || crowded(found),
            })
        };
        let deferred = executions.map(|executions| self.deferred(executions, &polled, state));
        let failed = live
            .counter
            .filter(|_| form.is_none() && self.version.quickened_marks.is_empty());
        let site = Site {
            form,
            forms_seen: forms,
            misses,
            deferred,
            failed_attempts: failed.map(|raw| self.version.failed_attempts(raw)),
        };
        (state, Some(site))
    }

    /// Generic executions in the counted pass.
    fn deferred(&self, executions: u64, polled: &[&wire::Polled], state: State) -> u64 {
        let old = !self.version.quickened_marks.is_empty();
        let specialized = polled.iter().any(|polled| !polled.misses.is_empty())
            || old && polled.is_empty() && state == State::Specialized;
        if !specialized {
            return executions;
        }
        if old {
            // Every fall-back to the adaptive form costs 31 generic executions (Python/specialize.c, 3.11).
            return polled
                .iter()
                .map(|polled| polled.fell_back * 31)
                .sum::<u64>()
                .min(executions);
        }
        let mask = (1u32 << self.version.counter_bits) - 1;
        let generic: u64 = polled
            .iter()
            .map(|polled| {
                let eras: u64 = polled
                    .eras
                    .iter()
                    .map(|raw| self.version.generic_executions(raw & mask))
                    .sum();
                let name = self.tables.live_name(polled.op);
                let now = if self.tables.base.contains_key(&polled.op) && !name.contains("INSTRUMENTED") {
                    self.version.generic_executions(polled.raw)
                } else {
                    0
                };
                eras + now
            })
            .sum();
        generic.min(executions)
    }
}

/// Whether more frames may have been amid a run than the polls of the source allow for.
fn crowded(found: &Gathered) -> bool {
    let calls: u64 = found.counts.iter().map(|counts| counts.calls).sum();
    let suspended = found.any.flags & SUSPENDS != 0 && calls > FRAMES_BOUND;
    found
        .misses
        .iter()
        .any(|counts| suspended || counts.frames + counts.threads > FRAMES_BOUND)
}

/// Polls of a site: from the count pass, or from the misses pass where that is separate.
fn polled<'a>(offset: u32, found: &Gathered<'a>) -> Vec<&'a wire::Polled> {
    let passes = if found.misses.is_empty() {
        &found.counts
    } else {
        &found.misses
    };
    passes.iter().filter_map(|counts| counts.polled(offset)).collect()
}

fn solve(counts: &wire::Counts, raws: &[Raw], version: &Version) -> flow::Executions {
    if let Some(traced) = counts.traced() {
        let first = instructions::entry(raws);
        let count = |(at, raw): (usize, &Raw)| {
            Some(if at < first {
                counts.calls
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
        calls: counts.calls,
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

/// Counted twice or more, yet every site of it untouched in the natural pass.
fn diverges(code: &Code) -> bool {
    let mut sites = code
        .instructions
        .iter()
        .filter(|one| one.site.is_some() && one.executions.unwrap_or(0) > 1);
    let Some(first) = sites.next() else { return false };
    first.state == State::NotExecuted && sites.all(|site| site.state == State::NotExecuted)
}

fn pass(finished: &Finished) -> Pass {
    let Some(result) = &finished.result else {
        return Pass {
            kind: finished.kind,
            calls: 0,
            wall_ns: 0,
            call_ns: None,
            outcome: finished.outcome.clone(),
        };
    };
    let mut per_call: Vec<f64> = result
        .batches
        .iter()
        .filter(|(calls, _)| *calls > 0)
        .map(|&(calls, ns)| ns as f64 / calls as f64)
        .collect();
    // Batches of a fraction of a millisecond are the way up to longer ones: too short to time well.
    let long: Vec<f64> = result
        .batches
        .iter()
        .filter(|(calls, ns)| *calls > 0 && *ns >= 500_000)
        .map(|&(calls, ns)| ns as f64 / calls as f64)
        .collect();
    if !long.is_empty() {
        per_call = long;
    }
    per_call.sort_by(f64::total_cmp);
    let call_ns = match per_call.len() {
        0 if result.calls > 0 => Some(result.first_ns.unwrap_or(result.wall_ns) as f64),
        0 => None,
        n => Some(per_call[n / 2]),
    };
    Pass {
        kind: finished.kind,
        calls: result.calls,
        wall_ns: result.wall_ns,
        call_ns,
        outcome: finished.outcome.clone(),
    }
}

fn notes(python: &Python, finished: &[Finished]) -> Vec<Note> {
    let mut notes = Vec::new();
    if !python.known {
        notes.push(Note::UnknownVersion {
            minor: python.minor.clone(),
        });
    }
    if python.free_threaded && python.minor == "3.13" {
        notes.push(Note::NoSpecialization);
    }
    let mut children = false;
    for pass in finished {
        let why = match &pass.outcome {
            Outcome::Completed | Outcome::Exited { status: 0 } => None,
            Outcome::Exited { status } => Some(format!("the target exited with status {status}")),
            Outcome::Raised { exception, .. } => Some(format!("the target raised {exception}")),
            Outcome::Killed { signal, .. } => Some(format!("the process died of {signal}")),
            Outcome::TimedOut { seconds } => Some(format!("stopped after {seconds} s")),
        };
        let Some(result) = &pass.result else {
            let why = why.unwrap_or_else(|| "it left no result".to_owned());
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
    notes.dedup();
    notes
}

fn note_stray(
    strays: &mut BTreeMap<String, (u64, Option<u64>)>,
    code: &wire::Code,
    kind: PassKind,
    partial: bool,
    tables: &Tables,
    version: &Version,
) {
    let entry = strays.entry(code.path.clone()).or_default();
    // Each pass sees its own copies: the count pass, which sees all that start, is the one to believe.
    if let Some(counts) = code
        .counts
        .as_ref()
        .filter(|_| kind == PassKind::Count && !partial)
    {
        let raws = instructions::decode(&code.code, tables);
        let ran: u64 = solve(counts, &raws, version).counts.into_iter().flatten().sum();
        if entry.1.is_none() {
            *entry = (0, Some(0));
        }
        entry.0 += 1;
        entry.1 = entry.1.map(|sum| sum + ran);
    } else if entry.1.is_none() {
        entry.0 += 1;
    }
}

fn described(finished: &[Finished]) -> HashMap<&str, &wire::File> {
    let mut described: HashMap<&str, &wire::File> = HashMap::new();
    for file in finished
        .iter()
        .filter_map(|pass| pass.result.as_ref())
        .flat_map(|result| &result.files)
    {
        let known = described.entry(&file.path).or_insert(file);
        if file.changed && !known.changed {
            *known = file;
        }
    }
    described
}

fn file(
    path: &str,
    mut codes: Vec<Code>,
    described: Option<&wire::File>,
    root: &Path,
    read: &dyn Fn(&str) -> std::io::Result<Vec<u8>>,
    notes: &mut Vec<Note>,
) -> File {
    // Outermost first: a module body starts at line 0 or 1 and is named so.
    codes.sort_by(|one, other| {
        let order = |code: &Code| {
            (
                code.first_line,
                code.qualname != "<module>",
                std::cmp::Reverse(code.last_line),
            )
        };
        order(one).cmp(&order(other))
    });
    let shown = relative(path, root);
    let mut text = described.and_then(|file| file.text.clone());
    let bytes = match described.and_then(|file| file.bytes.as_ref()) {
        Some(bytes) => {
            notes.push(Note::FileChanged { file: shown.clone() });
            text = text.or_else(|| Some(String::from_utf8_lossy(bytes).into_owned()));
            Some(bytes.clone())
        }
        None => match read(path) {
            Ok(bytes) => Some(bytes),
            Err(error) => {
                notes.push(Note::FileUnreadable {
                    file: shown.clone(),
                    why: error.to_string(),
                });
                None
            }
        },
    };
    let digest = bytes
        .map(|bytes| hex(&Sha256::digest(&bytes)))
        .unwrap_or_default();
    File {
        path: shown,
        digest,
        text,
        codes,
    }
}

/// A path as the profile names it: relative to the root when inside, with `/`.
#[must_use]
pub fn relative(path: &str, root: &Path) -> String {
    let path = Path::new(path);
    let shown = path.strip_prefix(root).unwrap_or(path).display().to_string();
    if cfg!(windows) {
        shown.replace('\\', "/")
    } else {
        shown
    }
}
