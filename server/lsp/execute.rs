//! What the commands do. Each answers at once; what takes time goes on beside.

use std::path::PathBuf;
use std::sync::Arc;

use serde_json::{Value, json};
use tower_lsp_server::ls_types::{MessageType, Position, Range, ShowDocumentParams};

use super::commands::{Command, ExplainArguments, RunArguments, ShowArguments};
use super::session::Session;
use super::{load, uri};
use crate::cpython::causes;
use crate::explain::entry;

/// Does what a command says; the error is one sentence.
pub fn execute(session: &Arc<Session>, command: Command) -> Result<Option<Value>, String> {
    match command {
        Command::Run(arguments) => run(session, arguments).map(|()| None),
        Command::Load(paths) => {
            load_profiles(session, paths);
            Ok(None)
        }
        Command::Clear(paths) => {
            session.shelf().clear(&paths);
            session.results_changed();
            Ok(None)
        }
        Command::ShowBytecode(arguments) => show(session, &arguments),
        Command::Explain(arguments) => explain(session, &arguments),
        Command::Cancel => {
            session.runs.cancel();
            Ok(None)
        }
    }
}

fn run(session: &Arc<Session>, arguments: Option<RunArguments>) -> Result<(), String> {
    if session.capable().untrusted {
        return Err(
            "this workspace is not trusted: bytecost shows what was measured and runs nothing".to_owned(),
        );
    }
    let arguments = arguments
        .or_else(|| session.runs.last())
        .ok_or("nothing was run yet: name a file, as {\"uri\": \"file:///…\", \"target\": \"function\"}")?;
    if uri::path(&arguments.uri).is_none() {
        return Err(format!("{} is not a file: save it first", arguments.uri.as_str()));
    }
    if session.runs.want(arguments) {
        let session = Arc::clone(session);
        session.clone().spawn(async move {
            session
                .log(
                    MessageType::INFO,
                    "the run that waited was given up for a newer one",
                )
                .await;
        });
    }
    Ok(())
}

fn load_profiles(session: &Arc<Session>, paths: Vec<PathBuf>) {
    session.shelf().unclear();
    let own = Arc::clone(session);
    session.spawn(async move {
        load::load(&own, paths).await;
        own.results_changed();
    });
}

fn explain(session: &Arc<Session>, arguments: &ExplainArguments) -> Result<Option<Value>, String> {
    let name = &arguments.cause;
    let cause = causes::cause(name).ok_or_else(|| format!("the catalogue has no cause {name}"))?;
    let text = entry::text(cause);
    if !session.capable().show_document {
        return Ok(Some(json!({"title": cause.id, "text": text})));
    }
    show_text(session, &cause.id, &text, 0)
}

fn show(session: &Arc<Session>, arguments: &ShowArguments) -> Result<Option<Value>, String> {
    let nothing = || "nothing was measured here: run the function first".to_owned();
    let path = uri::path(&arguments.uri).ok_or_else(nothing)?;
    let open = session.open_document(&path).ok_or_else(nothing)?;
    let view = open.view.ok_or_else(nothing)?;
    let line = arguments.position.line.saturating_add(1);
    let (listing, at) = view.listing(line).ok_or_else(nothing)?;
    if !session.capable().show_document {
        return Ok(Some(json!({
            "title": listing.title,
            "text": listing.text,
            "lines": listing.lines,
        })));
    }
    show_text(session, &listing.title, &listing.text, at.unwrap_or(0))
}

/// Writes a text to a file and asks the client to show it at a 0-based line.
fn show_text(session: &Arc<Session>, title: &str, text: &str, line: usize) -> Result<Option<Value>, String> {
    let written = session.listings.write(title, text);
    let written = written.map_err(|error| format!("the text cannot be written to a file: {error}"))?;
    let uri = uri::of(&written).ok_or("the temporary folder has no path that can be shown")?;
    let line = u32::try_from(line).unwrap_or(0);
    let start = Position::new(line, 0);
    let params = ShowDocumentParams {
        uri: uri.clone(),
        external: Some(false),
        take_focus: Some(true),
        selection: Some(Range::new(start, start)),
    };
    let own = Arc::clone(session);
    session.spawn(async move {
        if !matches!(own.client.show_document(params).await, Ok(true)) {
            own.say(
                MessageType::WARNING,
                format!("the text is in {}", written.display()),
            )
            .await;
        }
    });
    Ok(Some(json!({"uri": uri})))
}
