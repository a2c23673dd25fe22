//! The text that `line_profiler` prints.

use std::io::BufRead;

use super::located::{Fact, Grain, Located, Place};
use super::{Damage, Problem, lines};
use crate::profile::Time;

/// Lines that are kept.
const KEPT: usize = 1 << 19;

/// Reads a report.
pub(super) fn read(input: impl BufRead, damage: &mut Damage) -> Result<Located, Problem> {
    let mut located = Located::new(Grain::Line);
    let (mut unit_ns, mut path, mut function, mut first_line) = (1e3, String::new(), String::new(), None);
    let mut in_table = false;
    // Column at which the text of a line begins.
    let mut contents = None;
    lines::each(input, |number, line, _| {
        let line = String::from_utf8_lossy(line);
        let trimmed = line.trim();
        if let Some(unit) = trimmed.strip_prefix("Timer unit: ") {
            let seconds = unit
                .strip_suffix(" s")
                .and_then(|unit| unit.trim().parse::<f64>().ok());
            match seconds.filter(|seconds| (0.0..1e3).contains(seconds)) {
                Some(seconds) => unit_ns = seconds * 1e9,
                None => damage.at(super::Place::Line(number), "this is no unit of time"),
            }
        } else if let Some(file) = trimmed.strip_prefix("File: ") {
            file.clone_into(&mut path);
            in_table = false;
        } else if let Some(rest) = trimmed.strip_prefix("Function: ") {
            let (name, at) = rest.rsplit_once(" at line ").unwrap_or((rest, ""));
            name.clone_into(&mut function);
            first_line = at.trim().parse().ok();
            in_table = false;
        } else if trimmed.starts_with("Line #") {
            contents = line.find("Line Contents");
        } else if !trimmed.is_empty() && trimmed.bytes().all(|byte| byte == b'=') {
            in_table = contents.is_some();
        } else if trimmed.is_empty() {
            // A blank line ends a table, but a line without code in one has its number.
            in_table = false;
        } else if in_table && located.quoted.len().max(located.facts.len()) >= KEPT {
            damage.at(super::Place::Line(number), "too many lines: this one is left out");
        } else if in_table {
            let numbers = contents.and_then(|at| line.get(..at)).unwrap_or(&line);
            let Some(row) = row(numbers) else {
                damage.at(super::Place::Line(number), "this is no row of a table of lines");
                return;
            };
            let text = contents.and_then(|at| line.get(at..)).unwrap_or_default().trim();
            if !text.is_empty() {
                located.quoted.insert((path.clone(), row.0), text.to_owned());
            }
            if let Some((hits, units)) = row.1 {
                let own = Time {
                    busy_ns: units * unit_ns,
                    ..Time::default()
                };
                located.all.add(own);
                let place = Place {
                    first_line,
                    ..Place::line(&path, &function, row.0)
                };
                located.facts.push((
                    place,
                    Fact {
                        executions: Some(hits),
                        own,
                    },
                ));
            }
        }
    })?;
    if located.facts.is_empty() {
        return Err(Problem::Damaged {
            place: None,
            what: "no line with a time could be read".to_owned(),
        });
    }
    located
        .notes
        .push("line_profiler's time of a line includes what the line called.".to_owned());
    Ok(located)
}

/// The line's number with hits and time, if it ran.
fn row(text: &str) -> Option<(u32, Option<(u64, f64)>)> {
    let mut words = text.split_whitespace();
    let line = words.next()?.parse().ok()?;
    let (Some(hits), Some(time)) = (words.next(), words.next()) else {
        return Some((line, None));
    };
    let time: f64 = time.parse().ok().filter(|time| (0.0..1e18).contains(time))?;
    Some((line, Some((hits.parse().ok()?, time))))
}
