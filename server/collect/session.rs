//! The processes of a run: each is given its job, watched, and read when it has ended.

use std::path::Path;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::helper::{Helper, Job, bytes, environment, read_progress};
use super::merge::Finished;
use super::outcome::{crash_place, outcome};
use super::output::Output;
use super::passes::{name, sampled_processes};
use super::process::{self, End};
use super::sample::{self, Sampler};
use super::stdin::Input;
use super::{Error, Progress, Request, Surroundings, wire};
use crate::profile::{Outcome, PassKind, WorkloadKind};

/// How long calls go on unmeasured before one of several sampled processes is sampled.
const WARM_UP: Duration = Duration::from_millis(60);

/// The file in which the helper says when to sample.
const WINDOW: &str = "sample.window";

/// A run's helper and what its processes share.
pub(super) struct Session<'a> {
    request: &'a Request,
    surroundings: &'a Surroundings,
    pub(super) helper: Helper,
    pub(super) input: Input,
    pub(super) environment: Vec<(String, String)>,
    pub(super) passes: Vec<PassKind>,
    /// Whose operands to read, for the types pass.
    pub(super) sites: Vec<String>,
    /// The natural pass had to be stopped.
    endless: bool,
    /// How long the last process lived besides the calls it made.
    overhead: Duration,
}

/// Which process of a pass it is, and what it is to do.
#[derive(Debug, Clone, Copy)]
pub(super) struct Turn {
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
    pub(super) fn only(number: usize, calls: u64) -> Self {
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
    pub(super) fn new(
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
    pub(super) async fn sample(
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

    /// Runs one process of a pass to its end.
    pub(super) async fn process(
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

    pub(super) fn job(&self, kind: PassKind, turn: Turn, result: &Path, progress: &Path) -> Job {
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
