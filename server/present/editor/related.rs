//! Other places that belong to a diagnostic: where its cause may lie.

use std::cell::OnceCell;
use std::collections::HashMap;

use crate::attribute::{Costs, FileCosts, Shape, SiteCosts};
use crate::profile::Instruction;
use crate::source::{Operand, operands};

use super::expression;

/// Another place that belongs to a diagnostic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Related {
    /// By [`crate::profile::File::path`].
    pub path: String,
    /// 1-based line, 0-based UTF-8 byte column, in the measured text.
    pub start: (u32, u32),
    /// The same, exclusive.
    pub end: (u32, u32),
    /// What it has to do with it.
    pub message: String,
}

/// Most classes to lead to.
const CLASSES: usize = 4;

/// Most places where one operand gets its value.
const ORIGINS: usize = 3;

/// Cells of an expression that is read for its operands.
const ROOM: usize = 200;

/// Finds the places that the causes of sites lead to.
pub(super) struct Places<'c> {
    costs: &'c Costs<'c>,
    /// What stores an attribute, by the attribute's name.
    stores: OnceCell<HashMap<&'c str, Vec<Store<'c>>>>,
}

/// An instruction that stores, and its file.
type Store<'c> = (&'c FileCosts<'c>, &'c Instruction);

impl<'c> Places<'c> {
    pub(super) fn new(costs: &'c Costs<'c>) -> Self {
        Self {
            costs,
            stores: OnceCell::new(),
        }
    }

    /// The places that a site's cause leads to.
    pub(super) fn of(&self, file: &FileCosts, site: &SiteCosts) -> Vec<Related> {
        match site.instruction.opcode.as_str() {
            "LOAD_ATTR" | "LOAD_METHOD" | "STORE_ATTR" => classes(self.costs, site),
            "BINARY_OP" | "COMPARE_OP" => self.origins(file, site),
            _ => Vec::new(),
        }
    }

    /// Where the named operands get their values: their types are decided there.
    fn origins(&self, file: &FileCosts, site: &SiteCosts) -> Vec<Related> {
        let Some(text) = expression::text(file, site.position, ROOM, false) else {
            return Vec::new();
        };
        let mut related = Vec::new();
        for operand in operands(&text) {
            match operand {
                Operand::Name(name) => {
                    let stores = file.functions[site.function].code.instructions.iter();
                    let stores = stores.filter(|one| stored("STORE_FAST", one).any(|stored| stored == name));
                    related.extend(stores.filter_map(|one| origin(file, one, &name)).take(ORIGINS));
                }
                Operand::Attribute(name) => {
                    let stores = self.attributes().get(name.as_str()).into_iter().flatten();
                    related.extend(
                        stores
                            .filter_map(|(file, one)| origin(file, one, &name))
                            .take(ORIGINS),
                    );
                }
            }
        }
        // An assignment that is itself the site leads nowhere.
        related.retain(|place| place.path != file.file.path || place.start.0 != site.position.line);
        related
    }

    fn attributes(&self) -> &HashMap<&'c str, Vec<Store<'c>>> {
        self.stores.get_or_init(|| {
            let mut all: HashMap<_, Vec<_>> = HashMap::new();
            for file in self.costs.files.iter().filter(|file| !file.stale) {
                for one in file
                    .functions
                    .iter()
                    .flat_map(|function| &function.code.instructions)
                {
                    for name in stored("STORE_ATTR", one) {
                        all.entry(name).or_default().push((file, one));
                    }
                }
            }
            all
        })
    }
}

/// Where the classes of the objects at an attribute are defined, as far as they are measured.
fn classes(costs: &Costs, site: &SiteCosts) -> Vec<Related> {
    let shapes = site.instruction.site.iter().flat_map(|site| &site.types);
    let mut names: Vec<&str> = shapes
        .filter_map(|shape| shape.operands.first())
        .map(String::as_str)
        .collect();
    names.dedup();
    let mut related: Vec<Related> = Vec::new();
    for file in &costs.files {
        for function in file
            .functions
            .iter()
            .filter(|function| function.shape == Shape::Class)
        {
            let qualname = function.code.qualname.as_str();
            let is_owner = |name: &&&str| {
                **name == qualname
                    || name
                        .strip_suffix(qualname)
                        .is_some_and(|rest| rest.ends_with('.'))
            };
            if names.iter().any(|name| is_owner(&name)) && related.len() < CLASSES && !file.stale {
                let line = function.code.first_line;
                related.push(Related {
                    path: file.file.path.clone(),
                    start: (line, 0),
                    end: (line, 0),
                    message: format!("class {qualname}"),
                });
            }
        }
    }
    related
}

/// A place where something gets a value, if it was reached.
fn origin(file: &FileCosts, store: &Instruction, name: &str) -> Option<Related> {
    let position = store.position.filter(|_| store.executions != Some(0))?;
    let (start, end) = position.columns.unwrap_or_default();
    Some(Related {
        path: file.file.path.clone(),
        start: (position.line, start),
        end: (position.end_line, end),
        message: format!("`{name}` gets a value here"),
    })
}

/// The names an instruction of a kind stores under, as `dis` shows them: of instructions joined to
/// one they stand side by side.
fn stored<'i>(kind: &str, instruction: &'i Instruction) -> impl Iterator<Item = &'i str> {
    let is_store = instruction.opcode.starts_with(kind);
    // STORE_FAST_LOAD_FAST (3.13, `opcode.py`) stores under the first only.
    let most = match instruction.opcode.contains("LOAD") {
        _ if !is_store => 0,
        true => 1,
        false => usize::MAX,
    };
    instruction.argument.split(", ").take(most)
}
