//! Tachyon's JSON lines: frames with their own and cumulative samples, no stacks.

use std::collections::HashMap;
use std::io::BufRead;

use serde::Deserialize;
use serde_json::Value;

use super::located::{Grain, Located, Place};
use super::{Damage, Problem, lines};
use crate::profile::Time;

/// Names, frames and runs that are kept.
const KEPT: usize = 1 << 20;

#[derive(Deserialize)]
struct Record {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    run_id: String,
    sample_interval_usec: Option<f64>,
    #[serde(default)]
    strings: Vec<Value>,
    #[serde(default)]
    frames: Vec<Value>,
    #[serde(default)]
    entries: Vec<Value>,
}

#[derive(Default)]
struct Run {
    interval_ns: f64,
    strings: HashMap<u64, String>,
    frames: HashMap<u64, Place>,
    ended: bool,
}

/// Reads a file; runs that stand one after the other are added up.
pub(super) fn read(input: impl BufRead, damage: &mut Damage) -> Result<Located, Problem> {
    let mut located = Located::new(Grain::Expression);
    let mut runs: Vec<(String, Run)> = Vec::new();
    let mut facts: HashMap<Place, Time> = HashMap::new();
    let mut samples = 0_u64;
    lines::each(input, |number, line, _| {
        if line.is_empty() {
            return;
        }
        let Ok(record) = serde_json::from_slice::<Record>(line) else {
            damage.at(super::Place::Line(number), "this is no record of Tachyon");
            return;
        };
        let kept = runs
            .iter()
            .map(|(_, run)| 1 + run.strings.len() + run.frames.len())
            .sum::<usize>();
        if kept > KEPT {
            damage.at(
                super::Place::Line(number),
                "too many names and frames: the rest is left out",
            );
            return;
        }
        let index = runs.iter().position(|(id, _)| *id == record.run_id);
        let index = index.unwrap_or_else(|| {
            runs.push((record.run_id.clone(), Run::default()));
            runs.len() - 1
        });
        let run = &mut runs[index].1;
        match record.kind.as_str() {
            "meta" => run.interval_ns = interval(record.sample_interval_usec),
            "string_table" => {
                let text = |entry: &Value| {
                    Some((
                        entry.get("str_id")?.as_u64()?,
                        entry.get("value")?.as_str()?.to_owned(),
                    ))
                };
                run.strings.extend(record.strings.iter().filter_map(text));
            }
            "frame_table" => {
                let frames = record
                    .frames
                    .iter()
                    .filter_map(|entry| frame(entry, &run.strings));
                let frames: Vec<_> = frames.collect();
                run.frames.extend(frames);
            }
            "agg" => {
                for entry in &record.entries {
                    let get = |key: &str| entry.get(key).and_then(Value::as_u64);
                    let (Some(id), Some(own)) = (get("frame_id"), get("self")) else {
                        continue;
                    };
                    samples = samples.saturating_add(own);
                    let time = |samples: u64| Time {
                        busy_ns: samples as f64 * run.interval_ns,
                        samples,
                        ..Time::default()
                    };
                    located.all.add(time(own));
                    if let Some(place) = run.frames.get(&id) {
                        facts.entry(place.clone()).or_default().add(time(own));
                    }
                }
            }
            "end" => run.ended = true,
            _ => {}
        }
    })?;
    if runs.iter().any(|(_, run)| !run.ended) {
        damage.about("a run in this file has no end: its numbers are not complete");
    }
    if facts.is_empty() {
        return Err(Problem::Damaged {
            place: None,
            what: "no samples of known frames could be read".to_owned(),
        });
    }
    located.facts = Located::own(facts);
    located.samples = Some(samples);
    let note = "The dump has no stacks: times of lines are their own, without what they called.";
    located.notes.push(note.to_owned());
    Ok(located)
}

fn interval(us: Option<f64>) -> f64 {
    us.filter(|us| us.is_finite() && (0.0..1e9).contains(us))
        .unwrap_or(1e3)
        * 1e3
}

fn frame(entry: &Value, strings: &HashMap<u64, String>) -> Option<(u64, Place)> {
    let get = |key: &str| entry.get(key).and_then(Value::as_u64);
    let small = |key: &str| get(key).and_then(|value| u32::try_from(value).ok());
    let text = |key: &str| strings.get(&get(key)?);
    let mut place = Place::line(
        text("path_str_id")?,
        text("func_str_id")?,
        small("line").unwrap_or(0),
    );
    if let Some(position) = &mut place.position {
        position.end_line = small("end_line").unwrap_or(0).max(position.line);
        position.columns = small("col").zip(small("end_col"));
    }
    Some((get("frame_id")?, place))
}
