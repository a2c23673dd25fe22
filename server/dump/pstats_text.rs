//! What `pstats` prints of a profile: functions, names of files without folders.

use std::io::BufRead;

use super::located::{Fact, Grain, Located, Place};
use super::{Damage, Problem, lines};
use crate::profile::Time;

/// Whether a line is the one that such a report begins with.
pub(super) fn is_head(line: &str) -> bool {
    let Some((number, rest)) = line.trim().split_once(" function calls ") else {
        return false;
    };
    let (_, seconds) = rest.rsplit_once("in ").unwrap_or(("", ""));
    let is_seconds = seconds
        .strip_suffix(" seconds")
        .is_some_and(|seconds| seconds.parse::<f64>().is_ok());
    number.parse::<u64>().is_ok() && is_seconds
}

/// Reads a report.
pub(super) fn read(input: impl BufRead, damage: &mut Damage) -> Result<Located, Problem> {
    let mut located = Located::new(Grain::Function);
    let mut in_table = false;
    lines::each(input, |number, line, complete| {
        let line = String::from_utf8_lossy(line);
        let line = line.trim();
        if line.starts_with("ncalls ") {
            in_table = line.ends_with("filename:lineno(function)");
            return;
        }
        if !in_table || line.is_empty() {
            return;
        }
        let Some((calls, own, total, name)) = row(line).filter(|_| complete) else {
            damage.at(super::Place::Line(number), "this is no function with times");
            return;
        };
        let ns = |seconds: f64| Time {
            busy_ns: seconds * 1e9,
            ..Time::default()
        };
        located.all.add(ns(own));
        let Some(place) = place(name).filter(Place::is_in_file) else {
            return;
        };
        let code = (place.path.clone(), place.function.clone(), place.first_line);
        located.codes.entry(code.clone()).or_default().add(ns(total));
        let known = located.calls.entry(code).or_default();
        *known = known.saturating_add(calls);
        let line = place.position.map_or(0, |position| position.line);
        located
            .lines
            .entry((place.path.clone(), line))
            .or_default()
            .add(ns(total));
        let fact = Fact {
            executions: None,
            own: ns(own),
        };
        located.facts.push((place, fact));
    })?;
    if located.facts.is_empty() {
        return Err(Problem::Damaged {
            place: None,
            what: "no function of a file could be read".to_owned(),
        });
    }
    let note = "A printed profile is rounded to milliseconds, and does not say whose the time of C functions is: \
                it is on no line. The file that `python -m cProfile -o` writes says both.";
    located.notes.push(note.to_owned());
    Ok(located)
}

/// `ncalls tottime percall cumtime percall filename:lineno(function)`: calls, own and total seconds, name.
fn row(line: &str) -> Option<(u64, f64, f64, &str)> {
    let mut rest = line;
    let mut words = [""; 5];
    for word in &mut words {
        let (first, others) = rest.trim_start().split_once(' ')?;
        (*word, rest) = (first, others);
    }
    let calls = words[0].split('/').next()?.parse().ok()?;
    let seconds = |word: &str| {
        let seconds = word.parse::<f64>().ok()?;
        (seconds.is_finite() && (0.0..1e12).contains(&seconds)).then_some(seconds)
    };
    Some((calls, seconds(words[1])?, seconds(words[3])?, rest.trim()))
}

/// `file:line(function)`.
fn place(name: &str) -> Option<Place> {
    let (file, function) = name.strip_suffix(')')?.split_once('(')?;
    let (path, line) = file.rsplit_once(':')?;
    let line = line.parse().ok()?;
    Some(Place {
        first_line: Some(line),
        ..Place::line(path, function, line)
    })
}
