//! Why a site is generic or misses: its state and operands against the catalogue. Pure.

use std::collections::{BTreeMap, BTreeSet};

use crate::cpython::causes::{self, Cause, Where, catalogue};
use crate::profile::{Instruction, Shape, State};

/// A cause must explain this part of what was read, 0 to 1.
const LEAST_SHARE: f64 = 0.05;

/// Of what was read, a second type must be this part to count as a change of types.
const SECOND_SHARE: f64 = 0.02;

/// Where an instance keeps its attributes.
const STORAGE: [&str; 3] = ["owner:inline", "owner:inline-dict", "owner:dict"];

/// A cause that holds for a site.
#[derive(Debug, Clone)]
pub struct Diagnosis {
    /// The entry of the catalogue.
    pub cause: &'static Cause,
    /// Part of the operands read that it holds for, 0 to 1; none where none were read.
    pub share: Option<f64>,
    /// Facts that the entry asked for: the more, the better it fits.
    asked: usize,
    /// What the operands were where it holds, by role.
    operands: BTreeMap<String, Vec<String>>,
}

/// The causes that hold for a marked site on a minor version, the best first; empty for others and
/// where the catalogue knows none.
#[must_use]
pub fn diagnose(instruction: &Instruction, minor: &str) -> Vec<Diagnosis> {
    if !instruction.is_marked() {
        return Vec::new();
    }
    let about = About::new(instruction, minor);
    let mut found: Vec<_> = catalogue()
        .causes
        .iter()
        .filter(|cause| cause.families.contains(&instruction.opcode) && cause.holds_on(minor))
        .filter(|cause| about.in_state(cause.site))
        .filter_map(|cause| about.matches(cause))
        .collect();
    found.sort_by(|one, other| {
        let rank = |one: &Diagnosis| (one.share.unwrap_or(1.0) >= 0.5, one.asked);
        rank(other)
            .cmp(&rank(one))
            .then(other.share.unwrap_or(1.0).total_cmp(&one.share.unwrap_or(1.0)))
    });
    found
}

/// The best cause of a site, if there is one.
#[must_use]
pub fn best(instruction: &Instruction, minor: &str) -> Option<Diagnosis> {
    diagnose(instruction, minor).into_iter().next()
}

/// What is known of a site, as facts.
struct About<'i> {
    instruction: &'i Instruction,
    shapes: &'i [Shape],
    roles: &'static [String],
    /// What a cause must explain of what was read, 0 to 1.
    least: f64,
    /// Facts of the site as a whole.
    site: BTreeSet<String>,
    /// The same with those of each shape.
    facts: Vec<BTreeSet<String>>,
}

impl<'i> About<'i> {
    fn new(instruction: &'i Instruction, minor: &str) -> Self {
        let shapes: &[Shape] = instruction.site.as_ref().map_or(&[], |site| &site.types);
        let mut site = BTreeSet::from([format!("v{minor}")]);
        if matches!(
            instruction.opcode.as_str(),
            "BINARY_OP" | "COMPARE_OP" | "CONTAINS_OP"
        ) {
            site.insert(format!("op:{}", operator(instruction)));
            if instruction.opcode == "BINARY_OP" && instruction.argument.ends_with('=') {
                site.insert("op:in-place".to_owned());
            }
        }
        if misses(instruction) {
            site.insert("site:missing".to_owned());
        }
        let second = second_share(instruction);
        let varies = |key: &dyn Fn(&Shape) -> String| several(shapes, second, key);
        if varies(&|shape| shape.operands.join(" ")) {
            site.insert("site:types-vary".to_owned());
        }
        let roles = roles(instruction);
        for (at, role) in roles.iter().enumerate() {
            if varies(&|shape| shape.operands.get(at).cloned().unwrap_or_default()) {
                site.insert(format!("site:{role}-varies"));
            }
        }
        for (role, name) in [("owner#", "site:owners-vary"), ("callee#", "site:callees-vary")] {
            let number = |shape: &Shape| {
                let found = shape.facts.iter().find(|fact| fact.starts_with(role));
                found.cloned().unwrap_or_default()
            };
            if varies(&number) {
                site.insert(name.to_owned());
            }
        }
        let storage = |shape: &Shape| {
            let found = shape.facts.iter().find(|fact| STORAGE.contains(&fact.as_str()));
            found.cloned().unwrap_or_default()
        };
        if varies(&storage) {
            site.insert("site:storage-varies".to_owned());
        }
        Self {
            instruction,
            shapes,
            roles,
            least: least_share(instruction),
            facts: shapes.iter().map(|shape| facts(&site, roles, shape)).collect(),
            site,
        }
    }

    fn in_state(&self, wanted: Where) -> bool {
        match wanted {
            Where::Any => true,
            Where::Missing => self.site.contains("site:missing"),
            Where::Generic => self.instruction.state == State::Unspecialized,
        }
    }

    /// The cause with its share, if any alternative of it holds for enough of what was read.
    fn matches(&self, cause: &'static Cause) -> Option<Diagnosis> {
        let total: u64 = self.shapes.iter().map(|shape| shape.count).sum();
        if total == 0 {
            // Without operands only what needs none can be told.
            let asked = cause
                .when
                .iter()
                .find_map(|when| holds(when, &self.site).filter(|_| !when.contains('!')))?;
            return Some(Diagnosis {
                cause,
                share: None,
                asked,
                operands: BTreeMap::new(),
            });
        }
        let (mut count, mut asked) = (0, 0);
        let mut operands: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (shape, facts) in self.shapes.iter().zip(&self.facts) {
            let Some(found) = cause.when.iter().filter_map(|when| holds(when, facts)).max() else {
                continue;
            };
            count += shape.count;
            asked = asked.max(found);
            for (role, name) in self.roles.iter().zip(&shape.operands) {
                let names = operands.entry(role.clone()).or_default();
                if !names.contains(name) {
                    names.push(name.clone());
                }
            }
        }
        let share = count as f64 / total as f64;
        (share >= self.least).then_some(Diagnosis {
            cause,
            share: Some(share),
            asked,
            operands,
        })
    }
}

/// The facts of a shape, with those of the site as a whole.
fn facts(site: &BTreeSet<String>, roles: &[String], shape: &Shape) -> BTreeSet<String> {
    let mut facts = site.clone();
    facts.extend(shape.facts.iter().cloned());
    for (role, name) in roles.iter().zip(&shape.operands) {
        facts.insert(format!("{role}:{name}"));
    }
    if let [left, right] = shape.operands.as_slice() {
        let (first, second) = if left < right {
            (left, right)
        } else {
            (right, left)
        };
        facts.insert(format!("pair:{first}+{second}"));
    }
    if !shape.kind.is_empty() {
        facts.insert(format!("kind:{}", shape.kind));
    }
    facts
}

/// Number of facts asked for, when all of them hold; what must not be counts for nothing.
fn holds(when: &str, facts: &BTreeSet<String>) -> Option<usize> {
    let mut words = when.split_whitespace();
    let all = words.all(|word| match word.strip_prefix('!') {
        Some(word) => !facts.contains(word),
        None => facts.contains(word),
    });
    all.then(|| {
        when.split_whitespace()
            .filter(|word| !word.starts_with('!'))
            .count()
    })
}

/// Part of what was read that a cause must explain: of a site that seldom misses, about as much.
fn least_share(instruction: &Instruction) -> f64 {
    match miss_rate(instruction) {
        Some(rate) if instruction.state != State::Unspecialized => LEAST_SHARE.min(rate / 2.0),
        _ => LEAST_SHARE,
    }
}

/// Misses by executions, 0 to 1; none where there are none or they are not known.
fn miss_rate(instruction: &Instruction) -> Option<f64> {
    match (instruction.misses(), instruction.executions) {
        (misses, Some(executions)) if misses > 0 && executions > 0 => Some(misses as f64 / executions as f64),
        _ => None,
    }
}

/// Part of what was read that a second type must be, to count as a change of types: less where few
/// misses are to be explained. What was read is a sample, so it may be a few times rarer than they are.
fn second_share(instruction: &Instruction) -> f64 {
    miss_rate(instruction).map_or(SECOND_SHARE, |rate| SECOND_SHARE.min(rate / 4.0))
}

/// Whether a second kind of shape is more than an exception.
fn several(shapes: &[Shape], second: f64, key: &dyn Fn(&Shape) -> String) -> bool {
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    for shape in shapes {
        *counts.entry(key(shape)).or_default() += shape.count;
    }
    let total: u64 = counts.values().sum();
    let mut counts: Vec<_> = counts.into_values().collect();
    counts.sort_unstable();
    counts.len() > 1 && counts[counts.len() - 2] as f64 >= second * total as f64
}

/// Whether the site was specialized and its guard failed.
fn misses(instruction: &Instruction) -> bool {
    match instruction.state {
        State::Deopting | State::Polymorphic => true,
        State::Unspecialized => instruction
            .site
            .as_ref()
            .is_some_and(|site| site.forms_seen.iter().any(|(_, misses)| misses > 0)),
        _ => false,
    }
}

/// The operator, without the `=` of an augmented assignment.
pub(super) fn operator(instruction: &Instruction) -> &str {
    let argument = instruction.argument.as_str();
    match instruction.opcode.as_str() {
        "BINARY_OP" => argument.strip_suffix('=').unwrap_or(argument),
        "COMPARE_OP" => {
            let argument = argument.strip_prefix("bool(").unwrap_or(argument);
            argument.strip_suffix(')').unwrap_or(argument)
        }
        _ => argument,
    }
}

/// What the operands of an instruction are called.
pub(super) fn roles(instruction: &Instruction) -> &'static [String] {
    let opcode = match (instruction.opcode.as_str(), instruction.argument.as_str()) {
        ("BINARY_OP", "[]") => "BINARY_SUBSCR",
        (opcode, _) => opcode,
    };
    causes::catalogue().roles.get(opcode).map_or(&[], Vec::as_slice)
}

impl Diagnosis {
    /// The clause that says why, filled in.
    #[must_use]
    pub fn headline(&self, instruction: &Instruction) -> String {
        let mut text = self.cause.headline.clone();
        text = text.replace("{op}", operator(instruction));
        text = text.replace("{attribute}", attribute(instruction));
        let names: Vec<String> = roles(instruction)
            .iter()
            .map(|role| match self.operands.get(role).map(Vec::as_slice) {
                Some([one]) => one.clone(),
                Some([one, other]) => format!("{one} or {other}"),
                _ => format!("the {role}"),
            })
            .collect();
        if let [left, right] = names.as_slice()
            && left == right
        {
            text = text.replace("{left} or {right}", left);
        }
        for (role, name) in roles(instruction).iter().zip(&names) {
            text = text.replace(&format!("{{{role}}}"), name);
        }
        text
    }

    /// Why, in sentences: the clause and what is behind it.
    #[must_use]
    pub fn explanation(&self, instruction: &Instruction) -> String {
        let mut text = self.cause.explanation.clone();
        for role in roles(instruction) {
            if let Some([one]) = self.operands.get(role).map(Vec::as_slice) {
                text = text.replace(&format!("{{{role}}}"), one);
            } else {
                text = unnamed(&text, role);
            }
        }
        text
    }

    /// What to write instead, with what it changes.
    #[must_use]
    pub fn fix(&self) -> String {
        let remedy = &self.cause.remedy;
        match &remedy.meaning {
            Some(meaning) => format!("{} Mind: {meaning}.", remedy.text),
            None => remedy.text.clone(),
        }
    }
}

/// A sentence with an operand of which no type is told.
pub(super) fn unnamed(text: &str, role: &str) -> String {
    let mark = format!("{{{role}}}");
    let text = text.replace(&format!(". {mark}"), &format!(". The {role}"));
    let text = match text.strip_prefix(&mark) {
        Some(rest) => format!("The {role}{rest}"),
        None => text,
    };
    text.replace(&mark, &format!("the {role}"))
}

/// The name that an attribute instruction asks for.
pub(super) fn attribute(instruction: &Instruction) -> &str {
    let argument = instruction.argument.as_str();
    let argument = argument.strip_prefix("NULL|self + ").unwrap_or(argument);
    argument.strip_suffix(" + NULL|self").unwrap_or(argument)
}
