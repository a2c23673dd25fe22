//! The profile model: what was measured, before it meets source text or words.
//!
//! A profile belongs to one workload on one interpreter. Everything a later stage needs is in
//! it; nothing in it is prose. Byte offsets count bytes of `co_code` with its inline caches;
//! lines are 1-based; columns are 0-based UTF-8 byte columns of the decoded source, as CPython
//! reports them. Times are nanoseconds.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

mod forms;
pub mod jit;
pub mod saved;
mod times;

pub use forms::Forms;
pub use jit::Jit;
pub use times::{LineTotal, Time, Times};

/// One workload measured on one interpreter, all passes merged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Profile {
    /// The interpreter that ran the workload.
    pub python: Python,
    /// What was run.
    pub workload: Workload,
    /// The passes that ran, in order.
    pub passes: Vec<Pass>,
    /// Where the time went; none when it was not measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<Times>,
    /// Whatever is partial, skipped or uncertain.
    pub notes: Vec<Note>,
    /// The workspace folder; `File::path` is relative to it when inside.
    pub root: String,
    /// Files of the workspace that had code objects, by path.
    pub files: Vec<File>,
}

/// The interpreter, as it describes itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Python {
    /// `major.minor.micro`, with a release-level suffix such as `rc1` where there is one.
    pub version: String,
    /// `major.minor`: the key of the tables under `server/cpython/`.
    pub minor: String,
    /// Path of the executable.
    pub executable: String,
    /// `none` (built without), `off` or `on` during the passes; `unknown` where a dump does not say.
    pub jit: String,
    /// A build without the global interpreter lock, as far as is known.
    pub free_threaded: bool,
    /// A build with `--enable-pystats`, as far as is known.
    pub pystats: bool,
    /// Whether bytecost has tables for this minor version.
    pub known: bool,
}

/// What was run to make the target hot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Workload {
    /// Shape of the workload.
    pub kind: WorkloadKind,
    /// The target as the user named it, for instance `kern.py::advance`.
    pub target: String,
    /// File of the target function, relative to the root when inside, if the target is one.
    pub file: Option<String>,
    /// Qualified name of the target function, if the target is one.
    pub qualname: Option<String>,
    /// The expression that was evaluated, for calls.
    pub call: Option<String>,
    /// Code that ran once before the calls.
    pub setup: Option<String>,
    /// Arguments after `--`.
    pub arguments: Vec<String>,
}

/// Shape of a workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum WorkloadKind {
    /// An expression evaluated repeatedly.
    Call,
    /// The examples of a docstring, run repeatedly.
    Doctest,
    /// A file run as `__main__`.
    Script,
    /// A module run as `python -m`.
    Module,
    /// A pytest selection.
    Pytest,
    /// A process that ran already.
    Process,
}

/// Which instrument was on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum PassKind {
    /// Nothing on: wall time, states, forms.
    Natural,
    /// Exact executions and, on 3.12+, misses.
    Count,
    /// Misses by loop-head polls (3.11, which has no monitoring).
    Misses,
    /// What a pystats build counts itself, told apart by function (3.12+).
    Pystats,
    /// Operand types at the sites the earlier passes marked.
    Types,
    /// Nothing on, and a sampler looks from outside: times.
    Sample,
    /// Every instruction traced: times, where sampling is impossible.
    Trace,
    /// The JIT on: its executors, at the end.
    Jit,
}

/// One execution of the workload under one instrument.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Pass {
    /// The instrument.
    pub kind: PassKind,
    /// Calls of the workload that were completed.
    pub calls: u64,
    /// Wall time of the workload, all calls together, in ns.
    pub wall_ns: u64,
    /// Median wall time of one call, in ns; for one run equal to `wall_ns`.
    pub call_ns: Option<f64>,
    /// How it ended.
    pub outcome: Outcome,
}

/// How a pass ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "how")]
pub enum Outcome {
    /// The workload completed.
    Completed,
    /// The workload raised.
    Raised {
        /// Type and message, one line.
        exception: String,
        /// `file:line` of the innermost frame of the workspace, if known.
        place: Option<String>,
    },
    /// The workload ended the process with this status (`sys.exit`, `os._exit`).
    Exited {
        /// Exit status, 0 to 255.
        status: i32,
    },
    /// The process died of a signal.
    Killed {
        /// Signal name or number.
        signal: String,
        /// Innermost `file:line in function`, if it could be told.
        place: Option<String>,
    },
    /// The deadline ended it.
    TimedOut {
        /// The limit, in seconds.
        seconds: f64,
    },
}

impl Outcome {
    /// Whether the workload itself failed: it raised, died, or exited with a status other than 0.
    #[must_use]
    pub fn is_failure(&self) -> bool {
        match self {
            Self::Completed | Self::TimedOut { .. } => false,
            Self::Exited { status } => *status != 0,
            Self::Raised { .. } | Self::Killed { .. } => true,
        }
    }
}

/// Something a reader must know to trust the numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "note")]
pub enum Note {
    /// A pass did not complete; what it measured is kept.
    Partial {
        /// The pass.
        pass: PassKind,
        /// Why, in a few words.
        why: String,
    },
    /// A pass was not made.
    Skipped {
        /// The pass.
        pass: PassKind,
        /// Why, in a few words.
        why: String,
    },
    /// Code objects ran whose instructions are not in the file they name.
    NotFromFile {
        /// The file they name, `<string>` included.
        file: String,
        /// Number of code objects.
        codes: u64,
        /// Instruction executions, when counted.
        executions: Option<u64>,
    },
    /// The file's bytes changed between loading it and the end of the run.
    FileChanged {
        /// The file.
        file: String,
    },
    /// A file could not be read back for display.
    FileUnreadable {
        /// The file.
        file: String,
        /// The system's reason.
        why: String,
    },
    /// The flow equations of a code object do not hold; its executions are withheld.
    Inconsistent {
        /// The code object.
        code: String,
    },
    /// Passes saw the workload behave differently.
    Diverged {
        /// What differed, in a few words.
        what: String,
    },
    /// Several threads ran the same code; misses there are lower bounds.
    Threads {
        /// Most threads alive at once.
        threads: u64,
    },
    /// Child processes ran; they are not measured.
    Children,
    /// The target set a trace function, profile function or monitoring tool.
    Instrumented {
        /// Which, for instance `sys.settrace`.
        by: String,
    },
    /// bytecost has no tables for this version: numbers without interpretation.
    UnknownVersion {
        /// `major.minor`.
        minor: String,
    },
    /// This build does not specialize.
    NoSpecialization,
    /// Nothing was run: everything is from a dump.
    Imported {
        /// The dump and its format.
        from: String,
        /// The finest thing it tells apart: `instructions`, `expressions`, `lines` or `functions`.
        grain: String,
        /// It says which forms were specialized.
        specialization: bool,
    },
    /// Anything else, as one sentence.
    Other {
        /// The sentence.
        text: String,
    },
}

/// A source file of the workspace and its code objects.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct File {
    /// Path, relative to `Profile::root` when inside, else absolute; `/` separated.
    pub path: String,
    /// SHA-256 of the file's bytes when it was loaded, lower-case hexadecimal.
    pub digest: String,
    /// The text as the interpreter decoded it; when the file is not plain UTF-8, or when it was kept
    /// to be shown after edits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Code objects, outermost first, in the order of their constants.
    pub codes: Vec<Code>,
    /// Times of lines with what they called, ascending; empty when not measured.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub totals: Vec<LineTotal>,
}

/// A code object: function, class body, comprehension, lambda or module body.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Code {
    /// `co_qualname`.
    pub qualname: String,
    /// `co_firstlineno`.
    pub first_line: u32,
    /// Last line of any instruction.
    pub last_line: u32,
    /// SHA-256 of the unspecialized bytecode and its location table, first 16 hexadecimal digits.
    pub digest: String,
    /// Calls: starts and, for generators and coroutines, not the resumptions. From the count pass.
    pub calls: Option<u64>,
    /// Executions and misses are not trusted: the flow equations did not hold.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub withheld: bool,
    /// Failed attempts to specialize by kind, exactly, as CPython counted them itself; none where the
    /// build has no pystats, or where they could not be told apart by function.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failures: Option<Vec<Failures>>,
    /// Time of it and of what it called; none when not measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<Time>,
    /// What tier 2 made of it; none when that was not looked at, or it made nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jit: Option<Box<Jit>>,
    /// Every instruction in offset order, without inline caches.
    pub instructions: Vec<Instruction>,
}

/// Failed attempts to specialize of one kind, in all calls of the pass.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Failures {
    /// Base opcode.
    pub opcode: String,
    /// Number of the kind, as this version of CPython has it (`SPEC_FAIL_*` in `Python/specialize.c`).
    pub kind: u32,
    /// How many attempts failed so.
    pub count: u64,
}

/// One bytecode instruction.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Instruction {
    /// Byte offset into `co_code`.
    pub offset: u32,
    /// Base opcode name; a number in angle brackets when the interpreter has none.
    pub opcode: String,
    /// The argument as `dis` would show it; empty when there is none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub argument: String,
    /// Where the expression stands; none for artificial instructions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<Position>,
    /// Whether control enters the line here: executions of a line are the largest of these.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub starts_line: bool,
    /// How often it ran in the count pass; none when it was not counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub executions: Option<u64>,
    /// What became of it.
    pub state: State,
    /// Time of its own and of the C code it called; none when it was never seen there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<Box<Time>>,
    /// Specialization facts; none for opcodes without specialized forms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<Box<Site>>,
}

/// Where an instruction's expression stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Position {
    /// 1-based.
    pub line: u32,
    /// 1-based, inclusive.
    pub end_line: u32,
    /// 0-based UTF-8 byte columns, end exclusive; none when the interpreter kept no columns.
    pub columns: Option<(u32, u32)>,
}

/// State of an instruction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// It never ran.
    NotExecuted,
    /// Its opcode has no specialized forms worth reporting.
    Basic,
    /// It ran too little to be tried.
    Cold,
    /// A specialized form, without a miss that matters.
    Specialized,
    /// Tried, failed, generic.
    Unspecialized,
    /// Specialized, with misses: at least one in a hundred executions.
    Deopting,
    /// As `Deopting`, in more than one specialized form.
    Polymorphic,
    /// A debugger, profiler or monitoring tool hid it.
    Instrumented,
    /// From a dump: at most the forms it was seen in are known, not what became of other executions.
    Imported,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 9] = [
        Self::NotExecuted,
        Self::Basic,
        Self::Cold,
        Self::Specialized,
        Self::Unspecialized,
        Self::Deopting,
        Self::Polymorphic,
        Self::Instrumented,
        Self::Imported,
    ];
}

/// Specialization facts of an instruction whose opcode has a family.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Site {
    /// The specialized form at the end of the natural pass.
    pub form: Option<String>,
    /// Specialized forms seen, with the misses of each, by name; of a dump the generic one too.
    #[serde(default, skip_serializing_if = "Forms::is_empty")]
    pub forms_seen: Forms,
    /// Guard failures in the counted pass.
    pub misses: Option<Misses>,
    /// Executions of the base form in the counted pass, failed attempts included.
    pub deferred: Option<u64>,
    /// Failed attempts since the last success, from the backoff of the natural pass.
    pub failed_attempts: Option<u32>,
    /// What the operands were, most frequent first; empty where that was not read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub types: Vec<Shape>,
}

/// One combination of operands seen at a site: types and kinds, never values.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Shape {
    /// Type names in evaluation order, with their module unless that is `builtins` or the program.
    pub operands: Vec<String>,
    /// Kind of the attribute, callee or global, for instance `property`; empty for others.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub kind: String,
    /// Further facts, `role:fact`, for instance `left:big`; see `server/cpython/facts.json`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub facts: Vec<String>,
    /// How many of the executions that were read had it.
    pub count: u64,
}

/// A number of guard failures and how it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Misses {
    /// Guard failures.
    pub count: u64,
    /// How it was obtained.
    pub method: Method,
    /// A lower bound, not the number itself.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub at_least: bool,
}

/// How a number was obtained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// Every event was counted.
    Counted,
    /// Statistical.
    Sampled,
    /// Instrumented timing.
    Traced,
    /// From the adaptive counters of a snapshot.
    Inferred,
    /// From a dump.
    Imported,
    /// Not attributable to a line.
    ProcessWide,
}

impl Profile {
    /// The pass of this kind, if it ran.
    #[must_use]
    pub fn pass(&self, kind: PassKind) -> Option<&Pass> {
        self.passes.iter().find(|pass| pass.kind == kind)
    }

    /// The first failure of any pass, if there was one. What befalls the passes for types, pystats and the
    /// JIT is their own.
    #[must_use]
    pub fn failure(&self) -> Option<&Outcome> {
        self.passes
            .iter()
            .filter(|pass| !matches!(pass.kind, PassKind::Types | PassKind::Pystats | PassKind::Jit))
            .map(|pass| &pass.outcome)
            .find(|outcome| outcome.is_failure())
    }

    /// The note that the natural pass left nothing, if it did: the target became another program, or could
    /// write no result.
    #[must_use]
    pub fn unmeasured(&self) -> Option<&Note> {
        self.notes.iter().find(|note| {
            matches!(
                note,
                Note::Skipped {
                    pass: PassKind::Natural,
                    ..
                }
            )
        })
    }
}

impl Instruction {
    /// Misses, 0 when there is no site or none was seen.
    #[must_use]
    pub fn misses(&self) -> u64 {
        self.site
            .as_ref()
            .and_then(|site| site.misses)
            .map_or(0, |misses| misses.count)
    }

    /// Whether this is a site a report marks: generic after trying, or missing.
    #[must_use]
    pub fn is_marked(&self) -> bool {
        matches!(
            self.state,
            State::Unspecialized | State::Deopting | State::Polymorphic
        )
    }
}
