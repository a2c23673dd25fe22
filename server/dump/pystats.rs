//! Counters of a pystats build as the summary script keeps them.

use std::collections::HashMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};

use super::{Damage, Place, Problem};
use crate::stats::Counters;
use crate::stats::counters::{Marks, named};

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
    let mut settled = settled(&counters);
    settled.files = counters.files;
    settled.defines = counters.defines;
    settled.calls = counters.calls;
    settled.specialized = counters.specialized;
    Ok(settled)
}

fn settled(counters: &Counters) -> Counters {
    let keys = counters.entries().map(|(key, _)| key);
    let marks = keys.fold(Marks::default(), |marks, key| marks.and(Marks::of(key)));
    named(counters.entries(), marks.minor())
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
