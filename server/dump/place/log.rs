//! Logs of the JIT on source: by code object and offset, checked against compiled code.

use std::collections::{BTreeMap, BTreeSet};

use super::code::{at_offset, base, common, is_named};
use super::whole::{empty, placed};
use super::{Compiled, Counts, Texts, choose, file_of, specialization};
use crate::cpython::{self, Begin};
use crate::dump::{Dump, JitLog, Logged};
use crate::profile::jit::Jit;
use crate::profile::{Code, File, Instruction, Note, Profile};
use crate::stats::opcodes::Opcodes;

/// Instructions that must fit where a log gives no more than an address.
const ENOUGH: usize = 3;

/// A code object of the log and the compiled one that it is.
struct Match<'l> {
    logged: &'l Logged,
    file: &'l str,
    index: usize,
    /// Instructions that fit, by offset.
    common: BTreeMap<u32, usize>,
    /// How many; where the log has no opcodes, beginnings of traces where some can begin.
    fit: usize,
}

/// Instructions of a log that compiled code has where the log says.
#[must_use]
pub fn fits(log: &JitLog, compiled: &Compiled) -> u64 {
    let matches = log.codes.iter().filter_map(|logged| find(logged, compiled));
    matches.map(|found| found.fit as u64).sum()
}

/// The code object that a log means: of its file, module and name that which fits best; none when two
/// fit alike.
fn find<'l>(logged: &'l Logged, compiled: &'l Compiled) -> Option<Match<'l>> {
    let opcodes = Opcodes::of(&compiled.minor);
    let paths = || compiled.files.keys().map(String::as_str);
    let files: Vec<&str> = match (&logged.module, logged.file.is_empty()) {
        (Some(module), _) => paths().filter(|path| is_module(path, module)).collect(),
        (None, false) => choose(&logged.file, paths()).into_iter().collect(),
        (None, true) => paths().collect(),
    };
    let mut best: Option<(usize, bool, Match)> = None;
    for file in files {
        for (index, code) in compiled.files[file].iter().enumerate() {
            let is_line = logged.first_line.is_none_or(|line| {
                // A module is said to begin on line 1, and on line 0 since 3.11.
                line == code.first_line || line <= 1 && code.qualname == "<module>"
            });
            // The text of a web page has lost names in angle brackets.
            let is_name = logged.function.is_empty()
                || is_named(code, &logged.function)
                || logged.function == "<module>" && code.qualname.ends_with('>');
            if !is_line || !is_name {
                continue;
            }
            let common = common(opcodes, code, logged.opcodes.iter().cloned());
            let fit = if logged.opcodes.is_empty() {
                let traces = logged.jit.traces.iter();
                traces
                    .filter(|trace| can_begin(&compiled.minor, code, trace.offset))
                    .count()
            } else {
                common.len()
            };
            // An address alone must fit whole.
            let is_unnamed = logged.function.is_empty();
            if is_unnamed && (fit < ENOUGH || fit < offsets(logged)) {
                continue;
            }
            if fit == 0 {
                continue;
            }
            let found = Match {
                logged,
                file,
                index,
                common,
                fit,
            };
            match &mut best {
                Some((most, tie, _)) if *most == fit => *tie = true,
                Some((most, ..)) if *most > fit => {}
                _ => best = Some((fit, false, found)),
            }
        }
    }
    best.filter(|(_, tie, _)| !tie).map(|(.., found)| found)
}

/// Whether a trace that no exit of another leads to may begin at an offset in this version: where
/// versions differ, that tells which one wrote the log.
fn can_begin(minor: &str, code: &Code, offset: u32) -> bool {
    let is_jump = |one: &Instruction| one.opcode.starts_with("JUMP_BACKWARD");
    let head = format!("to {offset}");
    let begins = cpython::version(minor).map_or(&[][..], |version| &version.jit_begins);
    at_offset(code, offset).is_some_and(|at| {
        let begin = &code.instructions[at];
        begins.iter().any(|kind| match kind {
            Begin::LoopHead => {
                let mut all = code.instructions.iter();
                all.any(|one| is_jump(one) && one.argument == head)
            }
            Begin::JumpBack => is_jump(begin),
            Begin::Function => begin.opcode.starts_with("RESUME") || offset == 0,
        })
    })
}

fn offsets(logged: &Logged) -> usize {
    let offsets: BTreeSet<u32> = logged.opcodes.iter().map(|(offset, _)| *offset).collect();
    offsets.len()
}

/// Whether a file is a module of this name; any may be the program.
fn is_module(path: &str, module: &str) -> bool {
    let stem = path.strip_suffix(".py").unwrap_or(path);
    let stem = stem.strip_suffix("/__init__").unwrap_or(stem).replace('/', ".");
    module == "__main__" || stem == module || stem.ends_with(&format!(".{module}"))
}

/// The profile of a log; none when nothing of it is in these files.
#[must_use]
pub fn profile(dump: &Dump, log: &JitLog, root: &str, texts: &Texts, compiled: &Compiled) -> Option<Profile> {
    let opcodes = Opcodes::of(&compiled.minor);
    let mut counts = Counts::default();
    let mut by_offset = 0_u64;
    let mut gathered: BTreeMap<(&str, usize), Vec<Match>> = BTreeMap::new();
    for logged in &log.codes {
        let all = offsets(logged) as u64;
        let Some(found) = find(logged, compiled) else {
            let is_inside =
                !logged.file.is_empty() && choose(&logged.file, texts.keys().map(String::as_str)).is_some();
            if is_inside {
                counts.inside += all.max(1);
                counts.misfits += all.max(1);
            } else {
                counts.elsewhere += all.max(1);
            }
            continue;
        };
        counts.inside += all;
        counts.misfits += all - found.common.len() as u64;
        by_offset += u64::from(logged.opcodes.is_empty());
        gathered.entry((found.file, found.index)).or_default().push(found);
    }
    if gathered.is_empty() {
        return None;
    }
    let mut files: BTreeMap<&str, File> = BTreeMap::new();
    for ((path, index), found) in gathered {
        let code = code(&compiled.files[path][index], &found, opcodes);
        let file = files.entry(path);
        file.or_insert_with(|| file_of(path, texts)).codes.push(code);
    }
    let mut notes = vec![Note::Imported {
        from: format!("{}, {}", dump.name, dump.format.name()),
        grain: "instructions".to_owned(),
        specialization: true,
    }];
    let mut say = |text: String| notes.push(Note::Other { text });
    if counts.inside > 0 {
        say(placed(&counts, Some(&compiled.version), true));
    }
    if by_offset > 0 {
        say(
            "At level 1 the log names offsets without opcodes: they are only known to begin an instruction."
                .to_owned(),
        );
    }
    if counts.elsewhere > 0 {
        say(format!(
            "{} instructions are of code that is not in {root}, or cannot be told from other code there.",
            counts.elsewhere
        ));
    }
    dump.problems.iter().cloned().for_each(&mut say);
    Some(Profile {
        notes,
        files: files.into_values().collect(),
        ..empty(dump, root, compiled.minor.clone(), compiled.minor.clone())
    })
}

/// A compiled code object with what a log says of it; one code object may have several in a log, by its
/// file and by its module.
fn code(compiled: &Code, found: &[Match], opcodes: Option<&Opcodes>) -> Code {
    let mut jit = Jit::default();
    let mut executed: BTreeMap<usize, u64> = BTreeMap::new();
    let mut forms: BTreeMap<usize, BTreeMap<String, u64>> = BTreeMap::new();
    for Match { logged, common, .. } in found {
        let fits = |offset: &u32| {
            let known = common.get(offset).copied();
            known.or_else(|| at_offset(compiled, *offset).filter(|_| is_free(logged, *offset)))
        };
        jit.traces.extend(
            logged
                .jit
                .traces
                .iter()
                .filter(|trace| fits(&trace.offset).is_some())
                .cloned(),
        );
        jit.sites.extend(
            logged
                .jit
                .sites
                .iter()
                .filter(|site| common.contains_key(&site.offset))
                .cloned(),
        );
        for (offset, opcode) in &logged.opcodes {
            let Some(&at) = common.get(offset) else { continue };
            let known = &compiled.instructions[at].opcode;
            if base(opcodes, opcode).is_some_and(|base| base == known || known == opcode) {
                let ran = logged.executed.get(&(*offset, opcode.clone())).copied();
                *forms.entry(at).or_default().entry(opcode.clone()).or_default() += ran.unwrap_or(0);
                if let Some(ran) = ran {
                    *executed.entry(at).or_default() += ran;
                }
            }
        }
    }
    jit.traces.sort_by_key(|trace| trace.offset);
    jit.sites.sort_by_key(|site| site.offset);
    let traces = jit.traces.iter().map(|trace| trace.offset);
    let sites = jit.sites.iter().map(|site| site.offset);
    let mut offsets: BTreeSet<u32> = traces.chain(sites).collect();
    // The head of a loop is where its trace is told of.
    let heads = jit.traces.iter().filter_map(|trace| {
        let jump = &compiled.instructions[at_offset(compiled, trace.offset)?];
        jump.argument.strip_prefix("to ")?.parse::<u32>().ok()
    });
    offsets.extend(heads.collect::<Vec<_>>());
    let mut shown: BTreeSet<usize> = forms.keys().copied().collect();
    shown.extend(
        offsets
            .into_iter()
            .filter_map(|offset| at_offset(compiled, offset)),
    );
    let instructions = shown.into_iter().map(|at| {
        let known = &compiled.instructions[at];
        let seen = forms.get(&at).cloned().unwrap_or_default();
        let (state, site) = specialization(&known.opcode, &seen, opcodes);
        Instruction {
            executions: executed.get(&at).copied(),
            state,
            site: site.map(Box::new),
            time: None,
            ..known.clone()
        }
    });
    Code {
        instructions: instructions.collect(),
        calls: None,
        jit: (!jit.is_empty()).then(|| Box::new(jit)),
        ..compiled.clone()
    }
}

/// Whether the log has no opcode of its own at an offset, so that nothing speaks against it.
fn is_free(logged: &Logged, offset: u32) -> bool {
    let from = (offset, String::new());
    let mut here = logged.opcodes.range(from..).take_while(|(at, _)| *at == offset);
    here.next().is_none()
}
