//! The trace of one call: a process of its own, in which the events are recorded.

use std::path::Path;
use std::time::Duration;

use serde::Deserialize;
use tokio::sync::watch;

use super::outcome::{crash_place, outcome_of};
use super::process;
use super::session::{Session, Turn};
use super::{Error, Request, Surroundings, merge};
use crate::profile::{Outcome, PassKind};
use crate::trace::{Code, Event, Instruction, Leave, Times, Trace, What};

/// Added by the helper to the kind of an event outside of the target's calls.
const HIDDEN: i64 = 8;

/// What to record.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Most instructions to record; the call goes on unrecorded.
    pub limit: u64,
    /// Deepest frames to record, 1 for the outermost alone.
    pub depth: Option<u32>,
    /// Record code outside of the project too.
    pub everything: bool,
    /// How long calls are repeated for their times; zero for no times.
    pub times: Duration,
}

/// Traces a workload.
///
/// # Errors
/// As [`super::run`].
pub async fn trace(
    request: &Request,
    options: &Options,
    surroundings: &Surroundings,
    cancelled: &mut watch::Receiver<bool>,
) -> Result<Trace, Error> {
    let mut session = Session::new(request, surroundings, Vec::new())?;
    let result = session.helper.file("events.result");
    let told = session.helper.file("events.progress");
    let job_file = session.helper.file("events.job");
    let mut job = session.job(PassKind::Natural, Turn::only(1, 1), &result, &told);
    job.set("pass", "events")
        .set("limit", options.limit.to_string())
        .set("depth", options.depth.unwrap_or(0).to_string())
        .set("everything", if options.everything { "1" } else { "0" })
        .set("times-ns", options.times.as_nanos().to_string());
    if let Some(qualname) = &request.workload.qualname {
        job.set("qualname", qualname);
    }
    std::fs::write(&job_file, job.text()).map_err(Error::Unpack)?;
    let python = Path::new(&request.python.executable);
    let command = process::Command {
        python,
        arguments: vec![session.helper.program(), job_file],
        environment: &session.environment,
        output: &surroundings.output,
        directory: surroundings.directory.as_deref(),
        deadline: request.deadline,
        started: None,
    };
    let end = process::run(command, &mut session.input, cancelled, &mut || {})
        .await
        .map_err(|error| Error::Start {
            python: python.to_owned(),
            error,
        })?;
    if matches!(end, process::End::Cancelled) {
        return Err(Error::Cancelled);
    }
    let place = crash_place(&result.with_extension("result.crash"), session.helper.folder());
    let read = read(request, &result)?;
    let said = read.as_ref().map(|read| (read.partial, &read.outcome));
    let outcome = outcome_of(&end, said, request.deadline, place);
    let mut trace = Trace {
        python: request.python.clone(),
        workload: request.workload.clone(),
        root: request.root.display().to_string(),
        everything: options.everything,
        calls: 0,
        outcome,
        notes: Vec::new(),
        cut_at: None,
        times: None,
        codes: Vec::new(),
        events: Vec::new(),
    };
    match read {
        Some(read) => read.into(&mut trace, options, &request.root),
        None => trace.notes.push("the process left no trace behind".to_owned()),
    }
    Ok(trace)
}

/// What the helper writes.
#[derive(Deserialize)]
struct Written {
    partial: bool,
    outcome: Outcome,
    calls: u64,
    notes: Vec<String>,
    foreign_instrument: Option<String>,
    cut: bool,
    codes: Vec<Option<WrittenCode>>,
    types: Vec<String>,
    /// Three numbers an event: kind, code, and what the kind needs.
    events: Vec<i64>,
    times: Option<Vec<f64>>,
    figures: Option<Figures>,
}

#[derive(Deserialize)]
struct WrittenCode {
    path: String,
    qualname: String,
    first_line: u32,
    instructions: Vec<WrittenInstruction>,
}

/// Offset, opcode, argument, the argument in words, line, whether a jump leads there.
type WrittenInstruction = (u32, String, Option<u32>, String, Option<u32>, bool);

#[derive(Deserialize)]
struct Figures {
    plain_ns: f64,
    repeats: u64,
    others: u64,
    event_ns: f64,
    scale: f64,
}

fn read(request: &Request, path: &Path) -> Result<Option<Written>, Error> {
    let Ok(text) = std::fs::read(path) else {
        return Ok(None);
    };
    let written = super::wire::parse(&text).map_err(|what| Error::Helper {
        pass: "events",
        python: request.python.version.clone(),
        what,
    })?;
    Ok(Some(written))
}

impl Written {
    fn into(self, trace: &mut Trace, options: &Options, root: &Path) {
        trace.calls = self.calls;
        trace.notes = self.notes;
        trace.cut_at = self.cut.then_some(options.limit);
        if let Some(foreign) = self.foreign_instrument {
            trace.notes.push(format!(
                "the target set a trace function of its own ({foreign}): what came after is not recorded"
            ));
        }
        trace.times = self.figures.map(|figures| Times {
            call_ns: figures.plain_ns,
            repeats: figures.repeats,
            left_out: figures.others,
            event_ns: figures.event_ns,
            scale: figures.scale,
        });
        if let (Some(name), false) = (
            &trace.workload.qualname,
            self.events.iter().step_by(3).any(|kind| kind & HIDDEN == 0),
        ) {
            trace
                .notes
                .push(format!("the call did not come to {name}: nothing is recorded"));
        }
        // The codes that were left out stay behind.
        let mut index = Vec::new();
        for code in self.codes {
            index.push(code.is_some().then_some(trace.codes.len()));
            trace.codes.extend(code.map(|code| code.into(root)));
        }
        let mut times = self.times.unwrap_or_default().into_iter();
        for event in self.events.chunks_exact(3) {
            let code = usize::try_from(event[1]).ok().and_then(|code| *index.get(code)?);
            let Some(code) = code else { continue };
            let (kind, hidden) = (event[0] & !HIDDEN, event[0] & HIDDEN != 0);
            let what = what(kind, event[2], &trace.codes[code], &self.types, &mut times);
            trace
                .events
                .extend(what.filter(|_| !hidden).map(|what| Event { code, what }));
        }
    }
}

impl WrittenCode {
    fn into(self, root: &Path) -> Code {
        let instructions = self.instructions.into_iter();
        Code {
            path: if self.path.starts_with('<') {
                self.path
            } else {
                merge::relative(&self.path, root)
            },
            qualname: self.qualname,
            first_line: self.first_line,
            instructions: instructions
                .map(|(offset, opcode, arg, argument, line, is_target)| Instruction {
                    offset,
                    opcode,
                    arg,
                    argument,
                    line,
                    is_target,
                })
                .collect(),
        }
    }
}

/// An event of the helper's numbers; `bytecost_events.py` has the kinds.
fn what(
    kind: i64,
    value: i64,
    code: &Code,
    types: &[String],
    times: &mut impl Iterator<Item = f64>,
) -> Option<What> {
    let at = u32::try_from(value).ok().and_then(|offset| code.at(offset));
    let opcode = at.map(|at| &code.instructions[at]);
    Some(match kind {
        // A frame begins at a RESUME whose argument says so (Lib/dis.py, RESUME).
        0 => What::Call {
            resumed: !opcode.is_none_or(|found| found.opcode == "RESUME" && found.arg.unwrap_or(0) % 4 == 0),
        },
        1 => What::Line(u32::try_from(value).ok()?),
        2 => What::Instruction {
            index: at?,
            ns: times.next(),
        },
        3 => What::Return(match opcode.map(|found| found.opcode.as_str()) {
            Some("YIELD_VALUE") => Leave::Yield,
            Some(name) if name.starts_with("RETURN_") => Leave::Return,
            _ => Leave::Exception,
        }),
        4 => What::Exception(types.get(usize::try_from(value).ok()?)?.clone()),
        _ => return None,
    })
}
