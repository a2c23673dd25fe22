//! The catalogue of causes, as data: when a site is slow for a known reason, and what to write instead.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

/// All of `causes.json`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Catalogue {
    /// By opcode: what its operands are called in conditions and sentences, in evaluation order.
    pub roles: BTreeMap<String, Vec<String>>,
    /// Kinds of attributes, globals and callees, in words.
    pub kinds: BTreeMap<String, String>,
    /// The causes.
    pub causes: Vec<Cause>,
}

/// Which states of a site a cause speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Where {
    /// Sites that stay generic.
    Generic,
    /// Sites that were specialized and miss.
    Missing,
    /// Both.
    Any,
}

/// How much a remedy saves, as measured on the catalogue's own examples.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Advice {
    /// At least a quarter of the example's time.
    Strong,
    /// At least a twelfth.
    Moderate,
    /// Little or nothing: a fact to know.
    Small,
    /// A newer version does it.
    Upgrade,
    /// Nothing: what would replace it costs as much.
    Leave,
}

/// A reason why a site is generic or misses.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cause {
    /// Stable name, for instance `binary-op-remainder`.
    pub id: String,
    /// What it is about, in a few words.
    pub title: String,
    /// Base opcodes.
    pub families: Vec<String>,
    /// Minor versions it holds on.
    pub versions: Vec<String>,
    /// States it speaks of.
    pub site: Where,
    /// Alternatives; each is a list of facts, separated by blanks, that must all hold (`!` before
    /// one: must not).
    pub when: Vec<String>,
    /// The reason in one clause, with `{role}`, `{op}` and `{attribute}` to be filled in.
    pub headline: String,
    /// What is behind it, in a sentence or two.
    pub explanation: String,
    /// What to write instead.
    pub remedy: Remedy,
    /// How much that saves.
    pub advice: Advice,
    /// What it saves grows with the operands: no example bounds it, only the time of the line does.
    #[serde(default)]
    pub grows: bool,
    /// By version: nanoseconds an execution of the example took more than one of the remedy.
    pub saves_ns: BTreeMap<String, f64>,
    /// A program that shows it.
    pub before: Example,
    /// The same after the remedy, where the site can be written otherwise.
    pub after: Option<Example>,
    /// By version: the instruction that the remedy leads to, in its specialized form if it has one.
    pub leads_to: BTreeMap<String, String>,
    /// By version: what CPython itself calls the failure (`spec-fail-kinds.json`).
    pub fail_kinds: BTreeMap<String, Vec<String>>,
    /// The example needs a process of its own: it changes what others rest on.
    #[serde(default)]
    pub alone: bool,
}

/// What to write instead.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Remedy {
    /// In a sentence or two.
    pub text: String,
    /// How the meaning changes, if it may.
    pub meaning: Option<String>,
}

/// A module and the expression that makes it run.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Example {
    /// The module.
    pub source: String,
    /// Evaluated in it, again and again.
    pub call: String,
    /// Opcode of the site, where it is another than the first of the cause's families.
    #[serde(default)]
    pub opcode: Option<String>,
    /// Its argument, where the opcode alone does not name it.
    #[serde(default)]
    pub argument: Option<String>,
    /// The function it is in, where that is not `f`.
    #[serde(default)]
    pub function: Option<String>,
}

static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| {
    serde_json::from_str(include_str!("causes.json")).expect("the embedded catalogue is checked by a test")
});

/// The catalogue, read when it is first needed.
#[must_use]
pub fn catalogue() -> &'static Catalogue {
    &CATALOGUE
}

/// The cause of this name.
#[must_use]
pub fn cause(id: &str) -> Option<&'static Cause> {
    CATALOGUE.causes.iter().find(|cause| cause.id == id)
}

impl Cause {
    /// Whether it holds on a minor version.
    #[must_use]
    pub fn holds_on(&self, minor: &str) -> bool {
        self.versions.iter().any(|version| version == minor)
    }

    /// Whether its remedy was timed on a minor version and saved nothing there: it did on others only.
    #[must_use]
    pub fn saves_nothing_on(&self, minor: &str) -> bool {
        self.advice == Advice::Small && !self.saves_ns.is_empty() && !self.saves_ns.contains_key(minor)
    }
}
