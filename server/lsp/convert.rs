//! From what the domain says to what the protocol says.

use std::path::Path;

use tower_lsp_server::ls_types::{
    self as lsp, CodeDescription, DiagnosticRelatedInformation, DiagnosticSeverity, HoverContents, InlayHint,
    InlayHintLabel, InlayHintTooltip, Location, MarkupContent, MarkupKind, NumberOrString, Position, Range,
};

use super::capabilities::Client;
use super::position::{Encoding, Lines};
use super::results::Placed;
use super::uri;
use crate::cpython::causes;
use crate::present::editor::{self, Severity};

/// Where the codes are explained.
const CODES: &str = "https://github.com/bytecost/bytecost#reading-the-report";

/// Where the causes of the catalogue are: the texts of `bytecost explain`.
const CAUSES: &str = "https://github.com/bytecost/bytecost/blob/main/docs/causes.md";

/// In front of the hint of an edited line.
pub const STALE: &str = "was ";

/// A text as the client counts it.
#[derive(Debug, Clone, Copy)]
pub struct Screen<'t> {
    /// The text.
    pub text: &'t str,
    /// Its lines.
    pub lines: &'t Lines,
    /// How the client counts columns.
    pub encoding: Encoding,
    /// Bytes of a byte order mark in front, which the domain does not see.
    pub mark: u32,
}

impl Screen<'_> {
    /// The position of a 1-based line and a byte column.
    #[must_use]
    pub fn position(&self, (line, column): (u32, u32)) -> Option<Position> {
        let column = if line == 1 { column + self.mark } else { column };
        self.lines.position(self.text, (line, column), self.encoding)
    }

    /// The range between two places, end exclusive.
    #[must_use]
    pub fn range(&self, start: (u32, u32), end: (u32, u32)) -> Option<Range> {
        Some(Range::new(self.position(start)?, self.position(end)?))
    }

    /// A whole 1-based line, without its indentation.
    #[must_use]
    pub fn line(&self, line: u32) -> Option<Range> {
        let end = self.lines.end_of(self.text, line, self.encoding)?;
        let content = self.lines.line(self.text, line.checked_sub(1)? as usize)?;
        let indent = content.len() - content.trim_start().len();
        let start = self.encoding.length(&content[..indent]);
        Some(Range::new(Position::new(end.line, start), end))
    }

    /// 1-based line and byte column of a position.
    #[must_use]
    pub fn place(&self, position: Position) -> (u32, u32) {
        let line = position.line.saturating_add(1);
        let content = self
            .lines
            .line(self.text, position.line as usize)
            .unwrap_or_default();
        let byte = self.encoding.byte(content, position.character);
        let byte = u32::try_from(byte).unwrap_or(u32::MAX);
        let mark = if line == 1 { self.mark } else { 0 };
        (line, byte.saturating_sub(mark))
    }
}

/// A hint at the end of its line.
#[must_use]
pub fn hint(placed: &Placed, screen: &Screen) -> Option<InlayHint> {
    let Placed { line, hint, stale } = placed;
    let (label, tooltip) = if *stale {
        (
            format!("{STALE}{}", hint.label),
            format!("Measured before this line was edited. {}", hint.tooltip),
        )
    } else {
        (hint.label.clone(), hint.tooltip.clone())
    };
    Some(InlayHint {
        position: screen.lines.end_of(screen.text, *line, screen.encoding)?,
        label: InlayHintLabel::String(label),
        kind: None,
        text_edits: None,
        tooltip: Some(InlayHintTooltip::MarkupContent(markdown(tooltip))),
        padding_left: Some(true),
        padding_right: None,
        data: None,
    })
}

/// A hover over its range.
#[must_use]
pub fn hover(hover: editor::Hover, screen: &Screen) -> lsp::Hover {
    lsp::Hover {
        range: screen
            .range(hover.start, hover.end)
            .filter(|range| range.start != range.end),
        contents: HoverContents::Markup(markdown(hover.markdown)),
    }
}

fn markdown(value: String) -> MarkupContent {
    MarkupContent {
        kind: MarkupKind::Markdown,
        value,
    }
}

/// A diagnostic at its place in the text on screen. `locate` finds the places it refers to.
#[must_use]
pub fn diagnostic(
    diagnostic: editor::Diagnostic,
    screen: &Screen,
    client: &Client,
    locate: &dyn Fn(&editor::Related) -> Option<Location>,
) -> Option<lsp::Diagnostic> {
    let range = screen
        .range(diagnostic.start, diagnostic.end)
        .filter(|range| range.start != range.end)
        .or_else(|| screen.line(diagnostic.start.0))?;
    let related: Vec<_> = diagnostic
        .related
        .iter()
        .filter(|_| client.related_information)
        .filter_map(|related| {
            Some(DiagnosticRelatedInformation {
                location: locate(related)?,
                message: related.message.clone(),
            })
        })
        .collect();
    Some(lsp::Diagnostic {
        range,
        severity: Some(severity(diagnostic.severity)),
        code_description: link(&diagnostic.code)
            .parse()
            .ok()
            .filter(|_| client.code_description)
            .map(|href| CodeDescription { href }),
        code: Some(NumberOrString::String(diagnostic.code)),
        source: Some("bytecost".to_owned()),
        message: diagnostic.message,
        related_information: (!related.is_empty()).then_some(related),
        tags: None,
        data: None,
    })
}

/// Where a code is explained.
fn link(code: &str) -> String {
    match causes::cause(code) {
        Some(cause) => format!("{CAUSES}#{}", cause.id),
        None => CODES.to_owned(),
    }
}

fn severity(severity: Severity) -> DiagnosticSeverity {
    match severity {
        Severity::Error => DiagnosticSeverity::ERROR,
        Severity::Warning => DiagnosticSeverity::WARNING,
        Severity::Information => DiagnosticSeverity::INFORMATION,
        Severity::Hint => DiagnosticSeverity::HINT,
    }
}

/// A range of a file.
#[must_use]
pub fn location(path: &Path, range: Range) -> Option<Location> {
    Some(Location::new(uri::of(path)?, range))
}
