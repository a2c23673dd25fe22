//! Counters of a pystats build: as it writes them, and as the summary script keeps them.

use std::collections::HashMap;
use std::fmt;
use std::io::BufRead;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};

use super::{Damage, Place, Problem, lines};
use crate::stats::Counters;
use crate::stats::opcodes::Opcodes;

/// Keys that are kept; a real dump has less than 20,000.
const KEYS: usize = 1 << 20;

/// Reads the lines that a build with pystats writes, whatever else stands between them.
pub(super) fn raw(input: impl BufRead, damage: &mut Damage) -> Result<Counters, Problem> {
    let mut counters = Counters::default();
    let mut keys = 0;
    let mut foreign = 0_u64;
    lines::each(input, |number, line, complete| {
        let Ok(line) = std::str::from_utf8(line) else {
            foreign += 1;
            return;
        };
        match counter(line) {
            Line::Counter(key, value) if complete => {
                let renamed = old_uop(key);
                let key = renamed.as_deref().unwrap_or(key);
                if counters.find(key).is_none() {
                    keys += 1;
                    if keys > KEYS {
                        damage.at(
                            Place::Line(number),
                            "too many different counters: this one is left out",
                        );
                        return;
                    }
                }
                if !counters.add(key, value) {
                    damage.at(
                        Place::Line(number),
                        "the sum of this counter has more than 64 bits",
                    );
                }
            }
            Line::Counter(..) => {
                damage.at(
                    Place::Line(number),
                    "the file is cut here: the last line is left out",
                );
            }
            Line::Bad => damage.at(
                Place::Line(number),
                "the value of this counter is no number of 64 bits",
            ),
            Line::Foreign if line.trim().is_empty() => {}
            Line::Foreign => foreign += 1,
        }
    })?;
    if foreign > 0 {
        let lines = if foreign == 1 { "line is" } else { "lines are" };
        damage.about(format!("{foreign} {lines} no counter of pystats and left out"));
    }
    if counters.is_empty() {
        return Err(Problem::Damaged {
            place: None,
            what: "no counter could be read".to_owned(),
        });
    }
    counters.files = 1;
    Ok(settled(counters))
}

enum Line<'l> {
    Counter(&'l str, u64),
    Bad,
    Foreign,
}

fn counter(line: &str) -> Line<'_> {
    let Some((key, value)) = line.split_once(':') else {
        return Line::Foreign;
    };
    let (key, value) = (key.trim(), value.trim());
    let is_number = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
    if key.is_empty() {
        return Line::Foreign;
    }
    if is_number {
        return value.parse().map_or(Line::Bad, |value| Line::Counter(key, value));
    }
    if key.starts_with("opcode[") || key.starts_with("uop") {
        return Line::Bad;
    }
    Line::Foreign
}

/// Early builds print some uops without their underscore.
fn old_uop(key: &str) -> Option<String> {
    let name = key.strip_prefix("uops[")?;
    (!name.starts_with('_')).then(|| format!("uops[_{name}"))
}

/// With names for numbers, which 3.11 and 3.12 print, and a version.
fn settled(mut counters: Counters) -> Counters {
    let has_numbers = counters
        .entries()
        .any(|(key, _)| number_in(key, "opcode[").is_some());
    if has_numbers {
        let is_312 = counters.find("Object increfs").is_some()
            || counters.find("Calls via PyEval_EvalFrame[0]").is_some();
        let minor = if is_312 { "3.12" } else { "3.11" };
        if let Some(opcodes) = Opcodes::of(minor) {
            let mut named = Counters::default();
            named.files = counters.files;
            for (key, value) in counters.entries() {
                named.add(&with_names(key, opcodes), value);
            }
            counters = named;
            counters.minor = Some(minor.to_owned());
        }
    } else {
        counters.settle_version();
    }
    counters
}

fn number_in<'k>(key: &'k str, before: &str) -> Option<(u16, &'k str)> {
    let (number, rest) = key.strip_prefix(before)?.split_once(']')?;
    Some((number.parse().ok()?, rest))
}

fn with_names(key: &str, opcodes: &Opcodes) -> String {
    let name = |number: u16| {
        opcodes
            .name(number)
            .map_or_else(|| format!("<{number}>"), str::to_owned)
    };
    let Some((number, rest)) = number_in(key, "opcode[") else {
        return key.to_owned();
    };
    let rest = match number_in(rest, ".pair_count[") {
        Some((second, rest)) => format!(".pair_count[{}]{rest}", name(second)),
        None => rest.to_owned(),
    };
    format!("opcode[{}]{rest}", name(number))
}

/// Reads what the summary script writes with `--json-output`.
pub(super) fn json(bytes: &[u8], damage: &mut Damage) -> Result<Counters, Problem> {
    let document: Document = serde_json::from_slice(bytes).map_err(|error| Problem::Damaged {
        place: Some(Place::Line(error.line() as u64)),
        what: format!("column {}: {}", error.column(), reason(&error)),
    })?;
    let Document { mut counters, odd } = document;
    for key in odd {
        damage.about(format!(
            "`{}` is no number of 64 bits and left out",
            key.escape_default()
        ));
    }
    if counters.is_empty() {
        return Err(Problem::Damaged {
            place: None,
            what: "this JSON has no counter of pystats".to_owned(),
        });
    }
    if counters.files == 0 {
        counters.files = 1;
    }
    Ok(settled(counters))
}

fn reason(error: &serde_json::Error) -> &'static str {
    if error.is_eof() {
        "the JSON ends too early"
    } else {
        "this is not the JSON of a pystats summary"
    }
}

/// The counters in the order of the file, and keys whose values are no counters.
struct Document {
    counters: Counters,
    odd: Vec<String>,
}

impl<'de> Deserialize<'de> for Document {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Document;

            fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
                formatter.write_str("an object of counters")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Document, M::Error> {
                let mut counters = Counters::default();
                let mut odd = Vec::new();
                while let Some(key) = map.next_key::<String>()? {
                    match key.as_str() {
                        "_defines" => counters.defines = names(map.next_value()?),
                        "_stats_defines" => counters.calls = names(map.next_value()?),
                        "_specialized_instructions" => counters.specialized = Some(map.next_value()?),
                        "__nfiles__" => counters.files = map.next_value()?,
                        "metadata" => drop(map.next_value::<IgnoredAny>()?),
                        _ => match map.next_value::<serde_json::Value>()?.as_u64() {
                            Some(value) => drop(counters.add(key.trim(), value)),
                            None if odd.len() < super::TOLD => odd.push(key),
                            None => {}
                        },
                    }
                }
                Ok(Document { counters, odd })
            }
        }
        deserializer.deserialize_map(Reader)
    }
}

fn names(by_number: HashMap<String, Vec<String>>) -> HashMap<u32, Vec<String>> {
    by_number
        .into_iter()
        .filter_map(|(number, names)| Some((number.parse().ok()?, names)))
        .collect()
}
