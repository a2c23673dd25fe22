//! The ranked list of sites that matter.

use std::collections::BTreeMap;

use crate::explain::{self, Finding, Thresholds, cause, sentences, types, words};
use crate::profile::{Instruction, State};

use super::cells::Cells;
use super::page::{Page, Role, Span};

/// Sites beyond these are only numbered.
const LISTED: usize = 12;

/// An expression or an argument is cut after these cells; the source line below has it whole.
const EXPRESSION: usize = 36;

/// Causes and places of one that the list of the rest names.
const CAUSES: usize = 8;
const PLACES: usize = 6;

/// Writes the findings with something to gain in their order.
pub(super) fn write(page: &mut Page, findings: &[Finding]) {
    let findings: Vec<_> = findings.iter().filter(|finding| finding.pays).collect();
    let mut said: BTreeMap<&str, usize> = BTreeMap::new();
    let digits = findings.len().min(LISTED).to_string().len();
    for (index, finding) in findings.iter().take(LISTED).enumerate() {
        if index > 0 {
            page.blank();
        }
        entry(page, finding, index + 1, digits);
        reason(page, finding, index + 1, digits, &mut said);
    }
    if findings.len() > LISTED {
        page.blank();
        let more = u64::try_from(findings.len() - LISTED).unwrap_or(u64::MAX);
        page.paragraph("", Role::Dim, &words::more_findings(more));
    }
}

/// The findings with nothing to gain: where, by cause.
pub(super) fn rest(page: &mut Page, findings: &[Finding], thresholds: &Thresholds) {
    let mut causes: Vec<(String, Vec<String>)> = Vec::new();
    for finding in findings.iter().filter(|finding| !finding.pays) {
        let code = explain::code(finding.file, finding.site);
        let place = format!("{}:{}", finding.file.file.path, finding.line.line);
        match causes.iter_mut().find(|(known, _)| *known == code) {
            Some((_, places)) if places.contains(&place) => {}
            Some((_, places)) => places.push(place),
            None => causes.push((code, vec![place])),
        }
    }
    if causes.is_empty() {
        return;
    }
    page.blank();
    if findings.iter().any(|finding| finding.pays) {
        page.paragraph("", Role::Plain, &words::little_to_gain(thresholds.saving_share));
    }
    for (code, places) in causes.iter().take(CAUSES) {
        let lead = [page.span(Role::Plain, "  "), page.span(Role::Strong, code)];
        let mut named: Vec<_> = places
            .iter()
            .take(PLACES)
            .map(|place| page.span(Role::Place, place))
            .collect();
        if places.len() > PLACES {
            named.push(page.span(Role::Dim, &format!("{} more", places.len() - PLACES)));
        }
        named.insert(0, page.span(Role::Plain, ""));
        page.flow_after(&lead, &named, "  ", 4);
    }
    if causes.len() > CAUSES {
        let more: usize = causes[CAUSES..].iter().map(|(_, places)| places.len()).sum();
        let more = u64::try_from(more).unwrap_or(u64::MAX);
        page.paragraph("  ", Role::Dim, &words::more_findings(more));
    }
}

fn entry(page: &mut Page, finding: &Finding, rank: usize, digits: usize) {
    let instruction = finding.site.instruction;
    let excerpt = finding.file.excerpt(finding.site.position);
    let (symbol, role) = super::mark(instruction.state).unwrap_or((" ", Role::Plain));
    let indent = digits + 3;

    let rank = page.span(Role::Strong, &format!("{rank:>digits$} "));
    let mut title = vec![page.span(
        Role::Place,
        &format!("{}:{}", finding.file.file.path, finding.line.line),
    )];
    if let Some(excerpt) = excerpt {
        let mut text = Cells::new(excerpt.text().trim(), page.style.ascii).fit(EXPRESSION);
        if excerpt.continues && !text.ends_with(['…', '.']) {
            text.push_str(if page.style.ascii { "..." } else { "…" });
        }
        title.push(Span::safe(Role::Strong, text));
    }
    title.push(page.span(Role::Plain, &opcode(page, instruction)));
    let lead = [rank, page.span(role, symbol), page.span(Role::Plain, " ")];
    page.flow_after(&lead, &title, "  ", indent);

    if let Some(excerpt) = excerpt {
        let cells = Cells::new(excerpt.line, page.style.ascii);
        let skip = cells.cell(excerpt.line.len() - excerpt.line.trim_start().len());
        let focus = cells.cell(excerpt.start)..cells.cell(excerpt.end);
        let margin = " ".repeat(indent + 2);
        let view = cells.view(skip, focus, page.style.width - margin.len());
        page.line(&[Span::safe(Role::Plain, format!("{margin}{}", view.text))]);
        let carets = "^".repeat(view.focus.len().max(1));
        page.line(&[Span::safe(
            role,
            format!("{margin}{}{carets}", " ".repeat(view.focus.start)),
        )]);
    }
    let evidence: Vec<_> = finding
        .evidence()
        .iter()
        .map(|fact| page.span(Role::Plain, fact))
        .collect();
    page.flow(&evidence, " · ", indent);
}

/// Why, and what to write instead: in full where the cause comes first.
fn reason<'c>(
    page: &mut Page,
    finding: &Finding<'c>,
    rank: usize,
    digits: usize,
    said: &mut BTreeMap<&'c str, usize>,
) {
    let instruction = finding.site.instruction;
    let margin = " ".repeat(digits + 3);
    let Some(diagnosis) = cause::best(instruction, finding.file.minor) else {
        if let Some(types) = types::distribution(instruction) {
            page.paragraph(&margin, Role::Plain, &words::seen_types(&types));
        }
        return;
    };
    let id = diagnosis.cause.id.as_str();
    if let Some(first) = said.get(id) {
        page.paragraph(&margin, Role::Plain, &sentences::reason(instruction, &diagnosis));
        page.paragraph(&margin, Role::Dim, &words::as_above(id, *first));
        return;
    }
    said.insert(id, rank);
    page.paragraph(&margin, Role::Plain, &sentences::why(instruction, &diagnosis));
    page.paragraph(&margin, Role::Plain, &diagnosis.fix());
    page.paragraph(&margin, Role::Dim, &words::more_on(id));
}

/// `BINARY_OP % → generic`.
fn opcode(page: &Page, instruction: &Instruction) -> String {
    let mut text = instruction.opcode.clone();
    // Where it jumps to says nothing to a reader of the source.
    if !instruction.argument.is_empty() && !instruction.argument.starts_with("to ") {
        text.push(' ');
        text.push_str(&Cells::new(&instruction.argument, page.style.ascii).fit(EXPRESSION));
    }
    let form = instruction.site.as_ref().and_then(|site| site.form.as_deref());
    text.push_str(" → ");
    text.push_str(form.unwrap_or(words::state(State::Unspecialized)));
    text
}
