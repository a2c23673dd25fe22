//! From a target to a request: everything that can be refused is refused here, before anything
//! runs.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::config::{self, Config, ConfigError, ConfigWarning};
use super::interpreter::{self, Environment, Interpreter, InterpreterError, Jit};
use super::target::{Target, TargetError};
use super::workload::{self, Flags, Origin, Plan, WorkloadError};
use super::{MOST_CALLS, MOST_COUNTED, MOST_PROCESSES, Request, Timing, merge, sample};
use crate::profile::{Python, Workload, WorkloadKind};
use crate::source::Source;

/// How long short calls are repeated when nothing else is said, seconds.
pub const BUDGET: f64 = 0.4;

/// How long they are repeated while sampled.
pub const SAMPLED: f64 = 2.0;

/// What the user asked for.
#[derive(Debug, Clone, Default)]
#[allow(clippy::struct_excessive_bools, reason = "one an option of the command line")]
pub struct Wish {
    /// A path, a name on `PATH` or a version; goes before the configuration's.
    pub python: Option<String>,
    /// Expression that calls the function.
    pub call: Option<String>,
    /// Code to run once before.
    pub setup: Option<String>,
    /// How long calls are repeated, seconds; goes before the configuration's.
    pub time: Option<f64>,
    /// Samples a second, if not [`sample::RATE`].
    pub rate: Option<u32>,
    /// When a pass is stopped, seconds; 0 means never.
    pub deadline: f64,
    /// A single natural run.
    pub once: bool,
    /// Calls to make in every pass.
    pub calls: Option<u64>,
    /// Make the counted passes.
    pub count: bool,
    /// How times are taken.
    pub timing: Timing,
    /// Read operand types after the counted passes.
    pub types: bool,
    /// Look at the JIT's executors, where the build has one.
    pub jit: bool,
    /// Tell apart by function what a pystats build counts.
    pub pystats: bool,
    /// Globs of the files to measure; go before the configuration's.
    pub include: Vec<String>,
    /// Arguments of the script, module or pytest.
    pub arguments: Vec<String>,
    /// The root of a target that no project marks, if not its folder.
    pub unmarked_root: Option<PathBuf>,
    /// Name the target below the root instead of as it was written.
    pub name_below_root: bool,
}

/// Why nothing can be run. Each message is the cause's own.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The target is none.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// There is no workload.
    #[error(transparent)]
    Workload(#[from] WorkloadError),
    /// There is no interpreter.
    #[error(transparent)]
    Interpreter(#[from] InterpreterError),
    /// The file cannot be read.
    #[error("cannot read {}: {error}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        error: std::io::Error,
    },
}

/// Plans the workload and asks the interpreter what it is. `warn` hears what the
/// `pyproject.toml` has that was not understood.
pub fn prepare(
    target: &Target,
    wish: &Wish,
    environment: &Environment,
    warn: &mut dyn FnMut(&ConfigWarning),
) -> Result<Request, Error> {
    target.check()?;
    let here = &environment.current_directory;
    let folder = target
        .file()
        .map_or_else(|| here.clone(), |file| parent(&here.join(file)));
    let config = Config::nearest(&folder)?;
    config.iter().flat_map(|config| &config.warnings).for_each(warn);
    let root = root(&folder, wish.unmarked_root.as_deref());
    let source = match target.file() {
        Some(file) => Source::new(&read(file)?),
        None => Source::new(""),
    };
    let flags = Flags {
        call: wish.call.as_deref(),
        setup: wish.setup.as_deref(),
    };
    let plan = workload::plan(target, flags, config.as_ref(), &source)?;
    let candidate = interpreter::discover(wish.python.as_deref(), config.as_ref(), &root, environment)?;
    let python = python(&interpreter::probe(&candidate)?);
    Ok(request(wish, target, plan, config.as_ref(), python, root, here))
}

/// The interpreter that a run in the current folder would use.
pub fn interpreter(wish: Option<&str>, environment: &Environment) -> Result<Python, Error> {
    let here = &environment.current_directory;
    let config = Config::nearest(here)?;
    let candidate = interpreter::discover(wish, config.as_ref(), &root(here, None), environment)?;
    Ok(python(&interpreter::probe(&candidate)?))
}

/// The root of the project a folder is in; `unmarked` where nothing marks one and that is around.
#[must_use]
pub fn root(folder: &Path, unmarked: Option<&Path>) -> PathBuf {
    let marked = config::project_root(folder);
    match unmarked {
        Some(unmarked) if !config::is_marked(&marked) && folder.starts_with(unmarked) => real(unmarked),
        _ => real(&marked),
    }
}

/// A source file in whatever encoding: only names, comments and positions are looked for here.
fn read(file: &Path) -> Result<String, Error> {
    let bytes = std::fs::read(file).map_err(|error| Error::Unreadable {
        path: file.to_owned(),
        error,
    })?;
    Ok(String::from_utf8(bytes)
        .unwrap_or_else(|error| error.into_bytes().into_iter().map(char::from).collect()))
}

fn request(
    wish: &Wish,
    target: &Target,
    plan: Plan,
    config: Option<&Config>,
    python: Python,
    root: PathBuf,
    here: &Path,
) -> Request {
    let file = target.file().map(|file| real(&here.join(file)));
    let shown = match target {
        Target::Module { name } => main_file(&root, here, name),
        Target::Pytest { selection } => {
            let path = real(&here.join(selection.split("::").next().unwrap_or_default()));
            path.is_file().then_some(path)
        }
        Target::Function { .. } | Target::Script { .. } => file.clone(),
    };
    let (module, import_root, package) = match (target, plan.module) {
        (Target::Module { name }, _) => (Some(name.clone()), None, false),
        (_, Some(module)) => (Some(module.name), Some(real(&module.root)), module.package),
        (_, None) => (None, None, false),
    };
    let include = match config {
        Some(config) if wish.include.is_empty() => config.include.clone(),
        _ => wish.include.clone(),
    };
    let time = wish.time.or_else(|| config.and_then(|config| config.time));
    let repeats = matches!(plan.kind, WorkloadKind::Call | WorkloadKind::Doctest);
    let limit = |seconds: f64| (seconds > 0.0).then(|| Duration::from_secs_f64(seconds));
    // With a time to keep, a call that does not end in twice that has hung; a program just runs on.
    let deadline = time.map_or(wish.deadline, |time| {
        let time = if repeats { (2.0 * time).max(1.0) } else { time };
        if wish.deadline > 0.0 {
            time.min(wish.deadline)
        } else {
            time
        }
    });
    let written = if wish.name_below_root {
        below(target, &root, here)
    } else {
        target.to_string()
    };
    let has_jit = python.jit != "none";
    Request {
        python,
        workload: Workload {
            kind: plan.kind,
            target: written,
            file: shown.map(|file| merge::relative(&file.display().to_string(), &root)),
            qualname: plan.qualname,
            call: plan.call,
            setup: plan.setup,
            arguments: wish.arguments.clone(),
        },
        root,
        include,
        argv0: target.file().map(|file| file.display().to_string()),
        file,
        module,
        import_root,
        package,
        selection: match target {
            Target::Pytest { selection } => Some(selection.clone()),
            _ => None,
        },
        doctest: plan.doctest,
        origin: origin(&plan.origin),
        count: wish.count && !wish.once,
        timing: if wish.once { Timing::Off } else { wish.timing },
        types: wish.types && wish.count && !wish.once,
        jit: wish.jit && has_jit && !wish.once,
        pystats: wish.pystats && wish.count && !wish.once,
        once: wish.once,
        calls: wish.calls,
        budget: Duration::from_secs_f64(time.unwrap_or(BUDGET)),
        rate: wish.rate.unwrap_or(sample::RATE),
        sampled_budget: Duration::from_secs_f64(time.unwrap_or(SAMPLED)),
        deadline: limit(deadline),
        counted_deadline: limit(time.map_or(wish.deadline, |time| {
            let time = (20.0 * time).max(10.0);
            if wish.deadline > 0.0 {
                time.min(wish.deadline)
            } else {
                time
            }
        })),
    }
}

/// The target as it is written in the root.
fn below(target: &Target, root: &Path, here: &Path) -> String {
    let relative = |file: &Path| {
        PathBuf::from(merge::relative(
            &real(&here.join(file)).display().to_string(),
            root,
        ))
    };
    match target {
        Target::Function { file, qualname } => Target::Function {
            file: relative(file),
            qualname: qualname.clone(),
        },
        Target::Script { file } => Target::Script { file: relative(file) },
        Target::Pytest { selection } => {
            let (file, rest) = match selection.split_once("::") {
                Some((file, rest)) => (file, format!("::{rest}")),
                None => (selection.as_str(), String::new()),
            };
            Target::Pytest {
                selection: format!("{}{rest}", relative(Path::new(file)).display()),
            }
        }
        Target::Module { .. } => target.clone(),
    }
    .to_string()
}

/// Where `python -m NAME` starts, if it is in the workspace.
fn main_file(root: &Path, here: &Path, name: &str) -> Option<PathBuf> {
    let path = name.replace('.', "/");
    [here.to_owned(), root.to_owned(), root.join("src")]
        .iter()
        .flat_map(|folder| {
            [
                folder.join(format!("{path}.py")),
                folder.join(&path).join("__main__.py"),
            ]
        })
        .find(|file| file.is_file())
        .map(|file| real(&file))
}

fn origin(origin: &Origin) -> String {
    match origin {
        Origin::Flag => "--call".to_owned(),
        Origin::Directive { line } => format!("the comment in line {line}"),
        Origin::Config { path, line } => format!("{}:{line}", path.display()),
        Origin::Doctest { qualname } => format!("the doctest of {qualname}"),
        Origin::NoArguments => "it needs no arguments".to_owned(),
        Origin::Whole => String::new(),
    }
}

/// What will run and how often: said before it runs.
#[must_use]
pub fn announcement(request: &Request) -> String {
    let counted = match (request.count, request.python.minor.as_str()) {
        (false, _) => 0,
        (true, "3.11") => 2,
        (true, _) => 1,
    };
    let counted = counted + u64::from(request.tells_failures());
    let passes = 1
        + counted
        + u64::from(request.timing == Timing::Sampled)
        + u64::from(request.types)
        + u64::from(request.jit);
    // Types are read only where there is something to explain.
    let most = if request.types { "at most " } else { "" };
    let python = format!("CPython {}", request.python.version);
    let what = match (&request.workload.call, request.workload.kind) {
        (Some(call), _) => format!("{call} ({})", request.origin),
        (None, WorkloadKind::Doctest) => format!("{} ({})", request.workload.target, request.origin),
        (None, _) => request.workload.target.clone(),
    };
    let repeats = matches!(request.workload.kind, WorkloadKind::Call | WorkloadKind::Doctest);
    if !repeats || request.once {
        let times = if passes == 1 {
            "once".to_owned()
        } else {
            format!("{most}{passes} times, in as many processes")
        };
        return format!("running {what} {times} under {python}");
    }
    if let Some(calls) = request.calls {
        return format!("running {what} {calls} times in each of {most}{passes} processes under {python}");
    }
    let long = request.sampled_budget.as_secs_f64();
    let sampled = match request.timing {
        Timing::Sampled => format!(", for {long} s while sampled (at most {MOST_PROCESSES} processes)"),
        Timing::Traced => format!(", for {long} s while traced"),
        Timing::Off => String::new(),
    };
    let counted = match counted + u64::from(request.types) {
        0 => String::new(),
        passes => format!(", then at most {} that are counted", MOST_COUNTED * passes),
    };
    let budget = request.budget.as_secs_f64();
    let jit = if request.jit {
        format!(", for {budget} s with the JIT on")
    } else {
        String::new()
    };
    format!("running {what} at most {MOST_CALLS} times in {budget} s{sampled}{counted}{jit}, under {python}")
}

/// The same for a trace; with times, calls are repeated.
#[must_use]
pub fn trace_announcement(request: &Request, times: bool) -> String {
    let python = format!("CPython {}", request.python.version);
    let what = match &request.workload.call {
        Some(call) => format!("{call} ({})", request.origin),
        None => request.workload.target.clone(),
    };
    let how = match request.workload.kind {
        WorkloadKind::Call | WorkloadKind::Doctest if times => "twice, then again and again for the times",
        WorkloadKind::Call | WorkloadKind::Doctest => "twice, the second time traced",
        _ => "once, traced",
    };
    format!("running {what} {how}, under {python}")
}

fn python(found: &Interpreter) -> Python {
    // The passes switch it off where there is one.
    let jit = match found.jit {
        Jit::None => Jit::None,
        Jit::Off | Jit::On => Jit::Off,
    };
    Python::from(&Interpreter { jit, ..found.clone() })
}

fn parent(path: &Path) -> PathBuf {
    path.parent().unwrap_or(path).to_owned()
}

/// Absolute and free of links, as the helper sees paths.
fn real(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}
