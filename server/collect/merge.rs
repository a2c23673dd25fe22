//! The passes' raw results to one profile.

mod code;
mod jit;
mod passes;
mod spread;
mod times;
mod types;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use sha2::{Digest, Sha256};

use self::code::{Context, solve};
use self::times::Timed;
use super::sample::{self, Samples};
use super::wire::{self, Origin};
use crate::bytecode::{Tables, instructions};
use crate::cpython::{self, Version};
use crate::profile::{Code, File, Note, Outcome, PassKind, Profile, Python, State, Workload};
use crate::trace::Trace;

/// A pass with what its process said and how that process ended.
pub struct Finished {
    /// The instrument.
    pub kind: PassKind,
    /// How the pass ended, the process's own end considered.
    pub outcome: Outcome,
    /// What the helper wrote; none when it could not.
    pub result: Option<wire::Result>,
    /// What a sampler saw of it, if there was one.
    pub samples: Option<Result<Samples, sample::Error>>,
}

/// Identity of a code object across passes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Key {
    path: String,
    first_line: u32,
    qualname: String,
    digest: String,
    /// Two lambdas of one line may differ in nothing else.
    constants: Vec<String>,
    names: Vec<String>,
}

/// Everything known about one code object.
struct Gathered<'a> {
    natural: Option<&'a wire::Code>,
    any: &'a wire::Code,
    counts: Vec<&'a wire::Counts>,
    misses: Vec<&'a wire::Counts>,
    types: Vec<&'a wire::Counts>,
    jit: Vec<&'a wire::Jit>,
    /// As a pystats build counted it.
    pystats: Vec<&'a wire::Counts>,
    /// Where sampled processes had it.
    sampled: Vec<times::Place>,
    /// Its counts come from a pass that was cut short.
    partial: bool,
}

pub use types::candidates;

/// Merges the passes of one workload. `read` gives the bytes of a file as they are now.
#[must_use]
pub fn merge(
    python: Python,
    workload: Workload,
    root: &Path,
    finished: &[Finished],
    traced: Option<&Trace>,
    read: &dyn Fn(&str) -> std::io::Result<Vec<u8>>,
) -> Profile {
    let version = cpython::nearest(&python.minor);
    let mut notes = passes::notes(&python, finished);
    let mut passes = passes::all(finished);
    passes.extend(traced.and_then(passes::traced));
    let empty = Tables::default();
    let tables = finished
        .iter()
        .find_map(|pass| pass.result.as_ref())
        .map_or(&empty, |result| &result.tables);
    let Sorted {
        gathered,
        strays,
        uncounted,
    } = sort(finished, tables, version);
    let (natural_ran, counted) = (has(finished, PassKind::Natural), has(finished, PassKind::Count));
    let timed = Timed::new(finished, traced);
    let context = Context {
        tables,
        timed: &timed,
        root,
        version,
        python: &python,
        counted,
        told_apart: finished.iter().any(tells_failures_apart),
        uncounted: &uncounted,
        calls: jit::calls(finished),
    };
    let mut files: BTreeMap<String, Vec<Code>> = BTreeMap::new();
    let (mut diverged, mut most_threads) = (0u64, 0u64);
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
        let threads = found.counts.iter().map(|counts| counts.threads);
        most_threads = most_threads.max(threads.max().unwrap_or(0));
        files.entry(key.path.clone()).or_default().push(code);
    }
    if context.bounded(most_threads) {
        notes.push(Note::Threads {
            threads: most_threads,
        });
    }
    for path in &uncounted {
        let file = relative(path, root);
        notes.push(Note::Diverged {
            what: format!("{file} was edited before it was counted, so its executions are not known"),
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
            let mut file = file(
                &path,
                codes,
                described.get(path.as_str()).copied(),
                root,
                read,
                &mut notes,
            );
            file.totals = timed.lines(&path, &file.path);
            file
        })
        .collect();
    Profile {
        python,
        workload,
        passes,
        times: timed.times,
        notes,
        root: root.display().to_string(),
        files,
    }
}

/// Whether a pass was made and left a result.
fn has(finished: &[Finished], kind: PassKind) -> bool {
    let mut made = finished.iter().filter(|pass| pass.kind == kind);
    made.any(|pass| pass.result.is_some())
}

/// The code objects of all passes by what they are.
#[derive(Default)]
struct Sorted<'a> {
    gathered: BTreeMap<Key, Gathered<'a>>,
    /// Code objects and their executions, if counted, by the file they name without being in it.
    strays: BTreeMap<String, (u64, Option<u64>)>,
    /// Files that were another text when counted.
    uncounted: BTreeSet<&'a str>,
}

fn sort<'a>(finished: &'a [Finished], tables: &Tables, version: &Version) -> Sorted<'a> {
    let reference = identities(finished);
    let mut sorted = Sorted::default();
    for (index, pass) in finished.iter().enumerate() {
        let Some(result) = &pass.result else { continue };
        let changed: BTreeSet<&str> = result
            .files
            .iter()
            .filter(|file| reference[file.path.as_str()] != file.identity)
            .map(|file| file.path.as_str())
            .collect();
        for code in &result.codes {
            if changed.contains(code.path.as_str()) {
                sorted.uncounted.insert(code.path.as_str());
            } else if code.origin == Origin::Stray {
                note_stray(
                    &mut sorted.strays,
                    code,
                    pass.kind,
                    result.partial,
                    tables,
                    version,
                );
            } else {
                gather(&mut sorted.gathered, code, (index, pass));
            }
        }
    }
    sorted
}

fn gather<'a>(
    gathered: &mut BTreeMap<Key, Gathered<'a>>,
    code: &'a wire::Code,
    (index, pass): (usize, &'a Finished),
) {
    let key = Key {
        path: code.path.clone(),
        first_line: code.first_line,
        qualname: code.qualname.clone(),
        digest: code_digest(code),
        constants: code.constants.clone(),
        names: code.names.clone(),
    };
    let found = gathered.entry(key).or_insert_with(|| Gathered {
        natural: None,
        any: code,
        counts: Vec::new(),
        misses: Vec::new(),
        types: Vec::new(),
        jit: Vec::new(),
        pystats: Vec::new(),
        sampled: Vec::new(),
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
        PassKind::Types => found.types.extend(code.counts.as_ref()),
        PassKind::Pystats => found.pystats.extend(code.counts.as_ref()),
        PassKind::Sample => found.sampled.push((index, code.address)),
        PassKind::Jit => found.jit.extend(code.jit.as_ref()),
        PassKind::Trace => {}
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

/// SHA-256 of a file's bytes, as [`File::digest`] has it.
pub(super) fn digest(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// A pass that has the failed attempts of each code object: with several threads they are mixed.
fn tells_failures_apart(pass: &Finished) -> bool {
    let has = |result: &wire::Result| result.threads == 0 && !result.partial;
    pass.kind == PassKind::Pystats && pass.result.as_ref().is_some_and(has)
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

/// What each file was to the first pass that loaded it.
fn identities(finished: &[Finished]) -> HashMap<&str, Option<String>> {
    let mut found = HashMap::new();
    let results = finished.iter().filter_map(|pass| pass.result.as_ref());
    for file in results.flat_map(|result| &result.files) {
        found
            .entry(file.path.as_str())
            .or_insert_with(|| file.identity.clone());
    }
    found
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
    let digest = bytes.map(|bytes| digest(&bytes)).unwrap_or_default();
    File {
        path: shown,
        digest,
        text,
        codes,
        totals: Vec::new(),
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
