//! Executions by what became of them.

use std::ops::Add;

use crate::profile::{Code, Instruction};

/// Executions of an instruction or a line; the parts are disjoint and complete.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Of instructions without specialized forms, or without facts about them.
    pub basic: u64,
    /// Of specialized forms that completed.
    pub hits: u64,
    /// Of specialized forms whose guard failed.
    pub misses: u64,
    /// Of the base form of a family.
    pub deferred: u64,
}

impl Tally {
    /// All executions.
    #[must_use]
    pub fn executions(self) -> u64 {
        self.basic
            .saturating_add(self.hits)
            .saturating_add(self.misses)
            .saturating_add(self.deferred)
    }
}

impl Add for Tally {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            basic: self.basic.saturating_add(other.basic),
            hits: self.hits.saturating_add(other.hits),
            misses: self.misses.saturating_add(other.misses),
            deferred: self.deferred.saturating_add(other.deferred),
        }
    }
}

/// The tally of one instruction; none when it was not counted or its count is withheld.
///
/// Misses and deferred executions may be estimates, executions are not: misses are cut to the
/// executions first, deferred ones to the rest.
pub(super) fn of(code: &Code, instruction: &Instruction) -> Option<Tally> {
    let executions = instruction.executions.filter(|_| !code.withheld)?;
    let Some(site) = instruction
        .site
        .as_ref()
        .filter(|site| site.misses.is_some() || site.deferred.is_some())
    else {
        return Some(Tally {
            basic: executions,
            ..Tally::default()
        });
    };
    let misses = site.misses.map_or(0, |misses| misses.count).min(executions);
    let deferred = site.deferred.unwrap_or(0).min(executions - misses);
    Some(Tally {
        basic: 0,
        hits: executions - misses - deferred,
        misses,
        deferred,
    })
}
