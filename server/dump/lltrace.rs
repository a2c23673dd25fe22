//! Logs of `PYTHON_LLTRACE`: which traces the JIT's front end made, what ended or refused them, where
//! they were left, and at level 5 which instructions ran. Offsets are bytes of `co_code`.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::BufRead;

use super::{Damage, Problem, lines};
use crate::stats::{Cell, Statistics, Table};

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

#[derive(Default)]
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
    /// Instructions of traces by code-unit index and opcode.
    covered: HashMap<(u32, String), BTreeSet<At>>,
    executed: BTreeMap<String, u64>,
    before: Option<(u32, String)>,
    named: u64,
}

/// Reads a log; lines of the program between are left out.
pub(super) fn read(input: impl BufRead, damage: &mut Damage) -> Result<Statistics, Problem> {
    let mut log = Log::default();
    lines::each(input, |_, line, complete| {
        if let Ok(line) = std::str::from_utf8(line)
            && complete
        {
            log.line(line.trim());
        }
    })?;
    let tables = log.tables();
    if tables.is_empty() {
        return Err(Problem::Damaged {
            place: None,
            what: "no event of a trace could be read".to_owned(),
        });
    }
    damage.about(
        "offsets are bytes of the code object that begins on the line after the file's name; lines of other processes or of the program are left out",
    );
    Ok(Statistics::Report(tables))
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
fn executed(line: &str) -> Option<(u32, &str)> {
    let (offset, rest) = line.split_once(": ")?;
    let (opcode, argument) = rest.split_once(' ').unwrap_or((rest, "0"));
    argument.parse::<u32>().ok()?;
    Some((offset.parse().ok()?, opcode)).filter(|_| is_opcode(opcode))
}

impl Log {
    fn line(&mut self, line: &str) {
        if let Some(rest) = line
            .strip_prefix("Optimizing ")
            .or_else(|| line.strip_prefix("Tracing "))
        {
            self.wants_address = line.starts_with("Tracing ");
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
        } else if line == "Trace done" {
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
        } else if let Some((offset, opcode)) = executed(line) {
            self.executed(offset, opcode);
        } else if line.starts_with("Resuming frame") {
            self.before = None;
        } else if line.contains(" ADD_TO_TRACE: ")
            && let Some(site) = self.present.as_ref().and_then(|at| self.sites.get_mut(at))
        {
            let number = line
                .split_whitespace()
                .next()
                .and_then(|number| number.parse().ok());
            site.uops = site.uops.max(number.unwrap_or(0));
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
            return;
        };
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
            self.owner = self.addresses.get(address).cloned().flatten();
        }
        self.named += 1;
        if let Some(owner) = &mut self.owner {
            owner.offset = 2 * index;
            if self.covered.len() < KEPT {
                let key = (index, opcode.to_owned());
                self.covered.entry(key).or_default().insert(owner.clone());
            }
            if let Some(site) = self.present.as_ref().and_then(|at| self.sites.get_mut(at)) {
                site.instructions.insert(index);
            }
        }
    }

    /// An instruction that specialized or went back is printed twice: it ran once.
    fn executed(&mut self, offset: u32, opcode: &str) {
        let is_again = self.before.as_ref().is_some_and(|(at, before)| {
            let (long, short) = if before.len() > opcode.len() {
                (before.as_str(), opcode)
            } else {
                (opcode, before.as_str())
            };
            *at == offset && long != short && long.starts_with(short)
        });
        if is_again
            && let Some((_, before)) = &self.before
            && let Some(count) = self.executed.get_mut(before)
        {
            *count -= 1;
        }
        if self.executed.len() < KEPT {
            *self.executed.entry(opcode.to_owned()).or_default() += 1;
        }
        self.before = Some((offset, opcode.to_owned()));
    }

    fn tables(&self) -> Vec<Table> {
        const SECTION: &str = "JIT traces";
        let place = |at: &At| format!("{} ({}:{}) at {}", at.function, at.file, at.first_line, at.offset);
        let heads = [
            "Place",
            "Attempts",
            "Traces",
            "Refused",
            "Uops",
            "Optimized",
            "Instructions",
            "Ended by",
        ];
        let mut traces = Table::new(SECTION, "", &heads);
        let known = |count: u64| {
            if count > 0 {
                Cell::Count(count)
            } else {
                Cell::Empty
            }
        };
        for (at, site) in &self.sites {
            let mut reasons: Vec<_> = site.reasons.iter().collect();
            reasons.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
            let reasons: Vec<_> = reasons.into_iter().map(|(reason, _)| reason.as_str()).collect();
            traces.rows.push(vec![
                Cell::Label(place(at)),
                Cell::Count(site.attempts),
                Cell::Count(site.created),
                Cell::Count(site.refused),
                known(site.uops),
                known(site.optimized),
                known(site.instructions.len() as u64),
                Cell::Label(reasons.join("; ")),
            ]);
        }
        let mut unsupported = Table::new(SECTION, "Unsupported opcodes", &["Opcode", "Place", "Count"]);
        for ((opcode, at), count) in &self.unsupported {
            let at = at.as_ref().map_or(Cell::Empty, |at| Cell::Label(place(at)));
            unsupported
                .rows
                .push(vec![Cell::Label(opcode.clone()), at, Cell::Count(*count)]);
        }
        let mut exits = Table::new(SECTION, "Exits", &["Goes to", "Kind", "Count", "Place"]);
        let mut by_count: Vec<_> = self.exits.iter().collect();
        by_count.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        for ((index, opcode, kind), count) in by_count {
            // A log does not name the function: it is told where only one has that opcode there.
            let owners = self.covered.get(&(*index, opcode.clone()));
            let owner = owners
                .filter(|owners| owners.len() == 1)
                .and_then(|owners| owners.first());
            exits.rows.push(vec![
                Cell::Label(format!("{opcode} at {}", 2 * index)),
                Cell::Label((*kind).to_owned()),
                Cell::Count(*count),
                owner.map_or(Cell::Empty, |at| Cell::Label(place(at))),
            ]);
        }
        let mut ran = Table::new("Executed instructions", "", &["Name", "Count"]);
        let mut by_count: Vec<_> = self.executed.iter().filter(|(_, count)| **count > 0).collect();
        by_count.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        for (opcode, count) in by_count {
            ran.rows
                .push(vec![Cell::Label(opcode.clone()), Cell::Count(*count)]);
        }
        let mut tables = vec![traces, unsupported, exits, ran];
        tables.retain(|table| !table.rows.is_empty());
        tables
    }
}
