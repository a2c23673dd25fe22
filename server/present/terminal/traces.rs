//! What tier 2 made of the lines.

use crate::attribute::Costs;
use crate::explain::jit;

use super::cells::Cells;
use super::page::{Page, Role};

/// Lines beyond these are only numbered.
const LISTED: usize = 16;
/// An expression is cut after these cells.
const EXPRESSION: usize = 36;

/// Writes what is known of traces, line by line, what keeps them out first; nothing where nothing is.
pub(super) fn write(page: &mut Page, costs: &Costs) {
    let mut facts = Vec::new();
    for file in costs.files.iter().filter(|file| jit::is_told(file)) {
        for line in file.lines.values() {
            facts.extend(
                jit::line(file, line)
                    .into_iter()
                    .map(|fact| (file, line.line, fact)),
            );
        }
    }
    if facts.is_empty() {
        return;
    }
    facts.sort_by_key(|(.., fact)| fact.kind);
    page.heading("JIT");
    for (file, line, fact) in facts.iter().take(LISTED) {
        let place = format!("{}:{line}", file.file.path);
        let excerpt = fact.position.and_then(|position| file.excerpt(position));
        let name = excerpt.map(|excerpt| Cells::new(excerpt.text().trim(), page.style.ascii).fit(EXPRESSION));
        let spans = [
            page.span(Role::Place, &place),
            page.span(Role::Strong, &name.unwrap_or_default()),
            page.span(Role::Plain, &fact.text),
        ];
        let spans: Vec<_> = spans.into_iter().filter(|span| span.width() > 0).collect();
        page.flow(&spans, "  ", 2);
    }
    if facts.len() > LISTED {
        let more = facts.len() - LISTED;
        page.paragraph(
            "",
            Role::Dim,
            &format!("{more} more; the JSON report has all of them."),
        );
    }
}
