//! py-spy's Chrome trace: when each line of a stack began and ended.

use std::collections::HashMap;

use serde::Deserialize;

use super::located::{Doing, Grain, Located, Place};
use super::stacks::Stacks;
use super::{Damage, Problem, json};

/// Frames of a stack.
const DEPTH: usize = 1 << 12;

#[derive(Deserialize)]
struct Event {
    #[serde(default)]
    name: String,
    #[serde(default)]
    ph: String,
    #[serde(default)]
    pid: u64,
    #[serde(default)]
    tid: u64,
    #[serde(default)]
    ts: f64,
    #[serde(default)]
    args: Arguments,
}

#[derive(Default, Deserialize)]
struct Arguments {
    #[serde(default)]
    filename: String,
    #[serde(default)]
    line: Option<u32>,
}

/// Reads a file. Time between two events is that of the stack as it stood.
pub(super) fn read(bytes: &[u8], damage: &mut Damage) -> Result<Located, Problem> {
    let events: Vec<Event> = json(bytes, "a list of events")?;
    let mut stacks = Stacks::new();
    let mut threads: HashMap<(u64, u64), (f64, Vec<usize>)> = HashMap::new();
    let (mut odd, mut read) = (0_u64, 0_u64);
    for event in &events {
        if !matches!(event.ph.as_str(), "B" | "E") || !event.ts.is_finite() {
            odd += 1;
            continue;
        }
        let (since, stack) = threads
            .entry((event.pid, event.tid))
            .or_insert((event.ts, Vec::new()));
        let ns = (event.ts - *since) * 1e3;
        if ns > 0.0 && ns < 1e18 && !stack.is_empty() {
            stacks.add(stack, ns, 0, Doing::Running);
        }
        *since = event.ts;
        if event.ph == "E" {
            stack.pop();
        } else if stack.len() < DEPTH {
            let line = event.args.line.unwrap_or(0);
            stack.extend(stacks.place(Place::line(&event.args.filename, &event.name, line)));
            read += 1;
        }
    }
    if read == 0 {
        return Err(Problem::Damaged {
            place: None,
            what: "no line that began could be read".to_owned(),
        });
    }
    if odd > 0 {
        damage.about(format!("{odd} events are neither begin nor end and left out"));
    }
    if threads.values().any(|(_, stack)| !stack.is_empty()) {
        damage.about("it is cut: lines in it have no end");
    }
    let mut located = stacks.finish(Grain::Line);
    located.threads = threads.len().max(1) as u64;
    located.samples = None;
    let note = "py-spy joins samples that follow each other: a line has the time until another was seen.";
    located.notes.push(note.to_owned());
    Ok(located)
}
