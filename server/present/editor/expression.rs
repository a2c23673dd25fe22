//! Expressions by place.

use crate::attribute::{FileCosts, SiteCosts};
use crate::present::terminal::cells::{self, Cells};
use crate::profile::{Position, State};

/// Most lines of an expression that are joined to one.
const JOINED: u32 = 8;

/// The source of a site's expression on one line, in at most `room` cells, if it is known.
pub(super) fn text(file: &FileCosts, position: Position, room: usize, ascii: bool) -> Option<String> {
    let excerpt = file.excerpt(position)?;
    let mut text = excerpt.text().to_owned();
    if excerpt.continues {
        match rest(file, position) {
            Some(rest) => join(&mut text, &rest),
            None => text.push('…'),
        }
    }
    // Tab stops count from the line's start, not from the expression's.
    let text = cells::clean(&text, ascii);
    Some(Cells::new(&text, ascii).fit(room))
}

/// The trimmed further lines of an expression; none for what reads badly on one line: statements
/// with statements in them, comments, and much.
fn rest<'c>(file: &'c FileCosts, position: Position) -> Option<Vec<&'c str>> {
    let (_, end) = position.columns?;
    let lines = position.line..=position.end_line;
    if position.end_line - position.line >= JOINED || is_compound(file, position) {
        return None;
    }
    let text = file.text.as_ref()?;
    let mut rest = Vec::new();
    for number in lines {
        let mut line = text.line(number)?;
        if number == position.end_line {
            line = line.get(..usize::try_from(end).ok()?)?;
        }
        if line.contains('#') {
            return None;
        }
        if number > position.line {
            rest.push(line.trim());
        }
    }
    Some(rest)
}

/// Appends lines as if they had not been broken.
fn join(text: &mut String, lines: &[&str]) {
    for line in lines.iter().filter(|line| !line.is_empty()) {
        let opens = text.ends_with(['(', '[', '{']);
        let closes = line.starts_with([')', ']', '}']);
        if !opens && !closes {
            text.push(' ');
        }
        text.push_str(line);
    }
}

/// The site whose expression is the smallest around a place, the most telling one of several
/// with the same expression.
pub(super) fn at<'c, 'p>(file: &'c FileCosts<'p>, line: u32, column: u32) -> Option<&'c SiteCosts<'p>> {
    let around = file
        .lines
        .range(..=line)
        .flat_map(|(_, costs)| &costs.sites)
        .filter(|site| contains(site.position, line, column) && !is_compound(file, site.position));
    around.min_by_key(|site| (size(site.position), std::cmp::Reverse(interest(site))))
}

fn contains(position: Position, line: u32, column: u32) -> bool {
    position.columns.is_some_and(|(start, end)| {
        position.line <= line
            && line <= position.end_line
            && (line > position.line || start <= column)
            && (line < position.end_line || column < end)
    })
}

/// Lines, then columns: of two ranges around one place the inner one is smaller.
fn size(position: Position) -> (u32, i64) {
    let lines = position.end_line.saturating_sub(position.line);
    let columns = position
        .columns
        .map_or(i64::MAX, |(start, end)| i64::from(end) - i64::from(start));
    (lines, columns)
}

fn interest(site: &SiteCosts) -> (u8, u64) {
    let instruction = site.instruction;
    let kind = match instruction.state {
        _ if instruction.is_marked() => 4,
        State::Specialized | State::Instrumented | State::Imported => 3,
        State::Cold => 2,
        State::Basic => 1,
        _ => 0,
    };
    (kind, site.executions().unwrap_or(0))
}

/// Whether it is a statement with statements in it: what makes a function or class, and the
/// `NOP` of a `try`, have all of its lines for a position.
fn is_compound(file: &FileCosts, position: Position) -> bool {
    if position.end_line <= position.line {
        return false;
    }
    let Some(excerpt) = file.excerpt(position) else {
        return true;
    };
    let first = excerpt
        .text()
        .split(|c: char| !c.is_alphanumeric() && c != '_')
        .next();
    matches!(first, Some("def" | "async" | "class" | "try"))
}
