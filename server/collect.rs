//! Runs things: the target under the helper, one process a pass.

pub mod calibrate;
pub mod compile;
pub mod config;
pub mod helper;
pub mod interpreter;
pub mod live;
pub mod merge;
mod outcome;
pub mod output;
mod passes;
pub mod prepare;
pub mod process;
pub mod sample;
mod session;
pub mod stdin;
pub mod target;
pub mod trace;
pub mod wire;
pub mod workload;

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::Duration;

use tokio::sync::watch;

use self::merge::Finished;
use self::output::Output;
pub use self::passes::{MOST_PROCESSES, name};
use self::passes::{counted_calls, kinds};
use self::session::{Session, Turn};
use crate::profile::{Note, Outcome, PassKind, Profile, Python, Workload, WorkloadKind};

/// Most calls of the natural pass.
pub const MOST_CALLS: u64 = 10_000;
/// Most calls of the counted passes.
pub const MOST_COUNTED: u64 = 1_000;
/// Most calls of the sampled pass: its time decides.
const MOST_SAMPLED: u64 = 1_000_000_000;
/// Most instructions of a traced call whose times are taken.
const MOST_TRACED: u64 = 200_000;
/// A counted pass repeats a short workload until it is as long as this when not counted.
const LONG_ENOUGH_NS: f64 = 1_000_000.0;

/// What can go wrong in bytecost's own part of a run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The helper could not be unpacked.
    #[error("cannot write the helper to the temporary folder: {0}; set TMPDIR to a folder you can write to")]
    Unpack(std::io::Error),
    /// The interpreter could not be started.
    #[error("cannot start {}: {error}", python.display())]
    Start {
        /// The interpreter.
        python: PathBuf,
        /// The system's reason.
        error: std::io::Error,
    },
    /// The helper failed.
    #[error("the helper failed in the {pass} pass under Python {python}: {what}; please report this")]
    Helper {
        /// The pass.
        pass: &'static str,
        /// The interpreter's version.
        python: String,
        /// Type, message and place.
        what: String,
    },
    /// The user cancelled.
    #[error("cancelled")]
    Cancelled,
}

/// How times are taken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Timing {
    /// Not at all.
    #[default]
    Off,
    /// By a sampler; traced where there can be none.
    Sampled,
    /// By tracing every instruction.
    Traced,
}

/// Everything a run needs to know.
#[derive(Debug, Clone)]
#[allow(clippy::struct_excessive_bools, reason = "independent of each other")]
pub struct Request {
    /// The interpreter.
    pub python: Python,
    /// What is run, for the record.
    pub workload: Workload,
    /// Folder whose files are measured.
    pub root: PathBuf,
    /// Measure the files that match one of these globs instead.
    pub include: Vec<String>,
    /// File of a function or script.
    pub file: Option<PathBuf>,
    /// Module name: of the file for functions, of `-m` for modules.
    pub module: Option<String>,
    /// Folder the module is imported from, for functions.
    pub import_root: Option<PathBuf>,
    /// The file belongs to a package.
    pub package: bool,
    /// `sys.argv[0]` of a script.
    pub argv0: Option<String>,
    /// What pytest is to run.
    pub selection: Option<String>,
    /// Examples of a docstring.
    pub doctest: Vec<String>,
    /// Where the call was found, in words.
    pub origin: String,
    /// Make the counted passes.
    pub count: bool,
    /// How times are taken.
    pub timing: Timing,
    /// Read operand types at the sites that the counted passes marked.
    pub types: bool,
    /// Look at the JIT's executors in a pass with it on.
    pub jit: bool,
    /// Tell apart by function what a pystats build counts.
    pub pystats: bool,
    /// Make a single call in the natural pass.
    pub once: bool,
    /// Calls to make in every pass; else chosen by how long one takes.
    pub calls: Option<u64>,
    /// How long calls are repeated in the natural pass.
    pub budget: Duration,
    /// How long they are repeated in the sampled pass.
    pub sampled_budget: Duration,
    /// Samples a second in it.
    pub rate: u32,
    /// When the natural pass is stopped; later ones too, if it was.
    pub deadline: Option<Duration>,
    /// When a counted pass is stopped.
    pub counted_deadline: Option<Duration>,
}

impl Request {
    /// Whether a pass tells apart what a pystats build counts.
    fn tells_failures(&self) -> bool {
        self.pystats && self.python.pystats && has_monitoring(&self.python)
    }
}

/// What a run shares with whoever started it.
#[derive(Debug, Clone)]
pub struct Surroundings {
    /// Where the output of the first pass goes; that of the others goes nowhere.
    pub output: Output,
    /// Whether the target may read our standard input.
    pub input: bool,
    /// The folder it starts in, if not ours.
    pub directory: Option<PathBuf>,
}

impl Default for Surroundings {
    /// As on a command line.
    fn default() -> Self {
        Self {
            output: Output::Inherit,
            input: true,
            directory: None,
        }
    }
}

/// How far a run is.
#[derive(Debug, Clone, Copy)]
pub struct Progress {
    /// The pass that runs.
    pub pass: PassKind,
    /// Its number, from 1.
    pub number: usize,
    /// How many passes there will be.
    pub passes: usize,
    /// How much of it is done, 0 to 1, if it can be told.
    pub fraction: Option<f64>,
    /// Calls so far.
    pub calls: u64,
    /// Since the pass began.
    pub elapsed: Duration,
}

/// Runs all passes of a workload and merges what they saw.
///
/// A target that fails is no error: the profile says so and holds what was measured.
///
/// # Errors
/// See [`Error`]. On every path all processes of the run are gone.
pub async fn run(
    request: &Request,
    cancelled: &mut watch::Receiver<bool>,
    progress: &mut dyn FnMut(Progress),
) -> Result<Profile, Error> {
    run_in(request, &Surroundings::default(), cancelled, progress).await
}

/// As [`run`], in other surroundings than a command line's.
///
/// # Errors
/// As [`run`].
pub async fn run_in(
    request: &Request,
    surroundings: &Surroundings,
    cancelled: &mut watch::Receiver<bool>,
    progress: &mut dyn FnMut(Progress),
) -> Result<Profile, Error> {
    let mut session = Session::new(request, surroundings, kinds(request))?;
    let mut finished = vec![
        session
            .process(
                PassKind::Natural,
                Turn::only(1, request.calls.unwrap_or(MOST_CALLS)),
                cancelled,
                progress,
            )
            .await?,
    ];
    let texts = texts(&finished[0]);
    let mut skipped = None;
    if worth_counting(&finished[0]) {
        let calls = request.calls.unwrap_or_else(|| counted_calls(&finished[0]));
        for number in 2..=session.passes.len() {
            let kind = session.passes[number - 1];
            if kind == PassKind::Types {
                session.sites = merge::candidates(&request.python, &finished);
                if session.sites.is_empty() {
                    continue;
                }
            }
            let calls = match kind {
                PassKind::Sample => request.calls.unwrap_or(MOST_SAMPLED),
                PassKind::Jit => request.calls.unwrap_or(MOST_CALLS),
                _ => calls,
            };
            let turn = Turn::only(number, calls);
            if kind == PassKind::Sample {
                session.sample(turn, cancelled, progress, &mut finished).await?;
                continue;
            }
            match session.process(kind, turn, cancelled, progress).await {
                // The JIT is an experiment of CPython's: what was measured without it stands.
                Err(Error::Helper { what, .. }) if kind == PassKind::Jit => {
                    skipped = Some(Note::Skipped {
                        pass: kind,
                        why: what,
                    });
                }
                pass => finished.push(pass?),
            }
        }
    }
    let traced = if wants_trace(request, &finished) {
        let options = trace::Options {
            limit: MOST_TRACED,
            depth: None,
            everything: false,
            times: request.sampled_budget,
        };
        let silent = Surroundings {
            output: Output::Null,
            input: false,
            directory: surroundings.directory.clone(),
        };
        let mut request = request.clone();
        request.deadline = request.counted_deadline;
        Some(trace::trace(&request, &options, &silent, cancelled).await?)
    } else {
        None
    };
    let read = |path: &str| texts.get(path).cloned().map_or_else(|| std::fs::read(path), Ok);
    let mut profile = merge::merge(
        request.python.clone(),
        request.workload.clone(),
        &request.root,
        &finished,
        traced.as_ref(),
        &read,
    );
    profile.notes.extend(skipped);
    profile.notes.extend(traced.as_ref().and_then(untimed));
    Ok(profile)
}

/// Why a trace gave no times; none when it gave some.
fn untimed(trace: &crate::trace::Trace) -> Option<Note> {
    let why = match (trace.times, trace.cut_at, &trace.outcome) {
        (Some(_), ..) => return None,
        (None, Some(limit), _) => {
            format!("a call executes more than {limit} instructions; name one with less work by --call")
        }
        (None, None, Outcome::Completed) => "no call ended as the one before it".to_owned(),
        (None, None, _) => "the traced call did not end well".to_owned(),
    };
    Some(Note::Skipped {
        pass: PassKind::Trace,
        why,
    })
}

/// Whether times must come from a trace: wanted so, or nothing could be sampled. A program that runs
/// once has no least time of an instruction.
fn wants_trace(request: &Request, finished: &[Finished]) -> bool {
    let repeats = matches!(request.workload.kind, WorkloadKind::Call | WorkloadKind::Doctest);
    let is_dark = |pass: &Finished| matches!(&pass.samples, Some(Err(_)));
    repeats
        && worth_counting(&finished[0])
        && (request.timing == Timing::Traced || finished.iter().any(is_dark))
}

/// The files of a pass as they are right after it: what is edited later is not what ran.
fn texts(finished: &Finished) -> HashMap<String, Vec<u8>> {
    let files = finished.result.iter().flat_map(|result| &result.files);
    files
        .filter_map(|file| Some((file.path.clone(), std::fs::read(&file.path).ok()?)))
        .collect()
}

/// Keeps in a profile the texts it was measured with, as far as the files still have them: it can
/// then be shown on lines that did not change when others did.
pub fn keep_texts(profile: &mut Profile) {
    let root = PathBuf::from(&profile.root);
    for file in profile.files.iter_mut().filter(|file| file.text.is_none()) {
        let text = std::fs::read_to_string(root.join(&file.path)).ok();
        file.text = text.filter(|text| merge::digest(text.as_bytes()) == file.digest);
    }
}

/// Whether the interpreter has `sys.monitoring`, new in 3.12.
pub(crate) fn has_monitoring(python: &Python) -> bool {
    python.minor != "3.11"
}

/// A crash is not repeated; a file that does not compile has nothing to count.
fn worth_counting(natural: &Finished) -> bool {
    !matches!(natural.outcome, Outcome::Killed { .. })
        && natural
            .result
            .as_ref()
            .is_some_and(|result| !result.codes.is_empty())
}
