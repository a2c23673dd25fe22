//! What tier 2, the optimizer behind the JIT, made of a code object: its own fact, beside the states
//! of tier 1.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What tier 2 made of a code object.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Jit {
    /// Where traces begin or were tried, ascending by offset.
    pub traces: Vec<Trace>,
    /// Instructions that traces contain, were left at or ended at, ascending by offset.
    pub sites: Vec<Traced>,
}

/// A place where traces (executors, once they are made) begin.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Trace {
    /// Byte offset of the instruction that enters it, or where recording began; of a side trace where
    /// the exit goes on that enters it.
    pub offset: u32,
    /// It begins at an exit of another trace.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_side: bool,
    /// Tries to make one here; none when that is not told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempts: Option<u64>,
    /// Traces made here.
    pub made: u64,
    /// Tries that were given up.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub refused: u64,
    /// Uops of the longest one, as it runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uops: Option<u64>,
    /// Uops of the longest one before optimization.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uops_before: Option<u64>,
    /// Size of its machine code, bytes; none without machine code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// It may still be entered; none when that is not told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid: Option<bool>,
    /// It ends by a jump to its beginning: the whole loop is in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed: Option<bool>,
    /// Places where it can be left, and another trace may follow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exits: Option<u64>,
    /// Places where it is given up when what it was made for does not hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deopts: Option<u64>,
    /// Places where an exception leaves it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub errors: Option<u64>,
    /// Jumps back that were counted here, where a loop that ran hot has no trace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jumps: Option<u64>,
    /// What ended or refused it, in the words of the log, with how often.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub reasons: BTreeMap<String, u64>,
}

/// An instruction as traces saw it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Traced {
    /// Byte offset into `co_code`.
    pub offset: u32,
    /// Traces that contain it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub traces: u64,
    /// Uops it became, in all of them together; none when that is not told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uops: Option<u64>,
    /// Times that a trace was left to go on here.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub exits: u64,
    /// The same where only counters of exits tell it, which begin anew: it was at least so often.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub exits_at_least: u64,
    /// Times that an assumption of a trace failed here.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub deopts: u64,
    /// Why traces ended or were refused here, in the words of the log, with how often.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub stops: BTreeMap<String, u64>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl Jit {
    /// The instruction at an offset, if traces saw it.
    #[must_use]
    pub fn at(&self, offset: u32) -> Option<&Traced> {
        let found = self.sites.binary_search_by_key(&offset, |site| site.offset);
        found.ok().map(|index| &self.sites[index])
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.traces.is_empty() && self.sites.is_empty()
    }
}
