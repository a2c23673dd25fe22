//! The report as JSON: the stable public form. Fields may be added, not renamed.
//!
//! Own structures, so that the model can change without the contract.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use crate::attribute::{Costs, FileCosts, FunctionCosts, LineCosts, SiteCosts, Tally, TimeCosts, Whole};
use crate::cpython::fail_kinds;
use crate::explain::cause::{self, Diagnosis};
use crate::explain::{self, jit, sentences, words};
use crate::profile::{self, PassKind, Profile};

/// What the `format` field says.
pub const FORMAT: &str = "bytecost-report";
/// The version of the form; raised when an older reader would misunderstand it.
pub const VERSION: u32 = 1;

/// A report on one workload. Times are nanoseconds, shares are 0 to 1, null is "not known".
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(title = "bytecost report")]
pub struct Report {
    /// Always `bytecost-report`.
    #[schemars(extend("const" = FORMAT))]
    pub format: &'static str,
    /// 1 now.
    #[schemars(extend("const" = VERSION))]
    pub version: u32,
    /// The interpreter that ran the workload.
    pub python: Python,
    /// What was run.
    pub workload: Workload,
    /// The passes that ran, in order.
    pub passes: Vec<Pass>,
    /// Whatever is partial, skipped or uncertain, one sentence each.
    pub notes: Vec<String>,
    /// Executed instructions of all files, those without a line included: the whole that
    /// `instruction_share` is a part of.
    pub instructions: Option<u64>,
    /// Where the time went; null when it was not measured.
    pub time: Option<Time>,
    /// Files of the workspace that had code objects.
    pub files: Vec<File>,
}

/// The time of the run: the whole that `self_share` is a part of. As all times of the report it is that
/// of `calls` calls of the workload, all threads together.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Time {
    /// How all times were obtained.
    pub method: profile::Method,
    /// Calls that all times are of: the counted ones, else one.
    pub calls: u64,
    /// Calls that were measured.
    pub measured_calls: u64,
    /// Time on the processor.
    pub busy_ns: f64,
    /// Time off it: asleep, waiting for input, output or locks.
    pub waiting_ns: f64,
    /// Part of `busy_ns` that collected garbage.
    pub collecting_ns: f64,
    /// Part of `busy_ns` in code of files that are not measured.
    pub elsewhere_ns: f64,
    /// On the processor with none of the measured files on the stack; not part of `busy_ns`.
    pub outside_ns: f64,
    /// Most threads with Python code at once.
    pub threads: u64,
    /// Samples behind `busy_ns`.
    pub samples: Option<u64>,
    /// Samples that could not be used: the frame was being made or taken apart.
    pub torn_samples: u64,
    /// Processes that were sampled, one after the other.
    pub processes: u64,
    /// By how much processes differ more than the number of their samples explains, as a ratio of variances,
    /// at least 1: errors of shares are larger by its root.
    pub dispersion: f64,
}

/// The interpreter, as it describes itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Python {
    /// `major.minor.micro` with a release-level suffix where there is one.
    pub version: String,
    /// Path of the executable.
    pub executable: String,
    /// `none`, `off` or `on`.
    pub jit: String,
    /// A build without the global interpreter lock.
    pub free_threaded: bool,
    /// A build with `--enable-pystats`.
    pub pystats: bool,
    /// Whether bytecost has tables for this version.
    pub known: bool,
}

/// What was run.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Workload {
    /// `call`, `doctest`, `script`, `module` or `pytest`.
    pub kind: profile::WorkloadKind,
    /// The target as the user named it.
    pub target: String,
    /// File of the target function.
    pub file: Option<String>,
    /// Qualified name of the target function.
    pub qualname: Option<String>,
    /// The expression that was evaluated.
    pub call: Option<String>,
    /// Code that ran once before the calls.
    pub setup: Option<String>,
    /// Arguments after `--`.
    pub arguments: Vec<String>,
    /// Calls of the workload that all executions, hits and misses are totals of.
    pub counted_calls: Option<u64>,
    /// Calls of the workload without any instrument.
    pub natural_calls: Option<u64>,
    /// Wall time of these calls together.
    pub natural_ns: Option<u64>,
    /// Median wall time of one of them.
    pub natural_call_ns: Option<f64>,
}

/// One execution of the workload under one instrument.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Pass {
    /// The instrument.
    pub kind: PassKind,
    /// Calls of the workload that were completed.
    pub calls: u64,
    /// Wall time of the workload.
    pub wall_ns: u64,
    /// Median wall time of one call.
    pub call_ns: Option<f64>,
    /// How it ended.
    pub outcome: profile::Outcome,
    /// How it ended, as a sentence; null when it completed.
    pub outcome_text: Option<String>,
}

/// A source file.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct File {
    /// Relative to the workspace folder when inside, else absolute.
    pub path: String,
    /// SHA-256 of the file's bytes when it was loaded, lower-case hexadecimal.
    pub digest: String,
    /// Executed instructions.
    pub instructions: Option<u64>,
    /// Those among them that belong to no line.
    pub unplaced_instructions: u64,
    /// Code objects, outermost first.
    pub functions: Vec<Function>,
    /// Lines with instructions, ascending.
    pub lines: Vec<Line>,
}

/// A code object.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Function {
    /// `co_qualname`.
    pub qualname: String,
    /// First line, 1-based; of the decorators where there are some.
    pub line: u32,
    /// Last line, nested code included.
    pub end_line: u32,
    /// Calls in the counted pass.
    pub calls: Option<u64>,
    /// Executed instructions, without nested code objects.
    pub instructions: Option<u64>,
    /// Share of the executed instructions of all files.
    pub instruction_share: Option<f64>,
    /// Counts contradict each other and are withheld.
    pub withheld: bool,
    /// Time in its own instructions and the C code they call.
    pub self_ns: Option<f64>,
    /// That and the time in the Python functions it calls.
    pub total_ns: Option<f64>,
    /// Share of the time of the run, of `self_ns`.
    pub self_share: Option<f64>,
    /// Half of the 95 % interval of `self_share`.
    pub self_share_error: Option<f64>,
    /// Samples behind `self_ns`.
    pub samples: Option<u64>,
    /// Time off the processor.
    pub waiting_ns: Option<f64>,
    /// Where tier 2 made traces (executors) or tried to; null where that was not looked at.
    pub traces: Option<Vec<profile::jit::Trace>>,
    /// Failed attempts to specialize, exactly, as a pystats build of CPython counted them itself; null where
    /// it does not, or where they could not be told apart by function.
    pub failure_kinds: Option<Vec<FailureKind>>,
}

/// Failed attempts to specialize of one kind, in all calls of the pass for pystats.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct FailureKind {
    /// Base opcode.
    pub opcode: String,
    /// Number of the kind, as this version of CPython has it.
    pub kind: u32,
    /// What CPython calls it; null where that is not known.
    pub name: Option<String>,
    /// Failed attempts.
    pub count: u64,
}

/// A source line.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Line {
    /// 1-based.
    pub line: u32,
    /// The largest count of any instruction that starts the line.
    pub executions: Option<u64>,
    /// Executions of all its instructions: `basic + hits + misses + deferred`.
    pub instructions: Option<u64>,
    /// Share of the executed instructions of all files. Not a share of time.
    pub instruction_share: Option<f64>,
    /// Time in its own instructions and the C code they call.
    pub self_ns: Option<f64>,
    /// That and the time in the Python functions it calls.
    pub total_ns: Option<f64>,
    /// Share of the time of the run.
    pub self_share: Option<f64>,
    /// Half of the 95 % interval of `self_share`.
    pub self_share_error: Option<f64>,
    /// How times were obtained.
    pub time_method: Option<profile::Method>,
    /// Samples behind `self_ns`.
    pub samples: Option<u64>,
    /// Time off the processor: asleep, waiting for input, output or locks.
    pub waiting_ns: Option<f64>,
    /// Part of `self_ns` that collected garbage.
    pub collecting_ns: Option<f64>,
    /// Executions of instructions without specialized forms.
    pub basic: Option<u64>,
    /// Executions of specialized forms that completed.
    pub hits: Option<u64>,
    /// Executions of specialized forms whose guard failed.
    pub misses: Option<u64>,
    /// Executions of base forms.
    pub deferred: Option<u64>,
    /// What tier 2 made of it, one sentence each; empty where that was not looked at.
    pub jit: Vec<String>,
    /// Every instruction of the line by code object, then offset.
    pub sites: Vec<Site>,
}

/// An instruction.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Site {
    /// `co_qualname` of its code object.
    pub function: String,
    /// First line of its code object: same-named ones differ in it.
    pub function_line: u32,
    /// Byte offset into `co_code`.
    pub offset: u32,
    /// Base opcode name.
    pub opcode: String,
    /// The argument as `dis` shows it.
    pub argument: String,
    /// The specialized form at the end of the natural pass.
    pub specialized: Option<String>,
    /// Specialized forms seen, by name.
    pub forms_seen: Vec<String>,
    /// Misses of each of them.
    pub forms_misses: BTreeMap<String, u64>,
    /// What became of it.
    pub state: profile::State,
    /// How often it ran.
    pub executions: Option<u64>,
    /// Time of its own and of the C code it called.
    pub self_ns: Option<f64>,
    /// Samples behind `self_ns`.
    pub samples: Option<u64>,
    /// Guard failures; 0 for opcodes without specialized forms.
    pub misses: Option<u64>,
    /// How `misses` was obtained.
    pub misses_method: Option<profile::Method>,
    /// `misses` is a lower bound.
    pub misses_at_least: bool,
    /// Executions of the base form.
    pub deferred: Option<u64>,
    /// Failed attempts to specialize since the last success.
    pub failed_attempts: Option<u32>,
    /// What the JIT's traces have of it; null when nothing.
    pub jit: Option<profile::jit::Traced>,
    /// Where its expression stands; null when the interpreter kept no columns.
    pub range: Option<Range>,
    /// Operand types seen.
    pub types: Option<Vec<Types>>,
    /// Name of the cause in the catalogue.
    pub cause: Option<String>,
    /// Why it costs.
    pub why: Option<String>,
    /// What to write instead.
    pub fix: Option<String>,
    /// The most that this saves, in ns of the counted calls together: an upper bound, not a promise.
    pub saving_upper_bound_ns: Option<f64>,
    /// The same as a share of the time that `self_share` of lines is of; without sampled times, of the
    /// undisturbed time of these calls.
    pub saving_upper_bound_share: Option<f64>,
    /// What an execution saves was timed on this machine, not only when the catalogue was made.
    pub saving_calibrated: Option<bool>,
}

/// A source range: 1-based line, 0-based UTF-8 byte column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Range {
    /// First byte.
    pub start: (u32, u32),
    /// Past the last byte.
    pub end: (u32, u32),
}

/// One combination of operand types.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Types {
    /// Type names in evaluation order.
    pub operands: Vec<String>,
    /// Kind of the attribute, global or callee.
    pub kind: Option<String>,
    /// Further facts, `role:fact`.
    pub facts: Vec<String>,
    /// How often it was seen.
    pub count: u64,
}

/// The report on a profile.
///
/// `calibrated` has what remedies save on this machine, ns an execution by cause; where one is missing
/// the catalogue's own timing stands in.
#[must_use]
pub fn report(profile: &Profile, costs: &Costs, calibrated: &BTreeMap<String, f64>) -> Report {
    let context = Context { costs, calibrated };
    Report {
        format: FORMAT,
        version: VERSION,
        python: python(&profile.python),
        workload: workload(profile),
        passes: profile.passes.iter().map(pass).collect(),
        notes: notes(profile, costs),
        instructions: costs.instructions,
        time: costs.time.map(|whole| time(&whole)),
        files: costs.files.iter().map(|one| file(&context, one)).collect(),
    }
}

/// The document on one line: a large workload has a thousand bytes a site as it is.
///
/// # Panics
/// Never: string keys and memory cannot fail.
#[must_use]
pub fn to_string(report: &Report) -> String {
    let text = serde_json::to_string(report);
    text.expect("string keys, written to memory") + "\n"
}

/// The JSON Schema of the document.
#[must_use]
pub fn schema() -> serde_json::Value {
    let settings = schemars::generate::SchemaSettings::draft2020_12().for_serialize();
    settings
        .into_generator()
        .into_root_schema_for::<Report>()
        .to_value()
}

/// Every sentence a reader must know to trust the numbers.
fn notes(profile: &Profile, costs: &Costs) -> Vec<String> {
    let stale = costs
        .files
        .iter()
        .filter(|file| file.stale)
        .map(|file| words::stale(&file.file.path));
    profile.notes.iter().map(words::note).chain(stale).collect()
}

fn python(python: &profile::Python) -> Python {
    Python {
        version: python.version.clone(),
        executable: python.executable.clone(),
        jit: python.jit.clone(),
        free_threaded: python.free_threaded,
        pystats: python.pystats,
        known: python.known,
    }
}

fn workload(profile: &Profile) -> Workload {
    let workload = &profile.workload;
    let natural = profile.pass(PassKind::Natural);
    Workload {
        kind: workload.kind,
        target: workload.target.clone(),
        file: workload.file.clone(),
        qualname: workload.qualname.clone(),
        call: workload.call.clone(),
        setup: workload.setup.clone(),
        arguments: workload.arguments.clone(),
        counted_calls: profile.pass(PassKind::Count).map(|pass| pass.calls),
        natural_calls: natural.map(|pass| pass.calls),
        natural_ns: natural.map(|pass| pass.wall_ns),
        natural_call_ns: natural.and_then(|pass| pass.call_ns),
    }
}

fn pass(pass: &profile::Pass) -> Pass {
    Pass {
        kind: pass.kind,
        calls: pass.calls,
        wall_ns: pass.wall_ns,
        call_ns: pass.call_ns,
        outcome: pass.outcome.clone(),
        outcome_text: words::outcome(&pass.outcome),
    }
}

/// What sites need to know besides themselves.
struct Context<'c, 'p> {
    costs: &'c Costs<'p>,
    calibrated: &'c BTreeMap<String, f64>,
}

fn file(context: &Context, costs: &FileCosts) -> File {
    File {
        path: costs.file.path.clone(),
        digest: costs.file.digest.clone(),
        instructions: costs.instructions,
        unplaced_instructions: costs.unplaced,
        functions: costs
            .functions
            .iter()
            .map(|one| function(one, costs.minor))
            .collect(),
        lines: costs
            .lines
            .values()
            .map(|costed| line(context, costs, costed))
            .collect(),
    }
}

fn failure(failures: &profile::Failures, minor: &str) -> FailureKind {
    FailureKind {
        opcode: failures.opcode.clone(),
        kind: failures.kind,
        name: fail_kinds::name(minor, &failures.opcode, failures.kind).map(str::to_owned),
        count: failures.count,
    }
}

fn function(costs: &FunctionCosts, minor: &str) -> Function {
    let failures = costs.code.failures.as_ref();
    Function {
        qualname: costs.code.qualname.clone(),
        line: costs.code.first_line,
        end_line: costs.end_line,
        calls: costs.code.calls.filter(|_| !costs.code.withheld),
        instructions: costs.instructions,
        instruction_share: costs.share,
        withheld: costs.code.withheld,
        self_ns: costs.time.map(|time| time.self_ns),
        total_ns: costs.time.and_then(|time| time.total_ns),
        self_share: costs.time.map(|time| time.share),
        self_share_error: costs.time.and_then(|time| time.error),
        samples: sampled(costs.time),
        waiting_ns: costs.time.map(|time| time.waiting_ns),
        traces: costs.code.jit.as_ref().map(|jit| jit.traces.clone()),
        failure_kinds: failures.map(|all| all.iter().map(|one| failure(one, minor)).collect()),
    }
}

fn time(whole: &Whole) -> Time {
    let times = whole.times;
    let told = |ns: f64| ns * whole.calls as f64 / times.calls.max(1) as f64;
    Time {
        method: times.method,
        calls: whole.calls,
        measured_calls: times.calls,
        busy_ns: whole.busy_ns(),
        waiting_ns: whole.waiting_ns(),
        collecting_ns: told(times.collecting_ns),
        elsewhere_ns: told(times.elsewhere_ns),
        outside_ns: told(times.outside_ns),
        threads: times.threads,
        samples: times.samples,
        torn_samples: times.torn,
        processes: times.processes,
        dispersion: times.dispersion,
    }
}

/// Samples behind a time, where it was sampled.
fn sampled(time: Option<TimeCosts>) -> Option<u64> {
    time.filter(|time| time.method == profile::Method::Sampled)
        .map(|time| time.samples)
}

fn line(context: &Context, file: &FileCosts, costs: &LineCosts) -> Line {
    let tally = costs.tally;
    Line {
        line: costs.line,
        executions: costs.executions,
        instructions: tally.map(Tally::executions),
        instruction_share: costs.share,
        self_ns: costs.time.map(|time| time.self_ns),
        total_ns: costs.time.and_then(|time| time.total_ns),
        self_share: costs.time.map(|time| time.share),
        self_share_error: costs.time.and_then(|time| time.error),
        time_method: costs.time.map(|time| time.method),
        samples: sampled(costs.time),
        waiting_ns: costs.time.map(|time| time.waiting_ns),
        collecting_ns: costs.time.map(|time| time.collecting_ns),
        basic: tally.map(|tally| tally.basic),
        hits: tally.map(|tally| tally.hits),
        misses: tally.map(|tally| tally.misses),
        deferred: tally.map(|tally| tally.deferred),
        jit: jit::line(file, costs).into_iter().map(|fact| fact.text).collect(),
        sites: costs
            .sites
            .iter()
            .map(|costed| site(context, file, costs, costed))
            .collect(),
    }
}

fn shape(shape: &profile::Shape) -> Types {
    Types {
        operands: shape.operands.clone(),
        kind: Some(shape.kind.clone()).filter(|kind| !kind.is_empty()),
        facts: shape.facts.clone(),
        count: shape.count,
    }
}

fn site(context: &Context, file: &FileCosts, line: &LineCosts, costs: &SiteCosts) -> Site {
    let function = &file.functions[costs.function];
    let saving = explain::saving_at(context.costs, file, line, costs, context.calibrated);
    let instruction = costs.instruction;
    let facts = instruction.site.as_ref();
    let method = facts
        .and_then(|facts| facts.misses)
        .filter(|_| !function.code.withheld);
    let misses = if facts.is_none() { Some(0) } else { costs.misses() };
    let position = costs.position;
    let diagnosis = cause::best(instruction, file.minor);
    Site {
        function: function.code.qualname.clone(),
        function_line: function.code.first_line,
        offset: instruction.offset,
        opcode: instruction.opcode.clone(),
        argument: instruction.argument.clone(),
        specialized: facts.and_then(|facts| facts.form.clone()),
        forms_seen: facts
            .map(|facts| facts.forms_seen.iter().map(|(form, _)| form.to_owned()).collect())
            .unwrap_or_default(),
        forms_misses: facts
            .into_iter()
            .flat_map(|facts| facts.forms_seen.iter())
            .map(|(form, misses)| (form.to_owned(), misses))
            .collect(),
        state: instruction.state,
        executions: costs.executions(),
        // None was taken there, but others were elsewhere.
        self_ns: function
            .time
            .map(|_| costs.time.as_deref().map_or(0.0, |time| time.self_ns)),
        samples: sampled(function.time).map(|_| costs.time.as_deref().map_or(0, |time| time.samples)),
        misses: misses.filter(|_| !function.code.withheld),
        misses_method: method.map(|misses| misses.method),
        misses_at_least: method.is_some_and(|misses| misses.at_least),
        deferred: facts.and(costs.tally).map(|tally| tally.deferred),
        failed_attempts: facts.and_then(|facts| facts.failed_attempts),
        jit: function
            .code
            .jit
            .as_ref()
            .and_then(|jit| jit.at(instruction.offset).cloned()),
        range: position.columns.map(|(start, end)| Range {
            start: (position.line, start),
            end: (position.end_line, end),
        }),
        types: facts.filter(|facts| !facts.types.is_empty()).map(|facts| {
            let types = facts.types.iter();
            types.map(shape).collect()
        }),
        cause: diagnosis.as_ref().map(|found| found.cause.id.clone()),
        why: diagnosis.as_ref().map(|found| sentences::why(instruction, found)),
        fix: diagnosis.as_ref().map(Diagnosis::fix),
        saving_upper_bound_ns: saving.map(|saving| saving.ns),
        saving_upper_bound_share: saving.and_then(|saving| saving.share),
        saving_calibrated: saving.map(|saving| saving.calibrated),
    }
}
