//! Code objects as a reader sees them: with shape, nesting and region.

use std::collections::HashMap;

use crate::profile::{Code, Time};

use super::tally::{self, Tally};
use super::time::TimeCosts;

/// What a code object was compiled from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// The body of a module.
    Module,
    /// The body of a class.
    Class,
    /// A `def`.
    Function,
    /// A lambda, comprehension, generator expression or annotation scope: part of the function
    /// around it.
    Expression,
}

/// What one code object costs.
#[derive(Debug, Clone)]
pub struct FunctionCosts<'p> {
    /// The profile's record of the code object.
    pub code: &'p Code,
    /// What it was compiled from.
    pub shape: Shape,
    /// Index of the code object around it in the same file.
    pub parent: Option<usize>,
    /// Last line of its instructions and of those nested in it.
    pub end_line: u32,
    /// Executed instructions, without nested code objects; none when not counted.
    pub instructions: Option<u64>,
    /// Share of the executed instructions of all files, 0 to 1.
    pub share: Option<f64>,
    /// Its time; none when times were not measured.
    pub time: Option<TimeCosts>,
}

impl FunctionCosts<'_> {
    /// How much of the run it is, 0 to 1: its share of the time, or of the executed instructions where
    /// the time was not measured.
    #[must_use]
    pub fn weight(&self) -> Option<f64> {
        self.time.map(|time| time.share).or(self.share)
    }
}

/// All code objects of a file, in the same order.
pub(super) fn all<'p>(
    codes: &'p [Code],
    time: &dyn Fn(Time, Option<Time>) -> Option<TimeCosts>,
) -> Vec<FunctionCosts<'p>> {
    let mut by_name: HashMap<&str, Vec<usize>> = HashMap::new();
    for (index, code) in codes.iter().enumerate() {
        by_name.entry(&code.qualname).or_default().push(index);
    }
    let mut functions: Vec<_> = codes
        .iter()
        .map(|code| FunctionCosts {
            code,
            shape: shape(code),
            parent: parent(code, codes, &by_name),
            end_line: end_line(code),
            instructions: instructions(code),
            share: None,
            time: time(own_time(code), code.total),
        })
        .collect();
    for index in 0..functions.len() {
        let end_line = functions[index].end_line;
        let mut around = functions[index].parent;
        // Qualified names get shorter on the way out, so this ends.
        while let Some(outer) = around {
            functions[outer].end_line = functions[outer].end_line.max(end_line);
            around = functions[outer].parent;
        }
    }
    functions
}

fn shape(code: &Code) -> Shape {
    let name = code.qualname.rsplit('.').next().unwrap_or_default();
    if code.qualname == "<module>" {
        Shape::Module
    } else if name.starts_with('<') {
        Shape::Expression
    } else if code
        .instructions
        .iter()
        .any(|instruction| instruction.opcode == "STORE_NAME" && instruction.argument == "__module__")
    {
        // Compiler_class_body in Python/codegen.c begins every class body so.
        Shape::Class
    } else {
        Shape::Function
    }
}

fn parent(code: &Code, codes: &[Code], by_name: &HashMap<&str, Vec<usize>>) -> Option<usize> {
    if code.qualname == "<module>" {
        return None;
    }
    let outer = match code.qualname.rsplit_once('.') {
        Some((outer, _)) => outer.strip_suffix(".<locals>").unwrap_or(outer),
        None => "<module>",
    };
    let candidates = by_name.get(outer)?;
    candidates
        .iter()
        .copied()
        .filter(|&index| codes[index].first_line <= code.first_line)
        .max_by_key(|&index| codes[index].first_line)
        .or_else(|| candidates.first().copied())
}

fn end_line(code: &Code) -> u32 {
    let lines = code
        .instructions
        .iter()
        .filter_map(|instruction| instruction.position);
    lines
        .map(|position| position.end_line)
        .fold(code.first_line.max(code.last_line), u32::max)
}

fn own_time(code: &Code) -> Time {
    let mut sum = Time::default();
    for time in code
        .instructions
        .iter()
        .filter_map(|instruction| instruction.time.as_deref().copied())
    {
        sum.add(time);
    }
    sum
}

fn instructions(code: &Code) -> Option<u64> {
    super::sum(
        code.instructions
            .iter()
            .map(|instruction| tally::of(code, instruction).map(Tally::executions)),
    )
}
