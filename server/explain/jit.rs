//! What tier 2 made of a line, in sentences: a fact of its own beside the states of tier 1.

use crate::attribute::{FileCosts, LineCosts};
use crate::profile::jit::{Jit, Trace, Traced};
use crate::profile::{Code, Instruction, Position};

use super::number::{count, counted};

/// How a line stands with traces, the most telling first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Something keeps a loop or function from being traced.
    NotTraced,
    /// Traces were left here.
    Left,
    /// It is in a trace.
    Traced,
}

/// Something to say of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// How it stands.
    pub kind: Kind,
    /// The expression it is about, where it is about one.
    pub position: Option<Position>,
    /// One sentence without a full stop, with opcodes between backticks.
    pub text: String,
}

/// Everything tier 2 tells of a line, the most telling first.
#[must_use]
pub fn line(file: &FileCosts, line: &LineCosts) -> Vec<Fact> {
    let mut facts = Vec::new();
    for (index, function) in file.functions.iter().enumerate() {
        let Some(jit) = function.code.jit.as_deref() else {
            continue;
        };
        let here: Vec<_> = line
            .sites
            .iter()
            .filter(|site| site.function == index)
            .map(|site| site.instruction)
            .collect();
        for instruction in &here {
            if let Some(traced) = jit.at(instruction.offset) {
                facts.extend(stops(function.code, jit, instruction, traced));
                facts.extend(left(instruction, traced));
            }
        }
        for trace in &jit.traces {
            if let Some(begin) = at(function.code, trace.offset)
                && let home = home(function.code, begin)
                && home.position.is_some_and(|position| position.line == line.line)
                && (trace.made > 0 || jit.at(home.offset).is_none_or(|site| site.stops.is_empty()))
            {
                facts.push(trace_fact(function.code, trace, home));
            }
        }
        facts.extend(covered(jit, &here));
    }
    facts.sort_by_key(|fact| fact.kind);
    facts.dedup();
    facts
}

/// Where a trace is told of: a loop at its head, though the jump at its end is what enters the trace.
fn home<'c>(code: &'c Code, begin: &'c Instruction) -> &'c Instruction {
    let target = begin
        .argument
        .strip_prefix("to ")
        .filter(|_| begin.opcode.starts_with("JUMP_BACKWARD"));
    let target = target.and_then(|offset| offset.parse().ok());
    target.and_then(|offset| at(code, offset)).unwrap_or(begin)
}

/// What begins where a trace was tried.
fn what(trace: &Trace, code: &Code) -> &'static str {
    let is_loop = at(code, trace.offset).is_some_and(|begin| {
        let jumps_here = |jump: &Instruction| {
            jump.opcode.starts_with("JUMP_BACKWARD") && home(code, jump).offset == begin.offset
        };
        begin.opcode.starts_with("JUMP_BACKWARD") || code.instructions.iter().any(jumps_here)
    });
    let instruction = at(code, trace.offset);
    if is_loop {
        "this loop"
    } else if instruction.is_some_and(|begin| begin.opcode.starts_with("RESUME") || begin.offset == 0) {
        "this function"
    } else {
        "what begins here"
    }
}

/// Reasons in words; the log's own where there are none.
fn reason(text: &str) -> String {
    if let Some(opcode) = text.strip_prefix("Unsupported opcode ") {
        return format!("`{opcode}` is unsupported");
    }
    text.to_owned()
}

/// `this loop is not traced: LOAD_NAME is unsupported`, on the instruction that stops it.
fn stops(code: &Code, jit: &Jit, instruction: &Instruction, traced: &Traced) -> Vec<Fact> {
    // The loop around it that a trace was tried of: the innermost.
    let around = jit
        .traces
        .iter()
        .filter_map(|trace| {
            let begin = at(code, trace.offset)?;
            let head = home(code, begin).offset;
            let is_around = head < begin.offset && (head..=begin.offset).contains(&instruction.offset);
            is_around.then_some((head, trace))
        })
        .max_by_key(|(head, _)| *head);
    let reasons = traced.stops.iter().map(|(text, times)| {
        let often = if *times > 1 {
            format!(" ({})", counted(*times, "attempt", "attempts"))
        } else {
            String::new()
        };
        let reason = reason(text);
        let says = match around {
            Some((_, trace)) if trace.made == 0 => format!("this loop is not traced: {reason}{often}"),
            Some((_, trace)) if trace.reasons.contains_key(text) => {
                format!("this loop is not traced beyond here: {reason}{often}")
            }
            _ => format!("a trace ends here: {reason}{often}"),
        };
        Fact {
            kind: Kind::NotTraced,
            position: instruction.position,
            text: says,
        }
    });
    reasons.collect()
}

fn at(code: &Code, offset: u32) -> Option<&Instruction> {
    code.instructions
        .iter()
        .find(|instruction| instruction.offset == offset)
}

fn left(instruction: &Instruction, traced: &Traced) -> Option<Fact> {
    let mut parts = Vec::new();
    if traced.exits > 0 {
        parts.push(format!(
            "left to go on here {}",
            counted(traced.exits, "time", "times")
        ));
    } else if traced.exits_at_least > 0 {
        parts.push(format!(
            "left to go on here at least {}",
            counted(traced.exits_at_least, "time", "times")
        ));
    }
    if traced.deopts > 0 {
        parts.push(format!(
            "abandoned here {}",
            counted(traced.deopts, "time", "times")
        ));
    }
    (!parts.is_empty()).then(|| Fact {
        kind: Kind::Left,
        position: instruction.position,
        text: format!("traces were {} (`{}`)", parts.join(", "), instruction.opcode),
    })
}

/// What was made where traces begin.
fn trace_fact(code: &Code, trace: &Trace, instruction: &Instruction) -> Fact {
    let what = what(trace, code);
    if trace.made == 0 {
        let jumps = trace.jumps.map(|jumps| {
            format!(
                "{what} jumped back {} and has no trace",
                counted(jumps, "time", "times")
            )
        });
        let mut reasons: Vec<_> = trace.reasons.iter().collect();
        reasons.sort_by_key(|(_, times)| std::cmp::Reverse(**times));
        let reasons: Vec<_> = reasons.into_iter().map(|(text, _)| reason(text)).collect();
        let why = if !reasons.is_empty() {
            format!(": {}", reasons.join(", "))
        } else if trace.refused > 0 {
            ": the log does not say why".to_owned()
        } else {
            // As 3.15 does when an exception is raised meanwhile.
            ": the attempt was broken off, and the log does not say why".to_owned()
        };
        let attempts = trace
            .attempts
            .filter(|attempts| *attempts > 1)
            .map(|attempts| format!(" ({})", counted(attempts, "attempt", "attempts")))
            .unwrap_or_default();
        return Fact {
            kind: Kind::NotTraced,
            position: instruction.position,
            text: jumps.unwrap_or_else(|| format!("{what} is not traced{why}{attempts}")),
        };
    }
    let mut facts = Vec::new();
    match (trace.uops, trace.uops_before) {
        (Some(uops), Some(before)) => facts.push(format!(
            "{} ({} before optimization)",
            counted(uops, "uop", "uops"),
            count(before)
        )),
        (Some(uops), None) | (None, Some(uops)) => facts.push(counted(uops, "uop", "uops")),
        (None, None) => {}
    }
    if let Some(bytes) = trace.bytes {
        facts.push(format!("{} bytes", count(bytes)));
    }
    match trace.closed {
        Some(true) => facts.push("closed: it jumps back to its beginning".to_owned()),
        Some(false) => facts.push("open: it ends before the loop does".to_owned()),
        None => {}
    }
    if let Some(exits) = trace.exits {
        facts.push(counted(exits, "exit", "exits"));
    }
    if let Some(deopts) = trace.deopts.filter(|deopts| *deopts > 0) {
        facts.push(counted(deopts, "deopt", "deopts"));
    }
    if let Some(errors) = trace.errors.filter(|errors| *errors > 0) {
        facts.push(counted(
            errors,
            "way out for exceptions",
            "ways out for exceptions",
        ));
    }
    if trace.valid == Some(false) {
        facts.push("no longer valid".to_owned());
    }
    if trace.refused > 0 {
        facts.push(counted(
            trace.refused,
            "other attempt given up",
            "other attempts given up",
        ));
    }
    let begins = match trace.made {
        1 if trace.is_side => "a side trace begins here, where another is left".to_owned(),
        many if trace.is_side => {
            format!("{} side traces begin here, where others are left", count(many))
        }
        1 => "a trace begins here".to_owned(),
        many => format!("{} traces begin here", count(many)),
    };
    let facts = if facts.is_empty() {
        String::new()
    } else {
        format!(": {}", facts.join(", "))
    };
    Fact {
        kind: Kind::Traced,
        position: instruction.position,
        text: format!("{begins}{facts}"),
    }
}

/// How much of the line is in traces.
fn covered(jit: &Jit, here: &[&Instruction]) -> Option<Fact> {
    let traced = here.iter().filter_map(|instruction| jit.at(instruction.offset));
    let traced: Vec<_> = traced.filter(|traced| traced.traces > 0).collect();
    if traced.is_empty() {
        return None;
    }
    let uops = traced
        .iter()
        .filter_map(|traced| traced.uops)
        .reduce(u64::saturating_add)
        .map(|uops| format!(", as {}", counted(uops, "uop", "uops")))
        .unwrap_or_default();
    let most = traced.iter().map(|traced| traced.traces).max().unwrap_or(0);
    Some(Fact {
        kind: Kind::Traced,
        position: None,
        text: format!(
            "{} of {} are in {}{uops}",
            count(traced.len() as u64),
            counted(here.len() as u64, "instruction", "instructions"),
            if most > 1 { "traces" } else { "a trace" },
        ),
    })
}

/// The facts of a line as one sentence each, to be shown as they are.
#[must_use]
pub fn sentences(file: &FileCosts, line: &LineCosts) -> Vec<String> {
    self::line(file, line)
        .into_iter()
        .map(|fact| format!("JIT: {}.", fact.text))
        .collect()
}

/// Whether a profile says anything of traces.
#[must_use]
pub fn is_told(file: &FileCosts) -> bool {
    file.functions.iter().any(|function| function.code.jit.is_some())
}
