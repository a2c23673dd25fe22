//! pyinstrument: its JSON (a tree of functions) and its sessions (stacks of lines).

use serde::Deserialize;

use super::located::{Doing, Grain, Located, Place};
use super::stacks::Stacks;
use super::{Damage, Problem};

#[derive(Deserialize)]
struct Tree {
    root_frame: Option<Frame>,
    #[serde(default)]
    duration: f64,
}

#[derive(Deserialize)]
struct Frame {
    function: Option<String>,
    file_path: Option<String>,
    line_no: Option<u32>,
    time: f64,
    #[serde(default)]
    children: Vec<Frame>,
}

fn is_seconds(value: f64) -> bool {
    value.is_finite() && (0.0..1e12).contains(&value)
}

/// Reads the JSON: each function's own time is what its children leave.
pub(super) fn tree(bytes: &[u8], damage: &mut Damage) -> Result<Located, Problem> {
    let document: Tree = super::json(bytes, "the JSON of pyinstrument")?;
    let mut stacks = Stacks::new();
    let mut broken = 0_u64;
    // Frames still to be visited with their depth; the path to the present one.
    let mut waiting: Vec<(&Frame, usize)> = document.root_frame.iter().map(|root| (root, 0)).collect();
    let mut path: Vec<usize> = Vec::new();
    while let Some((frame, depth)) = waiting.pop() {
        path.truncate(depth);
        if !is_seconds(frame.time) {
            broken += 1;
            continue;
        }
        let file = frame.file_path.as_deref().unwrap_or("~");
        let name = frame.function.as_deref().unwrap_or_default();
        path.extend(stacks.place(Place::line(file, name, frame.line_no.unwrap_or(0))));
        let inner: f64 = frame.children.iter().map(|child| child.time).sum();
        let own = frame.time - inner;
        if is_seconds(own) && own > 0.0 {
            stacks.add(&path, own * 1e9, 0, Doing::Running);
        }
        let depth = path.len();
        waiting.extend(frame.children.iter().map(|child| (child, depth)));
    }
    if broken > 0 {
        damage.about(format!("{broken} frames have no time and are left out"));
    }
    let mut located = stacks.finish(Grain::Function);
    located.samples = None;
    located.wall_ns = is_seconds(document.duration).then_some(document.duration * 1e9);
    Ok(located)
}

#[derive(Deserialize)]
struct Session {
    frame_records: Vec<(Vec<String>, f64)>,
    #[serde(default)]
    duration: f64,
}

/// Reads a session: every frame has the line that ran.
pub(super) fn session(bytes: &[u8], damage: &mut Damage) -> Result<Located, Problem> {
    let document: Session = super::json(bytes, "a session of pyinstrument")?;
    let mut stacks = Stacks::new();
    let mut broken = 0_u64;
    for (frames, seconds) in &document.frame_records {
        if !is_seconds(*seconds) {
            broken += 1;
            continue;
        }
        let stack: Vec<_> = frames
            .iter()
            .filter_map(|frame| place(frame))
            .filter_map(|place| stacks.place(place))
            .collect();
        stacks.add(&stack, seconds * 1e9, 1, Doing::Running);
    }
    if broken > 0 {
        damage.about(format!("{broken} records have no time and are left out"));
    }
    let mut located = stacks.finish(Grain::Line);
    located.wall_ns = is_seconds(document.duration).then_some(document.duration * 1e9);
    Ok(located)
}

/// `name\0file\0first line\1attribute…`, with the line that ran in the attribute `l`.
fn place(frame: &str) -> Option<Place> {
    let (identity, attributes) = frame.split_once('\u{1}')?;
    let mut parts = identity.split('\0');
    let (name, path, first) = (parts.next()?, parts.next()?, parts.next()?);
    let line = attributes
        .split('\u{1}')
        .find_map(|attribute| attribute.strip_prefix('l')?.parse().ok())?;
    Some(Place {
        first_line: first.parse().ok(),
        ..Place::line(path, name, line)
    })
}
