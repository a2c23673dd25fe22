//! Tachyon's profile for the Firefox Profiler, with the opcodes of its markers.

use serde::Deserialize;

use super::located::{Doing, Grain, Located, Place};
use super::stacks::Stacks;
use super::{Damage, Problem};
use crate::profile::Position;

#[derive(Deserialize)]
struct Document {
    meta: Meta,
    threads: Vec<Thread>,
    shared: Shared,
}

#[derive(Deserialize)]
struct Meta {
    interval: f64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Shared {
    string_array: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Thread {
    samples: Samples,
    stack_table: StackTable,
    frame_table: FrameTable,
    func_table: FuncTable,
    #[serde(default)]
    markers: Markers,
}

#[derive(Deserialize)]
struct Samples {
    stack: Vec<Option<usize>>,
    time: Vec<f64>,
}

#[derive(Deserialize)]
struct StackTable {
    frame: Vec<usize>,
    prefix: Vec<Option<usize>>,
}

#[derive(Deserialize)]
struct FrameTable {
    func: Vec<usize>,
    line: Vec<Option<i64>>,
    column: Vec<Option<i64>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct FuncTable {
    name: Vec<usize>,
    file_name: Vec<Option<usize>>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct Markers {
    data: Vec<Option<serde_json::Value>>,
    start_time: Vec<Option<f64>>,
    end_time: Vec<Option<f64>>,
}

/// Frames of a stack; deeper ones are cut at the outer end.
const DEPTH: usize = 1 << 12;

struct Opcode {
    from: f64,
    to: f64,
    line: u64,
    name: String,
}

/// Reads a profile.
pub(super) fn read(bytes: &[u8], damage: &mut Damage) -> Result<Located, Problem> {
    let document: Document = super::json(bytes, "a profile of the Firefox Profiler")?;
    let mut stacks = Stacks::new();
    let mut has_opcodes = false;
    let mut broken = 0_u64;
    for thread in &document.threads {
        let opcodes = opcodes(&thread.markers);
        let mut next = 0;
        let times = &thread.samples.time;
        for (index, (stack, &time)) in thread.samples.stack.iter().zip(times).enumerate() {
            let until = times
                .get(index + 1)
                .copied()
                .unwrap_or(time + document.meta.interval);
            let lasted = until - time;
            if !lasted.is_finite() || !(0.0..1e9).contains(&lasted) {
                broken += 1;
                continue;
            }
            while opcodes.get(next).is_some_and(|marker| marker.to <= time) {
                next += 1;
            }
            let opcode = opcodes.get(next).filter(|marker| marker.from <= time);
            let mut places = Vec::new();
            let mut at = *stack;
            while let Some(entry) = at.filter(|_| places.len() < DEPTH) {
                let Some(mut place) = place(thread, &document.shared.string_array, entry) else {
                    broken += 1;
                    break;
                };
                let line = place.position.map(|position| u64::from(position.line));
                if let Some(opcode) = opcode.filter(|opcode| places.is_empty() && Some(opcode.line) == line) {
                    place.opcode = Some(opcode.name.clone());
                    has_opcodes = true;
                }
                places.extend(stacks.place(place));
                at = thread
                    .stack_table
                    .prefix
                    .get(entry)
                    .copied()
                    .flatten()
                    .filter(|&prefix| prefix < entry);
            }
            places.reverse();
            stacks.add(&places, lasted * 1e6, 1, Doing::Running);
        }
    }
    if broken > 0 {
        damage.about(format!("{broken} samples or frames are damaged and left out"));
    }
    let mut located = stacks.finish(if has_opcodes {
        Grain::Instruction
    } else {
        Grain::Expression
    });
    if has_opcodes {
        // Only 3.15 has this sampler; its form has no place for a version.
        located.python = Some("3.15".to_owned());
    }
    located.threads = document.threads.len().max(1) as u64;
    located
        .notes
        .push("The dump has the names of files only: two files of one name cannot be told apart.".to_owned());
    Ok(located)
}

fn place(thread: &Thread, strings: &[String], entry: usize) -> Option<Place> {
    let frame = *thread.stack_table.frame.get(entry)?;
    let function = *thread.frame_table.func.get(frame)?;
    let name = strings.get(*thread.func_table.name.get(function)?)?;
    let path = match thread.func_table.file_name.get(function)? {
        Some(path) => strings.get(*path)?,
        None => "~",
    };
    let small = |value: Option<i64>| value.and_then(|value| u32::try_from(value).ok());
    let line = small(*thread.frame_table.line.get(frame)?).unwrap_or(0);
    let mut place = Place::line(path, name, line);
    let column = thread.frame_table.column.get(frame).copied().flatten();
    if let (Some(position), Some(column)) = (&mut place.position, small(column)) {
        *position = Position {
            // Where it ends is not in the file: an empty range at the beginning.
            columns: Some((column, column)),
            ..*position
        };
    }
    Some(place)
}

fn opcodes(markers: &Markers) -> Vec<Opcode> {
    let times = markers.start_time.iter().zip(&markers.end_time);
    markers
        .data
        .iter()
        .zip(times)
        .filter_map(|(data, (from, to))| {
            let data = data.as_ref()?;
            let name = data.get("opname")?.as_str()?;
            Some(Opcode {
                from: (*from)?,
                to: (*to)?,
                line: data.get("line")?.as_u64()?,
                name: name.split(' ').next()?.to_owned(),
            })
        })
        .collect()
}
