//! What differs between CPython versions, as data: one file a minor version, looked up by name.
//!
//! The running interpreter tells its own opcode names, families and cache sizes; these tables hold
//! only what it does not tell. A version without a table borrows the nearest one for decoding and is
//! marked unknown.

pub mod causes;
pub mod fail_kinds;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

pub mod memory;

pub use memory::Memory;

fn yes() -> bool {
    true
}

/// Facts about one minor version.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Version {
    /// `major.minor`.
    pub minor: String,
    /// Files of CPython's source that the facts come from.
    pub source: String,
    /// Backoff bits of an adaptive counter; the value is above them.
    pub counter_bits: u32,
    /// Value and backoff of an instruction that never ran.
    pub initial: (u32, u32),
    /// Value and backoff after the execution whose miss made a specialized form generic again.
    pub fallback: (u32, u32),
    /// By old backoff: value and backoff after a failed attempt.
    pub restart: Vec<(u32, u32)>,
    /// Opcodes after which the next instruction is never the following one.
    pub no_fall_through: Vec<String>,
    /// Jumps that raise no monitoring event.
    pub silent_jumps: Vec<String>,
    /// Branches whose taken outcome raises no event, or whose event would stop specialization.
    pub silent_branches: Vec<String>,
    /// Opcodes whose `BRANCH_RIGHT` event names the instruction before as its source, whatever it is:
    /// a jump to one of these is told twice.
    pub echoes: Vec<String>,
    /// Instructions between the target of `FOR_ITER` and where an exhausted loop goes on.
    pub for_iter_exit_skips: usize,
    /// Builds without the global interpreter lock specialize, too (`--disable-gil`; not 3.13).
    #[serde(default = "yes")]
    pub specializes_without_lock: bool,
    /// Families whose forms are no finding: rewritten once, or without a cost either way.
    pub informational: Vec<String>,
    /// Opcodes that a specialized predecessor runs as part of itself (3.11).
    pub absorbed_by: BTreeMap<String, Absorbed>,
    /// Forms that show a code object has been quickened (3.11).
    pub quickened_marks: Vec<String>,
    /// Low bits of the argument that are flags, for opcodes that name an attribute or global.
    pub name_shift: BTreeMap<String, u32>,
    /// Low bits of `COMPARE_OP`'s argument that are flags.
    pub compare_shift: u32,
    /// Compiler-made superinstructions with two local slots in one argument.
    pub pairs: Vec<String>,
    /// Jumps back after which tier 2 tries to make a trace of a loop (`Include/internal/pycore_backoff.h`);
    /// none where a loop is never tried.
    #[serde(default)]
    pub jit_threshold: Option<u32>,
    /// Where a trace begins that no exit of another leads to, as logs tell it (`Python/optimizer.c`).
    #[serde(default)]
    pub jit_begins: Vec<Begin>,
    /// How exits of traces count; none when this is not known.
    #[serde(default)]
    pub jit_exit: Option<ExitCounter>,
    /// Where the interpreter keeps its state in memory.
    pub memory: Memory,
}

/// Where a trace may begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Begin {
    /// At the instruction that a loop jumps back to.
    LoopHead,
    /// At the jump back itself.
    JumpBack,
    /// At the beginning of a function.
    Function,
}

/// The counter of an exit of a trace: it counts down until a trace is tried of what follows.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExitCounter {
    /// Files of CPython's source that this comes from.
    pub source: String,
    /// Which of the two words after the target of an exit's record.
    pub word: u8,
    /// Value and backoff of an exit that was never taken; bits are those of adaptive counters.
    pub initial: (u32, u32),
}

/// An opcode that usually does not run because the one before it did its work.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Absorbed {
    /// Base opcode of the predecessor.
    pub by: String,
    /// Its forms that leave the work to the successor.
    pub except: Vec<String>,
}

static VERSIONS: LazyLock<Vec<Version>> = LazyLock::new(|| {
    [
        include_str!("cpython/3.11.json"),
        include_str!("cpython/3.12.json"),
        include_str!("cpython/3.13.json"),
        include_str!("cpython/3.14.json"),
        include_str!("cpython/3.15.json"),
    ]
    .iter()
    .map(|text| serde_json::from_str(text).expect("embedded tables are checked by a test"))
    .collect()
});

/// The table of a minor version; `None` when bytecost has none.
#[must_use]
pub fn version(minor: &str) -> Option<&'static Version> {
    VERSIONS.iter().find(|version| version.minor == minor)
}

/// The table of a minor version, or of the newest known one.
#[must_use]
pub fn nearest(minor: &str) -> &'static Version {
    version(minor).unwrap_or(&VERSIONS[VERSIONS.len() - 1])
}

impl Version {
    /// Whether the interpreter has specialized forms.
    #[must_use]
    pub fn specializes(&self, free_threaded: bool) -> bool {
        !free_threaded || self.specializes_without_lock
    }

    /// Executions of a generic instruction since it was new (`false`) or fell back from a specialized
    /// form (`true`), from its counter.
    ///
    /// `raw` is the first cache unit, `rounds` how often the counter started over at the highest
    /// backoff; without them the result is a lower bound once the backoff has saturated.
    #[must_use]
    pub fn generic_executions(&self, raw: u32, fell_back: bool, rounds: u64) -> u64 {
        let (value, backoff) = self.split(raw);
        let (mut start, mut at) = if fell_back { self.fallback } else { self.initial };
        let mut clock = 0;
        while at < backoff {
            let (next, after) = self.restart_of(at);
            if after <= at {
                break;
            }
            // Down to 0, then the execution that fails: it restarts the counter and takes one off it.
            clock += u64::from(start) + 1;
            (start, at) = (next.saturating_sub(1), after);
        }
        if rounds == 0 || at != backoff {
            return clock + u64::from(start.saturating_sub(value));
        }
        let full = u64::from(self.restart_of(at).0);
        clock + u64::from(start) + rounds * full - u64::from(value)
    }

    /// Failed attempts since the last success, a lower bound once the backoff has saturated.
    #[must_use]
    pub fn failed_attempts(&self, raw: u32) -> u32 {
        let (_, backoff) = self.split(raw);
        backoff.saturating_sub(self.initial.1)
    }

    /// Value and backoff of a raw counter.
    #[must_use]
    pub fn split(&self, raw: u32) -> (u32, u32) {
        (raw >> self.counter_bits, raw & ((1 << self.counter_bits) - 1))
    }

    fn restart_of(&self, backoff: u32) -> (u32, u32) {
        let last = self.restart.len() - 1;
        self.restart[last.min(backoff as usize)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_parses_and_names_its_minor() {
        let minors: Vec<_> = VERSIONS.iter().map(|version| version.minor.as_str()).collect();
        assert_eq!(minors, ["3.11", "3.12", "3.13", "3.14", "3.15"]);
        assert!(version("3.16").is_none());
        assert_eq!(nearest("3.16").minor, "3.15");
    }

    /// A site that never specializes fails at executions 2, 5, 12, 27, 58 … on 3.12–3.14 and at
    /// 2, 8, 38, 164, 672 … on 3.15 (measured): walk the counter and compare.
    #[test]
    fn the_generic_clock_runs_backwards_exactly() {
        for minor in ["3.12", "3.13", "3.14", "3.15"] {
            let table = version(minor).unwrap();
            let (mut value, mut backoff) = table.initial;
            let mut rounds = 0;
            for execution in 0..30_000 {
                let raw = value << table.counter_bits | backoff;
                let told = table.generic_executions(raw, false, rounds);
                assert_eq!(told, execution, "{minor} at {value},{backoff} after {rounds}");
                if value == 0 {
                    let before = backoff;
                    (value, backoff) = table.restart_of(backoff);
                    rounds += u64::from(backoff == before);
                }
                value -= 1;
            }
        }
        let failures = |minor: &str| {
            let table = version(minor).unwrap();
            let (mut value, mut backoff) = table.initial;
            let mut at = Vec::new();
            for execution in 1..700 {
                if value == 0 {
                    at.push(execution);
                    (value, backoff) = table.restart_of(backoff);
                }
                value -= 1;
            }
            at
        };
        assert_eq!(failures("3.13"), [2, 5, 12, 27, 58, 121, 248, 503]);
        assert_eq!(failures("3.15"), [2, 8, 38, 164, 672]);
    }
}
