//! The annotated source.

use std::fmt::Write;

use crate::attribute::{Costs, FileCosts, LineCosts, Shape, Tally};
use crate::explain::number::{count, counted, percent, short_count};
use crate::explain::{Finding, failures};
use crate::profile::State;

use super::cells::Cells;
use super::page::{Page, Role, Span};
use super::region::{self, Region, Regions, Row};

const SHARE: &str = "instr %";
const TIME: &str = "time %";
const TOTAL: &str = "total %";
const EXECUTIONS: &str = "executions";
const SHORT_EXECUTIONS: &str = "execs";

/// With less room for source than this, executions are abbreviated.
const LITTLE: usize = 20;

/// A line is shown with its callees' time when that makes so much of a difference.
const NOTABLE: f64 = 0.005;

/// Widths of the columns, the same for all regions.
struct Columns {
    number: usize,
    text: usize,
    /// What the share is of; none when nothing was counted or timed.
    share: Option<&'static str>,
    /// There are lines whose time with what they call is another.
    total: bool,
    /// Width of the executions and whether they are abbreviated; none without counts.
    executions: Option<(usize, bool)>,
}

/// Writes the regions, each under its title.
pub(super) fn write(page: &mut Page, costs: &Costs, regions: &Regions, findings: &[Finding]) {
    let columns = Columns::measure(page, costs, &regions.list);
    for region in &regions.list {
        let file = &costs.files[region.file];
        page.blank();
        title(page, file, region, &columns);
        if let Some(text) = failures::of(file, region.function) {
            page.paragraph(&" ".repeat(columns.number + 3), Role::Dim, &text);
        }
        for row in &region.rows {
            match row {
                Row::Line(line) => source_line(page, file, *line, &columns, findings),
                Row::Fold => {
                    let fold = if page.style.ascii { "..." } else { "⋯" };
                    let fold = page.span(Role::Dim, &format!("{fold:>width$}", width = columns.number));
                    page.line(&[fold]);
                }
            }
        }
    }
}

impl Columns {
    fn measure(page: &Page, costs: &Costs, regions: &[Region]) -> Self {
        let mut number = 3;
        let mut widest = 0;
        let mut long = EXECUTIONS.len();
        let mut short = SHORT_EXECUTIONS.len();
        let mut total = false;
        for region in regions {
            let file = &costs.files[region.file];
            let title = heading(file, region) + &calls(file, region);
            widest = widest.max(
                Cells::new(&title, page.style.ascii)
                    .width()
                    .saturating_sub(number + 3),
            );
            for row in &region.rows {
                let Row::Line(line) = row else { continue };
                number = number.max(line.to_string().len());
                let text = file
                    .text
                    .as_ref()
                    .and_then(|text| text.line(*line))
                    .unwrap_or_default();
                widest = widest.max(Cells::new(text, page.style.ascii).width());
                total |= file.line(*line).is_some_and(|line| total_share(line).is_some());
                if let Some(executions) = file.line(*line).and_then(|line| line.executions) {
                    long = long.max(count(executions).len());
                    short = short.max(short_count(executions).len());
                }
            }
        }
        let room = page.style.width - (number + 3);
        let share = match (costs.time, costs.instructions) {
            (Some(_), _) => Some(TIME),
            (None, Some(_)) => Some(SHARE),
            (None, None) => None,
        };
        let shares = [share, total.then_some(TOTAL)];
        let shares: usize = shares.iter().flatten().map(|label| 2 + label.len()).sum();
        let room = room.saturating_sub(shares);
        if costs.instructions.is_none() {
            let text = if share.is_some() { room.min(widest) } else { room };
            return Self {
                number,
                text,
                share,
                total,
                executions: None,
            };
        }
        let room_beside = |executions: usize| room.saturating_sub(2 + executions);
        let abbreviate = room_beside(long) < LITTLE.min(widest);
        let executions = if abbreviate { short } else { long };
        Self {
            number,
            text: room_beside(executions).min(widest),
            share,
            total,
            executions: Some((executions, abbreviate)),
        }
    }
}

/// The place and name of a region.
fn heading(file: &FileCosts, region: &Region) -> String {
    let function = &file.functions[region.function];
    let code = function.code;
    let mut heading = format!("{}:{} {}", file.file.path, code.first_line.max(1), code.qualname);
    if function.shape == Shape::Class {
        heading.push_str(" (class body)");
    }
    heading
}

/// How often the code of a region was called, behind its heading; empty when not known.
fn calls(file: &FileCosts, region: &Region) -> String {
    let function = &file.functions[region.function];
    let calls = function
        .code
        .calls
        .filter(|_| !function.code.withheld && function.shape == Shape::Function);
    calls
        .map(|calls| format!(" · {}", counted(calls, "call", "calls")))
        .unwrap_or_default()
}

fn title(page: &mut Page, file: &FileCosts, region: &Region, columns: &Columns) {
    let room = columns.number + 3 + columns.text;
    let heading = page.span(Role::Place, &heading(file, region));
    let mut spans = Vec::new();
    let mut used = heading.width();
    if used > room {
        // The end has the name.
        let cells = Cells::new(&self::heading(file, region), page.style.ascii);
        let end = cells.width();
        let fitted = cells.view(0, end.saturating_sub(room.saturating_sub(12))..end, room);
        let span = Span::safe(Role::Place, fitted.text);
        used = span.width();
        spans.push(span);
    } else {
        spans.push(heading);
    }
    let calls = page.span(Role::Dim, &calls(file, region));
    if used + calls.width() <= room {
        used += calls.width();
        spans.push(calls);
    }
    let mut labels = String::new();
    for label in [columns.share, columns.total.then_some(TOTAL)]
        .into_iter()
        .flatten()
    {
        labels.push_str("  ");
        labels.push_str(label);
    }
    if let Some((width, abbreviated)) = columns.executions {
        let label = if abbreviated { SHORT_EXECUTIONS } else { EXECUTIONS };
        let _ = write!(labels, "  {label:>width$}");
    }
    if !labels.is_empty() {
        let gap = " ".repeat(room.saturating_sub(used));
        spans.push(page.span(Role::Dim, &format!("{gap}{labels}")));
    }
    page.line(&spans);
}

fn source_line(page: &mut Page, file: &FileCosts, line: u32, columns: &Columns, findings: &[Finding]) {
    let costs = file.line(line);
    let ran = costs.is_some_and(region::ran);
    let text = file
        .text
        .as_ref()
        .and_then(|text| text.line(line))
        .unwrap_or_default();
    let text = Cells::new(text, page.style.ascii).fit(columns.text);
    let text = Span::safe(if ran { Role::Plain } else { Role::Dim }, text);
    let gap = " ".repeat(columns.text.saturating_sub(text.width()));
    let mut spans = vec![
        page.span(Role::Dim, &format!("{line:>width$} ", width = columns.number)),
        mark(page, file, costs, findings),
        page.span(Role::Plain, " "),
        text,
    ];
    let mut gap = gap;
    if let Some(label) = columns.share {
        let share = costs.and_then(share).unwrap_or_default();
        let role = role(costs.and_then(LineCosts::weight));
        spans.push(page.span(role, &format!("{gap}  {share:>width$}", width = label.len())));
        gap.clear();
    }
    if columns.total {
        let total = costs.and_then(total_share);
        let text = total.map(percent).unwrap_or_default();
        spans.push(page.span(role(total), &format!("  {text:>width$}", width = TOTAL.len())));
    }
    if let Some((width, abbreviated)) = columns.executions {
        let executions = costs
            .map(|costs| executions(costs, abbreviated))
            .unwrap_or_default();
        let role = if ran { Role::Plain } else { Role::Dim };
        spans.push(page.span(role, &format!("{gap}  {executions:>width$}")));
    }
    page.line(&spans);
}

fn role(weight: Option<f64>) -> Role {
    match weight.unwrap_or(0.0) {
        weight if weight >= 0.1 => Role::Strong,
        weight if weight >= 0.01 => Role::Plain,
        _ => Role::Dim,
    }
}

/// The line's share; only for what ran.
fn share(line: &LineCosts) -> Option<String> {
    let is_timed = line.time.is_some_and(|time| time.self_ns > 0.0);
    let ran = match line.tally {
        Some(tally) => Tally::executions(tally) > 0 || is_timed,
        None => is_timed,
    };
    line.weight().filter(|_| ran).map(percent)
}

/// The share with what the line called, where that is notably more.
fn total_share(line: &LineCosts) -> Option<f64> {
    let time = line.time?;
    time.total_share.filter(|total| total - time.share >= NOTABLE)
}

/// Executions of a line; `–` for what was not counted.
fn executions(line: &LineCosts, abbreviated: bool) -> String {
    if line.tally.is_none() {
        return "–".to_owned();
    }
    let text = line.executions.map(|number| {
        if abbreviated {
            short_count(number)
        } else {
            count(number)
        }
    });
    text.unwrap_or_default()
}

/// The mark of the heaviest marked site of the line; not bright when none of them matters.
fn mark(page: &Page, file: &FileCosts, line: Option<&LineCosts>, findings: &[Finding]) -> Span {
    let marked = line.and_then(|line| {
        let sites = line.sites.iter().filter(|site| site.instruction.is_marked());
        let heaviest = sites.max_by_key(|site| {
            let cost = site.tally.map_or(0, |tally| match site.instruction.state {
                State::Unspecialized => tally.executions(),
                _ => tally.misses,
            });
            (cost, std::cmp::Reverse(site.instruction.offset))
        });
        heaviest
            .and_then(|site| super::mark(site.instruction.state))
            .map(|mark| (line.line, mark))
    });
    let Some((line, (symbol, role))) = marked else {
        return page.span(Role::Plain, " ");
    };
    let matters = findings
        .iter()
        .any(|finding| std::ptr::eq(finding.file, file) && finding.line.line == line);
    page.span(if matters { role } else { Role::Dim }, symbol)
}
