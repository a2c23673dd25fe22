//! Annotated disassembly.

use crate::attribute::{Costs, FileCosts, Shape, Whole};
use crate::explain::number::{count, counted, percent};
use crate::explain::{sentences, words};
use crate::present::terminal::cells::{self, Cells};
use crate::profile::{Instruction, Position, Profile};

use super::table::{Column, align};

/// Cells of the longest row; only arguments and source are cut to it.
const ROOM: usize = 140;

/// The disassembly of a function as a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// The function and where it is.
    pub title: String,
    /// The document; lines end with `\n`.
    pub text: String,
    /// For each line of `text`, its source line in the measured text, 1-based.
    pub lines: Vec<Option<u32>>,
    /// For each line of `text`, where its instruction's expression stands in the measured text.
    pub positions: Vec<Option<Position>>,
}

/// Annotated disassembly of the innermost function, class body or module body at a line, and of
/// the lambdas and comprehensions in it. None where no code object is, and for a file whose text
/// is not the measured one.
#[must_use]
pub fn listing(profile: &Profile, costs: &Costs, path: &str, line: u32, ascii: bool) -> Option<Listing> {
    let file = super::file(costs, path)?;
    let function = innermost(file, line)?;
    let title = format!("{} ({path}:{})", name(file, function), first_line(file, function));
    let mut facts = sentences::interpreter(profile);
    facts.extend(words::provenance(profile));
    let mut page = Page::default();
    page.text(format!("# {title}"), None);
    page.text(format!("# {}", facts.join(" · ")), None);
    page.text(String::new(), None);
    let codes: Vec<_> = (0..file.functions.len())
        .filter(|&index| file.owner(index) == function)
        .collect();
    page.row(head(file, &codes, costs.time.is_some()), None, None);
    for code in codes {
        page.text(String::new(), None);
        page.text(heading(file, code), Some(first_line(file, code)));
        page.instructions(file, code, costs.time);
    }
    let (text, lines, positions) = page.finish(ascii);
    Some(Listing {
        title: cells::clean(&title, ascii),
        text,
        lines,
        positions,
    })
}

fn innermost(file: &FileCosts, line: u32) -> Option<usize> {
    let around = file.functions.iter().enumerate().filter(|(_, function)| {
        function.shape != Shape::Expression && (function.code.first_line..=function.end_line).contains(&line)
    });
    let (index, _) = around.max_by_key(|(index, function)| {
        // A function on the last line of another begins later or, on one line, is nested in it.
        let length = function.end_line.saturating_sub(function.code.first_line);
        (function.code.first_line, std::cmp::Reverse(length), *index)
    })?;
    Some(index)
}

fn name(file: &FileCosts, function: usize) -> String {
    let function = &file.functions[function];
    match function.shape {
        Shape::Module => "module body".to_owned(),
        Shape::Class => format!("class body of {}", function.code.qualname),
        Shape::Function | Shape::Expression => function.code.qualname.clone(),
    }
}

fn first_line(file: &FileCosts, function: usize) -> u32 {
    file.functions[function].code.first_line.max(1)
}

fn heading(file: &FileCosts, function: usize) -> String {
    let costs = &file.functions[function];
    let mut facts = vec![name(file, function)];
    if costs.code.withheld {
        facts.push("counts withheld: they contradict each other".to_owned());
    } else {
        facts.extend(costs.code.calls.map(|calls| counted(calls, "call", "calls")));
        let whole = if costs.time.is_some() {
            "time"
        } else {
            "executed instructions"
        };
        facts.extend(
            costs
                .weight()
                .map(|share| format!("{} of the {whole}", percent(share))),
        );
    }
    format!("## {}", facts.join(" · "))
}

/// Numbers come first: a view beside the source is narrow.
const COLUMNS: [Column; 9] = [
    Column::whole(false),
    Column::whole(true),
    Column::whole(true),
    Column::whole(true),
    Column::whole(true),
    Column::whole(false),
    Column::text(40, 12),
    Column::whole(false),
    Column::whole(false),
];

/// The names of the columns; a column without numbers has none, and is left out.
fn head(file: &FileCosts, codes: &[usize], timed: bool) -> Vec<String> {
    let counted = codes
        .iter()
        .any(|&code| file.functions[code].instructions.is_some());
    let mut instructions = codes
        .iter()
        .flat_map(|&code| &file.functions[code].code.instructions);
    let missing = instructions.any(|instruction| {
        let misses = instruction.site.as_ref().and_then(|site| site.misses);
        misses.is_some_and(|misses| misses.count > 0)
    });
    let executions = if counted { "executions" } else { "" };
    let misses = if missing { "misses" } else { "" };
    let time = if timed { "time %" } else { "" };
    [
        "#", "offset", executions, time, misses, "opcode", "argument", "form", "state",
    ]
    .map(str::to_owned)
    .to_vec()
}

fn row(instruction: &Instruction, is_withheld: bool, whole: Option<Whole>) -> Vec<String> {
    let executions = instruction.executions.filter(|_| !is_withheld);
    let site = instruction.site.as_ref();
    let misses = site
        .and_then(|site| site.misses)
        .filter(|misses| misses.count > 0 && !is_withheld);
    let misses = misses.map(|misses| {
        // Estimates of misses may exceed the executions, which are exact.
        let number = count(misses.count.min(executions.unwrap_or(u64::MAX)));
        if misses.at_least {
            format!("≥{number}")
        } else {
            number
        }
    });
    let form = site.and_then(|site| site.form.as_deref());
    let form = form.map(|form| format!("→ {}", sentences::form(&instruction.opcode, form)));
    vec![
        words::mark(instruction.state).unwrap_or_default().to_owned(),
        instruction.offset.to_string(),
        executions.map(count).unwrap_or_default(),
        time(instruction, whole).unwrap_or_default(),
        misses.unwrap_or_default(),
        instruction.opcode.clone(),
        instruction.argument.clone(),
        form.unwrap_or_default(),
        words::state(instruction.state).to_owned(),
    ]
}

/// An instruction's share of the run's time, where it was seen at all.
fn time(instruction: &Instruction, whole: Option<Whole>) -> Option<String> {
    let spent = instruction.time.as_deref().filter(|time| time.busy_ns > 0.0)?;
    let share = spent.busy_ns / whole?.times.busy_ns.max(1.0);
    Some(percent(share))
}

/// One line of the document.
struct PageLine {
    /// As it is; none for the next row.
    text: Option<String>,
    /// Its source line.
    line: Option<u32>,
    /// Of its instruction.
    position: Option<Position>,
}

/// The document as it grows: rows are laid out when all are known.
#[derive(Default)]
struct Page {
    lines: Vec<PageLine>,
    rows: Vec<Vec<String>>,
}

impl Page {
    fn text(&mut self, text: String, line: Option<u32>) {
        self.lines.push(PageLine {
            text: Some(text),
            line,
            position: None,
        });
    }

    fn row(&mut self, cells: Vec<String>, line: Option<u32>, position: Option<Position>) {
        self.lines.push(PageLine {
            text: None,
            line,
            position,
        });
        self.rows.push(cells);
    }

    /// The instructions of a code object, under the source line each run of them is from.
    fn instructions(&mut self, file: &FileCosts, code: usize, whole: Option<Whole>) {
        let code = file.functions[code].code;
        let mut instructions: Vec<_> = code.instructions.iter().collect();
        instructions.sort_by_key(|instruction| instruction.offset);
        let mut current = None;
        for instruction in instructions {
            let line = instruction.position.map(|position| position.line);
            if line.is_some() && line != current {
                current = line;
                let (text, line) = source(file, line.unwrap_or_default());
                self.text(text, line);
            }
            let shown = line.filter(|line| *line > 0);
            self.row(
                row(instruction, code.withheld, whole),
                shown,
                instruction.position.filter(|_| shown.is_some()),
            );
        }
    }

    fn finish(self, ascii: bool) -> (String, Vec<Option<u32>>, Vec<Option<Position>>) {
        let mut rows = align(&COLUMNS, &self.rows, ROOM, ascii).into_iter();
        let mut text = String::new();
        let mut lines = Vec::with_capacity(self.lines.len());
        let mut positions = Vec::with_capacity(self.lines.len());
        for line in self.lines {
            match line.text {
                Some(line) => text.push_str(Cells::new(&line, ascii).fit(ROOM).trim_end()),
                None => text.push_str(&rows.next().unwrap_or_default()),
            }
            text.push('\n');
            lines.push(line.line);
            positions.push(line.position);
        }
        (text, lines, positions)
    }
}

/// A source line as a comment, and its number.
fn source(file: &FileCosts, line: u32) -> (String, Option<u32>) {
    let text = file.text.as_ref().and_then(|text| text.line(line));
    // Line 0 is where a module's code begins.
    let known = (line > 0).then_some(line);
    (format!("# {line:>4}  {}", text.unwrap_or_default()), known)
}
