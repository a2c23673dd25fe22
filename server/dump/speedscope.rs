//! Profiles for speedscope, as py-spy and pyinstrument write them.

use serde::Deserialize;

use super::located::{Doing, Grain, Located, Place};
use super::stacks::Stacks;
use super::{Damage, Problem};

#[derive(Deserialize)]
struct Document {
    #[serde(default)]
    exporter: Option<String>,
    shared: Shared,
    profiles: Vec<Profile>,
}

#[derive(Deserialize)]
struct Shared {
    frames: Vec<Frame>,
}

#[derive(Deserialize)]
struct Frame {
    name: String,
    file: Option<String>,
    line: Option<u32>,
}

#[derive(Deserialize)]
struct Profile {
    #[serde(rename = "type")]
    kind: String,
    unit: String,
    #[serde(default)]
    samples: Vec<Vec<usize>>,
    #[serde(default)]
    weights: Vec<f64>,
    #[serde(default)]
    events: Vec<Event>,
}

#[derive(Deserialize)]
struct Event {
    #[serde(rename = "type")]
    kind: char,
    at: f64,
    frame: usize,
}

/// Frames open at once.
const DEPTH: usize = 1 << 14;

/// Reads a profile.
pub(super) fn read(bytes: &[u8], damage: &mut Damage) -> Result<Located, Problem> {
    let document: Document = super::json(bytes, "a profile for speedscope")?;
    let is_pyinstrument = document
        .exporter
        .as_deref()
        .is_some_and(|exporter| exporter.contains("pyinstrument"));
    let mut stacks = Stacks::new();
    let places: Vec<_> = document
        .shared
        .frames
        .iter()
        .map(|frame| {
            let path = frame.file.as_deref().unwrap_or("~");
            stacks.place(Place::line(path, &frame.name, frame.line.unwrap_or(0)))
        })
        .collect();
    let place = |frame: &usize| places.get(*frame).copied().flatten();
    let mut broken = 0_u64;
    for profile in &document.profiles {
        let unit = match profile.unit.as_str() {
            "seconds" => 1e9,
            "microseconds" => 1e3,
            "nanoseconds" => 1.0,
            // Milliseconds, and samples without a unit.
            _ => 1e6,
        };
        let is_time = |value: f64| value.is_finite() && (0.0..1e18).contains(&value);
        if profile.kind == "evented" {
            let mut open: Vec<usize> = Vec::new();
            let mut clock = profile.events.first().map_or(0.0, |event| event.at);
            for event in &profile.events {
                let lasted = event.at - clock;
                if !is_time(lasted) || open.len() > DEPTH {
                    broken += 1;
                    continue;
                }
                let stack: Vec<_> = open.iter().filter_map(&place).collect();
                if lasted > 0.0 {
                    stacks.add(&stack, lasted * unit, 0, Doing::Running);
                }
                clock = event.at;
                match event.kind {
                    'O' => open.push(event.frame),
                    _ if open.last() == Some(&event.frame) => drop(open.pop()),
                    _ => broken += 1,
                }
            }
        } else {
            for (sample, &weight) in profile.samples.iter().zip(&profile.weights) {
                if !is_time(weight) {
                    broken += 1;
                    continue;
                }
                let stack: Vec<_> = sample.iter().filter_map(&place).collect();
                stacks.add(&stack, weight * unit, 1, Doing::Running);
            }
        }
    }
    if broken > 0 {
        damage.about(format!("{broken} samples or events are damaged and left out"));
    }
    let mut located = stacks.finish(if is_pyinstrument {
        Grain::Function
    } else {
        Grain::Line
    });
    if is_pyinstrument {
        located.samples = None;
    }
    located.threads = document.profiles.len().max(1) as u64;
    Ok(located)
}
