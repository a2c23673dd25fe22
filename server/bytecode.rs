//! Decodes raw code objects: instructions, positions, executions, states. Pure.
//!
//! The structure (opcode names, cache sizes, families) is the running interpreter's own, sent with
//! the code objects; what it does not tell is in [`crate::cpython`].

pub mod argument;
pub mod flow;
pub mod instructions;
pub mod locations;
pub mod state;

use std::collections::HashMap;

use serde::Deserialize;

/// An interpreter's own opcode tables.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Tables {
    /// Names by number, specialized and instrumented forms included.
    pub names: HashMap<u8, String>,
    /// Names by number of what `co_code` can hold.
    pub base: HashMap<u8, String>,
    /// Cache units (of 2 bytes) by base name; absent means none.
    pub caches: HashMap<String, u32>,
    /// Specialized forms by family.
    pub families: HashMap<String, Vec<String>>,
    /// Opcodes at or above it take an argument, unless `hasarg` is given.
    pub have_argument: u32,
    /// Opcodes that take an argument (3.12+).
    #[serde(default)]
    pub hasarg: Vec<u32>,
    /// Opcodes whose argument is a relative jump, in code units.
    pub jump_relative: Vec<u32>,
    /// Opcodes whose argument is an absolute jump, in code units.
    #[serde(default)]
    pub jump_absolute: Vec<u32>,
    /// Opcodes whose argument indexes `co_names`.
    pub names_of: Vec<u32>,
    /// Opcodes whose argument is a slot of the locals, cells and free variables.
    pub locals: Vec<u32>,
    /// Opcodes whose argument indexes `co_consts`.
    pub constants: Vec<u32>,
    /// Comparison operators by argument.
    #[serde(default)]
    pub comparisons: Vec<String>,
    /// Binary operators by argument of `BINARY_OP`.
    #[serde(default)]
    pub binary_operators: Vec<String>,
    /// Names of one-operand intrinsics.
    #[serde(default)]
    pub intrinsics_1: Vec<String>,
    /// Names of two-operand intrinsics.
    #[serde(default)]
    pub intrinsics_2: Vec<String>,
}

impl Tables {
    /// Name of an opcode in the live bytecode; its number in angle brackets when it has none.
    #[must_use]
    pub fn live_name(&self, opcode: u8) -> String {
        self.names
            .get(&opcode)
            .cloned()
            .unwrap_or_else(|| format!("<{opcode}>"))
    }

    /// Whether `form` is a specialized form of `family`.
    #[must_use]
    pub fn is_form(&self, family: &str, form: &str) -> bool {
        self.families
            .get(family)
            .is_some_and(|forms| forms.iter().any(|name| name == form))
    }
}
