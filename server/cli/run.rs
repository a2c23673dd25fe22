//! `bytecost run`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use tokio::sync::watch;

use super::progress::Bar;
use super::{CANCELLED, PassName, Run, TARGET_FAILED, screen};
use crate::collect::config::{Config, project_root};
use crate::collect::interpreter::{self, Environment, Interpreter};
use crate::collect::target::Target;
use crate::collect::workload::{self, Flags, Origin, Plan};
use crate::collect::{self, MOST_CALLS, MOST_COUNTED, Request, merge};
use crate::cpython;
use crate::profile::{Note, PassKind, Profile, Python, Workload, WorkloadKind};
use crate::source::Source;
use crate::store;

/// How long short calls are repeated when nothing else is said.
const BUDGET: f64 = 0.4;

/// Runs the target and shows what it cost.
pub fn run(arguments: &Run) -> anyhow::Result<u8> {
    let request = prepare(arguments)?;
    if !arguments.quiet {
        screen::say(&announcement(&request, arguments));
    }
    let bar = Bar::new(request.workload.kind, arguments.quiet);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let done = runtime.block_on(async {
        let (cancel, mut cancelled) = watch::channel(false);
        tokio::spawn(async move {
            end_requested().await;
            cancel.send_replace(true);
            // Keeps the channel open.
            std::future::pending::<()>().await;
        });
        collect::run(&request, &mut cancelled, &mut |progress| bar.show(progress)).await
    });
    bar.clear();
    // A read of standard input may be waiting in a thread: it must not hold up the end.
    runtime.shutdown_background();
    let profile = match done {
        Ok(profile) => profile,
        Err(collect::Error::Cancelled) => {
            screen::say("cancelled");
            return Ok(CANCELLED);
        }
        Err(error) => return Err(error.into()),
    };
    if arguments.save {
        let path = store::save(&request.root, &profile)?;
        if !arguments.quiet {
            screen::say(&format!("saved {}", path.display()));
        }
    }
    screen::report(&profile, &arguments.output)?;
    Ok(if profile.failure().is_some() || unmeasured(&profile) {
        TARGET_FAILED
    } else {
        0
    })
}

/// The target went away without a trace: it became another program, or could write no result.
fn unmeasured(profile: &Profile) -> bool {
    let of_natural = |note: &Note| {
        matches!(
            note,
            Note::Skipped {
                pass: PassKind::Natural,
                ..
            }
        )
    };
    profile.notes.iter().any(of_natural)
}

/// Ctrl-C, or the wish of whoever started us.
async fn end_requested() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let (Ok(mut terminate), Ok(mut hangup)) =
            (signal(SignalKind::terminate()), signal(SignalKind::hangup()))
        else {
            let _ = tokio::signal::ctrl_c().await;
            return;
        };
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    }
    #[cfg(not(unix))]
    let _ = tokio::signal::ctrl_c().await;
}

/// Everything that can be refused is refused here, before anything runs.
fn prepare(arguments: &Run) -> anyhow::Result<Request> {
    let target = match (&arguments.module, &arguments.target) {
        (Some(module), _) => Target::module(module)?,
        (None, Some(target)) => Target::parse(target)?,
        (None, None) => unreachable!("clap requires one"),
    };
    target.check()?;
    let environment = Environment::of_process().context("the current folder cannot be read")?;
    let here = &environment.current_directory;
    let folder = target
        .file()
        .map_or_else(|| here.clone(), |file| parent(&here.join(file)));
    let config = Config::nearest(&folder)?;
    for warning in config.iter().flat_map(|config| &config.warnings) {
        screen::say(&warning.to_string());
    }
    let root = real(&project_root(&folder));
    let source = match target.file() {
        Some(file) => Source::new(&read(file)?),
        None => Source::new(""),
    };
    let flags = Flags {
        call: arguments.call.as_deref(),
        setup: arguments.setup.as_deref(),
    };
    let plan = workload::plan(&target, flags, config.as_ref(), &source)?;
    let candidate = interpreter::discover(arguments.python.as_deref(), config.as_ref(), &root, &environment)?;
    let python = python(&interpreter::probe(&candidate)?);
    Ok(request(
        arguments,
        &target,
        plan,
        config.as_ref(),
        python,
        root,
        here,
    ))
}

/// A source file in whatever encoding: only names, comments and positions are looked for here.
fn read(file: &Path) -> anyhow::Result<String> {
    let bytes = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    Ok(String::from_utf8(bytes)
        .unwrap_or_else(|error| error.into_bytes().into_iter().map(char::from).collect()))
}

fn request(
    arguments: &Run,
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
        Some(config) if arguments.include.is_empty() => config.include.clone(),
        _ => arguments.include.clone(),
    };
    let time = arguments.time.or_else(|| config.and_then(|config| config.time));
    let repeats = matches!(plan.kind, WorkloadKind::Call | WorkloadKind::Doctest);
    let limit = |seconds: f64| (seconds > 0.0).then(|| Duration::from_secs_f64(seconds));
    // With a time to keep, a call that does not end in twice that has hung; a program just runs on.
    let deadline = time.map_or(arguments.deadline, |time| {
        let time = if repeats { (2.0 * time).max(1.0) } else { time };
        if arguments.deadline > 0.0 {
            time.min(arguments.deadline)
        } else {
            time
        }
    });
    Request {
        python,
        workload: Workload {
            kind: plan.kind,
            target: target.to_string(),
            file: shown.map(|file| merge::relative(&file.display().to_string(), &root)),
            qualname: plan.qualname,
            call: plan.call,
            setup: plan.setup,
            arguments: arguments.arguments.clone(),
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
        count: arguments.passes.contains(&PassName::Count) && !arguments.once,
        once: arguments.once,
        calls: arguments.calls,
        budget: Duration::from_secs_f64(time.unwrap_or(BUDGET)),
        deadline: limit(deadline),
        counted_deadline: limit(time.map_or(arguments.deadline, |time| {
            let time = (20.0 * time).max(10.0);
            if arguments.deadline > 0.0 {
                time.min(arguments.deadline)
            } else {
                time
            }
        })),
    }
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
fn announcement(request: &Request, arguments: &Run) -> String {
    let passes = if request.count {
        if request.python.minor == "3.11" { 3 } else { 2 }
    } else {
        1
    };
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
            format!("{passes} times, in as many processes")
        };
        return format!("running {what} {times} under {python}");
    }
    if let Some(calls) = request.calls {
        return format!("running {what} {calls} times in each of {passes} processes under {python}");
    }
    let counted = match passes {
        1 => String::new(),
        _ => format!(", then at most {} that are counted", MOST_COUNTED * (passes - 1)),
    };
    let budget = arguments.time.unwrap_or(request.budget.as_secs_f64());
    format!("running {what} at most {MOST_CALLS} times in {budget} s{counted}, under {python}")
}

fn python(found: &Interpreter) -> Python {
    Python {
        version: found.version.clone(),
        minor: found.minor.clone(),
        executable: found.executable.display().to_string(),
        // The passes switch it off where there is one.
        jit: if found.jit.as_str() == "none" {
            "none"
        } else {
            "off"
        }
        .to_owned(),
        free_threaded: found.free_threaded,
        pystats: found.pystats,
        known: cpython::version(&found.minor).is_some(),
    }
}

fn parent(path: &Path) -> PathBuf {
    path.parent().unwrap_or(path).to_owned()
}

/// Absolute and free of links, as the helper sees paths.
fn real(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}
