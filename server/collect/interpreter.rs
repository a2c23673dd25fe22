//! Which Python runs the target, and what it is.

mod process;

use std::ffi::OsString;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::config::Config;
use crate::cpython;
use crate::profile::Python;

/// Oldest version with adaptive bytecode.
const OLDEST: u32 = 0x030b_0000;

/// How long an interpreter may take to say what it is.
const PATIENCE: Duration = Duration::from_secs(10);

const PROBE: &str = include_str!("interpreter/probe.py");
const MARK: &str = "bytecost-probe ";

/// What discovery looks at outside of files, passed in so that nothing else is read.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    /// `PATH`.
    pub path: Option<OsString>,
    /// The interpreter of the environment that is active in the editor: a path.
    pub active: Option<String>,
    /// `VIRTUAL_ENV`.
    pub virtual_env: Option<PathBuf>,
    /// The current directory: relative paths of the command line begin here.
    pub current_directory: PathBuf,
}

impl Environment {
    /// That of this process.
    pub fn of_process() -> io::Result<Self> {
        let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        Ok(Self {
            path: set("PATH"),
            active: None,
            virtual_env: set("VIRTUAL_ENV").map(PathBuf::from),
            current_directory: std::env::current_dir()?,
        })
    }
}

/// An executable that may be an interpreter, and the rule that led to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Absolute path; links are not followed, because a virtual environment is one.
    pub path: PathBuf,
    /// Why this one.
    pub rule: Rule,
}

/// Why an executable was chosen; the first that applies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rule {
    /// `--python`.
    Flag,
    /// `python` in a `pyproject.toml`.
    Config {
        /// The `pyproject.toml`.
        path: PathBuf,
    },
    /// The environment that is active in the editor.
    Editor,
    /// `VIRTUAL_ENV`.
    VirtualEnv,
    /// `.venv` or `venv` of the project.
    ProjectEnv {
        /// The environment.
        directory: PathBuf,
    },
    /// `python3`, then `python`, on `PATH`.
    Path,
}

impl fmt::Display for Rule {
    /// Reads after the path of an executable.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag => formatter.write_str("given with --python"),
            Self::Config { path } => write!(formatter, "named in {}", path.display()),
            Self::Editor => formatter.write_str("of the environment that is active in the editor"),
            Self::VirtualEnv => formatter.write_str("of VIRTUAL_ENV"),
            Self::ProjectEnv { directory } => write!(formatter, "of {}", directory.display()),
            Self::Path => formatter.write_str("found on PATH"),
        }
    }
}

/// An interpreter that can be profiled, as it describes itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interpreter {
    /// What to run: the interpreter's own `sys.executable` where that answers alike (a version
    /// manager's shim chooses anew in every directory), else the path that was found.
    pub executable: PathBuf,
    /// `major.minor.micro` with a release-level suffix, as `sys.version` begins.
    pub version: String,
    /// `major.minor`.
    pub minor: String,
    /// `sys.hexversion`.
    pub hexversion: u32,
    /// `sys.implementation.name`; always `cpython`.
    pub implementation: String,
    /// Built without the global interpreter lock.
    pub free_threaded: bool,
    /// Built with `--enable-pystats`.
    pub pystats: bool,
    /// Tier 2: `none` (built without), `off` or `on`, `PYTHON_JIT` considered.
    pub jit: Jit,
}

impl From<&Interpreter> for Python {
    fn from(found: &Interpreter) -> Self {
        Self {
            version: found.version.clone(),
            minor: found.minor.clone(),
            executable: found.executable.display().to_string(),
            jit: found.jit.as_str().to_owned(),
            free_threaded: found.free_threaded,
            pystats: found.pystats,
            known: cpython::version(&found.minor).is_some(),
        }
    }
}

/// State of the JIT compiler in a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Jit {
    /// Built without.
    None,
    /// Built in, off.
    Off,
    /// Built in, on.
    On,
}

impl Jit {
    /// As `profile::Python::jit` has it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Off => "off",
            Self::On => "on",
        }
    }
}

/// Why there is no interpreter to profile. Each message is one sentence.
#[derive(Debug, thiserror::Error)]
pub enum InterpreterError {
    /// `--python` or the configuration names nothing that runs.
    #[error(
        "no Python at {name} ({rule}): give the path of a CPython 3.11 or newer, or a version on PATH such as 3.13"
    )]
    NotFound {
        /// As written.
        name: String,
        /// Who named it.
        rule: Rule,
    },
    /// No rule applied.
    #[error(
        "no Python found (no --python, virtual environment, or python3 on PATH): install CPython 3.11 or newer, or name one with --python (in editors with bytecost.python)"
    )]
    None,
    /// The virtual environment that is active has no interpreter.
    #[error("VIRTUAL_ENV is {directory}, which has no Python: activate another environment, or name an interpreter with --python", directory = .0.display())]
    EmptyVirtualEnv(PathBuf),
    /// It could not be started.
    #[error("{candidate} cannot be run ({source}): name a CPython 3.11 or newer with --python")]
    CannotRun {
        /// What was found.
        candidate: Candidate,
        /// The system's reason.
        source: io::Error,
    },
    /// It did not answer in time and was ended.
    #[error("{candidate} did not answer within {seconds} s: name a CPython 3.11 or newer with --python")]
    Silent {
        /// What was found.
        candidate: Candidate,
        /// The limit.
        seconds: u64,
    },
    /// It answered something else.
    #[error(
        "{candidate} does not answer like a Python ({answer}): name a CPython 3.11 or newer with --python"
    )]
    NotPython {
        /// What was found.
        candidate: Candidate,
        /// The first line of what it said, or its exit status.
        answer: String,
    },
    /// Another implementation, or too old.
    #[error("{candidate} is {found}, and bytecost needs CPython 3.11 or newer: name one with --python")]
    Unsuitable {
        /// What was found.
        candidate: Candidate,
        /// Implementation and version.
        found: String,
    },
}

impl fmt::Display for Candidate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} ({})", self.path.display(), self.rule)
    }
}

/// Chooses the executable: `request` (`--python`), the configuration, the editor's, `VIRTUAL_ENV`, `.venv` or
/// `venv` of `project_root`, `python3` or `python` on `PATH`. The first rule that applies decides,
/// even if what it names is no good: another interpreter than the named one would mislead.
///
/// A name with a separator is a path (relative to the current directory, or to the
/// `pyproject.toml`); any other is looked up on `PATH`, a version such as `3.13` as `python3.13`.
/// A directory is taken for a virtual environment.
pub fn discover(
    request: Option<&str>,
    config: Option<&Config>,
    project_root: &Path,
    environment: &Environment,
) -> Result<Candidate, InterpreterError> {
    let configured = config.and_then(|config| Some((config, config.python.as_deref()?)));
    let here = environment.current_directory.as_path();
    let named = match (request, configured) {
        (Some(name), _) => Some((name, here, Rule::Flag)),
        (None, Some((config, name))) => Some((
            name,
            config.directory.as_path(),
            Rule::Config {
                path: config.path.clone(),
            },
        )),
        (None, None) => {
            let active = environment.active.as_deref();
            active.map(|name| (name, here, Rule::Editor))
        }
    };
    if let Some((name, directory, rule)) = named {
        return match look_up(name, directory, environment) {
            Some(path) => Ok(Candidate { path, rule }),
            None => Err(InterpreterError::NotFound {
                name: name.to_owned(),
                rule,
            }),
        };
    }
    if let Some(directory) = &environment.virtual_env {
        let directory = environment.current_directory.join(directory);
        return match python_of(&directory) {
            Some(path) => Ok(Candidate {
                path,
                rule: Rule::VirtualEnv,
            }),
            None => Err(InterpreterError::EmptyVirtualEnv(directory)),
        };
    }
    for directory in [".venv", "venv"].map(|name| environment.current_directory.join(project_root).join(name))
    {
        if let Some(path) = python_of(&directory) {
            return Ok(Candidate {
                path,
                rule: Rule::ProjectEnv { directory },
            });
        }
    }
    ["python3", "python"]
        .iter()
        .find_map(|name| on_path(name, environment))
        .map(|path| Candidate {
            path,
            rule: Rule::Path,
        })
        .ok_or(InterpreterError::None)
}

/// Runs the candidate and asks what it is; waits for at most 10 s. Blocks the calling thread.
pub fn probe(candidate: &Candidate) -> Result<Interpreter, InterpreterError> {
    probe_within(candidate, PATIENCE)
}

fn probe_within(candidate: &Candidate, patience: Duration) -> Result<Interpreter, InterpreterError> {
    let answer = ask(candidate, &candidate.path, patience)?;
    let mut interpreter = answer.interpreter(candidate)?;
    let own = &interpreter.executable;
    // Another path of the same interpreter is used only after it has answered alike: a wrapper
    // may set up what the program behind it needs.
    let alike = *own == candidate.path
        || own.is_absolute()
            && ask(candidate, own, patience).is_ok_and(|again| again.fields == answer.fields);
    if !alike {
        interpreter.executable.clone_from(&candidate.path);
    }
    Ok(interpreter)
}

/// An executable by path, name or version.
fn look_up(name: &str, directory: &Path, environment: &Environment) -> Option<PathBuf> {
    let name = name.trim();
    let path = directory.join(name);
    if name.contains(std::path::is_separator) || matches!(name, "." | "..") {
        return if path.is_dir() {
            python_of(&path)
        } else {
            which_file(&path)
        };
    }
    let is_version = name.starts_with(|letter: char| letter.is_ascii_digit());
    let on_path = if is_version {
        on_path(&format!("python{name}"), environment)
    } else {
        on_path(name, environment)
    };
    // `--python .venv` means the directory beside us.
    on_path.or_else(|| python_of(&path)).or_else(|| which_file(&path))
}

fn on_path(name: &str, environment: &Environment) -> Option<PathBuf> {
    let paths = environment.path.as_ref()?;
    which::which_in_global(name, Some(paths))
        .ok()?
        .next()
        .map(|path| environment.current_directory.join(path))
}

/// A path that names a file; on Windows with its suffix left out too. Whether it can be run is
/// told by running it.
fn which_file(path: &Path) -> Option<PathBuf> {
    if path.is_file() {
        return Some(path.to_owned());
    }
    let with_suffix = path.with_extension("exe");
    (cfg!(windows) && with_suffix.is_file()).then_some(with_suffix)
}

/// The interpreter of a virtual environment or installation.
fn python_of(directory: &Path) -> Option<PathBuf> {
    let places: &[&str] = if cfg!(windows) {
        &["Scripts\\python.exe", "python.exe"]
    } else {
        &["bin/python", "bin/python3"]
    };
    places
        .iter()
        .map(|place| directory.join(place))
        .find(|path| path.is_file())
}

struct Answer {
    /// Path first, then what the probe says of the interpreter itself.
    fields: Vec<String>,
}

fn ask(candidate: &Candidate, executable: &Path, patience: Duration) -> Result<Answer, InterpreterError> {
    let not_python = |answer: String| InterpreterError::NotPython {
        candidate: candidate.clone(),
        answer,
    };
    let output = match process::run(executable, &["-I", "-S", "-c", PROBE], patience) {
        Ok(Some(output)) => output,
        Ok(None) => {
            return Err(InterpreterError::Silent {
                candidate: candidate.clone(),
                seconds: patience.as_secs(),
            });
        }
        Err(source) => {
            return Err(InterpreterError::CannotRun {
                candidate: candidate.clone(),
                source,
            });
        }
    };
    let fields = output
        .stdout
        .lines()
        .filter_map(|line| line.strip_prefix(MARK))
        .find_map(|line| {
            line.split_whitespace()
                .map(unescape)
                .collect::<Option<Vec<String>>>()
        })
        .filter(|fields| fields.len() == 8);
    fields.map(|fields| Answer { fields }).ok_or_else(|| {
        let first = [&output.stderr, &output.stdout]
            .into_iter()
            .flat_map(|text| text.lines());
        let first = first.map(printable).find(|line| !line.is_empty());
        not_python(first.map_or_else(|| output.status.to_string(), |line| format!("it says {line:?}")))
    })
}

impl Answer {
    fn interpreter(&self, candidate: &Candidate) -> Result<Interpreter, InterpreterError> {
        let [
            executable,
            version,
            minor,
            hexversion,
            implementation,
            free_threaded,
            pystats,
            jit,
        ] = &self.fields[..]
        else {
            return Err(InterpreterError::NotPython {
                candidate: candidate.clone(),
                answer: "an incomplete answer".to_owned(),
            });
        };
        let hexversion = hexversion.parse().unwrap_or(0);
        if implementation != "cpython" || hexversion < OLDEST {
            let name = match implementation.as_str() {
                "cpython" => "CPython",
                "pypy" => "PyPy",
                "graalpy" => "GraalPy",
                other => other,
            };
            let found = format!("{name} {version}");
            return Err(InterpreterError::Unsuitable {
                candidate: candidate.clone(),
                found,
            });
        }
        Ok(Interpreter {
            executable: PathBuf::from(executable),
            version: version.clone(),
            minor: minor.clone(),
            hexversion,
            implementation: implementation.clone(),
            free_threaded: free_threaded == "1",
            pystats: pystats == "1",
            jit: match jit.as_str() {
                "on" => Jit::On,
                "off" => Jit::Off,
                _ => Jit::None,
            },
        })
    }
}

/// Undoes the probe's `\hex;`; `-` stands for an empty field.
fn unescape(field: &str) -> Option<String> {
    if field == "-" {
        return Some(String::new());
    }
    let mut parts = field.split('\\');
    let mut text = parts.next()?.to_owned();
    for part in parts {
        let (code, rest) = part.split_once(';')?;
        text.push(char::from_u32(u32::from_str_radix(code, 16).ok()?)?);
        text.push_str(rest);
    }
    Some(text)
}

/// A line of unknown output, short and without control characters.
fn printable(line: &str) -> String {
    let clean: String = line
        .chars()
        .filter(|letter| !letter.is_control())
        .take(120)
        .collect();
    clean.trim().to_owned()
}

#[cfg(all(test, unix))]
mod tests;
