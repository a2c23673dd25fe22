//! The ordered trace of one call: what happened, in the order in which it did.

pub mod fold;
pub mod tree;

use crate::profile::{Outcome, Python, Workload};

/// A trace.
#[derive(Debug, Clone, PartialEq)]
pub struct Trace {
    /// The interpreter.
    pub python: Python,
    /// What was called or run.
    pub workload: Workload,
    /// Folder that relative paths begin at.
    pub root: String,
    /// Whether code outside of the project was traced too.
    pub everything: bool,
    /// How often the workload ran in all, under instruments or not.
    pub calls: u64,
    /// How the workload ended.
    pub outcome: Outcome,
    /// Whatever is partial or uncertain, in sentences.
    pub notes: Vec<String>,
    /// Nothing was recorded beyond this many instructions.
    pub cut_at: Option<u64>,
    /// How the times were obtained; none without times.
    pub times: Option<Times>,
    /// The code objects that ran.
    pub codes: Vec<Code>,
    /// What happened.
    pub events: Vec<Event>,
}

/// How the times of a trace were obtained. All in ns.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Times {
    /// The least time of a call without instrument: the times of the instructions sum up to it.
    pub call_ns: f64,
    /// Traced calls whose least is shown.
    pub repeats: u64,
    /// Traced calls that took another way, and are left out.
    pub left_out: u64,
    /// What the instrument took an event, by a sled of empty instructions; taken off.
    pub event_ns: f64,
    /// What the times were then multiplied with to sum up to `call_ns`.
    pub scale: f64,
}

/// A code object as the running interpreter's `dis` shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Code {
    /// Relative to the project when inside, else absolute; in angle brackets when there is no file.
    pub path: String,
    /// `co_qualname`.
    pub qualname: String,
    /// `co_firstlineno`.
    pub first_line: u32,
    /// Instructions in offset order.
    pub instructions: Vec<Instruction>,
}

/// An instruction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instruction {
    /// Byte offset into `co_code`.
    pub offset: u32,
    /// Base opcode name.
    pub opcode: String,
    /// Its argument; none when the opcode takes none.
    pub arg: Option<u32>,
    /// The argument in words; empty when there are none for it.
    pub argument: String,
    /// 1-based; none for instructions that the compiler made.
    pub line: Option<u32>,
    /// Whether a jump leads here.
    pub is_target: bool,
}

impl Code {
    /// The instruction at a byte offset.
    #[must_use]
    pub fn at(&self, offset: u32) -> Option<usize> {
        self.instructions
            .binary_search_by_key(&offset, |instruction| instruction.offset)
            .ok()
    }
}

/// Something that happened in a frame of a code object.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Index into [`Trace::codes`].
    pub code: usize,
    /// What happened.
    pub what: What,
}

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub enum What {
    /// A frame began, or a suspended one went on.
    Call {
        /// It went on.
        resumed: bool,
    },
    /// Control came to a line.
    Line(u32),
    /// An instruction ran.
    Instruction {
        /// Index into [`Code::instructions`].
        index: usize,
        /// What it took, up to the next one, which may be in another frame; ns.
        ns: Option<f64>,
    },
    /// The frame was left.
    Return(Leave),
    /// An exception came up, or came out of a call. Its type.
    Exception(String),
}

/// How a frame was left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leave {
    /// By a return.
    Return,
    /// For a while.
    Yield,
    /// By an exception.
    Exception,
}
