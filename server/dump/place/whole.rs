//! The profile of a dump as a whole: its times, and what a reader must know.

use super::{Counts, UNKNOWN};
use crate::dump::Dump;
use crate::dump::located::{Grain, Located};
use crate::profile::{File, Method, Note, Profile, Python, Time, Times, Workload, WorkloadKind};
use crate::stats::Cell;

/// What was placed, and what was not.
pub(super) struct Found {
    pub(super) files: Vec<File>,
    pub(super) counts: Counts,
    pub(super) elsewhere: Time,
    pub(super) grain: Grain,
    pub(super) minor: String,
    /// Version of the interpreter whose code it was checked against.
    pub(super) checked_by: Option<String>,
}

/// What the placed instructions tell.
struct Tells<'f> {
    specialization: bool,
    opcodes: bool,
    checked_by: Option<&'f str>,
}

fn number(number: u64) -> String {
    Cell::Count(number).text()
}

/// How many places were placed, by what they were checked, and what became of the others.
pub(super) fn placed(counts: &Counts, checked_by: Option<&str>, names_opcodes: bool) -> String {
    if counts.inside == 0 && counts.elsewhere == 0 {
        return "The dump names no line of any file, so nothing of it can be placed.".to_owned();
    }
    let fits = number(counts.inside - counts.misfits);
    let all = number(counts.inside);
    let rest = match counts.misfits {
        0 => String::new(),
        1 => "; 1 does not fit and is not shown: the source has changed since, or another file has its name"
            .to_owned(),
        many => format!(
            "; {} do not fit and are not shown: the source has changed since, or another file has its name",
            number(many)
        ),
    };
    match checked_by {
        Some(version) => {
            format!(
                "{fits} of {all} instructions placed, checked against what CPython {version} compiles{rest}."
            )
        }
        None if names_opcodes => format!(
            "{fits} of {all} places placed, checked against the text alone: no interpreter of the dump's version is on PATH{rest}."
        ),
        None => format!("{fits} of {all} places placed, checked against the text{rest}."),
    }
}

fn notes(
    dump: &Dump,
    located: &Located,
    root: &str,
    counts: &Counts,
    grain: Grain,
    tells: &Tells,
) -> Vec<Note> {
    let mut notes = vec![Note::Imported {
        from: format!("{}, {}", dump.name, dump.format.name()),
        grain: match grain {
            Grain::Instruction => "instructions",
            Grain::Expression => "expressions",
            Grain::Line => "lines",
            Grain::Function => "functions",
        }
        .to_owned(),
        specialization: tells.specialization,
    }];
    let mut say = |text: String| notes.push(Note::Other { text });
    say(placed(counts, tells.checked_by, tells.opcodes));
    if counts.elsewhere > 0 {
        say(format!(
            "{} places are in files that are not in {root} or cannot be told from others there.",
            counts.elsewhere
        ));
    }
    if grain == Grain::Function {
        say(
            "The dump knows functions only: the numbers on a `def` line are of its whole function."
                .to_owned(),
        );
    }
    if grain != Grain::Function
        && tells.opcodes
        && tells.checked_by.is_none()
        && located.facts.iter().all(|(place, _)| place.offset.is_none())
    {
        say("The dump has no offsets of instructions: those given only count them.".to_owned());
    }
    for text in located.notes.iter().chain(&dump.problems) {
        say(text.clone());
    }
    notes
}

/// The profile of what was placed.
pub(super) fn assemble(dump: &Dump, located: &Located, root: &str, found: Found) -> Profile {
    let Found {
        files,
        counts,
        elsewhere,
        grain,
        minor,
        checked_by,
    } = found;
    let instructions = || {
        files
            .iter()
            .flat_map(|file| &file.codes)
            .flat_map(|code| &code.instructions)
    };
    let tells = Tells {
        specialization: instructions().any(|instruction| instruction.site.is_some()),
        checked_by: checked_by.as_deref(),
        opcodes: instructions().any(|instruction| instruction.opcode != UNKNOWN),
    };
    let notes = notes(dump, located, root, &counts, grain, &tells);
    let busy = located.all.busy_ns;
    let known: f64 = instructions()
        .filter_map(|instruction| instruction.time.as_deref().copied())
        .map(|time| time.busy_ns)
        .sum();
    let times = located.has_times.then(|| Times {
        method: Method::Imported,
        calls: 1,
        wall_ns: located.wall_ns.unwrap_or(busy + located.all.waiting_ns),
        busy_ns: busy,
        waiting_ns: located.all.waiting_ns,
        collecting_ns: located.all.collecting_ns,
        outside_ns: 0.0,
        elsewhere_ns: elsewhere.busy_ns.max(busy - known).max(0.0),
        threads: located.threads,
        samples: located.samples,
        torn: 0,
        processes: 1,
        dispersion: 1.0,
    });
    let version = located
        .python
        .clone()
        .unwrap_or_else(|| "of unknown version".to_owned());
    Profile {
        times,
        notes,
        files,
        ..empty(dump, root, version, minor)
    }
}

/// A profile of which only its source is known.
pub(super) fn empty(dump: &Dump, root: &str, version: String, minor: String) -> Profile {
    Profile {
        python: Python {
            version,
            known: crate::cpython::version(&minor).is_some(),
            minor,
            executable: String::new(),
            jit: "unknown".to_owned(),
            free_threaded: false,
            pystats: false,
        },
        workload: Workload {
            kind: WorkloadKind::Process,
            target: dump.name.clone(),
            file: None,
            qualname: None,
            call: None,
            setup: None,
            arguments: Vec::new(),
        },
        passes: Vec::new(),
        times: None,
        notes: Vec::new(),
        root: root.to_owned(),
        files: Vec::new(),
    }
}
