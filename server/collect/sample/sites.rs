//! What the instructions that frames are at have to do with generators.

use std::collections::HashMap;

use super::memory::Memory;
use crate::stats::opcodes::Opcodes;

/// What an instruction may do with a generator's frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Site {
    /// It may run one in the interpreter's own loop (`FOR_ITER`, `SEND`), or stand for whatever does.
    Resumes,
    /// A generator was made that nobody has resumed yet; the frame it was made of is left like that, too.
    Unbegun,
    /// It puts a value on the stack and runs nobody.
    Loads,
    /// None of these.
    Other,
}

/// Opcodes that run a generator's frame without C code in between (`Python/bytecodes.c`), or may come to, and
/// the one that stands for any instruction.
const RESUMES: [&str; 6] = [
    "FOR_ITER",
    "FOR_ITER_GEN",
    "SEND",
    "SEND_GEN",
    "SEND_ASYNC_GEN",
    "ENTER_EXECUTOR",
];
const MAKES: &str = "RETURN_GENERATOR";
/// What a generator that is resumed for the first time begins with.
const BEGINS: &str = "POP_TOP";
/// How the names of those begin that do nothing but load a value. One that a `dict` of an own kind computes is
/// not thought of.
const LOADS: [&str; 5] = [
    "LOAD_FAST",
    "LOAD_CONST",
    "LOAD_SMALL_INT",
    "LOAD_GLOBAL",
    "PUSH_NULL",
];
const INSTRUMENTED: &str = "INSTRUMENTED_";
/// Bytes of an instruction.
const UNIT: usize = 2;
/// What was found out about instructions, by their addresses.
#[derive(Debug)]
pub struct Sites {
    opcodes: Option<&'static Opcodes>,
    known: HashMap<u64, Site>,
}

impl Sites {
    /// For a minor version; of one whose opcodes are not known, any instruction may do anything.
    #[must_use]
    pub fn of(minor: &str) -> Self {
        Self {
            opcodes: Opcodes::of(minor),
            known: HashMap::new(),
        }
    }

    /// That of the instruction at an address.
    pub fn at(&mut self, memory: Memory, instruction: u64) -> Site {
        let Some(opcodes) = self.opcodes else {
            return Site::Resumes;
        };
        *self.known.entry(instruction).or_insert_with(|| {
            let mut units = [0; 2 * UNIT];
            let before = instruction.wrapping_sub(UNIT as u64);
            if memory.read(before, &mut units).is_err() {
                return Site::Other;
            }
            let name = |unit: u8| {
                let name = opcodes.name(u16::from(unit)).unwrap_or_default();
                name.strip_prefix(INSTRUMENTED).unwrap_or(name)
            };
            match (name(units[0]), name(units[UNIT])) {
                (MAKES, BEGINS) => Site::Unbegun,
                // Until 3.12 a frame that resumed one is at the cache behind its instruction.
                (before, now) if RESUMES.contains(&now) || RESUMES.contains(&before) => Site::Resumes,
                (_, now) if LOADS.iter().any(|loads| now.starts_with(loads)) => Site::Loads,
                _ => Site::Other,
            }
        })
    }
}
