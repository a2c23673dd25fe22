//! Where the interpreter keeps what a reader of its memory wants.

use serde::Deserialize;

/// How the numbers of a [`Memory`] are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// They are offsets (of a release build for 64-bit machines).
    Fixed,
    /// They are byte positions, in the table that the interpreter itself keeps at the start of
    /// `_PyRuntime`, of the words that hold the offsets (3.13+).
    DebugOffsets,
}

fn usual_kind_bit() -> u32 {
    USUAL_KIND_BIT
}

/// Where in a string's state the size of a letter begins, in bits.
pub const USUAL_KIND_BIT: u32 = 2;

/// Offsets within the interpreter's structures, or where the interpreter tells them.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Memory {
    /// Files of CPython's source that the numbers come from.
    pub source: String,
    /// What the numbers are.
    pub form: Form,
    /// In a thread state: address of the structure on the C stack that holds `current_frame`
    /// (3.11, 3.12); else the thread state holds it itself.
    #[serde(default)]
    pub cframe: Option<u64>,
    /// In `_PyRuntime`.
    pub interpreters_head: u64,
    /// In an interpreter state.
    pub interpreter_next: u64,
    /// In an interpreter state.
    pub threads_head: u64,
    /// The collector's state, in an interpreter state.
    pub gc: u64,
    /// In the collector's state.
    pub collecting: u64,
    /// In a thread state.
    pub thread_next: u64,
    /// In a thread state, or in what `cframe` points to.
    pub current_frame: u64,
    /// In a thread state.
    pub native_thread_id: u64,
    /// In a frame: the caller's.
    pub frame_previous: u64,
    /// In a frame: its code object; the low two bits are a tag from 3.14 on.
    pub frame_executable: u64,
    /// In a frame: address of the instruction that executes.
    pub frame_instruction: u64,
    /// In a frame: who owns its memory; 3 and more is no Python code.
    pub frame_owner: u64,
    /// In a frame, 32 bits: a negative number while the frame runs (until 3.13), else where its stack ends.
    pub frame_stack: u64,
    /// A frame that has ended has no code (3.14+, `clear_thread_frame` in `Python/ceval.c`): one that has
    /// and is called by another runs or waits for its callee. `frame_stack` says nothing then: only debug
    /// builds take it back while the frame runs.
    pub frame_ends_without_code: bool,
    /// In a frame, a byte: C code called it (3.11); later a frame of the interpreter's own says so.
    #[serde(default)]
    pub frame_is_entry: Option<u64>,
    /// In a frame: where its locals begin.
    pub frame_locals: u64,
    /// In a code object.
    pub code_filename: u64,
    /// In a code object.
    pub code_qualname: u64,
    /// In a code object.
    pub code_linetable: u64,
    /// In a code object, 32 bits.
    pub code_first_line: u64,
    /// In a code object: the first instruction.
    pub code_adaptive: u64,
    /// In a code object: address of its copies, one for each thread that ran it (builds without the
    /// global interpreter lock, 3.14+): their number, then their addresses (`_PyCodeArray`). None where
    /// all threads run one.
    #[serde(default)]
    pub code_copies: Option<u64>,
    /// In any object.
    pub object_type: u64,
    /// In an object of variable size: how many items it has.
    pub object_size: u64,
    /// In a bytes object: its content.
    pub bytes_content: u64,
    /// In a type.
    pub type_name: u64,
    /// In a string.
    pub unicode_state: u64,
    /// Where in the state the size of a letter begins, in bits, without the global interpreter lock; 2
    /// with it.
    #[serde(default = "usual_kind_bit")]
    pub unicode_kind_bit_without_lock: u32,
    /// In a string.
    pub unicode_length: u64,
    /// Of a string's head when all is ASCII.
    pub unicode_ascii_size: u64,
}

impl Memory {
    /// The same with every number replaced by what `word` gives for it: the debug offsets' words for
    /// their positions. None when a word is missing.
    #[must_use]
    pub fn resolve(&self, word: &dyn Fn(u64) -> Option<u64>) -> Option<Self> {
        let mut resolved = self.clone();
        resolved.form = Form::Fixed;
        for number in [
            &mut resolved.interpreters_head,
            &mut resolved.interpreter_next,
            &mut resolved.threads_head,
            &mut resolved.gc,
            &mut resolved.collecting,
            &mut resolved.thread_next,
            &mut resolved.current_frame,
            &mut resolved.native_thread_id,
            &mut resolved.frame_previous,
            &mut resolved.frame_executable,
            &mut resolved.frame_instruction,
            &mut resolved.frame_owner,
            &mut resolved.frame_locals,
            &mut resolved.code_filename,
            &mut resolved.code_qualname,
            &mut resolved.code_linetable,
            &mut resolved.code_first_line,
            &mut resolved.code_adaptive,
            &mut resolved.object_type,
            &mut resolved.object_size,
            &mut resolved.bytes_content,
            &mut resolved.type_name,
            &mut resolved.unicode_state,
            &mut resolved.unicode_length,
            &mut resolved.unicode_ascii_size,
        ] {
            *number = word(*number)?;
        }
        resolved.code_copies = resolved.code_copies.and_then(word).filter(|&at| at != 0);
        Some(resolved)
    }
}
