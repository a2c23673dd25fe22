//! `# bytecost: EXPR` comments.

use std::collections::BTreeMap;

use ruff_python_ast::token::{TokenKind, Tokens};
use ruff_source_file::LineIndex;
use ruff_text_size::{Ranged, TextRange};

use super::expression::{check_expression, is_complete};
use super::line_of;

/// Comments that stand alone on their line, by line.
pub(super) struct Comments<'a> {
    by_line: BTreeMap<u32, (TextRange, &'a str)>,
}

impl<'a> Comments<'a> {
    pub(super) fn new(text: &'a str, index: &LineIndex, tokens: &Tokens) -> Self {
        let by_line = tokens
            .iter()
            .filter(|token| token.kind() == TokenKind::Comment)
            .filter_map(|token| {
                let before = &text[..token.start().to_usize()];
                let indent = &before[before.rfind(['\n', '\r']).map_or(0, |end| end + 1)..];
                let alone = indent.trim_matches([' ', '\t', '\x0c']).is_empty();
                alone.then(|| {
                    (
                        line_of(index, token.start()),
                        (token.range(), &text[token.range()]),
                    )
                })
            })
            .collect();
        Self { by_line }
    }

    /// The directive of a function whose first decorator (or `def`) stands on line `top` and
    /// whose `def` on line `def_line`, with the line it begins on. `decorators` are the places of
    /// the decorators: comments in them are not directives.
    pub(super) fn directive(
        &self,
        top: u32,
        def_line: u32,
        decorators: &[TextRange],
    ) -> Option<(u32, String)> {
        let mut first = top;
        while first > 1 && self.by_line.contains_key(&(first - 1)) {
            first -= 1;
        }
        let lines = self
            .by_line
            .range(first..def_line.max(first))
            .filter(|(_, (range, _))| {
                !decorators
                    .iter()
                    .any(|decorator| decorator.contains_range(*range))
            })
            .filter_map(|(line, (_, comment))| Some((*line, expression(comment)?)));
        combine(lines)
    }
}

/// The text after `# bytecost:`; none for other comments and for `ignore[...]`, which speaks of
/// findings, not of workloads.
fn expression(comment: &str) -> Option<&str> {
    let text = comment
        .strip_prefix('#')?
        .trim_start()
        .strip_prefix("bytecost:")?
        .trim();
    let ignore = text.strip_prefix("ignore").is_some_and(|rest| {
        let call = rest.trim_start().starts_with(['(', '.']);
        let longer_name = rest.starts_with(|letter: char| letter.is_alphanumeric() || letter == '_');
        !call && !longer_name
    });
    (!text.is_empty() && !ignore).then_some(text)
}

/// Lines are joined until they are an expression; of several the last one counts. A rest that
/// never becomes one is kept, so that the user learns of it.
fn combine<'a>(lines: impl Iterator<Item = (u32, &'a str)>) -> Option<(u32, String)> {
    let mut last = None;
    let mut open: Option<(u32, String)> = None;
    for (line, text) in lines {
        let (start, joined) = match open.take() {
            Some((start, before)) => (start, format!("{before}\n{text}")),
            None => (line, text.to_owned()),
        };
        if !is_complete(&joined) {
            open = Some((start, joined));
        } else if check_expression(&joined).is_ok() {
            last = Some((start, joined));
        } else {
            last = Some((start, format!("(\n{joined}\n)")));
        }
    }
    open.or(last)
}
