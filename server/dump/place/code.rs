//! Instructions of a dump in compiled code: the opcode there must be the dump's, or its base.

use std::collections::{BTreeMap, HashMap};

use super::Compiled;
use crate::dump::located::Place;
use crate::profile::{Code, Position};
use crate::stats::opcodes::Opcodes;

/// Compiled code, to look for instructions in.
pub(super) struct Checks<'c> {
    compiled: &'c Compiled,
    opcodes: Option<&'static Opcodes>,
    /// Code objects by file and last part of the name.
    named: HashMap<(&'c str, &'c str), Vec<usize>>,
    /// Instructions by file, code object and position.
    positions: HashMap<(&'c str, usize, Position), Vec<usize>>,
    /// The same by line and column where they begin.
    starts: HashMap<(&'c str, usize, u32, u32), Vec<usize>>,
}

/// What compiled code says of a place.
pub(super) enum Check {
    /// It is the instruction of this code object, by their indices.
    Is(usize, usize),
    /// More than one instruction with its opcode begins there, and the dump does not say which ends where.
    Tie,
    /// There is none.
    Misfit,
}

/// Whether a place tells where an expression begins, but not where it ends.
pub(super) fn is_point(place: &Place) -> bool {
    let columns = place.position.and_then(|position| position.columns);
    place.offset.is_none() && columns.is_some_and(|(start, end)| start == end)
}

/// The last part of a qualified name.
pub(super) fn last(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or_default()
}

/// The base of an opcode, whoever put another in its place; none for what stands for any.
pub(super) fn base<'o>(opcodes: Option<&'o Opcodes>, opcode: &'o str) -> Option<&'o str> {
    if opcode == "ENTER_EXECUTOR" {
        return None;
    }
    let plain = opcode.strip_prefix("INSTRUMENTED_").unwrap_or(opcode);
    Some(opcodes.and_then(|opcodes| opcodes.base(plain)).unwrap_or(plain))
}

impl<'c> Checks<'c> {
    pub(super) fn new(compiled: &'c Compiled) -> Self {
        let mut checks = Self {
            compiled,
            opcodes: Opcodes::of(&compiled.minor),
            named: HashMap::new(),
            positions: HashMap::new(),
            starts: HashMap::new(),
        };
        for (file, codes) in &compiled.files {
            for (index, code) in codes.iter().enumerate() {
                let name = (file.as_str(), last(&code.qualname));
                checks.named.entry(name).or_default().push(index);
                for (at, instruction) in code.instructions.iter().enumerate() {
                    if let Some(position) = instruction.position {
                        let key = (file.as_str(), index, position);
                        checks.positions.entry(key).or_default().push(at);
                        if let Some((start, _)) = position.columns {
                            let key = (file.as_str(), index, position.line, start);
                            checks.starts.entry(key).or_default().push(at);
                        }
                    }
                }
            }
        }
        checks
    }

    /// Whether the file was compiled.
    pub(super) fn has(&self, file: &str) -> bool {
        self.compiled.files.contains_key(file)
    }

    /// Code object and instruction of a place, by their indices. A position that several instructions
    /// of its opcode have, which only the compiler tells apart, is that of the first.
    pub(super) fn find(&self, file: &'c str, place: &Place) -> Check {
        let Some(codes) = self.compiled.files.get(file) else {
            return Check::Misfit;
        };
        let named = self.named.get(&(file, last(&place.function)));
        let mut found = named
            .into_iter()
            .flatten()
            .filter(|&&index| is_named(&codes[index], &place.function))
            .filter(|&&index| {
                place
                    .first_line
                    .is_none_or(|line| codes[index].first_line == line)
            })
            .flat_map(|&index| {
                let found = self.instructions(file, index, &codes[index], place);
                found.into_iter().map(move |at| (index, at))
            });
        match (found.next(), found.next()) {
            (Some(_), Some(_)) if is_point(place) => Check::Tie,
            (Some((code, instruction)), _) => Check::Is(code, instruction),
            (None, _) => Check::Misfit,
        }
    }

    fn instructions(&self, file: &'c str, index: usize, code: &Code, place: &Place) -> Vec<usize> {
        let Some(opcode) = place.opcode.as_deref() else {
            return Vec::new();
        };
        let wanted = base(self.opcodes, opcode);
        let is_it = |at: usize| {
            let known = &code.instructions[at].opcode;
            wanted.is_none_or(|wanted| base(self.opcodes, known) == Some(wanted))
        };
        if let Some(offset) = place.offset {
            return at_offset(code, offset)
                .filter(|&at| is_it(at))
                .into_iter()
                .collect();
        }
        let Some(position) = place.position else {
            return Vec::new();
        };
        let here = match position.columns {
            Some((start, _)) if is_point(place) => self.starts.get(&(file, index, position.line, start)),
            _ => self.positions.get(&(file, index, position)),
        };
        here.into_iter()
            .flatten()
            .copied()
            .filter(|&at| is_it(at))
            .collect()
    }
}

/// Qualified names must be equal; a bare one may be the last part.
pub(super) fn is_named(code: &Code, name: &str) -> bool {
    code.qualname == name || !name.contains('.') && last(&code.qualname) == name
}

/// The instruction at a byte offset.
pub(super) fn at_offset(code: &Code, offset: u32) -> Option<usize> {
    code.instructions
        .binary_search_by_key(&offset, |instruction| instruction.offset)
        .ok()
}

/// Instructions that compiled code has where a log says, by offset.
pub(super) fn common(
    opcodes: Option<&Opcodes>,
    code: &Code,
    logged: impl Iterator<Item = (u32, String)>,
) -> BTreeMap<u32, usize> {
    logged
        .filter_map(|(offset, opcode)| {
            let at = at_offset(code, offset)?;
            let known = base(opcodes, &code.instructions[at].opcode);
            let is_it = base(opcodes, &opcode).is_none_or(|wanted| known == Some(wanted));
            is_it.then_some((offset, at))
        })
        .collect()
}
