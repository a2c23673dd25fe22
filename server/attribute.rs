//! Profile × source: what each line, function and instruction costs.
//!
//! Counts only; no words and no rounding. A share is a part of the instructions executed by all
//! files of the profile, instructions without a line included, so shares of lines sum to at
//! most 1 and the remainder is [`Costs::unplaced`].

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use crate::profile::{Code, File, Instruction, PassKind, Position, Profile, Time};

mod function;
mod tally;
mod text;
mod time;

pub use function::{FunctionCosts, Shape};
pub use tally::Tally;
pub use text::{Excerpt, SourceText};
pub use time::{TimeCosts, Whole};

/// What a profile's code costs, file by file.
#[derive(Debug, Clone)]
pub struct Costs<'p> {
    /// Executed instructions of all files; none when nothing was counted.
    pub instructions: Option<u64>,
    /// Those among them that belong to no line.
    pub unplaced: u64,
    /// The whole that times are parts of; none when times were not measured.
    pub time: Option<Whole<'p>>,
    /// Wall time of as many undisturbed calls as were counted, ns; none when either is not known.
    pub natural_ns: Option<f64>,
    /// One entry a file of the profile, in its order.
    pub files: Vec<FileCosts<'p>>,
}

/// What one file costs.
#[derive(Debug, Clone)]
pub struct FileCosts<'p> {
    /// The profile's record of the file.
    pub file: &'p File,
    /// `major.minor` of the interpreter that ran it.
    pub minor: &'p str,
    /// The text that was measured, if it is available.
    pub text: Option<SourceText>,
    /// There is a text, but not the one that was measured; it is not used.
    pub stale: bool,
    /// Executed instructions; none when nothing was counted.
    pub instructions: Option<u64>,
    /// Those among them that belong to no line.
    pub unplaced: u64,
    /// One entry a code object, in the profile's order.
    pub functions: Vec<FunctionCosts<'p>>,
    /// Lines with instructions, by 1-based number.
    pub lines: BTreeMap<u32, LineCosts<'p>>,
}

/// What one source line costs.
#[derive(Debug, Clone)]
pub struct LineCosts<'p> {
    /// 1-based.
    pub line: u32,
    /// How often control entered the line: the largest count of an instruction that starts it.
    pub executions: Option<u64>,
    /// Executions of all its instructions; none when none was counted.
    pub tally: Option<Tally>,
    /// Share of the executed instructions of all files, 0 to 1.
    pub share: Option<f64>,
    /// Its time; none when times were not measured.
    pub time: Option<TimeCosts>,
    /// Its instructions by code object, then offset, basic ones included.
    pub sites: Vec<SiteCosts<'p>>,
}

/// What one instruction costs.
#[derive(Debug, Clone)]
pub struct SiteCosts<'p> {
    /// Index of its code object in [`FileCosts::functions`].
    pub function: usize,
    /// The profile's record of the instruction.
    pub instruction: &'p Instruction,
    /// Where its expression stands.
    pub position: Position,
    /// Its executions by what became of them; none when it was not counted.
    pub tally: Option<Tally>,
    /// Its time; none when times were not measured.
    pub time: Option<Box<TimeCosts>>,
}

impl LineCosts<'_> {
    /// How much of the run the line is, 0 to 1: its share of the time, or of the executed instructions
    /// where the time was not measured.
    #[must_use]
    pub fn weight(&self) -> Option<f64> {
        self.time.map(|time| time.share).or(self.share)
    }
}

impl SiteCosts<'_> {
    /// How often it ran in the count pass.
    #[must_use]
    pub fn executions(&self) -> Option<u64> {
        self.tally.map(Tally::executions)
    }

    /// Guard failures: at most the executions when those are known.
    #[must_use]
    pub fn misses(&self) -> Option<u64> {
        let seen = self.instruction.site.as_ref()?.misses?.count;
        Some(self.tally.map_or(seen, |tally| tally.misses))
    }
}

impl FileCosts<'_> {
    /// The line, if it has instructions.
    #[must_use]
    pub fn line(&self, line: u32) -> Option<&LineCosts<'_>> {
        self.lines.get(&line)
    }

    /// The code object that a lambda or comprehension is read as a part of; else the same one.
    ///
    /// `function` is an index into [`FileCosts::functions`].
    #[must_use]
    pub fn owner(&self, function: usize) -> usize {
        let is_expression = |index: usize| {
            self.functions
                .get(index)
                .is_some_and(|code| code.shape == Shape::Expression)
        };
        let mut owner = function;
        // Qualified names get shorter on the way out, so this ends.
        while is_expression(owner) {
            match self.functions[owner].parent {
                Some(outer) => owner = outer,
                None => return function,
            }
        }
        owner
    }

    /// The source of an expression, if the text and the columns are known.
    #[must_use]
    pub fn excerpt(&self, position: Position) -> Option<Excerpt<'_>> {
        self.text.as_ref()?.excerpt(position)
    }
}

/// Attributes every instruction of the profile to its line.
///
/// `texts` gives the present text of a file by its [`File::path`]; it is used only when its
/// digest is the measured one. A file that carries its own text needs none.
#[must_use]
pub fn attribute<'p>(profile: &'p Profile, texts: &dyn Fn(&str) -> Option<String>) -> Costs<'p> {
    let whole = Whole::of(profile);
    let mut files: Vec<_> = profile
        .files
        .iter()
        .map(|file| attribute_file(file, &profile.python.minor, whole, texts))
        .collect();
    let instructions = sum(files.iter().map(|file| file.instructions));
    let total = instructions.unwrap_or(0);
    for file in &mut files {
        for line in file.lines.values_mut() {
            line.share = line.tally.and_then(|tally| share(tally.executions(), total));
        }
        for function in &mut file.functions {
            function.share = function.instructions.and_then(|executed| share(executed, total));
        }
    }
    let unplaced = files
        .iter()
        .fold(0_u64, |sum, file| sum.saturating_add(file.unplaced));
    Costs {
        instructions,
        unplaced,
        time: whole,
        natural_ns: natural_ns(profile),
        files,
    }
}

fn natural_ns(profile: &Profile) -> Option<f64> {
    let call = profile.pass(PassKind::Natural)?.call_ns?;
    let counted = profile.pass(PassKind::Count)?.calls;
    (call > 0.0 && counted > 0).then_some(call * counted as f64)
}

fn attribute_file<'p>(
    file: &'p File,
    minor: &'p str,
    whole: Option<Whole<'p>>,
    texts: &dyn Fn(&str) -> Option<String>,
) -> FileCosts<'p> {
    let time = |own: Time, total: Option<Time>| whole.map(|whole| whole.part(own, total));
    let mut own: BTreeMap<u32, Time> = BTreeMap::new();
    let mut lines: BTreeMap<u32, LineCosts> = BTreeMap::new();
    let mut unplaced = 0_u64;
    for (function, code) in file.codes.iter().enumerate() {
        for instruction in in_offset_order(code) {
            let tally = tally::of(code, instruction);
            let Some(position) = instruction.position else {
                unplaced = unplaced.saturating_add(tally.map_or(0, Tally::executions));
                continue;
            };
            let line = lines.entry(position.line).or_insert_with(|| LineCosts {
                line: position.line,
                executions: None,
                tally: None,
                share: None,
                time: None,
                sites: Vec::new(),
            });
            let spent = instruction.time.as_deref().copied().unwrap_or_default();
            own.entry(position.line).or_default().add(spent);
            if let Some(tally) = tally {
                line.tally = Some(line.tally.unwrap_or_default() + tally);
                if instruction.starts_line {
                    line.executions = line.executions.max(Some(tally.executions()));
                }
            }
            line.sites.push(SiteCosts {
                function,
                instruction,
                position,
                tally,
                time: instruction
                    .time
                    .as_ref()
                    .and_then(|_| time(spent, None))
                    .map(Box::new),
            });
        }
    }
    let totals: BTreeMap<u32, Time> = file.totals.iter().map(|line| (line.line, line.total)).collect();
    for line in lines.values_mut() {
        let total = totals.get(&line.line).copied().unwrap_or_default();
        line.time = time(own.get(&line.line).copied().unwrap_or_default(), Some(total));
    }
    let functions = function::all(&file.codes, &time);
    let (text, stale) = measured_text(file, texts);
    FileCosts {
        minor,
        file,
        text,
        stale,
        instructions: sum(functions.iter().map(|function| function.instructions)),
        unplaced,
        functions,
        lines,
    }
}

fn in_offset_order(code: &Code) -> Vec<&Instruction> {
    let mut instructions: Vec<_> = code.instructions.iter().collect();
    instructions.sort_by_key(|instruction| instruction.offset);
    instructions
}

/// The text of the file as it was measured, and whether one was refused.
fn measured_text(file: &File, texts: &dyn Fn(&str) -> Option<String>) -> (Option<SourceText>, bool) {
    if let Some(text) = &file.text {
        return (Some(SourceText::new(text)), false);
    }
    match texts(&file.path) {
        None => (None, false),
        // Profiles of other tools may know no digest.
        Some(text) if file.digest.is_empty() || digest(&text) == file.digest => {
            (Some(SourceText::new(&text)), false)
        }
        Some(_) => (None, true),
    }
}

/// SHA-256 of a text, as [`File::digest`] has it.
#[must_use]
pub fn digest(text: &str) -> String {
    use std::fmt::Write;
    Sha256::digest(text.as_bytes())
        .iter()
        .fold(String::new(), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        })
}

/// The sum of what is known; none when nothing is.
fn sum(parts: impl Iterator<Item = Option<u64>>) -> Option<u64> {
    parts.flatten().reduce(u64::saturating_add)
}

fn share(part: u64, total: u64) -> Option<f64> {
    (total > 0).then(|| part as f64 / total as f64)
}
