//! From a command's arguments to a target.

use std::path::{Path, PathBuf};

use super::commands::RunArguments;
use super::document::Document;
use super::uri;
use crate::collect::target::{Target, TargetError};
use crate::source::Source;
use crate::source::runnable::{self, Runnable, RunnableKind};

/// Why nothing can be run. Each message is one sentence.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// The document is no file.
    #[error("{0} is not a file: save it first")]
    NotAFile(String),
    /// There is nothing at the position.
    #[error("nothing that can be run is in line {line} of {}", path.display())]
    NothingHere {
        /// 1-based.
        line: u32,
        /// The file.
        path: PathBuf,
    },
    /// The target is none.
    #[error(transparent)]
    Target(#[from] TargetError),
}

/// The target of a run and the file it is in, free of links.
pub fn resolve(
    arguments: &RunArguments,
    open: Option<&Document>,
    root: &Path,
) -> Result<(Target, PathBuf), Problem> {
    let not_a_file = || Problem::NotAFile(arguments.uri.to_string());
    let path = uri::real(&uri::path(&arguments.uri).ok_or_else(not_a_file)?);
    let target = match (&arguments.target, arguments.position) {
        (Some(target), _) => named(target, &path, root)?,
        (None, Some(position)) => {
            let line = position.line.saturating_add(1);
            let runnables = match open {
                Some(document) => document.runnables().as_ref().clone(),
                None => of_disk(&path),
            };
            let found = innermost(&runnables, line).ok_or_else(|| Problem::NothingHere {
                line,
                path: path.clone(),
            })?;
            named(&argument(found, &path), &path, root)?
        }
        (None, None) => Target::Script { file: path.clone() },
    };
    Ok((target, path))
}

/// What can be run at a line: the innermost.
#[must_use]
pub fn innermost(runnables: &[Runnable], line: u32) -> Option<&Runnable> {
    around(runnables, line).last()
}

/// Everything around a line, from outside in.
pub fn around(runnables: &[Runnable], line: u32) -> impl Iterator<Item = &Runnable> {
    runnables
        .iter()
        .filter(move |runnable| runnable.line <= line && line <= runnable.end_line)
}

/// A runnable as the `target` of a command.
#[must_use]
pub fn argument(runnable: &Runnable, path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    match runnable.kind {
        RunnableKind::Test => format!("pytest:{name}::{}", runnable.target),
        RunnableKind::Function | RunnableKind::Doctest | RunnableKind::Main => runnable.target.clone(),
    }
}

fn of_disk(path: &Path) -> Vec<Runnable> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let text = std::fs::read_to_string(path).unwrap_or_default();
    runnable::runnables(&Source::new(&text), &name)
}

/// A target as it is named: a qualified name in the file, nothing for the file itself, or as on the
/// command line, with the file's name or its path.
fn named(target: &str, path: &Path, root: &Path) -> Result<Target, TargetError> {
    if target.is_empty() {
        return Ok(Target::Script {
            file: path.to_owned(),
        });
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let is_ours = |file: &str| {
        file == name || Path::new(file) == path || root.join(file) == path || path.ends_with(file)
    };
    if let Some(selection) = target.strip_prefix("pytest:") {
        let (file, rest) = match selection.split_once("::") {
            Some((file, rest)) => (file, format!("::{rest}")),
            None => (selection, String::new()),
        };
        // pytest runs in the root, and names its tests from there.
        let file = if is_ours(file) {
            path.strip_prefix(root).unwrap_or(path).display().to_string()
        } else {
            file.to_owned()
        };
        return Target::parse(&format!("pytest:{file}{rest}"));
    }
    let function = |qualname: &str| Target::Function {
        file: path.to_owned(),
        qualname: qualname.to_owned(),
    };
    Ok(match Target::parse(target) {
        Ok(Target::Function { file, qualname }) if is_ours(&file.to_string_lossy()) => function(&qualname),
        Ok(Target::Script { file }) if is_ours(&file.to_string_lossy()) => Target::Script {
            file: path.to_owned(),
        },
        Ok(Target::Script { file }) => function(&file.to_string_lossy()),
        other => other?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_named_in_many_ways() {
        let (path, root) = (Path::new("/p/src/test_kern.py"), Path::new("/p"));
        for (name, expected) in [
            ("advance", "/p/src/test_kern.py::advance"),
            ("A.m", "/p/src/test_kern.py::A.m"),
            (
                "outer.<locals>.inner",
                "/p/src/test_kern.py::outer.<locals>.inner",
            ),
            ("test_kern.py::advance", "/p/src/test_kern.py::advance"),
            ("src/test_kern.py::advance", "/p/src/test_kern.py::advance"),
            ("/p/src/test_kern.py::advance", "/p/src/test_kern.py::advance"),
            ("test_kern.py", "/p/src/test_kern.py"),
            (
                "pytest:test_kern.py::TestA::test_b",
                "pytest:src/test_kern.py::TestA::test_b",
            ),
            ("pytest:/p/src/test_kern.py", "pytest:src/test_kern.py"),
            ("pytest:other", "pytest:other"),
            ("", "/p/src/test_kern.py"),
        ] {
            assert_eq!(named(name, path, root).unwrap().to_string(), expected, "{name}");
        }
    }
}
