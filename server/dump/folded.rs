//! Stacks on one line each, a number at the end: Tachyon's collapsed form, py-spy's raw form and
//! Austin's text.

use std::io::BufRead;

use super::located::{Doing, Grain, Located, Place};
use super::stacks::Stacks;
use super::{Damage, Problem, lines};

/// Whose lines they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// `tid:T;FILE:FUNCTION:LINE;… N`.
    Tachyon,
    /// `FUNCTION (FILE:LINE);… N`.
    PySpy,
    /// `P1;T0:1;FILE:FUNCTION:LINE;… MICROSECONDS`.
    Austin,
}

/// What a sample without a known length is shown as, ns.
const NOMINAL_NS: f64 = 1e6;

/// Reads a file.
pub(super) fn read(dialect: Dialect, input: impl BufRead, damage: &mut Damage) -> Result<Located, Problem> {
    let mut stacks = Stacks::new();
    let mut threads = std::collections::HashSet::new();
    let mut python = None;
    let mut read = 0_u64;
    lines::each(input, |number, line, complete| {
        let line = String::from_utf8_lossy(line);
        let line = line.trim();
        if line.is_empty() {
            return;
        }
        if let Some(rest) = line.strip_prefix('#') {
            if let Some(version) = rest.trim().strip_prefix("python: ") {
                python = Some(
                    version
                        .chars()
                        .take(16)
                        .filter(char::is_ascii)
                        .collect::<String>(),
                );
            }
            return;
        }
        let Some((frames, weight)) = parsed(line).filter(|_| complete || dialect != Dialect::Austin) else {
            damage.at(super::Place::Line(number), "this is no stack with a number");
            return;
        };
        let mut stack = Vec::new();
        for (index, text) in frames.split(';').enumerate() {
            match frame(dialect, text) {
                Some(place) => stack.extend(stacks.place(place)),
                // Process and thread come first.
                None if index < 2 && threads.len() < 1 << 16 => {
                    threads.insert(text.to_owned());
                }
                None => {}
            }
        }
        let (ns, samples) = if dialect == Dialect::Austin {
            (weight as f64 * 1e3, 1)
        } else {
            (weight as f64 * NOMINAL_NS, weight)
        };
        stacks.add(&stack, ns, samples, Doing::Running);
        read += 1;
    })?;
    if read == 0 {
        return Err(Problem::Damaged {
            place: None,
            what: "no stack could be read".to_owned(),
        });
    }
    let mut located = stacks.finish(Grain::Line);
    located.python = python;
    let is_thread =
        |text: &&String| text.starts_with("tid:") || text.starts_with("thread (") || text.starts_with('T');
    located.threads = (threads.iter().filter(is_thread).count() as u64).max(1);
    if dialect != Dialect::Austin {
        let note = "The dump does not say how long a sample is: each is shown as 1 ms, shares are exact.";
        located.notes.push(note.to_owned());
    }
    Ok(located)
}

fn parsed(line: &str) -> Option<(&str, u64)> {
    // A stack without frames is a number alone.
    let (frames, weight) = line.rsplit_once(' ').unwrap_or(("", line));
    Some((frames, weight.parse().ok()?))
}

fn frame(dialect: Dialect, text: &str) -> Option<Place> {
    if dialect == Dialect::PySpy {
        let (function, place) = text.strip_suffix(')')?.split_once(" (")?;
        if function == "thread" || text.starts_with("process ") {
            return None;
        }
        let (path, line) = place.rsplit_once(':').unwrap_or((place, "0"));
        return match line.parse() {
            Ok(line) => Some(Place::line(path, function, line)),
            Err(_) => Some(Place::line(place, function, 0)),
        };
    }
    let (rest, line) = text.rsplit_once(':')?;
    let (path, function) = rest.rsplit_once(':')?;
    Some(Place::line(path, function, line.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_of_each_dialect() {
        let spin = Place::line("spin.py", "spin", 6);
        assert_eq!(frame(Dialect::PySpy, "spin (spin.py:6)"), Some(spin.clone()));
        assert_eq!(frame(Dialect::Tachyon, "spin.py:spin:6"), Some(spin));
        assert_eq!(frame(Dialect::PySpy, "process 7:\"python a (b)\""), None);
        assert_eq!(frame(Dialect::Tachyon, "tid:10128"), None);
        assert_eq!(frame(Dialect::Austin, "T0:11834"), None);
    }
}
