//! `co_code` to instructions.

use super::Tables;

/// An instruction of `co_code`, caches skipped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Raw {
    /// Byte offset.
    pub offset: u32,
    /// Base opcode number.
    pub opcode: u8,
    /// Base opcode name; the number in angle brackets when it has none.
    pub name: String,
    /// Argument with the prefixes of `EXTENDED_ARG` applied; none when the opcode takes none.
    pub arg: Option<u32>,
    /// Byte offset of the next instruction.
    pub next: u32,
    /// Byte offset the instruction may jump to.
    pub target: Option<u32>,
}

/// Splits `co_code`. A truncated last instruction is dropped.
#[must_use]
pub fn decode(code: &[u8], tables: &Tables) -> Vec<Raw> {
    let mut out = Vec::with_capacity(code.len() / 4);
    let mut offset = 0usize;
    let mut extended: u32 = 0;
    while offset + 1 < code.len() {
        let opcode = code[offset];
        let name = tables
            .base
            .get(&opcode)
            .cloned()
            .unwrap_or_else(|| format!("<{opcode}>"));
        let caches = tables.caches.get(&name).copied().unwrap_or(0) as usize;
        let takes = if tables.hasarg.is_empty() {
            u32::from(opcode) >= tables.have_argument
        } else {
            tables.hasarg.contains(&u32::from(opcode))
        };
        let arg = takes.then(|| extended << 8 | u32::from(code[offset + 1]));
        extended = if name == "EXTENDED_ARG" {
            arg.unwrap_or(0)
        } else {
            0
        };
        let next = offset + 2 + 2 * caches;
        let target = arg.and_then(|arg| jump_target(&name, opcode, arg, next, tables));
        out.push(Raw {
            offset: to_u32(offset),
            opcode,
            name,
            arg,
            next: to_u32(next),
            target,
        });
        offset = next;
    }
    out
}

/// Index of the `RESUME` that a call starts at. What stands before it (cells, and the making of a
/// generator) runs once a call, without events.
#[must_use]
pub fn entry(instructions: &[Raw]) -> usize {
    let made = instructions
        .iter()
        .position(|raw| raw.name == "RETURN_GENERATOR")
        .unwrap_or(0);
    let resume = instructions[made..].iter().position(|raw| raw.name == "RESUME");
    resume.map_or(0, |resume| made + resume)
}

/// `END_ASYNC_FOR` carries the way back to its `SEND` for monitoring only: it does not jump.
fn jump_target(name: &str, opcode: u8, arg: u32, next: usize, tables: &Tables) -> Option<u32> {
    let distance = 2 * arg as usize;
    if tables.jump_absolute.contains(&u32::from(opcode)) {
        return Some(to_u32(distance));
    }
    if !tables.jump_relative.contains(&u32::from(opcode)) || name == "END_ASYNC_FOR" {
        return None;
    }
    if name.contains("BACKWARD") {
        next.checked_sub(distance).map(to_u32)
    } else {
        Some(to_u32(next + distance))
    }
}

/// Offsets fit: CPython's own code size is an int of 32 bits.
fn to_u32(offset: usize) -> u32 {
    u32::try_from(offset).unwrap_or(u32::MAX)
}
