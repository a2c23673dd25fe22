//! An instruction's argument in words, as `dis` shows it.

use super::Tables;
use super::instructions::Raw;
use crate::cpython::Version;

/// Names a code object's arguments refer to.
pub struct Names<'a> {
    /// `co_names`.
    pub names: &'a [String],
    /// Locals, cells and free variables by slot.
    pub locals: &'a [String],
    /// `co_consts`, as text.
    pub constants: &'a [String],
}

/// The argument as text; empty when the opcode takes none.
#[must_use]
pub fn text(raw: &Raw, names: &Names, tables: &Tables, version: &Version) -> String {
    let Some(arg) = raw.arg else { return String::new() };
    let opcode = u32::from(raw.opcode);
    let at = |list: &[String], index: u32| {
        list.get(index as usize)
            .map_or_else(|| index.to_string(), |name| name.trim().to_owned())
    };
    if let Some(target) = raw.target {
        return format!("to {target}");
    }
    if version.pairs.contains(&raw.name) {
        return format!("{}, {}", at(names.locals, arg >> 4), at(names.locals, arg & 15));
    }
    match raw.name.as_str() {
        "BINARY_OP" => at(&tables.binary_operators, arg),
        "COMPARE_OP" => at(&tables.comparisons, arg >> version.compare_shift),
        "IS_OP" => if arg == 0 { "is" } else { "is not" }.to_owned(),
        "CONTAINS_OP" => if arg == 0 { "in" } else { "not in" }.to_owned(),
        "CALL_INTRINSIC_1" => at(&tables.intrinsics_1, arg),
        "CALL_INTRINSIC_2" => at(&tables.intrinsics_2, arg),
        name if tables.names_of.contains(&opcode) => at(
            names.names,
            arg >> version.name_shift.get(name).copied().unwrap_or(0),
        ),
        _ if tables.locals.contains(&opcode) => at(names.locals, arg),
        _ if tables.constants.contains(&opcode) => at(names.constants, arg),
        _ => arg.to_string(),
    }
}
