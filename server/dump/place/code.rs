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
        };
        for (file, codes) in &compiled.files {
            for (index, code) in codes.iter().enumerate() {
                let name = (file.as_str(), last(&code.qualname));
                checks.named.entry(name).or_default().push(index);
                for (at, instruction) in code.instructions.iter().enumerate() {
                    if let Some(position) = instruction.position {
                        let key = (file.as_str(), index, position);
                        checks.positions.entry(key).or_default().push(at);
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
    pub(super) fn find(&self, file: &'c str, place: &Place) -> Option<(usize, usize)> {
        let codes = &self.compiled.files.get(file)?[..];
        let mut found = self
            .named
            .get(&(file, last(&place.function)))?
            .iter()
            .filter(|&&index| is_named(&codes[index], &place.function))
            .filter(|&&index| {
                place
                    .first_line
                    .is_none_or(|line| codes[index].first_line == line)
            })
            .filter_map(|&index| Some((index, self.instruction(file, index, &codes[index], place)?)));
        let first = found.next()?;
        Some(first)
    }

    fn instruction(&self, file: &'c str, index: usize, code: &Code, place: &Place) -> Option<usize> {
        let wanted = base(self.opcodes, place.opcode.as_deref()?);
        let is_it = |at: usize| {
            let known = &code.instructions[at].opcode;
            wanted.is_none_or(|wanted| base(self.opcodes, known) == Some(wanted))
        };
        if let Some(offset) = place.offset {
            return at_offset(code, offset).filter(|&at| is_it(at));
        }
        let at_position = self.positions.get(&(file, index, place.position?))?;
        at_position.iter().copied().find(|&at| is_it(at))
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
