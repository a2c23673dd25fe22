//! One workload on several interpreters, site by site: where it is specialized, and where not.

use std::collections::BTreeMap;

use crate::attribute::{Costs, LineCosts, SiteCosts};
use crate::profile::{Position, Profile, State};

use super::number::{duration, percent};
use super::{Finding, Thresholds, cause, findings, sentences, times, words};

/// A measurement on one interpreter.
#[derive(Debug, Clone, Copy)]
pub struct Measured<'m> {
    /// What was measured.
    pub profile: &'m Profile,
    /// What it costs.
    pub costs: &'m Costs<'m>,
}

/// A site that matters on one of the interpreters at least.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// By [`crate::profile::File::path`].
    pub path: String,
    /// 1-based.
    pub line: u32,
    /// The expression, if its text is known.
    pub expression: Option<String>,
    /// What it is: the operation, or the opcode.
    pub operation: String,
    /// What became of it on each interpreter, in their order.
    pub outcomes: Vec<Outcome>,
}

/// What became of a site on one interpreter.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// In a word or two.
    pub text: String,
    /// What one execution took.
    pub time: Option<Took>,
    /// It is one of the states a report marks.
    pub marked: bool,
    /// Name of the cause, where one is known.
    pub cause: Option<String>,
}

/// What one execution took on one interpreter, ns.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Took {
    /// The expression itself.
    Site(f64),
    /// Its whole line: too few samples to split it.
    Line(f64),
}

impl Took {
    /// In words.
    #[must_use]
    pub fn text(self) -> String {
        match self {
            Self::Site(ns) => duration(ns),
            Self::Line(ns) => format!("line {}", duration(ns)),
        }
    }
}

/// Sites are the same when they stand at the same place and do the same.
type Key = (String, Position, String);

/// The sites that matter somewhere, the heaviest first as on the first interpreter where they do.
#[must_use]
pub fn rows(measured: &[Measured], thresholds: &Thresholds) -> Vec<Row> {
    let mut keys: Vec<Key> = Vec::new();
    let mut rows: BTreeMap<Key, Row> = BTreeMap::new();
    for one in measured {
        for finding in findings(one.costs, thresholds) {
            let key = key(&finding);
            if rows.contains_key(&key) {
                continue;
            }
            let excerpt = finding.file.excerpt(finding.site.position);
            let outcomes = measured.iter().map(|other| outcome(other, &key)).collect();
            let row = Row {
                path: key.0.clone(),
                line: finding.line.line,
                expression: excerpt.map(|excerpt| excerpt.text().to_owned()),
                operation: sentences::operation(finding.site.instruction, excerpt.is_some()),
                outcomes,
            };
            rows.insert(key.clone(), row);
            keys.push(key);
        }
    }
    keys.into_iter().filter_map(|key| rows.remove(&key)).collect()
}

fn key(finding: &Finding) -> Key {
    (
        finding.file.file.path.clone(),
        finding.site.position,
        family(&finding.site.instruction.opcode).to_owned(),
    )
}

/// What other versions call the same operation.
fn family(opcode: &str) -> &str {
    match opcode {
        "BINARY_SUBSCR" => "BINARY_OP",
        "LOAD_METHOD" => "LOAD_ATTR",
        "PRECALL" | "CALL_KW" | "CALL_FUNCTION_EX" => "CALL",
        other => other,
    }
}

fn outcome(measured: &Measured, (path, position, family): &Key) -> Outcome {
    let file = measured.costs.files.iter().find(|file| file.file.path == *path);
    let line: Option<&LineCosts> = file.and_then(|file| file.line(position.line));
    let same =
        |site: &&SiteCosts| site.position == *position && self::family(&site.instruction.opcode) == family;
    let sites: Vec<_> = line
        .iter()
        .flat_map(|line| &line.sites)
        .filter(same)
        .filter(|site| site.instruction.state != State::NotExecuted)
        .collect();
    // The compiler may have made several of one: the one to worry about speaks for them.
    let site = sites
        .iter()
        .max_by_key(|site| (site.instruction.is_marked(), site.executions()));
    let Some(site) = site else {
        return Outcome {
            text: "not there".to_owned(),
            time: None,
            marked: false,
            cause: None,
        };
    };
    let instruction = site.instruction;
    let form = instruction.site.as_ref().and_then(|site| site.form.as_deref());
    let text = match (instruction.state, form) {
        (State::Deopting | State::Polymorphic, _) => match (site.misses(), site.executions()) {
            (Some(misses), Some(all)) if all > 0 => {
                format!("misses {}", percent(misses as f64 / all as f64))
            }
            _ => words::state(instruction.state).to_owned(),
        },
        (State::Specialized, Some(form)) => sentences::form(&instruction.opcode, form).to_owned(),
        (state, _) => words::state(state).to_owned(),
    };
    Outcome {
        text,
        time: line.and_then(|line| took(line, &sites)),
        marked: instruction.is_marked(),
        cause: cause::best(instruction, measured.profile.python.minor.as_str())
            .map(|found| found.cause.id.clone()),
    }
}

/// What one execution of an expression took, its copies together; of its line where that is not known.
fn took(line: &LineCosts, sites: &[&SiteCosts]) -> Option<Took> {
    let each = |ns: f64, executions: u64| (ns > 0.0 && executions > 0).then(|| ns / executions as f64);
    let executions = sites.iter().filter_map(|site| site.executions()).sum();
    let of_site = times::own(line, sites).and_then(|ns| each(ns, executions));
    let of_line = || each(line.time?.self_ns, line.executions?);
    of_site.map(Took::Site).or_else(|| of_line().map(Took::Line))
}
