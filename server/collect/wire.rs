//! What the helper writes at the end of a pass.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};

use crate::bytecode::Tables;
use crate::profile::{Outcome, PassKind};

/// Version of the form between helper and reader; both are in one binary.
pub const FORMAT: u32 = 1;

/// The result of one pass.
#[derive(Debug, Deserialize)]
pub struct Result {
    /// Equal to [`FORMAT`].
    pub format: u32,
    /// The instrument.
    pub pass: PassKind,
    /// Written while the workload was still running.
    pub partial: bool,
    /// How the workload ended.
    pub outcome: Outcome,
    /// Completed calls.
    pub calls: u64,
    /// Wall time of the workload, ns.
    pub wall_ns: u64,
    /// Wall time of the first call, ns.
    pub first_ns: Option<u64>,
    /// Calls and wall time of each batch after the first call.
    pub batches: Vec<(u64, u64)>,
    /// Sentences from the helper.
    pub notes: Vec<String>,
    /// Child processes used processor time.
    pub children: bool,
    /// Most threads seen alive at once, when there were several.
    pub threads: u64,
    /// Code objects compiled from strings that started.
    pub string_codes: u64,
    /// A trace function the target wished to set.
    pub foreign_instrument: Option<String>,
    /// The interpreter's opcode tables.
    pub tables: Tables,
    /// The measured files.
    pub files: Vec<File>,
    /// The code objects of those files.
    pub codes: Vec<Code>,
}

impl Result {
    /// Of code objects that were read and not run by the helper.
    #[must_use]
    pub fn of_codes(pass: PassKind, codes: Vec<Code>, tables: Tables, wall_ns: u64) -> Self {
        Self {
            format: FORMAT,
            pass,
            partial: false,
            outcome: Outcome::Completed,
            calls: 1,
            wall_ns,
            first_ns: None,
            batches: Vec::new(),
            notes: Vec::new(),
            children: false,
            threads: 0,
            string_codes: 0,
            foreign_instrument: None,
            tables,
            files: Vec::new(),
            codes,
        }
    }
}

/// What the helper wrote; else what it says went wrong.
pub(super) fn parse<T: serde::de::DeserializeOwned>(text: &[u8]) -> std::result::Result<T, String> {
    #[derive(serde::Deserialize)]
    struct Failure {
        error: String,
    }
    serde_json::from_slice(text).map_err(|error| {
        let said = serde_json::from_slice::<Failure>(text).map(|failure| failure.error);
        said.unwrap_or_else(|_| format!("its result cannot be read: {error}"))
    })
}

/// A measured file.
#[derive(Debug, Deserialize)]
pub struct File {
    /// Absolute path.
    pub path: String,
    /// Its bytes at the end differ from those at load.
    pub changed: bool,
    /// It could be read at load.
    pub readable: bool,
    /// Length and checksum of the bytes at load: passes may have loaded different ones.
    pub identity: Option<String>,
    /// The bytes at load, only when changed.
    #[serde(deserialize_with = "optional_hex")]
    pub bytes: Option<Vec<u8>>,
    /// The decoded text, only when the encoding is not UTF-8.
    pub text: Option<String>,
}

/// Where a code object came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// Loaded from the file by the import system.
    Tree,
    /// Made otherwise, but equal to what the file's text compiles to.
    Text,
    /// It names the file, but is not in its text.
    Stray,
}

/// A code object with its counts.
#[derive(Debug, Deserialize)]
pub struct Code {
    /// `id()` of it in this pass's process.
    #[serde(default)]
    pub address: u64,
    /// Absolute path of its file.
    pub path: String,
    /// Where it came from.
    pub origin: Origin,
    /// `co_qualname`.
    pub qualname: String,
    /// `co_firstlineno`.
    pub first_line: u32,
    /// `co_flags`.
    #[serde(default)]
    pub flags: u32,
    /// `co_code`.
    #[serde(deserialize_with = "hex")]
    pub code: Vec<u8>,
    /// `_co_code_adaptive` at the end of the pass.
    #[serde(deserialize_with = "hex")]
    pub adaptive: Vec<u8>,
    /// `co_linetable`.
    #[serde(deserialize_with = "hex")]
    pub lines: Vec<u8>,
    /// `co_names`.
    pub names: Vec<String>,
    /// Locals, cells, free variables, by slot.
    pub locals: Vec<String>,
    /// Constants as text.
    pub constants: Vec<String>,
    /// What was counted; none when it did not start.
    pub counts: Option<Counts>,
    /// What executors have of it, from the pass with the JIT on.
    #[serde(default)]
    pub jit: Option<Jit>,
}

/// What the JIT's executors have of a code object.
#[derive(Debug, Default, Deserialize)]
pub struct Jit {
    /// Those that its instructions enter.
    pub executors: Vec<Executor>,
    /// By offset: executors that contain it, and its uops in them.
    pub sites: BTreeMap<u32, (u64, u64)>,
    /// Exits that go on in it: the offset, two words of which one is a counter, whether an executor of
    /// its own follows.
    pub exits: Vec<(u32, u16, u16, bool)>,
}

/// An executor.
#[derive(Debug, Deserialize)]
pub struct Executor {
    /// Offset of the instruction that enters it, or where an exit goes on that does.
    pub offset: u32,
    /// It begins at an exit of another.
    pub side: bool,
    /// Its uops, stubs of exits not among them.
    pub uops: u64,
    /// Size of its machine code.
    pub bytes: Option<u64>,
    /// It may still be entered.
    pub valid: Option<bool>,
    /// It ends by a jump to its beginning.
    pub closed: bool,
    /// Places where it can be left, and another may follow.
    pub exits: u64,
    /// Places where it is given up when what it was made for does not hold.
    pub deopts: u64,
    /// Places where an exception leaves it.
    pub errors: u64,
}

/// Counts of one code object, by byte offset.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Counts {
    /// Index and count in turn: an even index is where straight runs started, an odd one the offset
    /// before it, where they ended by a jump, branch, return or yield.
    pub runs: Vec<u64>,
    /// Where exceptions left.
    pub raises: BTreeMap<u32, u64>,
    /// Where frames still stood.
    pub active: BTreeMap<u32, u64>,
    /// Offset and executions in turn, when each one was traced (3.11).
    pub executions: Option<Vec<u64>>,
    /// Sites whose inline counters were polled, and that were specialized at some time.
    pub sites: BTreeMap<u32, Polled>,
    /// Polled sites that never were, in order.
    pub quiet: Vec<u32>,
    /// The same as `sites` from copies of the bytecode that other threads have (builds without the global
    /// interpreter lock).
    pub copies: Vec<BTreeMap<u32, Polled>>,
    /// Most threads seen alive at a poll.
    pub threads: u64,
    /// By offset: operand types, kind, facts and how often they were read, for sites whose operands were.
    pub types: BTreeMap<u32, Vec<Shape>>,
    /// By family and number of the kind: failed attempts, as a pystats build counts them.
    pub failures: BTreeMap<String, BTreeMap<u32, u64>>,
    /// Most frames of it seen on the stack of a thread at a poll, where polls stand in the source (3.11).
    pub frames: u64,
}

/// Operand types, kind, facts and how often they were read.
pub type Shape = (Vec<String>, String, Vec<String>, u64);

impl Counts {
    /// Where straight runs started and where they ended.
    #[must_use]
    pub fn starts_and_ends(&self) -> (BTreeMap<u32, u64>, BTreeMap<u32, u64>) {
        let (ends, starts): (Vec<_>, Vec<_>) = pairs(&self.runs).partition(|(index, _)| index & 1 == 1);
        let ends = ends.into_iter().map(|(index, count)| (index - 1, count));
        (starts.into_iter().collect(), ends.collect())
    }

    /// Starts at an offset; executions of it, when each one was traced.
    #[must_use]
    pub fn started_at(&self, offset: u32) -> u64 {
        let counted = self.executions.as_ref().unwrap_or(&self.runs);
        let found = pairs(counted).find(|&(index, _)| index == offset);
        found.map_or(0, |(_, count)| count)
    }

    /// Executions by offset, when each one was traced.
    #[must_use]
    pub fn traced(&self) -> Option<BTreeMap<u32, u64>> {
        Some(pairs(self.executions.as_ref()?).collect())
    }

    /// What polls showed of the site at an offset, in each copy of the bytecode; nothing when it was not polled.
    pub fn polled(&self, offset: u32) -> impl Iterator<Item = &Polled> {
        let quiet = move || self.quiet.binary_search(&offset).ok().map(|_| &QUIET);
        let own = self.sites.get(&offset).or_else(quiet);
        let copies = self.copies.iter().filter_map(move |copy| copy.get(&offset));
        own.into_iter().chain(copies)
    }
}

fn pairs(numbers: &[u64]) -> impl Iterator<Item = (u32, u64)> {
    numbers
        .chunks_exact(2)
        .filter_map(|pair| Some((u32::try_from(pair[0]).ok()?, pair[1])))
}

/// What the polls of one site showed.
#[derive(Debug, Default, Clone, Deserialize)]
pub struct Polled {
    /// Misses by specialized form.
    pub misses: BTreeMap<String, u64>,
    /// Before each successful specialization: the raw generic counter seen last, and rounds made at the
    /// highest backoff.
    pub eras: Vec<(u32, u64)>,
    /// Rounds at the highest backoff since the site became generic again.
    pub rounds: u64,
    /// Times it became generic again.
    pub fell_back: u64,
    /// Live opcode at the end.
    pub op: u8,
    /// Raw counter at the end.
    pub raw: u32,
}

/// A site that never was specialized: nothing to tell.
static QUIET: Polled = Polled {
    misses: BTreeMap::new(),
    eras: Vec::new(),
    rounds: 0,
    fell_back: 0,
    op: 0,
    raw: 0,
};

fn hex<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Vec<u8>, D::Error> {
    let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
    decode_hex(&text).ok_or_else(|| serde::de::Error::custom("not hexadecimal"))
}

fn optional_hex<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> std::result::Result<Option<Vec<u8>>, D::Error> {
    let text = Option::<std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
    text.map(|text| decode_hex(&text).ok_or_else(|| serde::de::Error::custom("not hexadecimal")))
        .transpose()
}

fn decode_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| {
        char::from(byte)
            .to_digit(16)
            .and_then(|digit| u8::try_from(digit).ok())
    };
    let bytes = text.as_bytes();
    bytes
        .len()
        .is_multiple_of(2)
        .then(|| {
            bytes
                .chunks_exact(2)
                .map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?))
                .collect()
        })
        .flatten()
}
