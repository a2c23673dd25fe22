//! The counters of one or several dumps, by key, in the order in which they came.

use std::collections::HashMap;
use std::sync::Arc;

use super::opcodes::{self, Opcodes};

/// Counters by key, as CPython's `Python/pystats.c` names them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counters {
    entries: Vec<(Arc<str>, u64)>,
    index: HashMap<Arc<str>, usize>,
    /// Files the counters were summed from; a process may write several.
    pub files: u64,
    /// `major.minor` by the names of the opcodes; none when they fit no version.
    pub minor: Option<String>,
    /// Names of `SPEC_FAIL` numbers, where the file brings its own.
    pub defines: HashMap<u32, Vec<String>>,
    /// Names of the kinds of calls of the interpreter's loop, where the file brings its own.
    pub calls: HashMap<u32, Vec<String>>,
    /// Specialized forms, where the file brings its own.
    pub specialized: Option<Vec<String>>,
}

/// The kinds of `Calls via PyEval_EvalFrame`, by `EVAL_CALL_*` of `Include/cpython/pystats.h`.
const CALLS: [&str; 10] = [
    "total",
    "vector",
    "generator",
    "legacy",
    "function vectorcall",
    "build class",
    "slot",
    "function ex",
    "api",
    "method",
];

/// What is counted for an opcode, in the order of the keys.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OpcodeCounters<'c> {
    /// Counters by what they count, for instance `execution_count`.
    pub values: Vec<(&'c str, u64)>,
}

impl OpcodeCounters<'_> {
    /// A counter; 0 when it was not printed.
    #[must_use]
    pub fn get(&self, what: &str) -> u64 {
        self.find(what).unwrap_or(0)
    }

    /// A counter, if it was printed.
    #[must_use]
    pub fn find(&self, what: &str) -> Option<u64> {
        let mut values = self.values.iter();
        values.find(|(key, _)| *key == what).map(|(_, value)| *value)
    }

    /// Whether the opcode is the head of a family.
    #[must_use]
    pub fn is_specializable(&self) -> bool {
        self.find("specializable").is_some()
    }
}

/// All opcodes of one kind (`opcode`, `uops`), in the order of their first keys.
#[derive(Debug, Clone, Default)]
pub struct Group<'c> {
    /// Opcodes with their counters.
    pub opcodes: Vec<(&'c str, OpcodeCounters<'c>)>,
    index: HashMap<&'c str, usize>,
}

impl<'c> Group<'c> {
    /// The counters of an opcode.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&OpcodeCounters<'c>> {
        self.index.get(name).map(|&index| &self.opcodes[index].1)
    }

    /// Executions of all opcodes.
    #[must_use]
    pub fn executions(&self) -> u64 {
        self.opcodes.iter().fold(0_u64, |sum, (_, counters)| {
            sum.saturating_add(counters.get("execution_count"))
        })
    }

    /// Pairs that ran, with how often, in the order of the keys.
    #[must_use]
    pub fn pairs(&self) -> Vec<(&'c str, &'c str, u64)> {
        let mut pairs = Vec::new();
        for (first, counters) in &self.opcodes {
            for (key, value) in &counters.values {
                if let Some(second) = key
                    .strip_prefix("pair_count[")
                    .and_then(|rest| rest.split(']').next())
                    .filter(|_| *value > 0)
                {
                    pairs.push((*first, second, *value));
                }
            }
        }
        pairs
    }
}

impl Counters {
    /// Adds to a counter; false when the sum is more than 64 bits, which it is then held at.
    pub fn add(&mut self, key: &str, value: u64) -> bool {
        let Some(&index) = self.index.get(key) else {
            let key: Arc<str> = key.into();
            self.index.insert(Arc::clone(&key), self.entries.len());
            self.entries.push((key, value));
            return true;
        };
        let known = &mut self.entries[index].1;
        if Self::is_flag(key) {
            *known = value.max(*known);
            return true;
        }
        let sum = known.checked_add(value);
        *known = sum.unwrap_or(u64::MAX);
        sum.is_some()
    }

    /// Whether a counter says only that something is so: how many files say it tells nothing.
    #[must_use]
    pub fn is_flag(key: &str) -> bool {
        key.ends_with(".specializable")
    }

    /// Sums the counters of another file into these; false when a sum was held at 64 bits.
    pub fn merge(&mut self, other: Self) -> bool {
        let mut fits = true;
        for (key, value) in &other.entries {
            fits &= self.add(key, *value);
        }
        self.files += other.files;
        self.minor = other.minor.or(self.minor.take());
        if self.defines.is_empty() {
            self.defines = other.defines;
        }
        if self.calls.is_empty() {
            self.calls = other.calls;
        }
        self.specialized = self.specialized.take().or(other.specialized);
        fits
    }

    /// A counter, if the file has it.
    #[must_use]
    pub fn find(&self, key: &str) -> Option<u64> {
        self.index.get(key).map(|&index| self.entries[index].1)
    }

    /// A counter; 0 when the file does not have it.
    #[must_use]
    pub fn get(&self, key: &str) -> u64 {
        self.find(key).unwrap_or(0)
    }

    /// Whether there is no counter.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// All counters in the order in which they came.
    pub fn entries(&self) -> impl Iterator<Item = (&str, u64)> {
        self.entries.iter().map(|(key, value)| (&**key, *value))
    }

    /// The opcodes whose keys begin with a prefix. As in the summary script `uop` takes the `uops` along,
    /// which have the executions that pairs of uops are parts of.
    #[must_use]
    pub fn group(&self, prefix: &str) -> Group<'_> {
        let mut group = Group::default();
        let mut last: Option<(&str, usize)> = None;
        for (key, value) in self.entries() {
            let Some(rest) = key.strip_prefix(prefix) else {
                continue;
            };
            let rest = rest.strip_prefix('[').unwrap_or(rest);
            let (name, what) = rest.split_once(']').unwrap_or((rest, ""));
            // Most keys are of the opcode before.
            let at = last.filter(|(known, _)| *known == name).map_or_else(
                || {
                    *group.index.entry(name).or_insert_with(|| {
                        group.opcodes.push((name, OpcodeCounters::default()));
                        group.opcodes.len() - 1
                    })
                },
                |(_, at)| at,
            );
            last = Some((name, at));
            group.opcodes[at].1.values.push((what.trim_matches('.'), value));
        }
        group
    }

    /// Whether a form is a specialized one, by the file's own list or by the version's.
    #[must_use]
    pub fn is_specialized(&self, name: &str) -> bool {
        if let Some(own) = &self.specialized {
            return own.iter().any(|known| known == name);
        }
        let opcodes = self.minor.as_deref().and_then(Opcodes::of);
        opcodes.is_some_and(|opcodes| opcodes.is_specialized(name))
    }

    /// Why attempts of a family failed, in words, by the file's own names or by the version's.
    #[must_use]
    pub fn failure_kind(&self, family: &str, number: u32) -> String {
        self.own_kind(family, number)
            .or_else(|| {
                let minor = self.minor.as_deref().filter(|_| self.defines.is_empty())?;
                opcodes::failure_kind(minor, family, number).map(str::to_owned)
            })
            .unwrap_or_else(|| format!("kind {number}"))
    }

    fn own_kind(&self, family: &str, number: u32) -> Option<String> {
        let names = self.defines.get(&number)?;
        let pretty = |name: &str| name.replace('_', " ").to_lowercase();
        if number <= 8 {
            return names.first().map(|name| pretty(name));
        }
        let prefix = match family {
            "LOAD_SUPER_ATTR" => "SUPER",
            "FOR_ITER" | "SEND" | "GET_ITER" => "ITER",
            _ if family.ends_with("ATTR") => "ATTR",
            _ if family.ends_with("SUBSCR") && family != "BINARY_OP" => "SUBSCR",
            _ => family,
        };
        names
            .iter()
            .find_map(|name| name.strip_prefix(prefix))
            .map(|rest| pretty(rest.strip_prefix('_').unwrap_or(rest)))
    }

    /// The kind of a call of the interpreter's loop, in words.
    #[must_use]
    pub fn call_kind(&self, number: u32) -> String {
        if let Some(name) = self.calls.get(&number).and_then(|names| names.first()) {
            return name.replace('_', " ").to_lowercase();
        }
        CALLS
            .get(number as usize)
            .map_or_else(|| format!("kind {number}"), |name| (*name).to_owned())
    }
}

/// Versions that print numbers of opcodes.
const NUMBERED: [&str; 2] = ["3.11", "3.12"];

/// Which opcodes that were new or gone in a version are among some counters.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Marks(u8);

impl Marks {
    const NUMBERED: u8 = 1;
    const OF_312: u8 = 2;
    /// By their versions, the surest first: `Lib/opcode.py`, `Lib/_opcode_metadata.py`.
    const OPCODES: [(u8, &str, &[&str]); 5] = [
        (
            4,
            "3.15",
            &[
                "GET_ITER_VIRTUAL",
                "FOR_ITER_VIRTUAL",
                "CALL_EX_PY",
                "RESUME_CHECK_JIT",
            ],
        ),
        (
            8,
            "3.14",
            &["LOAD_FAST_BORROW", "LOAD_CONST_IMMORTAL", "LOAD_CONST_MORTAL"],
        ),
        (16, "3.11", &["PRECALL", "LOAD_METHOD"]),
        (
            32,
            "3.12",
            &[
                "CALL_NO_KW_BUILTIN_O",
                "CALL_NO_KW_BUILTIN_FAST",
                "CALL_NO_KW_LEN",
                "CALL_PY_WITH_DEFAULTS",
            ],
        ),
        (
            64,
            "3.13",
            &["CALL_KW", "RESUME_CHECK", "BINARY_SUBSCR_STR_INT", "TO_BOOL"],
        ),
    ];

    /// Of a key.
    #[must_use]
    pub fn of(key: &str) -> Self {
        if key == "Object increfs" || key == "Calls via PyEval_EvalFrame[0]" {
            return Self(Self::OF_312);
        }
        let Some((opcode, _)) = key.strip_prefix("opcode[").and_then(|key| key.split_once(']')) else {
            return Self(0);
        };
        if opcode.parse::<u16>().is_ok() {
            return Self(Self::NUMBERED);
        }
        let mut versions = Self::OPCODES.iter();
        Self(versions.find(|of| of.2.contains(&opcode)).map_or(0, |of| of.0))
    }

    /// Of both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// `major.minor`; none when the opcodes fit no version.
    #[must_use]
    pub fn minor(self) -> Option<&'static str> {
        if self.0 & Self::NUMBERED != 0 {
            return Some(NUMBERED[usize::from(self.0 & Self::OF_312 != 0)]);
        }
        let mut versions = Self::OPCODES.iter();
        versions.find(|of| self.0 & of.0 != 0).map(|of| of.1)
    }
}

/// Counters of a version, with names for the numbers that 3.11 and 3.12 print.
#[must_use]
pub fn named<'k>(entries: impl Iterator<Item = (&'k str, u64)>, minor: Option<&str>) -> Counters {
    let numbered = minor.filter(|minor| NUMBERED.contains(minor));
    let opcodes = numbered.and_then(Opcodes::of);
    let mut counters = Counters::default();
    let (least, most) = entries.size_hint();
    let room = most.unwrap_or(least).min(1 << 16);
    counters.entries.reserve(room);
    counters.index.reserve(room);
    for (key, value) in entries {
        let renamed = opcodes.and_then(|opcodes| with_names(key, opcodes));
        counters.add(renamed.as_deref().unwrap_or(key), value);
    }
    counters.minor = minor.map(str::to_owned);
    counters
}

fn number_in<'k>(key: &'k str, before: &str) -> Option<(u16, &'k str)> {
    let (number, rest) = key.strip_prefix(before)?.split_once(']')?;
    Some((number.parse().ok()?, rest))
}

fn with_names(key: &str, opcodes: &Opcodes) -> Option<String> {
    let name = |number: u16| {
        opcodes
            .name(number)
            .map_or_else(|| format!("<{number}>"), str::to_owned)
    };
    let (number, rest) = number_in(key, "opcode[")?;
    let rest = match number_in(rest, ".pair_count[") {
        Some((second, rest)) => format!(".pair_count[{}]{rest}", name(second)),
        None => rest.to_owned(),
    };
    Some(format!("opcode[{}]{rest}", name(number)))
}
