//! Times: where a run spent them, by instruction and by line.
//!
//! All are nanoseconds of all threads together, of all calls of the pass that took them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Method;

/// Time of a whole run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Times {
    /// How all times of the profile were obtained.
    pub method: Method,
    /// Calls of the workload that they are of.
    pub calls: u64,
    /// Wall time of the part that was measured.
    pub wall_ns: f64,
    /// Time of threads on the processor in the measured files and in what they called, collections of
    /// garbage included: what shares are parts of.
    pub busy_ns: f64,
    /// Time on the processor besides: in a test runner, or before the first measured code.
    #[serde(default)]
    pub outside_ns: f64,
    /// Time of threads off it: asleep, waiting for input, output or locks.
    pub waiting_ns: f64,
    /// Time of collections of garbage.
    pub collecting_ns: f64,
    /// Part of `busy_ns` in code of files that are not measured, which measured ones called.
    pub elsewhere_ns: f64,
    /// Most threads with Python code at once.
    pub threads: u64,
    /// Samples behind `busy_ns`; none when not sampled.
    pub samples: Option<u64>,
    /// Samples that fell between instructions and were of no use.
    #[serde(default)]
    pub torn: u64,
    /// Processes that were sampled, one after the other.
    #[serde(default = "one_process")]
    pub processes: u64,
    /// By how much variances of shares exceed those of independent samples, as processes differ among
    /// themselves; 1 where there was one.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub dispersion: f64,
}

impl Times {
    /// Of no process yet, to add to or to start from.
    #[must_use]
    pub fn none(method: Method) -> Self {
        Self {
            method,
            calls: 0,
            wall_ns: 0.0,
            busy_ns: 0.0,
            outside_ns: 0.0,
            waiting_ns: 0.0,
            collecting_ns: 0.0,
            elsewhere_ns: 0.0,
            threads: 0,
            samples: Some(0),
            torn: 0,
            processes: 0,
            dispersion: 1.0,
        }
    }
}

/// Time of an instruction, a line or a code object.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Time {
    /// On the processor.
    pub busy_ns: f64,
    /// Off it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub waiting_ns: f64,
    /// Collecting garbage; part of `busy_ns`.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub collecting_ns: f64,
    /// Samples behind `busy_ns`, 0 when not sampled.
    #[serde(default, skip_serializing_if = "is_none")]
    pub samples: u64,
}

impl Time {
    /// Adds another time.
    pub fn add(&mut self, other: Self) {
        self.busy_ns += other.busy_ns;
        self.waiting_ns += other.waiting_ns;
        self.collecting_ns += other.collecting_ns;
        self.samples = self.samples.saturating_add(other.samples);
    }
}

/// Time of a line and of everything it called.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LineTotal {
    /// 1-based.
    pub line: u32,
    /// The time.
    pub total: Time,
}

fn one() -> f64 {
    1.0
}

fn one_process() -> u64 {
    1
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde's form")]
#[allow(clippy::float_cmp, reason = "exactly what is set where nothing was measured")]
fn is_one(value: &f64) -> bool {
    *value == 1.0
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde's form")]
fn is_zero(value: &f64) -> bool {
    *value == 0.0
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde's form")]
fn is_none(value: &u64) -> bool {
    *value == 0
}
