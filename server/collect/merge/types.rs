//! Operand types: which sites to read, and what was read of them.

use std::collections::BTreeMap;
use std::path::Path;

use super::code::Context;
use super::times::Timed;
use super::{Finished, sort};
use crate::bytecode::Tables;
use crate::collect::wire;
use crate::cpython;
use crate::profile::{Instruction, PassKind, Python, Shape};

/// Most sites to read: each costs a fraction of a millisecond to some milliseconds.
const MOST: usize = 2_000;

/// Executions of a site that is worth it: what ran less is far below any threshold.
const LEAST_EXECUTIONS: u64 = 10;

/// The sites whose operands are worth reading, from the passes made so far: the marked ones, those
/// that ran most first. One line a code object, as `bytecost_types` reads it: file, qualified
/// name, first line and length of the code, offsets with their executions.
#[must_use]
pub fn candidates(python: &Python, finished: &[Finished]) -> Vec<String> {
    let version = cpython::nearest(&python.minor);
    let empty = Tables::default();
    let tables = finished
        .iter()
        .find_map(|pass| pass.result.as_ref())
        .map_or(&empty, |result| &result.tables);
    let sorted = sort(finished, tables, version);
    let counted = finished
        .iter()
        .any(|pass| pass.kind == PassKind::Count && pass.result.is_some());
    // Neither times nor paths of the workspace decide.
    let timed = Timed::default();
    let context = Context {
        tables,
        timed: &timed,
        root: Path::new(""),
        version,
        python,
        counted,
        calls: None,
        told_apart: false,
        uncounted: &sorted.uncounted,
    };
    let mut sites = Vec::new();
    for (key, found) in &sorted.gathered {
        let code = context.code(key, found);
        let owner = format!(
            "{}\t{}\t{}\t{}",
            key.path,
            key.qualname,
            key.first_line,
            found.any.code.len()
        );
        for site in code.instructions.iter().filter(|site| is_worth(site)) {
            sites.push((site.executions.unwrap_or(0), owner.clone(), site.offset));
        }
    }
    sites.sort_by(|one, other| other.cmp(one));
    sites.truncate(MOST);
    let mut lines: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (executions, owner, offset) in sites {
        lines
            .entry(owner)
            .or_default()
            .push(format!("{offset}:{executions}"));
    }
    lines
        .into_iter()
        .map(|(owner, sites)| format!("{owner}\t{}", sites.join(",")))
        .collect()
}

fn is_worth(site: &Instruction) -> bool {
    site.is_marked()
        && site
            .executions
            .is_none_or(|executions| executions >= LEAST_EXECUTIONS)
}

/// What was read of the site at an offset, most frequent first.
pub(super) fn shapes(types: &[&wire::Counts], offset: u32) -> Vec<Shape> {
    let mut counts: BTreeMap<(&[String], &str, &[String]), u64> = BTreeMap::new();
    for (operands, kind, facts, count) in types.iter().filter_map(|one| one.types.get(&offset)).flatten() {
        *counts.entry((operands, kind, facts)).or_default() += count;
    }
    let mut shapes: Vec<Shape> = counts
        .into_iter()
        .map(|((operands, kind, facts), count)| Shape {
            operands: operands.to_vec(),
            kind: kind.to_owned(),
            facts: facts.to_vec(),
            count,
        })
        .collect();
    shapes.sort_by_key(|shape| std::cmp::Reverse(shape.count));
    shapes
}
