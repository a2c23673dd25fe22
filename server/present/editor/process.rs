//! What dumps of whole processes say of the families of a place: never that place's own numbers.

use crate::attribute::Costs;
use crate::present::terminal::cells;
use crate::stats::family::Families;

use super::{expression, markdown};

/// A paragraph on the family at a place (else on those of its line), from every dump that has it; none
/// where there is nothing to say.
#[must_use]
pub fn process_wide(
    costs: &Costs,
    path: &str,
    line: u32,
    column: u32,
    known: &[Families],
    ascii: bool,
) -> Option<String> {
    let file = super::file(costs, path)?;
    let mut families: Vec<&str> = match expression::at(file, line, column) {
        Some(site) => vec![&site.instruction.opcode],
        None => file
            .line(line)?
            .sites
            .iter()
            .map(|site| site.instruction.opcode.as_str())
            .collect(),
    };
    families.sort_unstable();
    families.dedup();
    let mut told = Vec::new();
    for dump in known {
        for family in &families {
            let facts = dump.facts(family);
            if !facts.is_empty() {
                told.push(format!(
                    "Process-wide, every {} of the run that {} is of, not only this one: {}.",
                    markdown::code(family, ascii),
                    markdown::code(&dump.source, ascii),
                    facts.join("; ")
                ));
            }
        }
    }
    (!told.is_empty()).then(|| cells::clean(&told.join("\n\n"), ascii))
}
