//! Logs of `PYTHON_LLTRACE`: which traces the JIT's front end made, what ended or refused them, where
//! they were left, and at level 5 which instructions ran. Offsets are bytes of `co_code`.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::BufRead;

use super::{Problem, lines};
use crate::profile::jit::{Jit, Trace, Traced};
use crate::stats::Table;

mod frames;
mod tables;

use frames::Frames;

/// Places, opcodes and reasons that are kept.
const KEPT: usize = 1 << 16;
/// Beginnings of lines that say why a trace ended or was refused.
const REASONS: [&str; 11] = [
    "Unsupported opcode",
    "Trace stack underflow",
    "Trace stack overflow",
    "JUMP_BACKWARD not to top ends trace",
    "Confidence too low",
    "Bailing on recursive call",
    "Bailing because co_version",
    "Bailing due to dynamic target",
    "Bail, new_code == NULL",
    "No room for",
    "Told to stop tracing",
];

/// Beginnings of lines that may be glued to the last uop of a trace, which 3.13 ends without a new line.
const GLUED: [&str; 5] = [
    "Optimized trace (length ",
    "Created a proto-trace for ",
    "Optimizing ",
    "SIDE EXIT: [",
    "DEOPT: [",
];

/// What a log says: tables, and the same by code object, to be placed on source.
#[derive(Debug, Clone, PartialEq)]
pub struct JitLog {
    /// Everything in it, by the log's own names.
    pub tables: Vec<Table>,
    /// The code objects it names.
    pub codes: Vec<Logged>,
    /// Minor versions that print such lines, newest first.
    pub minors: Vec<&'static str>,
}

/// A code object as a log names it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Logged {
    /// Its file; empty where the log has none.
    pub file: String,
    /// Its module, where the log has that instead of a file.
    pub module: Option<String>,
    /// First line, where the log has it.
    pub first_line: Option<u32>,
    /// Qualified name; empty where the log has only an address.
    pub function: String,
    /// Opcodes by byte offset, as the log has them: specialized ones too.
    pub opcodes: BTreeSet<(u32, String)>,
    /// What became of its traces.
    pub jit: Jit,
    /// Executions by byte offset and opcode, at level 5.
    pub executed: BTreeMap<(u32, String), u64>,
}

impl JitLog {
    /// Names of the files that it is about, without folders.
    #[must_use]
    pub fn file_names(&self) -> BTreeSet<String> {
        let name = |path: &str| path.rsplit(['/', '\\']).next().unwrap_or_default().to_owned();
        let files = self.codes.iter().filter(|code| !code.file.is_empty());
        let of_modules = self.codes.iter().filter_map(|code| code.module.as_deref());
        let last = |module: &str| module.rsplit('.').next().unwrap_or_default().to_owned();
        files
            .map(|code| name(&code.file))
            .chain(of_modules.clone().map(|module| last(module) + ".py"))
            .chain(of_modules.map(|_| "__init__.py".to_owned()))
            .collect()
    }
}

impl JitLog {
    /// Names that the program itself defines at its top, where the log has no file of it.
    #[must_use]
    pub fn definitions(&self) -> BTreeSet<String> {
        let program = self
            .codes
            .iter()
            .filter(|code| code.module.as_deref() == Some("__main__"));
        program
            .filter_map(|code| code.function.split('.').next())
            .filter(|name| !name.is_empty() && !name.starts_with('<'))
            .map(str::to_owned)
            .collect()
    }

    /// How the offsets in its tables are to be read.
    pub const OFFSETS: &str = "offsets are bytes of the code object that begins on the line after the file's name; lines of other processes or of the program are left out";
}

/// A code object and a byte offset in it, as a log names them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct At {
    file: String,
    first_line: u32,
    function: String,
    offset: u32,
}

#[derive(Debug, Default)]
struct Site {
    attempts: u64,
    created: u64,
    refused: u64,
    uops: u64,
    optimized: u64,
    instructions: BTreeSet<u32>,
    reasons: BTreeMap<String, u64>,
}

/// An instruction that was projected, or at which something ended.
#[derive(Debug, Default)]
struct Covered {
    opcodes: BTreeSet<String>,
    traces: u64,
    uops: u64,
    stops: BTreeMap<String, u64>,
}

#[derive(Default)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "lines of the log, each there or not"
)]
struct Log {
    sites: BTreeMap<At, Site>,
    /// The attempt that goes on, and the one that the next optimized trace is of.
    present: Option<At>,
    last: Option<At>,
    /// Code object and offset of the last projected instruction; none when its owner is not known.
    owner: Option<At>,
    /// Addresses of code objects (3.15) that a header has named.
    addresses: HashMap<String, Option<At>>,
    wants_address: bool,
    unsupported: BTreeMap<(String, Option<At>), u64>,
    exits: BTreeMap<(u32, String, &'static str), u64>,
    covered: BTreeMap<At, Covered>,
    /// Instructions of the attempt that goes on, with their uops.
    path: Vec<(At, u64)>,
    frames: Frames,
    /// Uops that the optimizer looked at and put out, by name.
    uops: BTreeMap<String, (u64, u64)>,
    /// Traces it looked at, and functions it could not find.
    analysed: u64,
    missing: u64,
    /// Forms of lines by which versions differ.
    has_two_operands: bool,
    has_one_operand: bool,
    is_recorded: bool,
    is_projected: bool,
    has_locals: bool,
}

/// Reads a log; lines of the program between are left out.
pub(super) fn read(input: impl BufRead) -> Result<JitLog, Problem> {
    let mut log = Log::default();
    lines::each(input, |_, line, complete| {
        if complete {
            log.bytes(line);
        }
    })?;
    let tables = log.tables();
    if tables.is_empty() {
        return Err(Problem::Damaged {
            place: None,
            what: "no event of a trace could be read".to_owned(),
        });
    }
    Ok(JitLog {
        tables,
        codes: log.codes(),
        minors: log.minors(),
    })
}

/// `NAME (FILE:LINE) at byte offset N`, and what follows.
fn at(text: &str) -> Option<(At, &str)> {
    let (place, rest) = text.split_once(" at byte offset ")?;
    let (function, place) = place.strip_suffix(')')?.rsplit_once(" (")?;
    let (file, line) = place.rsplit_once(':')?;
    let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    let (offset, rest) = rest.split_at(digits);
    let plain = |text: &str| text.chars().filter(|c| !c.is_control()).collect::<String>();
    let at = At {
        // The text of a web page has lost what stands in angle brackets.
        function: if function.trim().is_empty() {
            "<module>".to_owned()
        } else {
            plain(function)
        },
        file: plain(file),
        first_line: line.parse().ok()?,
        offset: offset.parse().ok()?,
    };
    Some((at, rest))
}

fn is_opcode(name: &str) -> bool {
    name.len() > 1
        && name.starts_with(|c: char| c.is_ascii_uppercase())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
}

/// `IDX: OP(ARG)` of a projected path; 3.15 puts the code object's address before.
fn projected(line: &str) -> Option<(Option<&str>, u32, &str)> {
    let (address, rest) = match line.strip_prefix("0x") {
        Some(rest) => rest
            .split_once(' ')
            .map(|(address, rest)| (Some(address), rest))?,
        None => (None, line),
    };
    let (index, rest) = rest.split_once(": ")?;
    let (opcode, _) = rest.split_once('(')?;
    Some((address, index.parse().ok()?, opcode)).filter(|_| is_opcode(opcode))
}

/// `N: OP` or `N: OP ARG` of level 5.
fn executed(line: &[u8]) -> Option<(u32, &[u8])> {
    let mut offset = 0_u32;
    let mut at = 0;
    while let Some(digit) = line.get(at).filter(|byte| byte.is_ascii_digit()) {
        offset = offset.checked_mul(10)?.checked_add(u32::from(digit - b'0'))?;
        at += 1;
    }
    let rest = line[at..].strip_prefix(b": ").filter(|_| at > 0)?;
    let is_name = |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b'_';
    let end = rest.iter().position(|byte| !is_name(byte)).unwrap_or(rest.len());
    let (opcode, argument) = rest.split_at(end);
    let is_argument = match argument {
        [] => true,
        [b' ', digits @ ..] => !digits.is_empty() && digits.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    let is_opcode = end > 1 && opcode[0].is_ascii_uppercase();
    (is_opcode && is_argument).then_some((offset, opcode))
}

/// By file, first line and name.
type Codes<'l> = BTreeMap<(&'l str, u32, &'l str), Logged>;

/// The code object that a place is in.
fn code<'l, 'c>(codes: &'c mut Codes<'l>, at: &'l At) -> &'c mut Logged {
    let key = (at.file.as_str(), at.first_line, at.function.as_str());
    codes.entry(key).or_insert_with(|| Logged {
        file: at.file.clone(),
        first_line: (!at.file.is_empty()).then_some(at.first_line),
        function: if at.file.is_empty() {
            String::new()
        } else {
            at.function.clone()
        },
        ..Logged::default()
    })
}

impl Log {
    /// A line as it is: those of level 5, nearly all of a long log, first.
    fn bytes(&mut self, line: &[u8]) {
        if line.starts_with(b"    stack=[") {
            return;
        }
        if line.starts_with(b"    locals=[") {
            self.has_locals = true;
            return;
        }
        if let Some((offset, opcode)) = executed(line) {
            self.frames.executed(offset, opcode);
        } else if !line.is_empty()
            && let Ok(line) = std::str::from_utf8(line)
        {
            self.line(line.trim());
        }
    }

    fn line(&mut self, line: &str) {
        if let Some(rest) = line
            .strip_prefix("Optimizing ")
            .or_else(|| line.strip_prefix("Tracing "))
        {
            self.wants_address = line.starts_with("Tracing ");
            self.is_recorded |= self.wants_address;
            self.is_projected |= !self.wants_address;
            self.path.clear();
            self.present = at(rest).map(|(at, _)| at).filter(|at| self.has_room(at));
            self.owner.clone_from(&self.present);
            self.last.clone_from(&self.present);
            if let Some(at) = self.present.clone() {
                self.sites.entry(at).or_default().attempts += 1;
            }
        } else if let Some(rest) = line.strip_prefix("Created a proto-trace for ") {
            self.created(rest);
        } else if let Some(rest) = line.strip_prefix("No trace for ") {
            if let Some((at, why)) = at(rest).filter(|(at, _)| self.has_room(at)) {
                let site = self.sites.entry(at).or_default();
                site.refused += 1;
                let why = why.trim().trim_matches(['(', ')']);
                if !why.is_empty() {
                    *site.reasons.entry(why.to_owned()).or_default() += 1;
                }
            }
            self.present = None;
            self.path.clear();
        } else if line == "Trace done" {
            self.made();
            if let Some(site) = self.present.take().and_then(|at| self.sites.get_mut(&at)) {
                site.created += 1;
            }
        } else if let Some(rest) = line.strip_prefix("Optimized trace (length ") {
            let length = rest.strip_suffix("):").and_then(|length| length.parse().ok());
            if let Some((site, length)) = self
                .last
                .as_ref()
                .and_then(|at| self.sites.get_mut(at))
                .zip(length)
            {
                site.optimized = site.optimized.max(length);
            }
        } else if let Some(rest) = line
            .strip_prefix("Continuing in ")
            .or_else(|| line.strip_prefix("Returning to "))
        {
            self.owner = at(rest).map(|(at, _)| at);
        } else if REASONS.iter().any(|reason| line.starts_with(reason)) {
            self.reason(line);
        } else if line.starts_with("SIDE EXIT: [") || line.starts_with("DEOPT: [") {
            self.exit(line);
        } else if let Some((address, index, opcode)) = projected(line) {
            self.projected(address, index, opcode);
        } else if let Some((offset, opcode)) = executed(line.as_bytes()) {
            // The text of a web page may be indented.
            self.frames.executed(offset, opcode);
        } else if line.starts_with("Resuming frame") {
            self.frames.resume(line);
        } else if line.starts_with("stack=[") || line.starts_with("locals=[") {
            self.has_locals |= line.starts_with("locals=[");
        } else if line.contains(" abs: _") || line.contains(" out: _") {
            let glued = GLUED.iter().filter_map(|begin| line.find(begin)).min();
            let (uops, rest) = line.split_at(glued.unwrap_or(line.len()));
            self.optimizer(uops);
            if !rest.is_empty() {
                self.line(rest);
            }
        } else if line == "Missing function" {
            self.missing += 1;
        } else if line.contains(" ADD_TO_TRACE: ")
            && let Some(site) = self.present.as_ref().and_then(|at| self.sites.get_mut(at))
        {
            self.has_two_operands |= line.contains(", operand0=");
            self.has_one_operand |= line.contains(", operand=");
            let number = line
                .split_whitespace()
                .next()
                .and_then(|number| number.parse().ok());
            site.uops = site.uops.max(number.unwrap_or(0));
            if let Some((_, uops)) = self.path.last_mut() {
                *uops += 1;
            }
        }
    }

    /// `K abs: _UOP (…)`, `K out: _UOP (…)` of `PYTHON_OPT_DEBUG`; in 3.13 the first of a trace is glued to
    /// the last of the one before.
    fn optimizer(&mut self, line: &str) {
        for (mark, is_out) in [(" abs: ", false), (" out: ", true)] {
            for (at, _) in line.match_indices(mark) {
                let name = &line[at + mark.len()..];
                let name = name.split([' ', '(']).next().unwrap_or_default();
                if !name.starts_with('_') || !is_opcode(name.trim_start_matches('_')) {
                    continue;
                }
                let number = line[..at].rsplit(|c: char| !c.is_ascii_digit()).next();
                let begins = number == Some("0");
                self.analysed += u64::from(begins && !is_out);
                if self.uops.len() < KEPT || self.uops.contains_key(name) {
                    let counts = self.uops.entry(name.to_owned()).or_default();
                    *if is_out { &mut counts.1 } else { &mut counts.0 } += 1;
                }
            }
        }
    }

    /// The attempt became a trace: what it projected is in one more.
    fn made(&mut self) {
        for (at, uops) in self.path.drain(..) {
            if let Some(covered) = self.covered.get_mut(&at) {
                covered.traces += 1;
                covered.uops += uops;
            }
        }
    }

    fn has_room(&self, at: &At) -> bool {
        self.sites.len() < KEPT || self.sites.contains_key(at)
    }

    /// At level 1 this is all there is; above, it ends the attempt. 3.13 names another offset here than
    /// where it began: the attempt's own is kept then.
    fn created(&mut self, rest: &str) {
        let Some((at, rest)) = at(rest) else {
            self.present = None;
            self.path.clear();
            return;
        };
        self.made();
        let is_same = |present: &At| {
            (&present.file, present.first_line, &present.function) == (&at.file, at.first_line, &at.function)
        };
        let at = self.present.take().filter(is_same).unwrap_or(at);
        if !self.has_room(&at) {
            return;
        }
        let length = rest
            .rsplit_once("length ")
            .and_then(|(_, length)| length.trim().parse().ok());
        let site = self.sites.entry(at.clone()).or_default();
        site.created += 1;
        site.attempts = site.attempts.max(site.created);
        site.uops = site.uops.max(length.unwrap_or(0));
        self.last = Some(at);
    }

    fn reason(&mut self, line: &str) {
        let plain: String = line.chars().filter(|c| !c.is_control()).take(80).collect();
        if let Some(opcode) = plain.strip_prefix("Unsupported opcode ")
            && self.unsupported.len() < KEPT
        {
            let key = (opcode.trim().to_owned(), self.owner.clone());
            *self.unsupported.entry(key).or_default() += 1;
        }
        if let Some(stopped) = self.owner.as_ref().and_then(|at| self.covered.get_mut(at))
            && stopped.stops.len() < 64
        {
            *stopped.stops.entry(plain.clone()).or_default() += 1;
        }
        if let Some(site) = self.present.as_ref().and_then(|at| self.sites.get_mut(at))
            && site.reasons.len() < 64
        {
            *site.reasons.entry(plain).or_default() += 1;
        }
    }

    /// `SIDE EXIT: [UOp …, target IDX -> OP]`, `DEOPT: [UOp _DEOPT (0, target=IDX, …) -> OP]`.
    fn exit(&mut self, line: &str) {
        let kind = if line.starts_with("DEOPT") {
            "deopt"
        } else {
            "side exit"
        };
        let found = (|| {
            let (before, opcode) = line.strip_suffix(']')?.rsplit_once(" -> ")?;
            let number = before
                .rsplit_once("target ")
                .or_else(|| before.rsplit_once("target="))?
                .1;
            let digits = number.find(|c: char| !c.is_ascii_digit()).unwrap_or(number.len());
            Some((number[..digits].parse::<u32>().ok()?, opcode)).filter(|_| is_opcode(opcode))
        })();
        if let Some((index, opcode)) = found
            && self.exits.len() < KEPT
        {
            *self.exits.entry((index, opcode.to_owned(), kind)).or_default() += 1;
        }
    }

    fn projected(&mut self, address: Option<&str>, index: u32, opcode: &str) {
        if let Some(address) = address {
            // The first address after a header is the header's code object; others have no name.
            if std::mem::take(&mut self.wants_address) && self.addresses.len() < KEPT {
                self.addresses.insert(address.to_owned(), self.present.clone());
            }
            let unnamed = || {
                Some(At {
                    file: String::new(),
                    first_line: 0,
                    function: format!("0x{address}"),
                    offset: 0,
                })
            };
            self.owner = self.addresses.get(address).cloned().unwrap_or_else(unnamed);
        }
        let Some(owner) = &mut self.owner else { return };
        owner.offset = index.saturating_mul(2);
        if self.covered.len() < KEPT || self.covered.contains_key(owner) {
            let covered = self.covered.entry(owner.clone()).or_default();
            if covered.opcodes.len() < 64 {
                covered.opcodes.insert(opcode.to_owned());
            }
        }
        if self.path.len() < KEPT {
            self.path.push((owner.clone(), 0));
        }
        if let Some(site) = self.present.as_ref().and_then(|at| self.sites.get_mut(at)) {
            site.instructions.insert(index);
        }
    }

    /// The code objects that have an opcode at a code-unit index; a log does not name an exit's.
    fn owners(&self) -> HashMap<(u32, &str), Vec<&At>> {
        let mut owners: HashMap<_, Vec<_>> = HashMap::new();
        for (at, covered) in &self.covered {
            for opcode in &covered.opcodes {
                owners
                    .entry((at.offset / 2, opcode.as_str()))
                    .or_default()
                    .push(at);
            }
        }
        owners
    }

    /// Minor versions that print such a log.
    fn minors(&self) -> Vec<&'static str> {
        if self.is_recorded {
            vec!["3.15"]
        } else if self.is_projected && self.has_two_operands {
            vec!["3.14"]
        } else if self.is_projected && self.has_one_operand {
            vec!["3.13"]
        } else if self.is_projected || !self.sites.is_empty() {
            vec!["3.14", "3.13"]
        } else if self.has_locals {
            vec!["3.15", "3.14"]
        } else {
            vec!["3.15", "3.14", "3.13"]
        }
    }

    /// What is told, by code object.
    fn codes(&self) -> Vec<Logged> {
        let mut codes = Codes::new();
        let known = |number: u64| (number > 0).then_some(number);
        for (at, site) in &self.sites {
            code(&mut codes, at).jit.traces.push(Trace {
                offset: at.offset,
                attempts: Some(site.attempts),
                made: site.created,
                refused: site.refused,
                uops: known(site.optimized),
                uops_before: known(site.uops),
                reasons: site.reasons.clone(),
                ..Trace::default()
            });
        }
        let owners = self.owners();
        let mut exits: BTreeMap<&At, (u64, u64)> = BTreeMap::new();
        for ((index, opcode, kind), count) in &self.exits {
            if let Some([owner]) = owners.get(&(*index, opcode.as_str())).map(Vec::as_slice) {
                let (left, failed) = exits.entry(owner).or_default();
                *if *kind == "deopt" { failed } else { left } += count;
            }
        }
        for (at, covered) in &self.covered {
            let code = code(&mut codes, at);
            let named = covered.opcodes.iter().map(|opcode| (at.offset, opcode.clone()));
            code.opcodes.extend(named);
            let (exits, deopts) = exits.get(at).copied().unwrap_or_default();
            code.jit.sites.push(Traced {
                offset: at.offset,
                traces: covered.traces,
                uops: known(covered.uops),
                exits,
                deopts,
                stops: covered.stops.clone(),
                ..Traced::default()
            });
        }
        let mut codes: Vec<_> = codes.into_values().collect();
        codes.extend(self.frames.finish().into_iter().map(|ran| Logged {
            module: Some(ran.module),
            function: ran.function,
            opcodes: ran.counts.keys().cloned().collect(),
            executed: ran.counts,
            ..Logged::default()
        }));
        codes
    }
}
