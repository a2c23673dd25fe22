//! Requests beside the protocol, for clients that draw more than it knows. Lines and columns are
//! as the client counts them.

use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tower_lsp_server::ls_types::{Position, Range, TextDocumentIdentifier, TextDocumentPositionParams, Uri};

use super::document::Document;
use super::session::{Open, Session};
use super::{actions, target, uri};
use crate::collect::config::Config;
use crate::collect::target::Target;
use crate::collect::workload::{self, Flags};
use crate::present::editor;
use crate::source::Source;
use crate::source::runnable::{self, RunnableKind};

/// How hot the lines of a document are.
pub const HEAT: &str = "bytecost/heat";
/// The bytecode of the function at a position.
pub const BYTECODE: &str = "bytecost/bytecode";
/// What of a document can be run.
pub const RUNNABLES: &str = "bytecost/runnables";

/// The HTML report of what a document was measured in.
pub const REPORT: &str = "bytecost/report";

/// All of them, as the server announces them.
pub const NAMES: [&str; 4] = [HEAT, BYTECODE, RUNNABLES, REPORT];

/// Parameters of what is asked of a whole document.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DocumentParams {
    /// The document.
    pub text_document: TextDocumentIdentifier,
}

/// Answer to [`HEAT`].
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Heat {
    /// What the shares are parts of, to stand after a percentage.
    pub of: &'static str,
    /// The lines that ran and were not edited since, in order.
    pub lines: Vec<HeatLine>,
}

/// A line that ran.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HeatLine {
    /// 0-based.
    pub line: u32,
    /// Its part of the whole, above 0 to 1.
    pub share: f64,
}

/// Answer to [`BYTECODE`].
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Bytecode {
    /// The function and where it is.
    pub title: String,
    /// The annotated bytecode; lines end with `\n`.
    pub text: String,
    /// One a line of `text`.
    pub rows: Vec<Row>,
}

/// What a line of the bytecode belongs to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// 0-based line of the document; none where it was edited since.
    pub line: Option<u32>,
    /// The expression the instruction was compiled from.
    pub range: Option<Range>,
}

/// Answer to [`REPORT`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// What was measured.
    pub title: String,
    /// The document, which needs nothing else.
    pub html: String,
}

/// Part of the answer to [`RUNNABLES`].
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Runnable {
    /// `function`, `test`, `doctest` or `file`.
    pub kind: &'static str,
    /// As `bytecost.run` takes it.
    pub target: String,
    /// What a button says.
    pub title: String,
    /// From its first line to its last.
    pub range: Range,
    /// Nothing says how to call it: not the text, and not the project.
    pub needs_call: bool,
    /// The expression that calls it, or one with `...` for what only the user knows.
    pub call: Option<String>,
}

/// How hot the lines are; none where nothing was measured, or the settings say so.
pub fn heat(session: &Session, uri: &Uri) -> Option<Heat> {
    let open = session.open_document(&uri::path(uri)?)?;
    if !session.settings(&open.document.root).heat.enabled {
        return None;
    }
    let line = |heat: editor::Heat| HeatLine {
        line: heat.line.saturating_sub(1),
        share: heat.share,
    };
    let view = open.view?;
    Some(Heat {
        of: view.heat_of(),
        lines: view.heat().into_iter().map(line).collect(),
    })
}

/// The bytecode of the function at a position; none where nothing was measured.
pub fn bytecode(session: &Session, params: &TextDocumentPositionParams) -> Option<Bytecode> {
    let Open { document, view } = session.open_document(&uri::path(&params.text_document.uri)?)?;
    let view = view?;
    let (listing, _) = view.listing(params.position.line.saturating_add(1))?;
    let screen = session.screen(&document);
    let rows = listing.lines.iter().zip(&listing.positions);
    let row = |(line, position): (&Option<u32>, &Option<_>)| Row {
        line: line.and_then(|line| view.line(line)?.checked_sub(1)),
        range: position
            .and_then(|position| view.expression(position))
            .and_then(|(start, end)| screen.range(start, end)),
    };
    Some(Bytecode {
        rows: rows.map(row).collect(),
        title: listing.title,
        text: listing.text,
    })
}

/// The report of the measurement that a document shows; none where nothing was measured.
pub async fn report(session: &Arc<Session>, uri: &Uri) -> Option<Report> {
    let Open { document, view } = session.open_document(&uri::path(uri)?)?;
    let view = view?;
    let thresholds = session.settings(&document.root).diagnostic_options().thresholds;
    let made = tokio::task::spawn_blocking(move || Report {
        title: view.target(),
        html: view.report(&thresholds),
    });
    made.await.ok()
}

/// What can be run, in the order of the text; nothing where nothing may run.
pub async fn runnables(session: &Arc<Session>, uri: &Uri) -> Vec<Runnable> {
    let open = uri::path(uri).and_then(|path| session.open_document(&path));
    let Some(open) = open.filter(|_| !session.capable().untrusted) else {
        return Vec::new();
    };
    let document = open.document;
    let Some(found) = actions::runnables(&document).await else {
        return Vec::new();
    };
    let encoding = session.capable().encoding;
    let project = tokio::task::spawn_blocking(move || {
        let project = Project::of(&document, &found);
        let described = found.iter().filter_map(|runnable| {
            let end = document
                .lines
                .end_of(&document.text, runnable.end_line, encoding)?;
            let start = Position::new(runnable.line.checked_sub(1)?, 0);
            Some(Runnable {
                kind: kind(runnable.kind),
                target: target::argument(runnable, &document.path),
                title: runnable.title.clone(),
                range: Range::new(start, end),
                needs_call: runnable.needs_call && !project.says_how(runnable, &document.path),
                call: runnable.call.clone().or_else(|| runnable.template.clone()),
            })
        });
        described.collect()
    });
    project.await.unwrap_or_default()
}

fn kind(kind: RunnableKind) -> &'static str {
    match kind {
        RunnableKind::Function => "function",
        RunnableKind::Test => "test",
        RunnableKind::Doctest => "doctest",
        RunnableKind::Main => "file",
    }
}

/// What the project says about calls, if that matters.
struct Project(Option<(Config, Source)>);

impl Project {
    fn of(document: &Document, runnables: &[runnable::Runnable]) -> Self {
        if !runnables.iter().any(|runnable| runnable.needs_call) {
            return Self(None);
        }
        let folder = document.path.parent().unwrap_or(&document.root);
        let config = Config::nearest(folder).ok().flatten();
        Self(config.map(|config| (config, Source::new(&document.text))))
    }

    fn says_how(&self, runnable: &runnable::Runnable, path: &Path) -> bool {
        let Some((config, source)) = &self.0 else {
            return false;
        };
        let target = Target::Function {
            file: path.to_owned(),
            qualname: runnable.target.clone(),
        };
        workload::plan(&target, Flags::default(), Some(config), source).is_ok()
    }
}
