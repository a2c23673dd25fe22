//! A process that runs already: sampled for a while, its live bytecode read from outside. Nothing in
//! it is changed or stopped, and nothing is left behind.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use tokio::sync::watch;

use super::helper::Helper;
use super::interpreter::Environment;
use super::merge::{self, Finished};
use super::sample::{self, Sampler, Samples, Snapshot};
use super::wire::{self, Origin};
use super::{config, interpreter};
use crate::bytecode::Tables;
use crate::profile::{Outcome, PassKind, Profile, Python, Workload, WorkloadKind};

/// What to look at.
#[derive(Debug, Clone)]
pub struct Request {
    /// The process.
    pub pid: i32,
    /// How long.
    pub time: Duration,
    /// Samples a second.
    pub rate: u32,
    /// An interpreter of the same version, to ask for its tables; else that of the process.
    pub python: Option<String>,
    /// Measure the files that match one of these globs instead of all that are not installed.
    pub include: Vec<String>,
}

/// Why there is nothing to show.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It cannot be read.
    #[error("{error}{advice}")]
    Sample {
        /// Why not.
        error: sample::Error,
        /// What to do.
        advice: String,
    },
    /// No Python code was seen.
    #[error("process {pid} ran no Python code in {seconds} s")]
    Nothing {
        /// The process.
        pid: i32,
        /// How long it was looked at.
        seconds: f64,
    },
    /// The interpreter's tables could not be had.
    #[error("cannot ask {} for its opcodes: {what}; name a CPython {minor} with --python", python.display())]
    Tables {
        /// The interpreter.
        python: PathBuf,
        /// Its version.
        minor: String,
        /// What went wrong.
        what: String,
    },
    /// An interpreter could not be had.
    #[error(transparent)]
    Interpreter(#[from] interpreter::InterpreterError),
    /// The helper could not be unpacked.
    #[error(transparent)]
    Run(#[from] super::Error),
}

/// Samples a process and reads what it runs.
///
/// # Errors
/// See [`Error`].
pub async fn look(
    request: &Request,
    environment: &Environment,
    cancelled: &mut watch::Receiver<bool>,
) -> Result<Profile, Error> {
    let pid = request.pid;
    let refused = |error: sample::Error| Error::Sample {
        advice: advice(&error),
        error,
    };
    sample::check(pid).map_err(refused)?;
    let sampler = Sampler::start(sample::Options {
        pid,
        rate: request.rate,
        window: None,
        harness: Vec::new(),
        bytecode: true,
    });
    let over = tokio::time::sleep(request.time);
    tokio::select! {
        () = over => {}
        _ = cancelled.wait_for(|&cancelled| cancelled) => {
            let _ = sampler.finish();
            return Err(super::Error::Cancelled.into());
        }
        () = gone(pid) => {}
    }
    let seen = sampler.finish().map_err(refused)?;
    let Some(runtime) = seen.snapshot.as_ref().filter(|_| !seen.codes.is_empty()) else {
        return Err(Error::Nothing {
            pid,
            seconds: request.time.as_secs_f64(),
        });
    };
    let python = python(request, runtime, environment)?;
    let told = tables(Path::new(&python.executable), &runtime.minor)?;
    let here = std::fs::read_link(format!("/proc/{pid}/cwd")).unwrap_or_default();
    let root = config::project_root(&here);
    let codes = codes(request, &seen, &told, &here, &root);
    let version = python.version.clone();
    let finished = Finished {
        kind: PassKind::Sample,
        outcome: Outcome::Completed,
        result: Some(wire::Result::of_codes(
            PassKind::Sample,
            codes,
            told.tables,
            seen.window_ns,
        )),
        samples: Some(Ok(seen)),
    };
    // It may live in a container: its files are below its own root.
    let read = |path: &str| std::fs::read(format!("/proc/{pid}/root{path}")).or_else(|_| std::fs::read(path));
    let workload = Workload {
        kind: WorkloadKind::Process,
        target: format!("process {pid}"),
        file: None,
        qualname: None,
        call: None,
        setup: None,
        arguments: arguments(pid),
    };
    let mut profile = merge::merge(python, workload, &root, &[finished], None, &read);
    profile.python.version = version;
    Ok(profile)
}

/// Completes when the process has ended.
async fn gone(pid: i32) {
    while Path::new(&format!("/proc/{pid}")).exists() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Its command line.
fn arguments(pid: i32) -> Vec<String> {
    let text = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    text.split(|&byte| byte == 0)
        .filter(|argument| !argument.is_empty())
        .map(|argument| String::from_utf8_lossy(argument).into_owned())
        .collect()
}

/// What to do about a refusal.
fn advice(error: &sample::Error) -> String {
    let sample::Error::Denied { pid } = error else {
        return String::new();
    };
    let owner = |pid: &str| {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("Uid:"))?;
        line.split_whitespace().nth(1)?.parse::<u32>().ok()
    };
    let theirs = owner(&pid.to_string());
    if let (Some(theirs), Some(ours)) = (theirs, owner("self"))
        && theirs != ours
    {
        return format!(
            ": it belongs to user {theirs}, this is user {ours}; run bytecost as that user or as root"
        );
    }
    let scope = std::fs::read_to_string("/proc/sys/kernel/yama/ptrace_scope").unwrap_or_default();
    match scope.trim() {
        "" | "0" => ": run bytecost as root, or in a container give it the capability SYS_PTRACE \
                     (docker run --cap-add SYS_PTRACE)"
            .to_owned(),
        scope => format!(
            ": kernel.yama.ptrace_scope is {scope}; run bytecost as root, or allow it with \
             `sudo sysctl kernel.yama.ptrace_scope=0`"
        ),
    }
}

/// The interpreter of the process, or another of its version, to be asked.
fn python(request: &Request, runtime: &Snapshot, environment: &Environment) -> Result<Python, Error> {
    let here = &environment.current_directory;
    let found = |name: &str| {
        let candidate = interpreter::discover(Some(name), None, here, environment)?;
        interpreter::probe(&candidate)
    };
    let found = match &request.python {
        Some(name) => found(name)?,
        // That of a container has its libraries there.
        None => match own_program(request.pid).and_then(|program| found(&program).ok()) {
            Some(own) if own.minor == runtime.minor => own,
            _ => found(&runtime.minor)?,
        },
    };
    if found.minor != runtime.minor {
        return Err(Error::Tables {
            python: found.executable,
            minor: runtime.minor.clone(),
            what: format!("it is CPython {}", found.version),
        });
    }
    Ok(Python {
        version: runtime.version.clone(),
        free_threaded: runtime.free_threaded,
        ..Python::from(&found)
    })
}

/// The program of a process; none when it is not a Python's own, or one of another root.
fn own_program(pid: i32) -> Option<String> {
    let program = std::fs::read_link(format!("/proc/{pid}/exe")).ok()?;
    let is_python = program.file_name()?.to_string_lossy().starts_with("python");
    let link = |process: &str, what: &str| std::fs::read_link(format!("/proc/{process}/{what}")).ok();
    let is_same = |what: &str| link(&pid.to_string(), what) == link("self", what);
    (is_python && is_same("root") && is_same("ns/mnt") && program.is_file())
        .then(|| program.display().to_string())
}

/// An interpreter's tables.
#[derive(Deserialize)]
struct Told {
    tables: Tables,
    /// Base opcode names by the names of the live forms that take their place.
    bases: HashMap<String, String>,
}

fn tables(python: &Path, minor: &str) -> Result<Told, Error> {
    let failed = |what: String| Error::Tables {
        python: python.to_owned(),
        minor: minor.to_owned(),
        what,
    };
    let helper = Helper::unpack().map_err(super::Error::Unpack)?;
    let done = std::process::Command::new(python)
        .args(["-I", "-S", "-B"])
        .arg(helper.folder().join("bytecost_tables.py"))
        .output()
        .map_err(|error| failed(error.to_string()))?;
    serde_json::from_slice(&done.stdout).map_err(|error| {
        let said = String::from_utf8_lossy(&done.stderr);
        failed(
            said.lines()
                .last()
                .map_or_else(|| error.to_string(), str::to_owned),
        )
    })
}

/// The code objects of the files that are measured.
fn codes(request: &Request, samples: &Samples, told: &Told, here: &Path, root: &Path) -> Vec<wire::Code> {
    let globs = request.include.iter().filter_map(|glob| {
        let glob = if Path::new(glob).is_absolute() {
            PathBuf::from(glob)
        } else {
            root.join(glob)
        };
        globset::Glob::new(&glob.display().to_string()).ok()
    });
    let globs: Vec<_> = globs.map(|glob| glob.compile_matcher()).collect();
    let live = samples
        .codes
        .iter()
        .filter_map(|code| Some((code, code.live.as_ref()?)));
    live.filter_map(|(code, live)| {
        let path = here.join(&code.filename);
        // Some code has no file; it may live in a container, below a root of its own.
        let inside = PathBuf::from(format!("/proc/{}/root{}", request.pid, path.display()));
        if !inside.is_file() && !path.is_file() {
            return None;
        }
        let wanted = if globs.is_empty() {
            !is_installed(&path)
        } else {
            globs.iter().any(|glob| glob.is_match(&path))
        };
        wanted.then(|| wire::Code {
            address: code.address,
            path: path.display().to_string(),
            origin: Origin::Tree,
            qualname: code.qualname.clone(),
            first_line: code.first_line,
            flags: 0,
            code: base(&live.bytecode, told),
            adaptive: live.bytecode.clone(),
            lines: live.lines.clone(),
            names: Vec::new(),
            locals: Vec::new(),
            constants: Vec::new(),
            counts: None,
            jit: None,
        })
    })
    .collect()
}

/// Whether a file belongs to the interpreter or an installed package.
fn is_installed(path: &Path) -> bool {
    path.components().any(|part| {
        let part = part.as_os_str().to_string_lossy();
        matches!(&*part, "site-packages" | "dist-packages")
            || part
                .strip_prefix("python3.")
                .is_some_and(|minor| minor.parse::<u8>().is_ok())
    })
}

/// What live bytecode was before it specialized, without the contents of its caches.
fn base(live: &[u8], told: &Told) -> Vec<u8> {
    let numbers: HashMap<&str, u8> = told
        .tables
        .base
        .iter()
        .map(|(&number, name)| (name.as_str(), number))
        .collect();
    let mut code = vec![0; live.len()];
    let mut offset = 0;
    while offset + 1 < live.len() {
        let name = told.tables.names.get(&live[offset]);
        let base = name.and_then(|name| told.bases.get(name).or(Some(name)));
        let number = base.and_then(|base| numbers.get(base.as_str()).copied());
        code[offset] = number.unwrap_or(live[offset]);
        code[offset + 1] = live[offset + 1];
        let caches = base
            .and_then(|base| told.tables.caches.get(base))
            .copied()
            .unwrap_or(0);
        offset += 2 + 2 * caches as usize;
    }
    code
}
