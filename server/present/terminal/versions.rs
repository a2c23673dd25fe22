//! One workload on several interpreters, as a table for a terminal.

use crate::explain::number::duration;
use crate::explain::versions::{Measured, Row, Took, rows};
use crate::explain::{Thresholds, words};
use crate::profile::PassKind;

use super::Style;
use super::cells::Cells;
use super::page::{Page, Role, Span};

/// Sites beyond these are only numbered.
const LISTED: usize = 40;

/// Cells of an expression.
const EXPRESSION: usize = 30;

/// Cells of an outcome.
const OUTCOME: usize = 22;

/// Cells of a time.
const TOOK: usize = 12;

/// The comparison. The same input gives the same text.
#[must_use]
pub fn render(measured: &[Measured], thresholds: &Thresholds, style: &Style) -> String {
    let mut page = Page::new(*style);
    if let Some(first) = measured.first() {
        let title = page.span(Role::Strong, &first.profile.workload.target);
        page.line(&[title]);
    }
    for one in measured {
        let natural = one.profile.pass(PassKind::Natural);
        let time = natural.map(|pass| duration(pass.call_ns.unwrap_or(pass.wall_ns as f64)));
        let time = time.unwrap_or_else(|| "no time".to_owned());
        let text = format!("CPython {}  {time} a call", one.profile.python.version);
        let span = page.span(Role::Plain, &text);
        page.line(&[span]);
    }
    page.blank();
    let rows = rows(measured, thresholds);
    if rows.is_empty() {
        page.paragraph(
            "",
            Role::Plain,
            "No site that matters is generic or missing on any of them.",
        );
        return page.finish();
    }
    for row in rows.iter().take(LISTED) {
        write(&mut page, measured, row);
    }
    let timed = rows
        .iter()
        .flat_map(|row| &row.outcomes)
        .any(|one| one.time.is_some());
    if timed {
        page.blank();
        page.paragraph("", Role::Dim, words::TOOK);
    }
    if rows.len() > LISTED {
        let more = u64::try_from(rows.len() - LISTED).unwrap_or(u64::MAX);
        page.paragraph("", Role::Dim, &words::more_findings(more));
    }
    page.finish()
}

fn write(page: &mut Page, measured: &[Measured], row: &Row) {
    let place = page.span(Role::Place, &format!("{}:{}", row.path, row.line));
    let expression = row.expression.as_deref().unwrap_or_default();
    let expression = Cells::new(expression.trim(), page.style.ascii).fit(EXPRESSION);
    let title = [
        place,
        Span::safe(Role::Strong, expression),
        page.span(Role::Plain, &row.operation),
    ];
    page.flow(&title, "  ", 0);
    for (one, outcome) in measured.iter().zip(&row.outcomes) {
        let role = if outcome.marked {
            Role::Generic
        } else {
            Role::Plain
        };
        let text = Cells::new(&outcome.text, page.style.ascii).fit(OUTCOME);
        let mut spans = vec![
            page.span(Role::Dim, &format!("  {:5}", one.profile.python.minor)),
            Span::safe(role, format!("{text:OUTCOME$}")),
        ];
        let took = outcome.time.map(Took::text).unwrap_or_default();
        spans.push(page.span(Role::Plain, &format!("{took:>TOOK$}")));
        if let Some(cause) = &outcome.cause {
            spans.push(page.span(Role::Dim, cause));
        }
        page.flow(&spans, " ", 0);
    }
}
