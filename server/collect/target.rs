//! What the user asked to profile.

use std::fmt;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

/// What the user asked to profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// `file.py::qualname`.
    Function {
        /// As the user wrote it.
        file: PathBuf,
        /// As the user wrote it; see `Source::find_function`.
        qualname: String,
    },
    /// `file.py`.
    Script {
        /// As the user wrote it.
        file: PathBuf,
    },
    /// `-m module`.
    Module {
        /// Dotted name.
        name: String,
    },
    /// `pytest:SELECTION`.
    Pytest {
        /// What follows the colon, as pytest takes it.
        selection: String,
    },
}

/// Why a target cannot be profiled. Each message is one sentence that says what to do.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// The argument is empty.
    #[error("no target: name one as file.py::function, file.py, -m module or pytest:SELECTION")]
    Empty,
    /// `::function`.
    #[error("{target} names no file: write file.py{target}")]
    NoFile {
        /// As written.
        target: String,
    },
    /// `file.py::`.
    #[error("{target} names no function: write {file}::function, or {file} to run the file")]
    NoFunction {
        /// As written.
        target: String,
        /// The file of it.
        file: String,
    },
    /// `file.py::advance(3)`.
    #[error(
        "{target} holds a call: name the function as {file}::{name} and give the call with --call \"{call}\""
    )]
    Call {
        /// As written.
        target: String,
        /// The file of it.
        file: String,
        /// The name before the parenthesis.
        name: String,
        /// The call.
        call: String,
    },
    /// `test_x.py::TestX::test_y`.
    #[error(
        "{target} looks like a pytest selection: write pytest:{target}, or {file}::{dotted} for the function itself"
    )]
    PytestId {
        /// As written.
        target: String,
        /// The file of it.
        file: String,
        /// The rest with dots.
        dotted: String,
    },
    /// `pytest:`.
    #[error("pytest: selects nothing: write pytest:tests/test_x.py::test_y, or pytest:. for all tests")]
    NoSelection,
    /// `-m` with something that is no dotted name.
    #[error(
        "-m {name} is no module name: write it with dots and without .py, as in python -m package.module"
    )]
    BadModule {
        /// As written.
        name: String,
    },
    /// The file does not exist.
    #[error("{file} does not exist{hint}")]
    Missing {
        /// As written.
        file: String,
        /// What was probably meant, or where it was looked for.
        hint: String,
    },
    /// A directory where a file is needed.
    #[error("{file} is a directory: name a file in it, or run it as a package with -m")]
    Directory {
        /// As written.
        file: String,
    },
    /// A pipe, a device.
    #[error("{file} is not a regular file: save the program to a .py file and name that")]
    NotAFile {
        /// As written.
        file: String,
    },
    /// The system refuses to open it.
    #[error("{file} cannot be read ({source}): check its permissions")]
    Unreadable {
        /// As written.
        file: String,
        /// The system's reason.
        source: io::Error,
    },
}

const PYTEST: &str = "pytest:";

impl Target {
    /// Reads the TARGET argument. The file system is not looked at; see [`Target::check`].
    ///
    /// The file ends at the first `::` after a name in `.py` or `.pyw`, else at the first `::`.
    pub fn parse(text: &str) -> Result<Self, TargetError> {
        if text.trim().is_empty() {
            return Err(TargetError::Empty);
        }
        if let Some(selection) = text.strip_prefix(PYTEST) {
            let selection = selection.trim().to_owned();
            return if selection.is_empty() {
                Err(TargetError::NoSelection)
            } else {
                Ok(Self::Pytest { selection })
            };
        }
        let end = [".py::", ".pyw::"]
            .iter()
            .filter_map(|ending| text.find(ending).map(|at| at + ending.len() - 2))
            .min()
            .or_else(|| text.find("::"));
        let Some(end) = end else {
            return Ok(Self::Script {
                file: PathBuf::from(text),
            });
        };
        let (file, qualname) = (&text[..end], text[end + 2..].trim());
        let target = || text.to_owned();
        if file.is_empty() {
            return Err(TargetError::NoFile { target: target() });
        }
        if qualname.is_empty() {
            return Err(TargetError::NoFunction {
                target: target(),
                file: file.to_owned(),
            });
        }
        if let Some((name, _)) = qualname.split_once('(') {
            return Err(TargetError::Call {
                target: target(),
                file: file.to_owned(),
                name: name.trim_end().to_owned(),
                call: qualname.to_owned(),
            });
        }
        if qualname.contains("::") {
            return Err(TargetError::PytestId {
                target: target(),
                file: file.to_owned(),
                dotted: qualname.replace("::", "."),
            });
        }
        Ok(Self::Function {
            file: PathBuf::from(file),
            qualname: qualname.to_owned(),
        })
    }

    /// Reads the value of `-m`.
    pub fn module(name: &str) -> Result<Self, TargetError> {
        let is_identifier = |part: &str| {
            !part.is_empty()
                && !part.starts_with(|letter: char| letter.is_ascii_digit())
                && part
                    .chars()
                    .all(|letter| letter == '_' || letter.is_alphanumeric())
        };
        // `-m package.py` is looked up as module `py` of `package`: never meant.
        if name.split('.').all(is_identifier) && name.rsplit_once('.').is_none_or(|(_, last)| last != "py") {
            Ok(Self::Module {
                name: name.to_owned(),
            })
        } else {
            Err(TargetError::BadModule {
                name: name.to_owned(),
            })
        }
    }

    /// The file, for functions and scripts.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::Function { file, .. } | Self::Script { file } => Some(file),
            Self::Module { .. } | Self::Pytest { .. } => None,
        }
    }

    /// Whether the file can be read: it exists, is a regular file and opens. Modules and pytest
    /// selections are the interpreter's to find.
    pub fn check(&self) -> Result<(), TargetError> {
        let Some(path) = self.file() else { return Ok(()) };
        let file = path.display().to_string();
        let unreadable = |error: io::Error| match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => TargetError::Missing {
                file: file.clone(),
                hint: missing_hint(path),
            },
            _ => TargetError::Unreadable {
                file: file.clone(),
                source: error,
            },
        };
        let metadata = fs::metadata(path).map_err(unreadable)?;
        if metadata.is_dir() {
            return Err(TargetError::Directory { file });
        }
        // Opening a pipe would wait for its writer.
        if !metadata.is_file() {
            return Err(TargetError::NotAFile { file });
        }
        File::open(path).map(drop).map_err(unreadable)
    }
}

impl fmt::Display for Target {
    /// As the user writes it.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Function { file, qualname } => write!(formatter, "{}::{qualname}", file.display()),
            Self::Script { file } => write!(formatter, "{}", file.display()),
            Self::Module { name } => write!(formatter, "-m {name}"),
            Self::Pytest { selection } => write!(formatter, "{PYTEST}{selection}"),
        }
    }
}

/// What may have been meant by a file that is not there.
fn missing_hint(path: &Path) -> String {
    let text = path.to_string_lossy();
    if let Some((file, name)) = text.rsplit_once(".py:") {
        return format!(": for a function write {file}.py::{name}");
    }
    let with_suffix = PathBuf::from(format!("{text}.py"));
    if with_suffix.is_file() {
        return format!(": did you mean {}?", with_suffix.display());
    }
    if path.is_relative()
        && let Ok(here) = std::env::current_dir()
    {
        return format!(" in {}: check the path", here.display());
    }
    ": check the path".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let actual = match Target::parse(text) {
            Ok(Target::Function { file, qualname }) => format!("function {} {qualname}", file.display()),
            Ok(Target::Script { file }) => format!("script {}", file.display()),
            Ok(Target::Module { name }) => format!("module {name}"),
            Ok(Target::Pytest { selection }) => format!("pytest {selection}"),
            Err(error) => error.to_string(),
        };
        assert_eq!(actual, expected, "{text}");
        if let Ok(target) = Target::parse(text) {
            assert_eq!(target.to_string(), text);
        }
    }

    #[test]
    fn every_form_is_told_apart() {
        check("kern.py::advance", "function kern.py advance");
        check("a/kern.py::A.B.m", "function a/kern.py A.B.m");
        check("kern.py::f.<locals>.g", "function kern.py f.<locals>.g");
        check(r"C:\x\kern.py::advance", r"function C:\x\kern.py advance");
        check(r"C:\x\kern.py", r"script C:\x\kern.py");
        check("tool::main", "function tool main");
        check("a::b/kern.py::f", "function a::b/kern.py f");
        check("kern.pyw::f", "function kern.pyw f");
        check("kern.py", "script kern.py");
        check("./pytest:odd.py", "script ./pytest:odd.py");
        check(
            "pytest:tests/test_x.py::TestX::test_y[a::b]",
            "pytest tests/test_x.py::TestX::test_y[a::b]",
        );
        check(r"pytest:C:\t\test_x.py::test_y", r"pytest C:\t\test_x.py::test_y");
        check("pytest:-k fast", "pytest -k fast");
        check(
            "",
            "no target: name one as file.py::function, file.py, -m module or pytest:SELECTION",
        );
        check("::f", "::f names no file: write file.py::f");
        check(
            "kern.py::",
            "kern.py:: names no function: write kern.py::function, or kern.py to run the file",
        );
        check(
            "kern.py::f(3)",
            "kern.py::f(3) holds a call: name the function as kern.py::f and give the call with --call \"f(3)\"",
        );
        check(
            "t.py::T::m",
            "t.py::T::m looks like a pytest selection: write pytest:t.py::T::m, or t.py::T.m for the function itself",
        );
        check(
            "pytest:",
            "pytest: selects nothing: write pytest:tests/test_x.py::test_y, or pytest:. for all tests",
        );
    }

    #[test]
    fn modules_have_dotted_names() {
        for name in ["json.tool", "a", "paquet.été", "_x"] {
            assert_eq!(
                Target::module(name).expect("a module"),
                Target::Module {
                    name: name.to_owned()
                }
            );
        }
        for name in ["", ".", "a.", ".a", "a b", "kern.py", "a/b", "1a", "a-b"] {
            assert!(
                matches!(Target::module(name), Err(TargetError::BadModule { .. })),
                "{name}"
            );
        }
    }

    #[test]
    fn files_that_cannot_be_read_say_what_to_do() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        fs::write(at("kern.py"), "").expect("a file");
        let sentence = |name: &str| {
            let result = Target::Script { file: at(name) }.check();
            let message = result.err().map(|error| error.to_string()).unwrap_or_default();
            message.replace(&folder.path().display().to_string(), "DIR")
        };
        for (name, expected) in [
            ("kern.py", ""),
            (
                "",
                "DIR/ is a directory: name a file in it, or run it as a package with -m",
            ),
            ("kern", "DIR/kern does not exist: did you mean DIR/kern.py?"),
            ("none.py", "DIR/none.py does not exist: check the path"),
            ("kern.py/x", "DIR/kern.py/x does not exist: check the path"),
            (
                "kern.py:advance",
                "DIR/kern.py:advance does not exist: for a function write DIR/kern.py::advance",
            ),
        ] {
            assert_eq!(sentence(name), expected, "{name}");
        }
        let relative = Target::parse("no-such-file.py").expect("a target").check();
        let here = std::env::current_dir().expect("a directory");
        assert_eq!(
            relative.expect_err("missing").to_string(),
            format!(
                "no-such-file.py does not exist in {}: check the path",
                here.display()
            )
        );
    }

    #[cfg(unix)]
    #[test]
    fn devices_and_locked_files_are_refused() {
        use std::os::unix::fs::PermissionsExt as _;
        let device = Target::Script {
            file: PathBuf::from("/dev/null"),
        };
        assert!(matches!(device.check(), Err(TargetError::NotAFile { .. })));
        let locked = tempfile::NamedTempFile::new().expect("a file");
        fs::set_permissions(locked.path(), fs::Permissions::from_mode(0o0)).expect("permissions");
        let result = Target::Script {
            file: locked.path().to_owned(),
        }
        .check();
        // A superuser may open anything.
        match File::open(locked.path()) {
            Ok(_) => assert!(result.is_ok()),
            Err(_) => assert!(matches!(result, Err(TargetError::Unreadable { .. }))),
        }
    }
}
