//! From what a dump says of places to a profile of the files that are there.
//!
//! A place is shown only where it fits the text; what does not fit is counted.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::Dump;
use super::located::{Fact, Grain, Located, Place};
use crate::attribute::digest;
use crate::profile::{Code, File, Instruction, LineTotal, Position, Profile, Site, State, Time};
use crate::source::Source;
use crate::stats::opcodes::Opcodes;

mod choose;
mod code;
mod log;
mod whole;

pub use choose::choose;
pub use log::{fits as log_fits, profile as log_profile};

use code::Check;
use whole::{Found, assemble};

/// Stands for the opcode where a dump knows lines or functions only.
const UNKNOWN: &str = "<unknown>";

/// The files a dump may be about, by path below the root, `/` separated, with their texts.
pub type Texts<'t> = BTreeMap<String, &'t str>;

/// What an interpreter compiles the texts to: the same opcodes at the same offsets as in a run of it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Compiled {
    /// Version of the interpreter.
    pub version: String,
    /// Its minor version.
    pub minor: String,
    /// Code objects by path as in [`Texts`]; none for a text that it cannot compile.
    pub files: BTreeMap<String, Vec<Code>>,
}

/// Minor versions whose compiled code a dump can be checked against, the likeliest first; none when it
/// names no opcodes.
#[must_use]
pub fn minors(located: &Located) -> Vec<String> {
    if located.facts.iter().all(|(place, _)| place.opcode.is_none()) {
        return Vec::new();
    }
    match &located.python {
        Some(version) => vec![minor_of(version)],
        None => ["3.15", "3.14", "3.13", "3.12", "3.11"].map(str::to_owned).into(),
    }
}

/// Instructions of a dump that compiled code has where the dump says.
#[must_use]
pub fn fits(located: &Located, compiled: &Compiled) -> u64 {
    let checks = code::Checks::new(compiled);
    let mut chosen: HashMap<&str, Option<&str>> = HashMap::new();
    let mut fits = 0;
    for (place, _) in &located.facts {
        let files = compiled.files.keys().map(String::as_str);
        let file = chosen
            .entry(&place.path)
            .or_insert_with(|| choose(&place.path, files));
        fits += u64::from(file.is_some_and(|file| !matches!(checks.find(file, place), Check::Misfit)));
    }
    fits
}

/// Path, first line and qualified name.
type CodeKey = (String, u32, String);
/// What is told of the instructions of a compiled code object, by index.
type Exact<'l> = BTreeMap<usize, Vec<(&'l Place, Fact)>>;
/// Offset, position and base opcode.
type InstructionKey = (Option<u32>, Option<Position>, String);

struct Placed {
    file: String,
    qualname: String,
    first_line: u32,
}

/// The profile of a dump; `root` is the folder that the paths of `texts` are below. Instructions are
/// checked against compiled code where there is some, else against the text.
#[must_use]
pub fn profile(
    dump: &Dump,
    located: &Located,
    root: &str,
    texts: &Texts,
    compiled: Option<&Compiled>,
) -> Profile {
    let checks = compiled.map(code::Checks::new);
    let sources: HashMap<&str, Source> = texts
        .iter()
        .map(|(path, text)| (path.as_str(), Source::new(text)))
        .collect();
    let mut chosen: HashMap<&str, Option<&str>> = HashMap::new();
    let mut codes: BTreeMap<CodeKey, Vec<(&Place, Fact)>> = BTreeMap::new();
    let mut exact: BTreeMap<(&str, usize), Exact> = BTreeMap::new();
    let grain = grain(located, texts, &sources);
    let mut counts = Counts::default();
    let mut elsewhere = Time::default();
    let ties = ties(located, texts, checks.as_ref());
    for ((place, fact), tie) in located.facts.iter().zip(&ties) {
        let file = *chosen
            .entry(&place.path)
            .or_insert_with(|| choose(&place.path, texts.keys().map(String::as_str)));
        let Some(file) = file else {
            counts.elsewhere += 1;
            elsewhere.add(fact.own);
            continue;
        };
        counts.inside += 1;
        if let Some(checks) = checks
            .as_ref()
            .filter(|checks| place.opcode.is_some() && checks.has(file))
        {
            counts.checked += 1;
            match checks.find(file, place) {
                Check::Is(code, instruction) if is_quoted(located, place, &sources[file]) => {
                    let code = exact.entry((file, code)).or_default();
                    code.entry(instruction).or_default().push((place, *fact));
                    continue;
                }
                // What begins there is known, which of its instructions is not.
                Check::Tie => {}
                _ => {
                    counts.misfits += 1;
                    elsewhere.add(fact.own);
                    continue;
                }
            }
        }
        let place = tie.as_ref().unwrap_or(place);
        let placed =
            fit(place, grain, file, &sources[file]).filter(|_| is_quoted(located, place, &sources[file]));
        if let Some(placed) = placed {
            let key = (placed.file, placed.first_line, placed.qualname);
            codes.entry(key).or_default().push((place, *fact));
        } else {
            counts.misfits += 1;
            elsewhere.add(fact.own);
        }
    }
    let minor = located.python.as_deref().map(minor_of).unwrap_or_default();
    let mut files = files(located, texts, compiled, codes, exact, &minor);
    add_totals(&mut files, located, &chosen);
    let found = Found {
        files: files.into_values().collect(),
        counts,
        elsewhere,
        grain,
        minor,
        checked_by: compiled
            .filter(|_| counts.checked > 0)
            .map(|compiled| compiled.version.clone()),
    };
    assemble(dump, located, root, found)
}

/// A file with its text and nothing measured yet.
fn file_of(path: &str, texts: &Texts) -> File {
    File {
        path: path.to_owned(),
        digest: digest(texts[path]),
        text: Some(texts[path].to_owned()),
        codes: Vec::new(),
        totals: Vec::new(),
    }
}

/// The code objects of each file; what is known of a compiled one only by the text is put to it.
fn files(
    located: &Located,
    texts: &Texts,
    compiled: Option<&Compiled>,
    mut codes: BTreeMap<CodeKey, Vec<(&Place, Fact)>>,
    exact: BTreeMap<(&str, usize), Exact>,
    minor: &str,
) -> BTreeMap<String, File> {
    let mut files: BTreeMap<String, File> = BTreeMap::new();
    let mut add = |path: &str, code: Code| {
        let file = files.entry(path.to_owned());
        file.or_insert_with(|| file_of(path, texts)).codes.push(code);
    };
    for ((path, index), facts) in exact {
        let compiled = &compiled.map_or(&[][..], |compiled| &compiled.files[path])[index];
        let mut whole = verified(located, compiled, &facts, minor);
        let key = (path.to_owned(), compiled.first_line, compiled.qualname.clone());
        if let Some(facts) = codes.remove(&key) {
            let rest = code(located, key.2, key.1, &facts, minor);
            // After its last instruction, as where they are is not known.
            let last = compiled.instructions.last().map_or(0, |last| last.offset);
            let is_begun = |line| {
                whole
                    .instructions
                    .iter()
                    .any(|one| one.starts_line && one.position.map(|at| at.line) == line)
            };
            let rest: Vec<_> = rest
                .instructions
                .into_iter()
                .zip(1_u32..)
                .map(|(one, order)| Instruction {
                    offset: last.saturating_add(2 * order),
                    starts_line: one.starts_line && !is_begun(one.position.map(|at| at.line)),
                    ..one
                })
                .collect();
            whole.instructions.extend(rest);
        }
        add(path, whole);
    }
    for ((path, first_line, qualname), facts) in codes {
        add(&path, code(located, qualname, first_line, &facts, minor));
    }
    files
}

/// Places at which more than one instruction with their opcode begins, as what they are without it: places
/// in the text.
fn ties(located: &Located, texts: &Texts, checks: Option<&code::Checks>) -> Vec<Option<Place>> {
    let is_tie = |place: &Place| {
        let file = choose(&place.path, texts.keys().map(String::as_str));
        let found = checks.zip(file).map(|(checks, file)| checks.find(file, place));
        matches!(found, Some(Check::Tie))
    };
    let stripped = located.facts.iter().map(|(place, _)| {
        (code::is_point(place) && is_tie(place)).then(|| Place {
            opcode: None,
            ..place.clone()
        })
    });
    stripped.collect()
}

/// Times of lines with what they called.
fn add_totals(files: &mut BTreeMap<String, File>, located: &Located, chosen: &HashMap<&str, Option<&str>>) {
    for ((path, line), total) in &located.lines {
        if let Some(file) = chosen
            .get(path.as_str())
            .copied()
            .flatten()
            .and_then(|path| files.get_mut(path))
        {
            file.totals.push(LineTotal {
                line: *line,
                total: *total,
            });
        }
    }
    for file in files.values_mut() {
        file.totals.sort_by_key(|total| total.line);
    }
}

/// Functions, when a dump of lines has first lines of functions only.
fn grain(located: &Located, texts: &Texts, sources: &HashMap<&str, Source>) -> Grain {
    if located.grain != Grain::Line || !located.quoted.is_empty() {
        return located.grain;
    }
    let mut named = 0;
    for (place, _) in &located.facts {
        let Some(file) = choose(&place.path, texts.keys().map(String::as_str)) else {
            continue;
        };
        let line = place.position.map(|position| position.line);
        let is_first = if place.function == "<module>" {
            line == Some(1)
        } else if place.function.ends_with('>') {
            true
        } else {
            named += 1;
            fit(place, Grain::Function, file, &sources[file]).is_some()
        };
        if !is_first {
            return Grain::Line;
        }
    }
    if named > 0 { Grain::Function } else { Grain::Line }
}

/// Whether the line has the text that the dump quotes, if it quotes any.
fn is_quoted(located: &Located, place: &Place, source: &Source) -> bool {
    let Some(position) = place.position else {
        return false;
    };
    let quoted = located.quoted.get(&(place.path.clone(), position.line));
    quoted.is_none_or(|text| source.line(position.line).is_some_and(|line| line.trim() == text))
}

#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    inside: u64,
    /// Those that were looked for in compiled code.
    checked: u64,
    misfits: u64,
    elsewhere: u64,
}

fn minor_of(version: &str) -> String {
    version.split('.').take(2).collect::<Vec<_>>().join(".")
}

/// Checks a place against the text: the line is there, the columns are on it, and the function around
/// it has the dump's name.
fn fit(place: &Place, grain: Grain, path: &str, source: &Source) -> Option<Placed> {
    let position = place.position?;
    let text = source.line(position.line)?;
    source.line(position.end_line)?;
    if position.end_line < position.line {
        return None;
    }
    if let Some((start, _)) = position.columns
        && start as usize > text.len()
    {
        return None;
    }
    let placed = |qualname: &str, first_line: u32| Placed {
        file: path.to_owned(),
        qualname: qualname.chars().filter(|c| !c.is_control()).collect(),
        first_line,
    };
    let name = place.function.rsplit('.').next().unwrap_or_default();
    if place.function.is_empty() || place.function.ends_with('>') {
        let name = if place.function.is_empty() {
            "<module>"
        } else {
            &place.function
        };
        return Some(placed(
            name,
            place
                .first_line
                .unwrap_or(if name == "<module>" { 1 } else { position.line }),
        ));
    }
    let functions = source.functions().iter().filter(|known| known.name() == name);
    let around = functions.filter(|known| {
        if grain == Grain::Function {
            position.line == known.first_line || position.line == known.def_line
        } else {
            (known.first_line..=known.end_line).contains(&position.line)
        }
    });
    if let Some(function) = around.max_by_key(|known| known.first_line) {
        return Some(placed(&function.qualname, function.first_line));
    }
    // The body of a class is no function; it must at least be named there. Annotations have a function
    // that no text shows.
    let is_class = (1..=source.line_count())
        .filter_map(|line| source.line(line))
        .any(|line| {
            line.trim_start()
                .strip_prefix("class ")
                .and_then(|rest| rest.strip_prefix(name))
                .is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_'))
        });
    let is_class = is_class || name == "__annotate__";
    is_class.then(|| placed(&place.function, place.first_line.unwrap_or(position.line)))
}

/// Places with the same position and base opcode are one instruction.
fn code(located: &Located, qualname: String, first_line: u32, facts: &[(&Place, Fact)], minor: &str) -> Code {
    let opcodes = Opcodes::of(minor);
    let base = |name: &str| {
        opcodes
            .and_then(|opcodes| opcodes.base(name))
            .unwrap_or(name)
            .to_owned()
    };
    let mut merged: BTreeMap<InstructionKey, (Fact, BTreeMap<String, u64>)> = BTreeMap::new();
    let (total, calls) = totals(located, facts.iter().map(|(place, _)| *place));
    for (place, fact) in facts {
        let opcode = place.opcode.as_deref().unwrap_or(UNKNOWN);
        let key = (place.offset, place.position, base(opcode));
        let (sum, forms) = merged.entry(key).or_default();
        sum.own.add(fact.own);
        if let Some(more) = fact.executions {
            sum.executions = Some(sum.executions.unwrap_or(0).saturating_add(more));
        }
        *forms.entry(opcode.to_owned()).or_default() += fact.own.samples;
    }
    let mut lines = Vec::new();
    let instructions: Vec<_> = merged
        .into_iter()
        .zip(0_u32..)
        .map(|(((offset, position, opcode), (fact, forms)), order)| {
            let line = position.map(|position| position.line);
            let starts_line = line.is_some_and(|line| !lines.contains(&line));
            lines.extend(line);
            let (state, site) = specialization(&opcode, &forms, opcodes);
            Instruction {
                offset: offset.unwrap_or(2 * order),
                opcode,
                argument: String::new(),
                position,
                starts_line,
                executions: fact.executions,
                state,
                time: located.has_times.then(|| Box::new(fact.own)),
                site: site.map(Box::new),
            }
        })
        .collect();
    Code {
        jit: None,
        qualname,
        first_line,
        last_line: lines.into_iter().fold(first_line, u32::max),
        digest: String::new(),
        calls,
        withheld: false,
        failures: None,
        total,
        instructions,
    }
}

/// Time with what it called, and calls, of a code object that places name, each name once.
fn totals<'p>(located: &Located, places: impl Iterator<Item = &'p Place>) -> (Option<Time>, Option<u64>) {
    let (mut total, mut calls): (Option<Time>, Option<u64>) = (None, None);
    let mut seen = HashSet::new();
    for place in places {
        let name = (place.path.clone(), place.function.clone(), place.first_line);
        if seen.contains(&name) {
            continue;
        }
        if let Some(time) = located.codes.get(&name) {
            total.get_or_insert_default().add(*time);
        }
        if let Some(more) = located.calls.get(&name) {
            calls = Some(calls.unwrap_or(0).saturating_add(*more));
        }
        seen.insert(name);
    }
    (total, calls)
}

/// A compiled code object with the numbers of its instructions.
fn verified(located: &Located, compiled: &Code, facts: &Exact, minor: &str) -> Code {
    let opcodes = Opcodes::of(minor);
    let (total, calls) = totals(located, facts.values().flatten().map(|(place, _)| *place));
    let mut instructions = Vec::with_capacity(facts.len());
    for (&index, facts) in facts {
        let known = &compiled.instructions[index];
        let mut sum = Fact::default();
        let mut forms: BTreeMap<String, u64> = BTreeMap::new();
        for (place, fact) in facts {
            sum.own.add(fact.own);
            if let Some(more) = fact.executions {
                sum.executions = Some(sum.executions.unwrap_or(0).saturating_add(more));
            }
            let form = place.opcode.clone().unwrap_or_default();
            *forms.entry(form).or_default() += fact.own.samples;
        }
        let (state, site) = specialization(&known.opcode, &forms, opcodes);
        instructions.push(Instruction {
            executions: sum.executions,
            state,
            time: located.has_times.then(|| Box::new(sum.own)),
            site: site.map(Box::new),
            ..known.clone()
        });
    }
    Code {
        calls,
        total,
        instructions,
        ..compiled.clone()
    }
}

/// By the forms in which an instruction was seen.
fn specialization(
    base: &str,
    forms: &BTreeMap<String, u64>,
    opcodes: Option<&Opcodes>,
) -> (State, Option<Site>) {
    let Some(opcodes) = opcodes.filter(|_| base != UNKNOWN) else {
        return (State::Imported, None);
    };
    if !opcodes.has_family(base) {
        return (State::Basic, None);
    }
    let mut specialized: Vec<_> = forms
        .iter()
        .filter(|(form, _)| opcodes.base(form).is_some())
        .collect();
    specialized.sort_by_key(|(_, samples)| std::cmp::Reverse(**samples));
    let site = Site {
        form: specialized.first().map(|(form, _)| (*form).clone()),
        forms_seen: forms.keys().map(|form| (form.clone(), 0)).collect(),
        misses: None,
        deferred: None,
        failed_attempts: None,
        types: Vec::new(),
    };
    (State::Imported, Some(site))
}
