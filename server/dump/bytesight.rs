//! Traces that bytesight prints: every instruction that ran, with its time when it was profiled.

use std::collections::{BTreeMap, HashMap};
use std::io::BufRead;

use super::located::{Fact, Grain, Located, Place};
use super::{Damage, Problem, lines};
use crate::profile::{Position, Time};

/// A frame that is open.
struct Frame {
    path: String,
    function: String,
    first_line: u32,
    line: Option<u32>,
    quoted: Option<String>,
}

/// Frames open at once.
const DEPTH: usize = 1 << 14;
/// Different instructions that are kept.
const KEPT: usize = 1 << 19;

/// Reads a trace.
pub(super) fn read(input: impl BufRead, damage: &mut Damage) -> Result<Located, Problem> {
    let mut located = Located::new(Grain::Instruction);
    let mut open: Vec<Frame> = Vec::new();
    let mut facts: HashMap<Place, Fact> = HashMap::new();
    let mut lines_of: HashMap<(String, u32, String), BTreeMap<u32, u32>> = HashMap::new();
    let (mut homeless, mut timed) = (0_u64, false);
    let mut wall_ns = 0.0;
    lines::each(input, |number, line, _| {
        let line = String::from_utf8_lossy(line);
        let trimmed = line.trim();
        if let Some(rest) = trimmed.strip_prefix("////") {
            if rest.starts_with(" Trace of `") {
                open.clear();
            }
        } else if let Some(rest) = trimmed.strip_prefix("//") {
            comment(rest.trim(), &mut open);
        } else if let Some(ns) = trimmed.strip_prefix("Uninstrumented: ") {
            wall_ns += ns
                .strip_suffix(" ns")
                .and_then(|ns| ns.parse::<f64>().ok())
                .unwrap_or(0.0);
        } else if let Some(found) = instruction(trimmed) {
            let Some(frame) = open.last_mut() else {
                homeless += 1;
                return;
            };
            if facts.len() >= KEPT {
                damage.at(
                    super::Place::Line(number),
                    "too many different instructions: this one is left out",
                );
                return;
            }
            let key = (frame.path.clone(), frame.first_line, frame.function.clone());
            let known = lines_of.entry(key).or_default();
            // 3.11 has the line at its first instruction only. What runs first in a frame that goes on is
            // on the line of what stands before it; `RESUME`, which is never shown, is on the first.
            let before = || known.range(..=found.offset).next_back().map(|(_, line)| *line);
            let exact = known.get(&found.offset).copied();
            let line = found
                .line
                .or(exact)
                .or(frame.line)
                .or_else(before)
                .unwrap_or(frame.first_line);
            frame.line = Some(line);
            known.insert(found.offset, line);
            if let Some(text) = frame.quoted.take() {
                located.quoted.insert((frame.path.clone(), line), text);
            }
            let place = Place {
                path: frame.path.clone(),
                function: frame.function.clone(),
                first_line: Some(frame.first_line),
                position: Some(Position {
                    line,
                    end_line: line,
                    columns: None,
                }),
                offset: Some(found.offset),
                opcode: Some(found.opcode.to_owned()),
            };
            let fact = facts.entry(place).or_default();
            fact.executions = Some(fact.executions.unwrap_or(0).saturating_add(1));
            if let Some(ns) = found.ns {
                timed = true;
                let own = Time {
                    busy_ns: ns,
                    ..Time::default()
                };
                fact.own.add(own);
                located.all.add(own);
            }
        } else if trimmed.starts_with(|c: char| c.is_ascii_digit())
            && trimmed.contains('(')
            && !open.is_empty()
        {
            damage.at(super::Place::Line(number), "this is no instruction");
        }
    })?;
    if homeless > 0 {
        damage.about(format!(
            "{homeless} instructions stand outside of any frame and are left out"
        ));
    }
    if !open.is_empty() {
        damage.about("the trace is cut: a frame in it has no end");
    }
    if facts.is_empty() {
        return Err(Problem::Damaged {
            place: None,
            what: "no instruction could be read".to_owned(),
        });
    }
    located.has_times = timed;
    located.wall_ns = (wall_ns > 0.0 && f64::is_finite(wall_ns)).then_some(wall_ns);
    located.facts = facts
        .into_iter()
        .filter(|(place, _)| place.is_in_file())
        .collect();
    located.notes = notes(timed);
    Ok(located)
}

fn notes(timed: bool) -> Vec<String> {
    let mut notes = vec!["bytesight prints base opcodes: which were specialized is not in the dump."];
    if timed {
        notes.push("Times are bytesight's least of many repeats, scaled to an untraced call.");
    }
    notes.into_iter().map(str::to_owned).collect()
}

/// What stands behind `//`: the beginning or end of a frame, a source line, an exception.
fn comment(text: &str, open: &mut Vec<Frame>) {
    if let Some(source) = text.strip_prefix(">>> ") {
        if let Some(frame) = open.last_mut().filter(|_| source != "<source not available>") {
            frame.quoted = Some(source.to_owned());
        }
    } else if !text.is_empty() && text.bytes().all(|byte| byte == b'=') {
        open.pop();
    } else if text.starts_with('=') && text.ends_with('=') {
        let inner = text.trim_matches('=').trim();
        let frame = (|| {
            let (place, name) = inner.split_once(" `")?;
            let (stem, line) = place.rsplit_once(':')?;
            Some(Frame {
                path: if stem.starts_with('<') {
                    stem.to_owned()
                } else {
                    format!("{stem}.py")
                },
                function: name.strip_suffix('`')?.to_owned(),
                first_line: line.parse().ok()?,
                line: None,
                quoted: None,
            })
        })();
        if open.len() < DEPTH {
            open.extend(frame);
        }
    }
}

struct Instruction<'l> {
    line: Option<u32>,
    offset: u32,
    opcode: &'l str,
    ns: Option<f64>,
}

/// `[line] [>>] offset OPCODE [argument] (words) [// ns]`.
fn instruction(text: &str) -> Option<Instruction<'_>> {
    let mut words = text.split_whitespace();
    let mut numbers = Vec::new();
    let opcode = loop {
        let word = words.next()?;
        if word == ">>" {
            continue;
        }
        match word.parse::<u32>() {
            Ok(number) if numbers.len() < 2 => numbers.push(number),
            _ => break word,
        }
    };
    if !opcode.starts_with(|c: char| c.is_ascii_uppercase())
        || !opcode
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
        || !text.contains('(')
    {
        return None;
    }
    let ns = text
        .strip_suffix("ns")
        .and_then(|text| text.rsplit_once("//"))
        .and_then(|(_, ns)| ns.trim().parse::<f64>().ok())
        .filter(|ns| ns.is_finite())
        .map(|ns| ns.max(0.0));
    let offset = numbers.pop()?;
    Some(Instruction {
        line: numbers.pop(),
        offset,
        opcode,
        ns,
    })
}
