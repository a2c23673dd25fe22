//! A trace as JSON lines: what was traced, then one event a line, in order.

use serde::Serialize;

use crate::trace::{Code, Leave, Trace, What};

/// What the `format` field of the first line says.
pub const FORMAT: &str = "bytecost-trace";
/// Version of the form; fields may be added, not renamed.
pub const VERSION: u32 = 1;

#[derive(Serialize)]
struct Header<'t> {
    format: &'static str,
    version: u32,
    python: &'t str,
    target: &'t str,
    root: &'t str,
    everything: bool,
    calls: u64,
    outcome: &'t crate::profile::Outcome,
    notes: &'t [String],
    cut_at: Option<u64>,
    times: Option<Times>,
}

#[derive(Serialize)]
struct Times {
    method: &'static str,
    call_ns: f64,
    repeats: u64,
    left_out: u64,
    event_ns: f64,
    scale: f64,
}

#[derive(Serialize)]
#[serde(tag = "event", rename_all = "lowercase")]
enum Entry<'t> {
    Call {
        depth: usize,
        path: &'t str,
        function: &'t str,
        line: u32,
        resumed: bool,
    },
    Line {
        depth: usize,
        line: u32,
    },
    Instruction {
        depth: usize,
        line: Option<u32>,
        offset: u32,
        opcode: &'t str,
        arg: Option<u32>,
        argument: &'t str,
        target: bool,
        ns: Option<f64>,
    },
    Return {
        depth: usize,
        how: &'static str,
    },
    Exception {
        depth: usize,
        #[serde(rename = "type")]
        name: &'t str,
    },
}

/// The lines, each with its end. Depths are 0 for the outermost frame.
///
/// # Panics
/// Never: string keys and memory cannot fail.
#[must_use]
pub fn to_string(trace: &Trace) -> String {
    let header = Header {
        format: FORMAT,
        version: VERSION,
        python: &trace.python.version,
        target: &trace.workload.target,
        root: &trace.root,
        everything: trace.everything,
        calls: trace.calls,
        outcome: &trace.outcome,
        notes: &trace.notes,
        cut_at: trace.cut_at,
        times: trace.times.map(|times| Times {
            method: "traced",
            call_ns: times.call_ns,
            repeats: times.repeats,
            left_out: times.left_out,
            event_ns: times.event_ns,
            scale: times.scale,
        }),
    };
    let mut text = serde_json::to_string(&header).expect("string keys, written to memory");
    text.push('\n');
    let mut depth = 0usize;
    for event in &trace.events {
        let code = &trace.codes[event.code];
        if matches!(event.what, What::Call { .. }) {
            depth += 1;
        }
        let entry = entry(code, &event.what, depth.saturating_sub(1));
        text.push_str(&serde_json::to_string(&entry).expect("string keys, written to memory"));
        text.push('\n');
        if matches!(event.what, What::Return(_)) {
            depth = depth.saturating_sub(1);
        }
    }
    text
}

fn entry<'t>(code: &'t Code, what: &'t What, depth: usize) -> Entry<'t> {
    match what {
        What::Call { resumed } => Entry::Call {
            depth,
            path: &code.path,
            function: &code.qualname,
            line: code.first_line,
            resumed: *resumed,
        },
        What::Line(line) => Entry::Line { depth, line: *line },
        What::Instruction { index, ns } => {
            let instruction = &code.instructions[*index];
            Entry::Instruction {
                depth,
                line: instruction.line,
                offset: instruction.offset,
                opcode: &instruction.opcode,
                arg: instruction.arg,
                argument: &instruction.argument,
                target: instruction.is_target,
                ns: *ns,
            }
        }
        What::Return(leave) => Entry::Return {
            depth,
            how: match leave {
                Leave::Return => "return",
                Leave::Yield => "yield",
                Leave::Exception => "exception",
            },
        },
        What::Exception(name) => Entry::Exception { depth, name },
    }
}
