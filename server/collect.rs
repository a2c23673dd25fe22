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
pub mod stdin;
pub mod target;
pub mod trace;
pub mod wire;
pub mod workload;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use self::helper::{Helper, Job, bytes, environment, read_progress};
use self::merge::Finished;
use self::outcome::{crash_place, outcome};
use self::output::Output;
pub use self::passes::{MOST_PROCESSES, name};
use self::passes::{counted_calls, kinds, sampled_processes};
use self::process::End;
use self::sample::Sampler;
use self::stdin::Input;
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

/// How long calls go on unmeasured before one of several sampled processes is sampled.
const WARM_UP: Duration = Duration::from_millis(60);

/// The file in which the helper says when to sample.
const WINDOW: &str = "sample.window";

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

struct Session<'a> {
    request: &'a Request,
    surroundings: &'a Surroundings,
    helper: Helper,
    input: Input,
    environment: Vec<(String, String)>,
    passes: Vec<PassKind>,
    /// Whose operands to read, for the types pass.
    sites: Vec<String>,
    /// The natural pass had to be stopped.
    endless: bool,
    /// How long the last process lived besides the calls it made.
    overhead: Duration,
}

/// Which process of a pass it is, and what it is to do.
#[derive(Debug, Clone, Copy)]
struct Turn {
    /// Number of the pass, from 1.
    number: usize,
    /// Most calls.
    calls: u64,
    /// When the pass began.
    began: Instant,
    /// Calls that earlier processes of the pass made.
    called: u64,
    /// Number of the process in the pass, from 0.
    process: u32,
    /// Processes of the pass.
    processes: u32,
}

impl Turn {
    /// The only process of a pass.
    fn only(number: usize, calls: u64) -> Self {
        Self {
            number,
            calls,
            began: Instant::now(),
            called: 0,
            process: 0,
            processes: 1,
        }
    }
}

impl<'a> Session<'a> {
    fn new(
        request: &'a Request,
        surroundings: &'a Surroundings,
        passes: Vec<PassKind>,
    ) -> Result<Self, Error> {
        Ok(Self {
            request,
            surroundings,
            helper: Helper::unpack().map_err(Error::Unpack)?,
            input: match request.workload.kind {
                WorkloadKind::Script | WorkloadKind::Module | WorkloadKind::Pytest if surroundings.input => {
                    Input::ours()
                }
                _ => Input::Empty,
            },
            environment: environment(),
            passes,
            sites: Vec::new(),
            endless: false,
            overhead: Duration::ZERO,
        })
    }

    /// The sampled pass: its time is divided among processes, as each differs from the others in where its
    /// memory is, and its shares with it.
    async fn sample(
        &mut self,
        turn: Turn,
        cancelled: &mut watch::Receiver<bool>,
        progress: &mut dyn FnMut(Progress),
        finished: &mut Vec<Finished>,
    ) -> Result<(), Error> {
        let processes = sampled_processes(self.request, &finished[0], self.overhead);
        let mut called = 0;
        for process in 0..processes {
            let turn = Turn {
                called,
                process,
                processes,
                ..turn
            };
            let pass = self.process(PassKind::Sample, turn, cancelled, progress).await?;
            called += pass.result.as_ref().map_or(0, |result| result.calls);
            let failed = pass.outcome != Outcome::Completed || matches!(pass.samples, Some(Err(_)));
            finished.push(pass);
            if failed {
                break;
            }
        }
        Ok(())
    }

    async fn process(
        &mut self,
        kind: PassKind,
        turn: Turn,
        cancelled: &mut watch::Receiver<bool>,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Finished, Error> {
        let number = turn.number;
        let name = format!("{}.{}", name(kind), turn.process);
        let result = self.helper.file(&format!("{name}.result"));
        let progress_file = self.helper.file(&format!("{name}.progress"));
        let job = self.helper.file(&format!("{name}.job"));
        let text = self.job(kind, turn, &result, &progress_file);
        std::fs::write(&job, text.text()).map_err(Error::Unpack)?;
        if kind == PassKind::Sample {
            std::fs::write(self.helper.file(WINDOW), b"0").map_err(Error::Unpack)?;
        }
        let python = Path::new(&self.request.python.executable);
        let started = Instant::now();
        let passes = self.passes.len();
        let mut tick = || {
            let (fraction, calls) = read_progress(&progress_file);
            let of_pass = |part: f64| (f64::from(turn.process) + part) / f64::from(turn.processes);
            progress(Progress {
                pass: kind,
                number,
                passes,
                fraction: fraction.map(of_pass),
                calls: turn.called + calls,
                elapsed: turn.began.elapsed(),
            });
        };
        tick();
        let watcher = std::cell::Cell::new(None);
        let window = self.helper.file(WINDOW);
        let harness = self.helper.folder().display().to_string();
        let rate = self.request.rate;
        let watch = (kind == PassKind::Sample).then(|| -> Box<dyn FnOnce(i32)> {
            Box::new(|pid| {
                watcher.set(Some(Sampler::start(sample::Options {
                    pid,
                    rate,
                    window: Some(window),
                    harness: vec![harness, "<call>".to_owned()],
                    bytecode: false,
                })));
            })
        });
        let mut environment = self.environment.clone();
        if kind == PassKind::Jit {
            "1".clone_into(&mut environment[0].1);
        }
        let command = process::Command {
            python,
            arguments: vec![self.helper.program(), job],
            environment: &environment,
            output: if number == 1 {
                &self.surroundings.output
            } else {
                &Output::Null
            },
            directory: self.surroundings.directory.as_deref(),
            deadline: self.deadline(kind),
            started: watch,
        };
        let end = process::run(command, &mut self.input, cancelled, &mut tick)
            .await
            .map_err(|error| Error::Start {
                python: python.to_owned(),
                error,
            })?;
        let samples = watcher.into_inner().map(finish);
        if matches!(end, End::Cancelled) {
            return Err(Error::Cancelled);
        }
        let read = self.read(kind, &result)?;
        let place = crash_place(&result.with_extension("result.crash"), self.helper.folder());
        let deadline = self.deadline(kind);
        let outcome = outcome(&end, read.as_ref(), deadline, place);
        let called = read.as_ref().map_or(0, |result| result.wall_ns);
        self.overhead = started.elapsed().saturating_sub(Duration::from_nanos(called));
        self.endless |= matches!(outcome, Outcome::TimedOut { .. });
        Ok(Finished {
            kind,
            outcome,
            result: read,
            samples,
        })
    }

    fn deadline(&self, kind: PassKind) -> Option<Duration> {
        let natural = matches!(kind, PassKind::Natural | PassKind::Sample) || self.endless;
        if natural {
            self.request.deadline
        } else {
            self.request.counted_deadline
        }
    }

    fn job(&self, kind: PassKind, turn: Turn, result: &Path, progress: &Path) -> Job {
        let request = self.request;
        let mut job = Job::default();
        job.add("pass", name(kind));
        job.add(
            "kind",
            match request.workload.kind {
                WorkloadKind::Call => "call",
                WorkloadKind::Doctest => "doctest",
                WorkloadKind::Script => "script",
                WorkloadKind::Module => "module",
                WorkloadKind::Pytest => "pytest",
                // Never started by us.
                WorkloadKind::Process => "process",
            },
        );
        job.add("result", bytes(result))
            .add("progress", bytes(progress))
            .add("root", bytes(&request.root));
        for glob in &request.include {
            job.add("include", glob);
        }
        for (name, _) in &self.environment {
            // `NAME` alone is removed again, `NAME=VALUE` set back.
            job.add(
                "environment",
                match std::env::var(name) {
                    Ok(value) => format!("{name}={value}"),
                    Err(_) => name.clone(),
                },
            );
        }
        for (key, path) in [("file", &request.file), ("import-root", &request.import_root)] {
            if let Some(path) = path {
                job.add(key, bytes(path));
            }
        }
        let texts = [
            ("module", &request.module),
            ("argv0", &request.argv0),
            ("selection", &request.selection),
            ("call", &request.workload.call),
            ("setup", &request.workload.setup),
        ];
        for (key, text) in texts {
            if let Some(text) = text {
                job.add(key, text);
            }
        }
        job.add("package", if request.package { "1" } else { "0" });
        for example in &request.doctest {
            job.add("example", example);
        }
        for site in self.sites.iter().filter(|_| kind == PassKind::Types) {
            job.add("site", site);
        }
        for argument in &request.workload.arguments {
            job.add("argv", argument);
        }
        let natural = matches!(kind, PassKind::Natural | PassKind::Jit);
        job.add(
            "calls",
            if natural && request.once { 1 } else { turn.calls }.to_string(),
        );
        // Without a budget, only the number of calls decides.
        let budget = match kind {
            _ if request.calls.is_some() => 0,
            PassKind::Natural | PassKind::Jit => request.budget.as_nanos(),
            PassKind::Sample => request.sampled_budget.as_nanos() / u128::from(turn.processes),
            _ => 0,
        };
        if kind == PassKind::Sample {
            job.add("window", bytes(&self.helper.file(WINDOW)));
            // Each process has a beginning, which is unlike the rest: with several it would weigh.
            let warm_up = if turn.processes > 1 {
                WARM_UP
            } else {
                Duration::ZERO
            };
            job.add("warm-up-ns", warm_up.as_nanos().to_string());
        }
        job.add("budget-ns", budget.to_string());
        if let Some(deadline) = self.deadline(kind) {
            job.add("deadline", deadline.as_secs_f64().to_string());
        }
        job
    }

    fn read(&self, kind: PassKind, path: &Path) -> Result<Option<wire::Result>, Error> {
        let Ok(text) = std::fs::read(path) else {
            return Ok(None);
        };
        let failed = |what: String| Error::Helper {
            pass: name(kind),
            python: self.request.python.version.clone(),
            what,
        };
        match wire::parse::<wire::Result>(&text).map_err(failed)? {
            result if result.format == wire::FORMAT => Ok(Some(result)),
            result => Err(failed(format!("its result has format {}", result.format))),
        }
    }
}

/// What a sampler saw.
fn finish(watcher: Sampler) -> Result<sample::Samples, sample::Error> {
    let seen = watcher.finish();
    // As where the system forbids it.
    match std::env::var_os("BYTECOST_NO_SAMPLING") {
        Some(_) => Err(sample::Error::Platform),
        None => seen,
    }
}
