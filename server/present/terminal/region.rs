//! Which parts of the source a report shows.

use std::collections::{BTreeSet, HashSet};

use crate::attribute::{Costs, FileCosts, FunctionCosts, LineCosts, Shape};
use crate::explain::Thresholds;
use crate::profile::{Instruction, Profile, State, WorkloadKind};

/// The parts to show, in order, and what they leave out.
pub(super) struct Regions {
    pub list: Vec<Region>,
    /// Code objects that ran and are in no region, and their share; none without counts.
    pub left_out: Option<(u64, f64)>,
    /// Marked states on the lines shown.
    pub states: HashSet<State>,
}

/// The lines of one code object and what is nested in it.
pub(super) struct Region {
    /// Index of the file.
    pub file: usize,
    /// Index of the code object in the file.
    pub function: usize,
    /// The rows to show, in order.
    pub rows: Vec<Row>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Row {
    /// A source line, 1-based.
    Line(u32),
    /// Lines left out.
    Fold,
}

/// A run of uninteresting lines of at least this length is folded.
const FOLDED: usize = 5;

/// The target first, then what has its share of the instructions, largest first.
pub(super) fn choose(profile: &Profile, costs: &Costs, thresholds: &Thresholds) -> Regions {
    let mut chosen = targets(profile, costs);
    chosen.extend(others(costs, thresholds, &chosen));
    // A script is its module body too, however small its share.
    if let Some(body) = script_body(profile, costs).filter(|body| !chosen.contains(body)) {
        chosen.push(body);
    }
    let mut list: Vec<Region> = Vec::new();
    let mut shown: HashSet<(usize, u32)> = HashSet::new();
    for (file, function) in chosen {
        let rows = rows(&costs.files[file], function, thresholds, |line| {
            shown.contains(&(file, line))
        });
        shown.extend(rows.iter().filter_map(|row| match row {
            Row::Line(line) => Some((file, *line)),
            Row::Fold => None,
        }));
        if !rows.is_empty() {
            list.push(Region { file, function, rows });
        }
    }
    let states = shown
        .iter()
        .filter_map(|(file, line)| costs.files[*file].line(*line))
        .flat_map(|line| &line.sites)
        .filter(|site| site.instruction.is_marked())
        .map(|site| site.instruction.state)
        .collect();
    Regions {
        left_out: left_out(costs, &list),
        list,
        states,
    }
}

fn targets(profile: &Profile, costs: &Costs) -> Vec<(usize, usize)> {
    let workload = &profile.workload;
    let (Some(path), Some(qualname)) = (&workload.file, &workload.qualname) else {
        return Vec::new();
    };
    let Some(file) = costs.files.iter().position(|file| file.file.path == *path) else {
        return Vec::new();
    };
    let named = costs.files[file].functions.iter().enumerate();
    named
        .filter(|(_, function)| function.code.qualname == *qualname)
        .map(|(index, _)| (file, index))
        .collect()
}

fn script_body(profile: &Profile, costs: &Costs) -> Option<(usize, usize)> {
    let workload = &profile.workload;
    if !matches!(workload.kind, WorkloadKind::Script | WorkloadKind::Module) {
        return None;
    }
    let file = costs
        .files
        .iter()
        .position(|file| Some(&file.file.path) == workload.file.as_ref())?;
    let body = costs.files[file]
        .functions
        .iter()
        .position(|function| function.shape == Shape::Module)?;
    Some((file, body))
}

/// Code with its share, largest first; without counts code with marked sites, in source order.
fn others(costs: &Costs, thresholds: &Thresholds, targets: &[(usize, usize)]) -> Vec<(usize, usize)> {
    let mut candidates: Vec<(f64, usize, usize)> = Vec::new();
    let is_weighed = costs.instructions.is_some() || costs.time.is_some();
    for (file, costed) in costs.files.iter().enumerate() {
        let mut weights = vec![0.0; costed.functions.len()];
        for (index, function) in costed.functions.iter().enumerate() {
            let marked = || function.code.instructions.iter().any(Instruction::is_marked);
            weights[costed.owner(index)] += match function.weight() {
                Some(weight) => weight,
                None => f64::from(u8::from(marked())),
            };
        }
        let limit = if is_weighed { thresholds.line_share } else { 1.0 };
        let heavy = weights
            .into_iter()
            .enumerate()
            .filter(|(_, weight)| *weight > 0.0 && *weight >= limit);
        candidates.extend(heavy.map(|(index, weight)| (if is_weighed { weight } else { 0.0 }, file, index)));
    }
    candidates.sort_by(|a, b| b.0.total_cmp(&a.0));
    let accepted: HashSet<(usize, usize)> = candidates
        .iter()
        .map(|&(_, file, index)| (file, index))
        .chain(targets.iter().copied())
        .filter(|&(file, index)| costs.files[file].functions[index].shape == Shape::Function)
        .collect();
    let is_nested = |file: usize, index: usize| {
        around(&costs.files[file], index).any(|outer| accepted.contains(&(file, outer)))
    };
    candidates
        .into_iter()
        .map(|(_, file, index)| (file, index))
        .filter(|place| !targets.contains(place) && !is_nested(place.0, place.1))
        .collect()
}

/// The code objects around one, innermost first.
fn around<'c>(file: &'c FileCosts, index: usize) -> impl Iterator<Item = usize> + 'c {
    std::iter::successors(file.functions[index].parent, |&outer| {
        file.functions[outer].parent
    })
}

fn rows(file: &FileCosts, index: usize, thresholds: &Thresholds, is_shown: impl Fn(u32) -> bool) -> Vec<Row> {
    let function = &file.functions[index];
    let is_body = matches!(function.shape, Shape::Module | Shape::Class);
    let numbers = line_numbers(file, function);
    let is_interesting = |line: u32| {
        let Some(costs) = file.line(line) else {
            return false;
        };
        if is_body {
            matters_in_body(file, index, costs, thresholds)
        } else {
            ran(costs)
        }
    };
    let mut rows = Vec::new();
    let mut quiet: Vec<u32> = Vec::new();
    let context = usize::from(!is_body);
    for line in numbers {
        let is_first = !is_body && line == function.code.first_line;
        if is_shown(line) || !(is_interesting(line) || is_first) {
            quiet.push(line);
            continue;
        }
        fold(&mut rows, &quiet, context, &is_shown);
        quiet.clear();
        rows.push(Row::Line(line));
    }
    if !is_body {
        fold(&mut rows, &quiet, context, &is_shown);
    }
    while rows.last() == Some(&Row::Fold) {
        rows.pop();
    }
    while rows.first() == Some(&Row::Fold) {
        rows.remove(0);
    }
    rows
}

/// Appends uninteresting lines, or a fold and at most `context` lines on both sides of it.
fn fold(rows: &mut Vec<Row>, quiet: &[u32], context: usize, is_shown: &impl Fn(u32) -> bool) {
    let line = |line: &u32| {
        if is_shown(*line) {
            Row::Fold
        } else {
            Row::Line(*line)
        }
    };
    let new: Vec<Row> = if quiet.len() < FOLDED && context > 0 {
        quiet.iter().map(line).collect()
    } else if quiet.is_empty() {
        Vec::new()
    } else {
        let head = quiet[..context].iter().map(line);
        let tail = quiet[quiet.len() - context..].iter().map(line);
        head.chain([Row::Fold]).chain(tail).collect()
    };
    for row in new {
        if row != Row::Fold || rows.last() != Some(&Row::Fold) {
            rows.push(row);
        }
    }
}

/// Lines of the region that have text or instructions.
fn line_numbers(file: &FileCosts, function: &FunctionCosts) -> BTreeSet<u32> {
    let (first, last) = (function.code.first_line.max(1), function.end_line);
    let mut numbers: BTreeSet<u32> = if first <= last {
        file.lines.range(first..=last).map(|(line, _)| *line).collect()
    } else {
        BTreeSet::new()
    };
    if let Some(text) = &file.text {
        numbers.extend((first..=last).take_while(|line| text.line(*line).is_some()));
    }
    numbers
}

/// Whether any instruction of the line ran.
pub(super) fn ran(line: &LineCosts) -> bool {
    match line.tally {
        Some(tally) => tally.executions() > 0,
        None => line
            .sites
            .iter()
            .any(|site| site.instruction.state != State::NotExecuted),
    }
}

/// Whether a line of a module or class body is more than a definition that ran once.
fn matters_in_body(file: &FileCosts, body: usize, line: &LineCosts, thresholds: &Thresholds) -> bool {
    let own = || line.sites.iter().filter(|site| file.owner(site.function) == body);
    let repeats = own().any(|site| {
        site.function == body && site.instruction.starts_line && site.executions().is_some_and(|ran| ran > 1)
    });
    let marked = own().any(|site| site.instruction.is_marked() && site.executions().is_none());
    let heavy = line
        .weight()
        .is_some_and(|weight| weight >= thresholds.line_share)
        && own().next().is_some();
    repeats || marked || heavy
}

/// Code objects that ran and of which no line is shown.
fn left_out(costs: &Costs, regions: &[Region]) -> Option<(u64, f64)> {
    costs.instructions?;
    let mut codes = 0;
    let mut share = 0.0;
    for (file, costed) in costs.files.iter().enumerate() {
        for (index, function) in costed.functions.iter().enumerate() {
            let is_shown = std::iter::once(index).chain(around(costed, index)).any(|outer| {
                // A body is shown in parts: what is nested in it is not shown by it.
                let counts = outer == index || costed.functions[outer].shape == Shape::Function;
                let expression = function.shape == Shape::Expression && outer == costed.owner(index);
                (counts || expression)
                    && regions
                        .iter()
                        .any(|region| region.file == file && region.function == outer)
            });
            if !is_shown && function.instructions.is_some_and(|ran| ran > 0) {
                codes += 1;
                share += function.share.unwrap_or(0.0);
            }
        }
    }
    (codes > 0).then_some((codes, share))
}
