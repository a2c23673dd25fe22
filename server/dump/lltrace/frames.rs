//! Executed instructions of level 5: which frame each belongs to, and how often it ran.
//!
//! A log names a frame only when it is entered, switched to or caught an exception in. A frame that C
//! code entered ends without a word: what follows its return belongs to the frame below.

use std::collections::{BTreeMap, HashMap};

/// Code objects, opcode names and frames on a stack that are kept.
const KEPT: usize = 1 << 16;
/// Offsets of all code objects together that are kept.
const PLACES: usize = 1 << 22;
/// The largest code object that is followed, code units.
const LARGEST: usize = 1 << 18;

/// How often the instruction at an offset ran under a name.
#[derive(Debug, Clone, Copy)]
struct Seen {
    name: u32,
    count: u64,
}

/// A code object by the names that a log gives it.
#[derive(Debug, Default)]
struct Ran {
    module: String,
    function: String,
    /// By code unit: the name seen last is first.
    units: Vec<Vec<Seen>>,
}

/// What ran in one code object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Executed {
    pub(super) module: String,
    pub(super) function: String,
    /// By byte offset and opcode.
    pub(super) counts: BTreeMap<(u32, String), u64>,
}

/// Whether the line before named the frame that goes on.
#[derive(Debug, Default)]
enum Named {
    #[default]
    Not,
    /// Its code object; none for one without a name.
    Now(Option<usize>),
}

/// The stack of a log.
#[derive(Debug, Default)]
pub(super) struct Frames {
    codes: Vec<Ran>,
    numbers: HashMap<(String, String), usize>,
    names: Vec<Box<[u8]>>,
    name_numbers: HashMap<Box<[u8]>, u32>,
    /// Code objects by number; none for one without a name.
    stack: Vec<Option<usize>>,
    /// A frame was named: its next offset tells whether it begins.
    named: Named,
    /// Unit and name of the instruction before, in the same frame.
    before: Option<(usize, usize, u32)>,
    places: usize,
    /// Executions that belong to no named frame, by name.
    homeless: HashMap<u32, u64>,
}

/// Whether one name is the base of the other, or both are forms of one family: CPython names forms so.
fn is_form_of(one: &[u8], other: &[u8]) -> bool {
    let (short, long) = if one.len() < other.len() {
        (one, other)
    } else {
        (other, one)
    };
    short.len() < long.len() && long.starts_with(short)
}

impl Frames {
    /// `Resuming frame for 'QUALNAME' in module 'MODULE'`; without names the frame is not known.
    pub(super) fn resume(&mut self, line: &str) {
        let names = line
            .strip_prefix("Resuming frame for '")
            .and_then(|rest| rest.strip_suffix('\''))
            .and_then(|rest| rest.rsplit_once("' in module '"));
        let code = names.and_then(|(function, module)| self.code(module, function));
        self.named = Named::Now(code);
        self.before = None;
    }

    fn code(&mut self, module: &str, function: &str) -> Option<usize> {
        let plain = |text: &str| text.chars().filter(|c| !c.is_control()).collect::<String>();
        let key = (plain(module), plain(function));
        if let Some(&known) = self.numbers.get(&key) {
            return Some(known);
        }
        if self.codes.len() >= KEPT {
            return None;
        }
        self.codes.push(Ran {
            module: key.0.clone(),
            function: key.1.clone(),
            units: Vec::new(),
        });
        self.numbers.insert(key, self.codes.len() - 1);
        Some(self.codes.len() - 1)
    }

    fn name(&mut self, opcode: &[u8]) -> Option<u32> {
        if let Some(&known) = self.name_numbers.get(opcode) {
            return Some(known);
        }
        if self.names.len() >= KEPT {
            return None;
        }
        let number = u32::try_from(self.names.len()).ok()?;
        self.names.push(opcode.into());
        self.name_numbers.insert(opcode.into(), number);
        Some(number)
    }

    /// An instruction at a byte offset.
    pub(super) fn executed(&mut self, offset: u32, opcode: &[u8]) {
        let unit = offset as usize / 2;
        if let Named::Now(code) = std::mem::take(&mut self.named) {
            self.enter(code, offset);
        }
        let code = self.stack.last().copied().flatten();
        // Nearly all lines are of an instruction that ran before.
        if let Some(code) = code
            && let Some(seen) = self.codes[code]
                .units
                .get_mut(unit)
                .and_then(|unit| unit.first_mut())
            && *self.names[seen.name as usize] == *opcode
        {
            seen.count += 1;
            self.before = Some((code, unit, seen.name));
        } else {
            self.first(unit, opcode);
        }
        if opcode.first() == Some(&b'R') && (opcode.starts_with(b"RETURN_")) || opcode == b"YIELD_VALUE" {
            self.stack.pop();
            self.before = None;
        }
    }

    /// A frame that was named goes on at an offset.
    fn enter(&mut self, code: Option<usize>, offset: u32) {
        if offset > 0
            && let Some(at) = self.stack.iter().rposition(|frame| *frame == code)
        {
            self.stack.truncate(at + 1);
        } else if self.stack.len() < KEPT {
            self.stack.push(code);
        }
    }

    /// An instruction under a name that was not the last one there.
    fn first(&mut self, unit: usize, opcode: &[u8]) {
        let Some(name) = self.name(opcode) else { return };
        if let Some((code, at, before)) = self.before
            && at == unit
            && is_form_of(&self.names[before as usize], opcode)
        {
            // It specialized, or went back, and is printed again: it ran once.
            if let Some(seen) = self.codes[code].units[at]
                .iter_mut()
                .find(|seen| seen.name == before)
            {
                seen.count = seen.count.saturating_sub(1);
            }
        } else {
            self.unwind(unit, opcode);
        }
        let Some(code) = self.stack.last().copied().flatten() else {
            *self.homeless.entry(name).or_default() += 1;
            return;
        };
        let units = &mut self.codes[code].units;
        if units.len() <= unit {
            let more = unit + 1 - units.len();
            if unit >= LARGEST || self.places + more > PLACES {
                *self.homeless.entry(name).or_default() += 1;
                return;
            }
            self.places += more;
            units.resize_with(unit + 1, Vec::new);
        }
        let seen = &mut units[unit];
        match seen.iter().position(|seen| seen.name == name) {
            Some(at) => {
                seen[at].count += 1;
                seen.swap(0, at);
            }
            None => {
                if seen.len() < 64 {
                    seen.insert(0, Seen { name, count: 1 });
                }
            }
        }
        self.before = Some((code, unit, name));
    }

    /// Where the top frame is known to have another instruction there and one below has this one, those
    /// above have ended without a word.
    fn unwind(&mut self, unit: usize, opcode: &[u8]) {
        let fits = |frame: &Option<usize>| {
            let seen = frame.and_then(|code| self.codes[code].units.get(unit));
            seen.filter(|seen| !seen.is_empty()).map(|seen| {
                seen.iter().any(|seen| {
                    let name = &*self.names[seen.name as usize];
                    name == opcode || is_form_of(name, opcode) || family(name) == family(opcode)
                })
            })
        };
        if self.stack.last().is_none_or(|top| fits(top) != Some(false)) {
            return;
        }
        if let Some(at) = self.stack.iter().rposition(|frame| fits(frame) == Some(true)) {
            self.stack.truncate(at + 1);
        }
    }

    /// What ran, by code object.
    pub(super) fn finish(&self) -> Vec<Executed> {
        let name = |number: u32| String::from_utf8_lossy(&self.names[number as usize]).into_owned();
        let codes = self.codes.iter().map(|code| {
            let mut counts = BTreeMap::new();
            for (unit, seen) in code.units.iter().enumerate() {
                for seen in seen.iter().filter(|seen| seen.count > 0) {
                    let offset = u32::try_from(2 * unit).unwrap_or(u32::MAX);
                    counts.insert((offset, name(seen.name)), seen.count);
                }
            }
            Executed {
                module: code.module.clone(),
                function: code.function.clone(),
                counts,
            }
        });
        codes.filter(|code| !code.counts.is_empty()).collect()
    }

    /// Executions by opcode, all code objects together.
    pub(super) fn by_opcode(&self) -> BTreeMap<String, u64> {
        let mut sums: BTreeMap<String, u64> = BTreeMap::new();
        for ((_, opcode), count) in self.finish().iter().flat_map(|code| &code.counts) {
            *sums.entry(opcode.clone()).or_default() += count;
        }
        for (name, count) in &self.homeless {
            let name = String::from_utf8_lossy(&self.names[*name as usize]).into_owned();
            *sums.entry(name).or_default() += count;
        }
        sums
    }
}

/// The first word of a name, by which forms of one family are alike.
fn family(name: &[u8]) -> &[u8] {
    let mut words = name.iter().enumerate().filter(|(_, byte)| **byte == b'_');
    let _ = words.next();
    words.next().map_or(name, |(at, _)| &name[..at])
}
