//! Code actions of diagnostics: read on, rewrite, turn off.

use std::collections::HashMap;
use std::path::Path;

use serde_json::json;
use tower_lsp_server::ls_types::{
    CodeAction, CodeActionKind, CodeActionOrCommand, Command, Diagnostic, NumberOrString, Position, Range,
    TextEdit, Uri, WorkspaceEdit,
};

use super::document::Document;
use super::position::Encoding;
use super::{commands, uri};
use crate::cpython::causes;
use crate::explain::{ignore, rewrite};

/// What can be done about the diagnostics of ours at a place.
#[must_use]
pub fn of(document: &Document, diagnostics: &[Diagnostic], encoding: Encoding) -> Vec<CodeActionOrCommand> {
    let mut actions = Vec::new();
    for diagnostic in diagnostics {
        let (Some("bytecost"), Some(NumberOrString::String(code))) =
            (diagnostic.source.as_deref(), &diagnostic.code)
        else {
            continue;
        };
        actions.extend(rewritten(document, diagnostic, code, encoding));
        if causes::cause(code).is_some() {
            let command = Command {
                title: format!("Explain {code}"),
                command: commands::EXPLAIN.to_owned(),
                arguments: Some(vec![json!({ "cause": code })]),
            };
            actions.push(action(diagnostic, command.title.clone(), None, Some(command)));
        }
        actions.extend(off_on_line(document, diagnostic, code, encoding));
        actions.extend(off_in_project(document, diagnostic, code));
    }
    actions
}

fn action(
    diagnostic: &Diagnostic,
    title: String,
    edit: Option<(Uri, TextEdit)>,
    command: Option<Command>,
) -> CodeActionOrCommand {
    CodeActionOrCommand::CodeAction(CodeAction {
        title,
        kind: Some(CodeActionKind::QUICKFIX),
        diagnostics: Some(vec![diagnostic.clone()]),
        edit: edit.map(|(uri, edit)| WorkspaceEdit {
            changes: Some(HashMap::from([(uri, vec![edit])])),
            ..WorkspaceEdit::default()
        }),
        command,
        ..CodeAction::default()
    })
}

fn rewritten(
    document: &Document,
    diagnostic: &Diagnostic,
    code: &str,
    encoding: Encoding,
) -> Option<CodeActionOrCommand> {
    let range = document.lines.offsets(&document.text, diagnostic.range, encoding);
    let text = rewrite::rewrite(code, document.text.get(range)?)?;
    let edit = TextEdit::new(diagnostic.range, text.clone());
    Some(action(
        diagnostic,
        format!("Write {text}"),
        Some((document.uri.clone(), edit)),
        None,
    ))
}

fn off_on_line(
    document: &Document,
    diagnostic: &Diagnostic,
    code: &str,
    encoding: Encoding,
) -> Option<CodeActionOrCommand> {
    let number = diagnostic.range.end.line;
    let line = document.lines.line(&document.text, number as usize)?;
    if line.trim_end().ends_with('\\') {
        return None; // a comment cannot stand there
    }
    let (at, text) = ignore::with_comment(line, code);
    let column = |bytes: usize| encoding.length(&line[..bytes]);
    let end = line.trim_end_matches(['\r', '\n']).len();
    let range = Range::new(
        Position::new(number, column(at)),
        Position::new(number, column(end.max(at))),
    );
    Some(action(
        diagnostic,
        format!("Ignore {code} on this line"),
        Some((document.uri.clone(), TextEdit::new(range, text))),
        None,
    ))
}

fn off_in_project(document: &Document, diagnostic: &Diagnostic, code: &str) -> Option<CodeActionOrCommand> {
    let path = document.root.join("pyproject.toml");
    let text = std::fs::read_to_string(&path).ok()?;
    let (line, column, new) = project_edit(&text, code)?;
    let place = Position::new(line, column);
    Some(action(
        diagnostic,
        format!("Ignore {code} in this project"),
        Some((
            uri::of(Path::new(&path))?,
            TextEdit::new(Range::new(place, place), new),
        )),
        None,
    ))
}

/// Where something is inserted into a `pyproject.toml`, and what; none where the section is
/// written in another way than a table with one line for the names.
fn project_edit(text: &str, code: &str) -> Option<(u32, u32, String)> {
    const TABLE: &str = "[tool.bytecost.diagnostics]";
    let number = |line: usize| u32::try_from(line).ok();
    let lines: Vec<&str> = text.lines().collect();
    let Some(table) = lines.iter().position(|line| line.trim() == TABLE) else {
        if text.contains("diagnostics.ignore") || text.contains("diagnostics = {") {
            return None;
        }
        let gap = if text.is_empty() || text.ends_with("\n\n") {
            ""
        } else if text.ends_with('\n') {
            "\n"
        } else {
            "\n\n"
        };
        let last = if text.ends_with('\n') || text.is_empty() {
            (number(lines.len())?, 0)
        } else {
            let length = lines.last().map_or(0, |line| line.encode_utf16().count());
            (number(lines.len() - 1)?, number(length)?)
        };
        return Some((last.0, last.1, format!("{gap}{TABLE}\nignore = [\"{code}\"]\n")));
    };
    let inside = lines[table + 1..]
        .iter()
        .take_while(|line| !line.trim_start().starts_with('['));
    for (at, line) in inside.enumerate() {
        if line.split('=').next().map(str::trim) == Some("ignore") {
            let open = line.find('[')?;
            line[open..].find(']')?;
            let rest = line[open + 1..].trim_start();
            let comma = if rest.starts_with(']') { "" } else { ", " };
            return Some((
                number(table + 1 + at)?,
                number(open + 1)?,
                format!("\"{code}\"{comma}"),
            ));
        }
    }
    Some((number(table + 1)?, 0, format!("ignore = [\"{code}\"]\n")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_project_gets_one_list_of_names() {
        let apply = |text: &str, code: &str| {
            let (line, column, new) = project_edit(text, code).expect("it can be edited");
            let start: usize = text.split_inclusive('\n').take(line as usize).map(str::len).sum();
            let at = start + column as usize;
            format!("{}{new}{}", &text[..at], &text[at..])
        };
        for start in [
            "",
            "[project]\nname = \"x\"\n",
            "[project]",
            "[tool.bytecost]\nascii = true\n",
        ] {
            let once = apply(start, "one");
            let twice = apply(&once, "two");
            let table: toml::Table = twice.parse().expect("TOML");
            let names = &table["tool"]["bytecost"]["diagnostics"]["ignore"];
            assert_eq!(names.as_array().map(Vec::len), Some(2), "{twice}");
        }
        let empty = "[tool.bytecost.diagnostics]\nweak = \"hint\"\nignore = []\n";
        assert!(apply(empty, "one").contains("ignore = [\"one\"]"));
        assert_eq!(
            project_edit("tool.bytecost.diagnostics.ignore = []\n", "one"),
            None
        );
    }
}
