//! One frame in memory.

use super::memory::word;

/// The frame of a function, in the thread's own memory for frames (`enum _frameowner`).
const OWNED_BY_THREAD: u8 = 0;
/// From here on a frame belongs to the interpreter itself (`enum _frameowner`).
const NOT_PYTHON: u8 = 3;
/// No owner has a larger number.
const LAST_OWNER: u8 = 7;
/// The tag bits of a frame's code object.
const TAG: u64 = 3;

/// Where a frame is, in the order in which frames are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// The thread's memory for frames: around one frame are its callers and those it calls.
    Thread,
    /// The object of a generator or coroutine.
    Object,
    /// The thread's memory, too, where nothing moved of late.
    Still,
    /// The C stack, where the interpreter's own frames are.
    Machine,
}

impl Place {
    /// Where the frame that says this is.
    #[must_use]
    pub fn of(head: Head) -> Self {
        match head.owner {
            OWNED_BY_THREAD => Self::Thread,
            NOT_PYTHON.. => Self::Machine,
            _ => Self::Object,
        }
    }
}

/// The fixed part of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Address of its code object; 0 when it has ended (3.14+).
    pub code: u64,
    /// Address of the instruction it executes.
    pub instruction: u64,
    /// Address of its caller's frame.
    pub previous: u64,
    /// `enum _frameowner`.
    pub owner: u8,
    /// Its own instructions run now, or C code that they call; not told from 3.14 on.
    pub runs: bool,
    /// C code called it, and no frame of the interpreter stands between (3.11).
    pub is_called_by_c: bool,
}

impl Head {
    /// From its bytes.
    #[must_use]
    pub fn of(bytes: &[u8], offsets: &crate::cpython::Memory) -> Self {
        let field = |at: u64| word(bytes, at).unwrap_or(0);
        let byte = |at: u64| usize::try_from(at).ok().and_then(|at| bytes.get(at)).copied();
        let code = field(offsets.frame_executable) & !TAG;
        let is_negative = field(offsets.frame_stack) >> 31 & 1 == 1;
        let runs = is_negative && !offsets.frame_ends_without_code;
        Self {
            code,
            instruction: field(offsets.frame_instruction),
            previous: field(offsets.frame_previous),
            owner: byte(offsets.frame_owner).unwrap_or(u8::MAX),
            runs: runs && code != 0,
            is_called_by_c: offsets.frame_is_entry.and_then(byte) == Some(1),
        }
    }

    /// It runs or waits for its callee, as far as it tells: until 3.13 only the former is told.
    #[must_use]
    pub fn lives(self, offsets: &crate::cpython::Memory) -> bool {
        self.runs || offsets.frame_ends_without_code && self.code != 0
    }

    /// The interpreter's own, below Python code that C code called.
    #[must_use]
    pub fn is_entry(self) -> bool {
        (NOT_PYTHON..=LAST_OWNER).contains(&self.owner)
    }

    /// Of a generator or coroutine that nobody has resumed.
    #[must_use]
    pub fn is_suspended(self) -> bool {
        self.previous == 0 && Place::of(self) == Place::Object
    }
}
