//! What is said of a line, and of the expression under the cursor.

use core::time::Duration;

use crate::attribute::{Costs, FileCosts, LineCosts, Shape, SiteCosts, Whole};
use crate::explain::number::{count, counted, short_count};
use crate::explain::{failures, jit, sentences, times, words};
use crate::present::terminal::cells;
use crate::profile::{Note, Profile, State};

use super::table::{Column, align};
use super::{expression, markdown};

/// Cells of a line of the instructions: a popup of 80 columns has a frame.
const ROOM: usize = 76;

/// Cells of an expression in a sentence.
const NAME: usize = 48;

/// Most rows of instructions; the disassembly has all of them.
const ROWS: usize = 20;

/// Most sites to explain, besides the one under the cursor.
const EXPLAINED: usize = 3;

/// Most facts on traces.
const TRACED: usize = 6;

/// How a hover is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct HoverOptions {
    /// Write ASCII only; other characters of the source are escaped.
    pub ascii: bool,
    /// How long ago the profile was measured.
    pub age: Option<Duration>,
}

/// What is said of a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hover {
    /// Where the expression begins: 1-based line, 0-based UTF-8 byte column.
    pub start: (u32, u32),
    /// Where it ends, exclusive. Without an expression, start and end of the line's text.
    pub end: (u32, u32),
    /// Markdown without tables, HTML and links.
    pub markdown: String,
}

/// What is said of a line and of the expression at a 0-based UTF-8 byte column of it: what it
/// costs, its instructions, why, and how that is known.
///
/// None for lines without instructions, unless they are part of an expression that has some,
/// and for a file whose text is not the measured one.
#[must_use]
pub fn hover(
    profile: &Profile,
    costs: &Costs,
    path: &str,
    line: u32,
    column: u32,
    options: &HoverOptions,
) -> Option<Hover> {
    let file = super::file(costs, path)?;
    let site = expression::at(file, line, column);
    let costs = file.line(line).filter(|_| line > 0);
    let costs = match costs {
        Some(costs) => costs,
        None => file.line(site?.position.line)?,
    };
    let (start, end) = range(file, costs, site);
    let mut paragraphs = vec![headline(file, costs, options.ascii)];
    paragraphs.extend(site.map(|site| about_site(file, site, options.ascii)));
    paragraphs.extend(about_functions(file, costs, options.ascii));
    paragraphs.extend(about_failures(file, costs, options.ascii));
    paragraphs.push(markdown::block(
        &instructions(file, costs, options.ascii).join("\n"),
    ));
    paragraphs.extend(times::unsplit(costs));
    paragraphs.extend(marked(file, costs, site, options.ascii));
    paragraphs.extend(sentences::verdict(profile, costs).map(str::to_owned));
    paragraphs.extend(about_traces(file, costs, site, options.ascii));
    paragraphs.extend(doubts(profile, options.ascii));
    paragraphs.push(methods(profile, options));
    Some(Hover {
        start,
        end,
        markdown: paragraphs.join("\n\n"),
    })
}

/// One sentence on what a line costs, in Markdown.
pub(super) fn headline(file: &FileCosts, line: &LineCosts, ascii: bool) -> String {
    let headline = sentences::headline(file, line, &|name| markdown::code(name, ascii));
    let mut text = format!("**{}**{}", headline.strong, headline.place);
    for fact in headline.facts {
        text.push_str(" · ");
        text.push_str(&fact);
    }
    cells::clean(&text, ascii)
}

fn range(file: &FileCosts, line: &LineCosts, site: Option<&SiteCosts>) -> ((u32, u32), (u32, u32)) {
    if let Some(site) = site
        && let Some((start, end)) = site.position.columns
    {
        return ((site.position.line, start), (site.position.end_line, end));
    }
    let text = file.text.as_ref().and_then(|text| text.line(line.line));
    let text = text.unwrap_or_default();
    let column = |bytes: usize| u32::try_from(bytes).unwrap_or(u32::MAX);
    let start = text.len() - text.trim_start().len();
    let end = text.trim_end().len();
    ((line.line, column(start.min(end))), (line.line, column(end)))
}

fn about_site(file: &FileCosts, site: &SiteCosts, ascii: bool) -> String {
    let name = expression::text(file, site.position, NAME, ascii).map(|text| markdown::code(&text, ascii));
    let text = sentences::site(file, site, name.as_deref());
    let text = match words::mark(site.instruction.state) {
        Some(mark) => format!("{mark} {text}"),
        None => text,
    };
    cells::clean(&text, ascii)
}

/// What CPython itself counted in the function that begins on the line.
fn about_failures(file: &FileCosts, line: &LineCosts, ascii: bool) -> Option<String> {
    let text = failures::of(file, function_from(file, line)?)?;
    Some(markdown::prose(&(text + "."), ascii))
}

/// The function that begins on the line.
fn function_from(file: &FileCosts, line: &LineCosts) -> Option<usize> {
    file.functions
        .iter()
        .position(|function| function.shape == Shape::Function && function.code.first_line == line.line)
}

/// The functions that begin on the line, as wholes.
fn about_functions(file: &FileCosts, line: &LineCosts, ascii: bool) -> Option<String> {
    let function = function_from(file, line)?;
    let name = markdown::code(&file.functions[function].code.qualname, ascii);
    sentences::whole(file, function, &name).map(|text| cells::clean(&text, ascii))
}

/// What tier 2 made of the line; where it is about another expression, with that.
fn about_traces(file: &FileCosts, line: &LineCosts, site: Option<&SiteCosts>, ascii: bool) -> Option<String> {
    let facts = jit::line(file, line).into_iter().map(|fact| {
        let other = fact
            .position
            .filter(|position| site.is_none_or(|site| site.position != *position));
        let name = other.and_then(|position| expression::text(file, position, NAME, ascii));
        let name = name.map(|name| format!("{}: ", markdown::code(&name, ascii)));
        format!("{}{}", name.unwrap_or_default(), fact.text)
    });
    let facts: Vec<_> = facts.take(TRACED).collect();
    (!facts.is_empty()).then(|| cells::clean(&format!("JIT: {}.", facts.join("; ")), ascii))
}

/// The line's instructions in evaluation order; basic ones in one row where others stand out.
fn instructions(file: &FileCosts, line: &LineCosts, ascii: bool) -> Vec<String> {
    let is_quiet = |site: &&SiteCosts| matches!(site.instruction.state, State::Basic | State::NotExecuted);
    let (quiet, telling): (Vec<_>, Vec<_>) = line.sites.iter().partition(is_quiet);
    let folds = quiet.len() > 1 && (!telling.is_empty() || quiet.len() > ROWS);
    let all: Vec<_> = line.sites.iter().collect();
    let mut shown = if folds { telling } else { all };
    let cut = shown.len().saturating_sub(ROWS);
    if cut > 0 {
        shown = heaviest(&shown);
    }
    let mut rows: Vec<_> = shown
        .into_iter()
        .map(|site| row(file, line, site, ascii))
        .collect();
    if cut > 0 {
        rows.push(vec![format!("+ {} more", count(cut as u64))]);
    }
    if folds {
        for (state, word) in [(State::Basic, "basic"), (State::NotExecuted, "never ran")] {
            let folded: Vec<_> = quiet
                .iter()
                .copied()
                .filter(|site| site.instruction.state == state)
                .collect();
            if folded.is_empty() {
                continue;
            }
            let executions = folded
                .iter()
                .filter_map(|site| site.executions())
                .reduce(u64::saturating_add);
            rows.push(vec![
                format!("+ {} {word}", count(folded.len() as u64)),
                String::new(),
                String::new(),
                String::new(),
                executions
                    .filter(|_| state == State::Basic)
                    .map(number)
                    .unwrap_or_default(),
                times::of_site(line, &folded).unwrap_or_default(),
            ]);
        }
    }
    let columns = [
        Column::text(26, 14),
        Column::text(24, 12),
        Column::text(30, 12),
        Column::whole(false),
        Column::whole(true),
        Column::whole(true),
        Column::whole(false),
    ];
    align(&columns, &rows, ROOM, ascii)
}

/// The marked ones and those that ran most, in their order.
fn heaviest<'c, 'p>(sites: &[&'c SiteCosts<'p>]) -> Vec<&'c SiteCosts<'p>> {
    let mut order: Vec<usize> = (0..sites.len()).collect();
    order.sort_by_key(|&index| {
        let site = sites[index];
        std::cmp::Reverse((site.instruction.is_marked(), site.executions()))
    });
    order.truncate(ROWS);
    order.sort_unstable();
    order.into_iter().map(|index| sites[index]).collect()
}

fn row(file: &FileCosts, line: &LineCosts, site: &SiteCosts, ascii: bool) -> Vec<String> {
    let instruction = site.instruction;
    let name = expression::text(file, site.position, 26, ascii);
    let form = instruction.site.as_ref().and_then(|site| site.form.as_deref());
    let outcome = match (instruction.state, form) {
        (State::Basic, _) => String::new(),
        (State::Imported, None) if sentences::was_seen_generic(instruction) => "seen generic".to_owned(),
        (State::Unspecialized | State::Cold | State::NotExecuted | State::Instrumented, _) | (_, None) => {
            words::state(instruction.state).to_owned()
        }
        (_, Some(form)) => format!("→ {}", sentences::form(&instruction.opcode, form)),
    };
    let operation = sentences::operation(instruction, name.is_some());
    let is_bound = instruction
        .site
        .as_ref()
        .and_then(|site| site.misses)
        .is_some_and(|misses| misses.at_least);
    let bound = if is_bound { "≥" } else { "" };
    let misses = site.misses().filter(|misses| *misses > 0);
    let misses = misses.map(|misses| match misses {
        0..10_000_000 => format!("{bound}{}", counted(misses, "miss", "misses")),
        _ => format!("{bound}{} misses", short_count(misses)),
    });
    vec![
        name.unwrap_or_default(),
        operation,
        outcome,
        words::mark(instruction.state).unwrap_or_default().to_owned(),
        site.executions().map(number).unwrap_or_default(),
        times::of_site(line, &[site]).unwrap_or_default(),
        misses.unwrap_or_default(),
    ]
}

/// A count in at most eleven cells.
fn number(number: u64) -> String {
    match number {
        0..1_000_000_000 => count(number),
        _ => short_count(number),
    }
}

/// The line's marked sites in words, the heaviest first, without the one said already.
fn marked(file: &FileCosts, line: &LineCosts, said: Option<&SiteCosts>, ascii: bool) -> Vec<String> {
    let is_said = |site: &SiteCosts| said.is_some_and(|said| std::ptr::eq(said, site));
    let mut sites: Vec<_> = line
        .sites
        .iter()
        .filter(|site| site.instruction.is_marked() && !is_said(site))
        .collect();
    sites.sort_by_key(|site| {
        let weight = site.tally.map(|tally| match site.instruction.state {
            State::Unspecialized => tally.deferred.max(1),
            _ => tally.misses,
        });
        std::cmp::Reverse(weight)
    });
    let more = sites.len().saturating_sub(EXPLAINED) as u64;
    let mut paragraphs: Vec<_> = sites
        .into_iter()
        .take(EXPLAINED)
        .map(|site| about_site(file, site, ascii))
        .collect();
    if more > 0 {
        paragraphs.push(format!(
            "{} like these.",
            counted(more, "more site on this line is", "more sites on this line are")
        ));
    }
    paragraphs
}

/// What a reader must know to trust the counts.
fn doubts(profile: &Profile, ascii: bool) -> Vec<String> {
    let notes = profile
        .notes
        .iter()
        .filter(|note| matches!(note, Note::Partial { .. } | Note::Diverged { .. }));
    notes
        .take(2)
        .map(|note| markdown::prose(&words::note(note), ascii))
        .collect()
}

/// How the numbers were obtained, by which interpreter, and when.
fn methods(profile: &Profile, options: &HoverOptions) -> String {
    let mut facts = sentences::interpreter(profile);
    facts.extend(words::provenance(profile));
    facts.push(match Whole::of(profile) {
        Some(whole) => times::provenance(&whole),
        None => sentences::SHARES.to_owned(),
    });
    facts.extend(options.age.map(sentences::age));
    markdown::prose(&facts.join(" · "), options.ascii)
}
