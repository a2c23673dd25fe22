//! Code lenses and code actions: what can be done where the cursor is.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Value, json};
use tower_lsp_server::ls_types::{
    CodeAction, CodeActionKind, CodeActionOrCommand, CodeActionParams, CodeLens, Command, Position, Range,
    TextEdit, Uri, WorkspaceEdit,
};

use super::capabilities::{EDIT_KIND, RUN_KIND, SHOW_KIND};
use super::document::Document;
use super::session::{Open, Session};
use super::{commands, remedies, target, uri};
use crate::source::runnable::Runnable;

/// The lenses of a document; none where nothing may run.
pub async fn lenses(session: &Arc<Session>, uri: &Uri) -> Option<Vec<CodeLens>> {
    let open = session.open_document(&uri::path(uri)?)?;
    let settings = session.settings(&open.document.root);
    if !settings.code_lens.enabled || session.capable().untrusted {
        return None;
    }
    let runnables = runnables(&open.document).await?;
    let encoding = session.capable().encoding;
    let document = &open.document;
    let lens = |runnable: &Runnable| {
        let end = document.lines.end_of(&document.text, runnable.line, encoding)?;
        Some(CodeLens {
            range: Range::new(Position::new(end.line, 0), end),
            command: Some(run(runnable, document)),
            data: None,
        })
    };
    Some(runnables.iter().filter_map(lens).collect())
}

/// What can be run in a document. Parsing a large text takes a while: the other handlers go on.
pub(super) async fn runnables(document: &Arc<Document>) -> Option<Arc<Vec<Runnable>>> {
    if let Some(known) = document.known_runnables() {
        return Some(known);
    }
    let document = Arc::clone(document);
    tokio::task::spawn_blocking(move || document.runnables())
        .await
        .ok()
}

fn run(runnable: &Runnable, document: &Document) -> Command {
    Command {
        title: runnable.title.clone(),
        command: commands::RUN.to_owned(),
        arguments: Some(vec![json!({
            "uri": document.uri,
            "target": target::argument(runnable, &document.path),
        })]),
    }
}

/// The actions at a range.
pub async fn actions(session: &Arc<Session>, params: CodeActionParams) -> Option<Vec<CodeActionOrCommand>> {
    let open = session.open_document(&uri::path(&params.text_document.uri)?)?;
    let line = params.range.start.line.saturating_add(1);
    let capable = session.capable();
    let wanted = |kind: &CodeActionKind| {
        let Some(only) = &params.context.only else {
            return true;
        };
        only.iter().any(|wanted| includes(wanted, kind))
    };
    let mut actions = Vec::new();
    if !capable.untrusted && (wanted(&RUN_KIND) || wanted(&EDIT_KIND)) {
        let runnables = runnables(&open.document).await?;
        let mut around: Vec<_> = target::around(&runnables, line).collect();
        around.reverse();
        if wanted(&RUN_KIND) {
            for runnable in &around {
                actions.push(command(RUN_KIND, run(runnable, &open.document)));
            }
            if session.runs.busy() {
                actions.push(command(
                    RUN_KIND,
                    plain("Cancel the run", commands::CANCEL, json!({})),
                ));
            }
        }
        if wanted(&EDIT_KIND) && capable.action_literals {
            actions.extend(around.first().and_then(|runnable| say_call(runnable, &open)));
        }
    }
    if wanted(&CodeActionKind::QUICKFIX) {
        actions.extend(remedies::of(
            &open.document,
            &params.context.diagnostics,
            capable.encoding,
        ));
    }
    if wanted(&SHOW_KIND) {
        actions.extend(show(&open, params.range.start));
    }
    if !capable.action_literals {
        actions = actions.into_iter().filter_map(bare).collect();
    }
    Some(actions)
}

/// Whether a kind is another or a part of it.
fn includes(wanted: &CodeActionKind, kind: &CodeActionKind) -> bool {
    let (wanted, kind) = (wanted.as_str(), kind.as_str());
    wanted.is_empty()
        || kind == wanted
        || kind
            .strip_prefix(wanted)
            .is_some_and(|rest| rest.starts_with('.'))
}

fn command(kind: CodeActionKind, command: Command) -> CodeActionOrCommand {
    CodeActionOrCommand::CodeAction(CodeAction {
        title: command.title.clone(),
        kind: Some(kind),
        command: Some(command),
        ..CodeAction::default()
    })
}

fn plain(title: &str, command: &str, argument: Value) -> Command {
    Command {
        title: title.to_owned(),
        command: command.to_owned(),
        arguments: Some(vec![argument]),
    }
}

/// For clients that know commands only.
fn bare(action: CodeActionOrCommand) -> Option<CodeActionOrCommand> {
    match action {
        CodeActionOrCommand::CodeAction(action) => action.command.map(CodeActionOrCommand::Command),
        command @ CodeActionOrCommand::Command(_) => Some(command),
    }
}

/// Writes the comment that says how a function is called, for the user to fill in.
fn say_call(runnable: &Runnable, open: &Open) -> Option<CodeActionOrCommand> {
    let template = runnable.template.as_ref().filter(|_| runnable.needs_call)?;
    let document = &open.document;
    let number = runnable.line.checked_sub(1)?;
    let content = document.lines.line(&document.text, number as usize)?;
    let indent = &content[..content.len() - content.trim_start().len()];
    let ending = if document.text.contains("\r\n") {
        "\r\n"
    } else {
        "\n"
    };
    let at = Position::new(number, 0);
    let edit = TextEdit::new(
        Range::new(at, at),
        format!("{indent}# bytecost: {template}{ending}"),
    );
    Some(CodeActionOrCommand::CodeAction(CodeAction {
        title: format!("Say how to call it: # bytecost: {template}"),
        kind: Some(EDIT_KIND),
        edit: Some(WorkspaceEdit {
            changes: Some(HashMap::from([(document.uri.clone(), vec![edit])])),
            ..WorkspaceEdit::default()
        }),
        ..CodeAction::default()
    }))
}

fn show(open: &Open, position: Position) -> Vec<CodeActionOrCommand> {
    if open.view.is_none() {
        return Vec::new();
    }
    let uri = &open.document.uri;
    vec![
        command(
            SHOW_KIND,
            plain(
                "Show the bytecode of this function",
                commands::SHOW,
                json!({"uri": uri, "position": position}),
            ),
        ),
        command(
            SHOW_KIND,
            plain(
                "Hide the costs of this file",
                commands::CLEAR,
                json!({"uris": [uri]}),
            ),
        ),
    ]
}
