//! What became of a specializable site, from the live opcode, its counter and the counted pass.

use super::Tables;
use crate::cpython::Version;
use crate::profile::State;

/// One in so many executions must miss before a specialized site counts as deopting.
pub const MISS_SHARE: u64 = 100;

/// The live bytecode at one instruction at the end of the natural pass.
#[derive(Debug, Clone)]
pub struct Live {
    /// Name of the current opcode.
    pub name: String,
    /// First cache unit; `None` without caches.
    pub counter: Option<u32>,
    /// The code object has been quickened (always, from 3.12 on).
    pub quickened: bool,
}

/// What the counted pass saw at the site, for states that a snapshot cannot tell.
#[derive(Debug, Clone, Copy, Default)]
pub struct Counted {
    /// Executions, if counted.
    pub executions: Option<u64>,
    /// Guard failures.
    pub misses: u64,
    /// Specialized forms seen.
    pub forms: usize,
}

/// State and, if it has one, specialized form of a site.
///
/// `family` is the base opcode. `before` is the live opcode of the instruction before, for opcodes
/// whose work a specialized predecessor does (3.11).
#[must_use]
pub fn judge(
    family: &str,
    live: &Live,
    before: Option<&str>,
    counted: Counted,
    tables: &Tables,
    version: &Version,
) -> (State, Option<String>) {
    if live.name.starts_with("INSTRUMENTED_") || live.name == "ENTER_EXECUTOR" {
        return (State::Instrumented, None);
    }
    let informational = version.informational.iter().any(|name| name == family);
    if tables.is_form(family, &live.name) {
        let form = Some(live.name.clone());
        if informational {
            return (State::Basic, form);
        }
        return (specialized(live, counted, version), form);
    }
    if informational {
        return (basic(counted), None);
    }
    if let Some(absorbed) = version.absorbed_by.get(family)
        && let Some(before) = before
        && tables.is_form(&absorbed.by, before)
        && !absorbed.except.iter().any(|name| name == before)
    {
        return (State::Specialized, Some(before.to_owned()));
    }
    (generic(live, counted, version), None)
}

fn specialized(live: &Live, counted: Counted, version: &Version) -> State {
    // Without a counted pass the counter itself shows the misses since the last success.
    let (misses, executions) = match counted.executions {
        Some(executions) => (counted.misses, executions),
        None => (inferred_misses(live, version).unwrap_or(0), 0),
    };
    if misses == 0 || misses.saturating_mul(MISS_SHARE) < executions {
        State::Specialized
    } else if counted.forms > 1 {
        State::Polymorphic
    } else {
        State::Deopting
    }
}

/// Misses since the last successful specialization: what is gone from the cooldown.
#[must_use]
pub fn inferred_misses(live: &Live, version: &Version) -> Option<u64> {
    let raw = live.counter?;
    // 3.11 keeps a plain number of misses left, later versions a value above backoff bits.
    let (cooldown, value) = if version.quickened_marks.is_empty() {
        let (value, _) = version.split(raw);
        (52, value)
    } else {
        (53, raw)
    };
    Some(u64::from(cooldown.max(value) - value))
}

fn generic(live: &Live, counted: Counted, version: &Version) -> State {
    let Some(raw) = live.counter else {
        return basic(counted);
    };
    let ran = counted.executions;
    if version.quickened_marks.is_empty() {
        // A backoff below a fresh one: some refused attempts leave the counter of a success (3.14+).
        let (_, backoff) = version.split(raw);
        if backoff != version.initial.1 {
            return State::Unspecialized;
        }
        // A site whose retry failed starts over as if it were new: only its misses tell.
        if counted.forms > 0 && counted.misses > 0 {
            return State::Unspecialized;
        }
    } else if live.quickened {
        let adaptive = live.name.ends_with("_ADAPTIVE");
        // A plain opcode in quickened code is one the specializer has given up.
        if !adaptive && ran != Some(0) && raw == 0 {
            return State::Unspecialized;
        }
        if adaptive && raw & 15 > 0 {
            return State::Unspecialized;
        }
    }
    let touched = raw != (version.initial.0 << version.counter_bits | version.initial.1);
    match ran {
        Some(0) if !touched => State::NotExecuted,
        None if !touched && version.quickened_marks.is_empty() => State::NotExecuted,
        _ => State::Cold,
    }
}

fn basic(counted: Counted) -> State {
    if counted.executions == Some(0) {
        State::NotExecuted
    } else {
        State::Basic
    }
}
