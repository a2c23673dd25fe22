//! The commands and their arguments.

use std::path::PathBuf;

use serde::Deserialize;
use serde_json::Value;
use tower_lsp_server::ls_types::{Position, Uri};

use super::uri;

/// Runs something.
pub const RUN: &str = "bytecost.run";
/// Loads saved profiles.
pub const LOAD: &str = "bytecost.load";
/// Takes results away.
pub const CLEAR: &str = "bytecost.clear";
/// Shows the bytecode of a function.
pub const SHOW: &str = "bytecost.showBytecode";
/// Shows what a cause of the catalogue means.
pub const EXPLAIN: &str = "bytecost.explain";
/// Ends the run.
pub const CANCEL: &str = "bytecost.cancel";

/// All of them.
pub const NAMES: [&str; 6] = [RUN, LOAD, CLEAR, SHOW, EXPLAIN, CANCEL];

/// A command with its arguments.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Run something; without arguments what was run last, again.
    Run(Option<RunArguments>),
    /// Load these; without arguments look again at all that is saved.
    Load(Vec<PathBuf>),
    /// Take away the results of these files; without arguments all.
    Clear(Vec<PathBuf>),
    /// Show the bytecode of the function at a place.
    ShowBytecode(ShowArguments),
    /// Show a cause of the catalogue.
    Explain(ExplainArguments),
    /// End the run, and forget the one that waits.
    Cancel,
}

/// Arguments of `bytecost.run`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunArguments {
    /// The file.
    pub uri: Uri,
    /// A qualified name, or a target as on the command line.
    pub target: Option<String>,
    /// Where the function is, if it is not named.
    pub position: Option<Position>,
    /// How to call it.
    pub call: Option<String>,
    /// The interpreter.
    pub python: Option<String>,
    /// That of the environment that is active in the editor, for where no setting names one.
    pub environment: Option<String>,
}

/// Arguments of `bytecost.showBytecode`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct ShowArguments {
    /// The file.
    pub uri: Uri,
    /// Where the function is.
    pub position: Position,
}

/// Arguments of `bytecost.explain`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct ExplainArguments {
    /// Name of the cause.
    pub cause: String,
}

/// Why a command is not understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// There is no such command.
    #[error("{0} is not a command of bytecost")]
    Unknown(String),
    /// The arguments are others.
    #[error("{command} takes {expected}: {why}")]
    Arguments {
        /// The command.
        command: &'static str,
        /// What it takes.
        expected: &'static str,
        /// What is wrong.
        why: String,
    },
}

impl Command {
    /// Reads a command.
    pub fn parse(name: &str, arguments: Vec<Value>) -> Result<Self, Problem> {
        match name {
            RUN => {
                let expected =
                    "one object with a uri and, if wanted, target or position, call, python and environment";
                match single(RUN, expected, arguments)? {
                    None => Ok(Self::Run(None)),
                    Some(value) => read(RUN, expected, value).map(|run| Self::Run(Some(run))),
                }
            }
            LOAD => paths(LOAD, arguments).map(Self::Load),
            CLEAR => paths(CLEAR, arguments).map(Self::Clear),
            SHOW => {
                let expected = "one object with a uri and a position";
                let value = single(SHOW, expected, arguments)?.unwrap_or(Value::Null);
                read(SHOW, expected, value).map(Self::ShowBytecode)
            }
            EXPLAIN => {
                let expected = "one object with the name of a cause";
                let value = single(EXPLAIN, expected, arguments)?.unwrap_or(Value::Null);
                read(EXPLAIN, expected, value).map(Self::Explain)
            }
            CANCEL => Ok(Self::Cancel),
            _ => Err(Problem::Unknown(name.to_owned())),
        }
    }
}

fn single(
    command: &'static str,
    expected: &'static str,
    mut arguments: Vec<Value>,
) -> Result<Option<Value>, Problem> {
    if arguments.len() > 1 {
        return Err(Problem::Arguments {
            command,
            expected,
            why: format!("there are {}", arguments.len()),
        });
    }
    Ok(arguments.pop().filter(|value| !value.is_null()))
}

fn read<T: serde::de::DeserializeOwned>(
    command: &'static str,
    expected: &'static str,
    value: Value,
) -> Result<T, Problem> {
    serde_json::from_value(value).map_err(|error| Problem::Arguments {
        command,
        expected,
        why: error.to_string(),
    })
}

/// Every string in the arguments, in whatever object or list it stands.
fn paths(command: &'static str, arguments: Vec<Value>) -> Result<Vec<PathBuf>, Problem> {
    let mut texts = Vec::new();
    strings(&Value::Array(arguments), &mut texts);
    texts
        .into_iter()
        .map(|text| {
            uri::parse(&text).ok_or_else(|| Problem::Arguments {
                command,
                expected: "one object with uris, or nothing",
                why: format!("{text:?} is not the URI of a file"),
            })
        })
        .collect()
}

fn strings(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) => found.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| strings(item, found)),
        Value::Object(members) => members.values().for_each(|member| strings(member, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn arguments_are_read_or_refused_with_a_reason() {
        let parse =
            |name, arguments: Value| Command::parse(name, arguments.as_array().cloned().unwrap_or_default());
        let run = parse(
            RUN,
            json!([{"uri": "file:///a.py", "position": {"line": 1, "character": 2}}]),
        );
        assert_eq!(
            run,
            Ok(Command::Run(Some(RunArguments {
                uri: "file:///a.py".parse().unwrap(),
                target: None,
                position: Some(Position::new(1, 2)),
                call: None,
                python: None,
                environment: None,
            })))
        );
        assert_eq!(parse(RUN, json!([])), Ok(Command::Run(None)));
        let a = || vec![PathBuf::from("/a")];
        for form in [
            json!([{"uris": ["file:///a"]}]),
            json!([["file:///a"]]),
            json!(["file:///a"]),
        ] {
            assert_eq!(parse(LOAD, form.clone()), Ok(Command::Load(a())));
            assert_eq!(parse(CLEAR, form), Ok(Command::Clear(a())));
        }
        assert_eq!(parse(CLEAR, json!([])), Ok(Command::Clear(vec![])));
        for (name, arguments, why) in [
            (
                "bytecost.fly",
                json!([]),
                "bytecost.fly is not a command of bytecost",
            ),
            (RUN, json!([1, 2]), "there are 2"),
            (
                RUN,
                json!([{"uri": "file:///a", "functoin": "f"}]),
                "unknown field `functoin`",
            ),
            (RUN, json!([{"target": "f"}]), "missing field `uri`"),
            (SHOW, json!([]), "one object with a uri and a position"),
            (
                LOAD,
                json!(["untitled:x"]),
                "\"untitled:x\" is not the URI of a file",
            ),
        ] {
            let error = parse(name, arguments).expect_err(why).to_string();
            assert!(error.contains(why), "{error}");
        }
    }
}
