//! Which lines of a measured text are still in the text on screen.

use std::collections::HashMap;

use similar::{Algorithm, DiffOp, capture_diff_slices};

/// Which lines of a measured text are still there, unchanged, in the text on screen.
///
/// Lines are compared without their ends, so a file saved with other line ends is the same text.
/// A line counts as unchanged only as a part of a run of lines that the two texts have in common
/// and that is told from others by its place (it reaches the beginning or the end of both) or by
/// a line that each text has once. Where the deletion of one of several equal lines leaves open
/// which were deleted, none of them counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapping {
    /// Disjoint, ascending in both texts.
    runs: Vec<Run>,
    is_identity: bool,
}

/// Lines that follow each other in both texts; indices are 0-based.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Run {
    measured: usize,
    current: usize,
    length: usize,
}

/// Steps that comparing two texts may take: the time of a diff grows with the square of what it
/// compares, and a keystroke waits for it.
const STEPS: usize = 400_000;

impl Mapping {
    /// Compares two texts.
    #[must_use]
    pub fn new(measured: &str, current: &str) -> Self {
        let (measured, current) = (lines(measured), lines(current));
        let shorter = measured.len().min(current.len());
        let head = count_while(shorter, |index| measured[index] == current[index]);
        let is_identity = head == measured.len() && head == current.len();
        let tail = count_while(shorter - head, |index| {
            measured[measured.len() - 1 - index] == current[current.len() - 1 - index]
        });
        let (end, current_end) = (measured.len() - tail, current.len() - tail);
        let mut runs = Runs::default();
        runs.push(0, 0, head);
        between(&measured[head..end], &current[head..current_end], head, &mut runs);
        runs.push(end, current_end, tail);
        Self {
            runs: without_doubt(runs.0, &measured, current.len()),
            is_identity,
        }
    }

    /// The present number of a measured line; none when it was touched. Both are 1-based.
    #[must_use]
    pub fn to_current(&self, measured_line: u32) -> Option<u32> {
        let index = usize::try_from(measured_line).ok()?.checked_sub(1)?;
        let run = self.measured_run(index)?;
        u32::try_from(run.current + (index - run.measured) + 1).ok()
    }

    /// The measured number of a present line; none when it is not as it was measured.
    #[must_use]
    pub fn to_measured(&self, current_line: u32) -> Option<u32> {
        let index = usize::try_from(current_line).ok()?.checked_sub(1)?;
        let after = self.runs.partition_point(|run| run.current <= index);
        let run = self.runs.get(after.checked_sub(1)?)?;
        let distance = index - run.current;
        (distance < run.length)
            .then(|| u32::try_from(run.measured + distance + 1).ok())
            .flatten()
    }

    /// Whether the texts are the same but for line ends.
    #[must_use]
    pub fn is_identity(&self) -> bool {
        self.is_identity
    }

    /// Whether the measured lines `first` to `last` (1-based, inclusive) are all there, with
    /// nothing between them that was not; false for no lines.
    #[must_use]
    pub fn range_unchanged(&self, first: u32, last: u32) -> bool {
        let (Some(first), Ok(last)) = (first.checked_sub(1), usize::try_from(last)) else {
            return false;
        };
        let Ok(first) = usize::try_from(first) else {
            return false;
        };
        first < last
            && self
                .measured_run(first)
                .is_some_and(|run| last <= run.measured + run.length)
    }

    fn measured_run(&self, index: usize) -> Option<Run> {
        let after = self.runs.partition_point(|run| run.measured <= index);
        let run = *self.runs.get(after.checked_sub(1)?)?;
        (index < run.measured + run.length).then_some(run)
    }
}

/// Runs as they are found; neighbours are joined.
#[derive(Default)]
struct Runs(Vec<Run>);

impl Runs {
    fn push(&mut self, measured: usize, current: usize, length: usize) {
        if length == 0 {
            return;
        }
        match self.0.last_mut() {
            Some(last)
                if last.measured + last.length == measured && last.current + last.length == current =>
            {
                last.length += length;
            }
            _ => self.0.push(Run {
                measured,
                current,
                length,
            }),
        }
    }
}

/// The runs without the lines that may have been deleted instead of equal ones beside them.
fn without_doubt(mut runs: Vec<Run>, measured: &[&str], current: usize) -> Vec<Run> {
    let mut trims = vec![(0, 0); runs.len()];
    for index in 0..=runs.len() {
        let before = index.checked_sub(1).map(|before| runs[before]);
        let after = runs.get(index);
        let (start, current_start) = before.map_or((0, 0), |run| {
            (run.measured + run.length, run.current + run.length)
        });
        let (end, current_end) = after.map_or((measured.len(), current), |run| (run.measured, run.current));
        if start == end || current_start != current_end {
            continue;
        }
        if let Some(run) = before {
            let equal = |distance: usize| measured[start - 1 - distance] == measured[end - 1 - distance];
            trims[index - 1].1 = count_while(run.length, equal);
        }
        if let Some(run) = after {
            let equal = |distance: usize| measured[start + distance] == measured[end + distance];
            trims[index].0 = count_while(run.length, equal);
        }
    }
    for (run, (head, tail)) in runs.iter_mut().zip(trims) {
        run.measured += head;
        run.current += head;
        run.length = run.length.saturating_sub(head + tail);
    }
    runs.retain(|run| run.length > 0);
    runs
}

/// Lines as CPython's tokenizer cuts them, without their ends and a byte order mark. A line end
/// at the very end starts no further line.
fn lines(text: &str) -> Vec<&str> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut lines = Vec::new();
    for line in text.split_inclusive('\n') {
        let line = line.strip_suffix('\n').unwrap_or(line);
        let line = line.strip_suffix('\r').unwrap_or(line);
        if line.contains('\r') {
            lines.extend(line.split('\r'));
        } else {
            lines.push(line);
        }
    }
    lines
}

/// How many of the numbers below `limit` satisfy, from 0 on.
fn count_while(limit: usize, satisfies: impl Fn(usize) -> bool) -> usize {
    (0..limit).find(|&index| !satisfies(index)).unwrap_or(limit)
}

/// The runs between the common beginning and the common end, which are `offset` lines down.
fn between(measured: &[&str], current: &[&str], offset: usize, runs: &mut Runs) {
    if measured.is_empty() || current.is_empty() {
        return;
    }
    let (measured, current, is_unique) = numbered(measured, current);
    let mut budget = STEPS;
    let (mut from, mut current_from) = (0, 0);
    let ends = anchors(&measured, &current, &is_unique);
    for (end, current_end) in ends.into_iter().chain([(measured.len(), current.len())]) {
        let steps = (end - from + current_end - current_from).pow(2);
        let mut found = Vec::new();
        // What is too large to compare is taken as changed.
        if from < end && current_from < current_end && steps <= budget {
            budget -= steps;
            let (old, new) = (&measured[from..end], &current[current_from..current_end]);
            for operation in capture_diff_slices(Algorithm::Myers, old, new) {
                if let DiffOp::Equal {
                    old_index,
                    new_index,
                    len,
                } = operation
                {
                    found.push((from + old_index, current_from + new_index, len));
                }
            }
        }
        for (old, new, length) in found {
            runs.push(offset + old, offset + new, length);
        }
        if end < measured.len() {
            runs.push(offset + end, offset + current_end, 1);
        }
        (from, current_from) = (
            (end + 1).min(measured.len()),
            (current_end + 1).min(current.len()),
        );
    }
    // Only a line that each text has once tells a run from others like it.
    runs.0.retain(|run| {
        let inside = run.measured >= offset && run.measured < offset + measured.len();
        !inside
            || (run.measured - offset..run.measured - offset + run.length)
                .any(|index| measured.get(index).is_none_or(|line| is_unique[*line]))
    });
}

/// Lines as small numbers, equal ones alike, and by number whether both texts have it once.
fn numbered<'t>(measured: &[&'t str], current: &[&'t str]) -> (Vec<usize>, Vec<usize>, Vec<bool>) {
    let mut numbers: HashMap<&'t str, usize> = HashMap::new();
    let mut counts: Vec<(u32, u32)> = Vec::new();
    let mut number_of = |line: &'t str, is_measured: bool| {
        let number = *numbers.entry(line).or_insert_with(|| {
            counts.push((0, 0));
            counts.len() - 1
        });
        let count = &mut counts[number];
        if is_measured {
            count.0 += 1;
        } else {
            count.1 += 1;
        }
        number
    };
    let old = measured.iter().map(|line| number_of(line, true)).collect();
    let new = current.iter().map(|line| number_of(line, false)).collect();
    (old, new, counts.iter().map(|count| *count == (1, 1)).collect())
}

/// The longest ascending sequence of lines that both texts have once, as in a patience diff.
fn anchors(measured: &[usize], current: &[usize], is_unique: &[bool]) -> Vec<(usize, usize)> {
    let mut places = vec![0; is_unique.len()];
    for (index, line) in current.iter().enumerate() {
        places[*line] = index;
    }
    let pairs: Vec<(usize, usize)> = measured
        .iter()
        .enumerate()
        .filter(|(_, line)| is_unique[**line])
        .map(|(index, line)| (index, places[*line]))
        .collect();
    // The last pair of the best sequence of each length, and the pair before each pair.
    let mut tops: Vec<usize> = Vec::new();
    let mut before: Vec<Option<usize>> = Vec::with_capacity(pairs.len());
    for (index, pair) in pairs.iter().enumerate() {
        let length = tops.partition_point(|top| pairs[*top].1 < pair.1);
        before.push(length.checked_sub(1).map(|shorter| tops[shorter]));
        if length == tops.len() {
            tops.push(index);
        } else {
            tops[length] = index;
        }
    }
    let mut sequence = Vec::new();
    let mut next = tops.last().copied();
    while let Some(index) = next {
        sequence.push(pairs[index]);
        next = before[index];
    }
    sequence.reverse();
    sequence
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The present line of each measured line.
    fn mapped(measured: &str, current: &str) -> Vec<Option<u32>> {
        let mapping = Mapping::new(measured, current);
        let number = u32::try_from(lines(measured).len()).unwrap();
        (1..=number).map(|line| mapping.to_current(line)).collect()
    }

    /// Texts of one letter a line; 0 for a line that is gone.
    #[track_caller]
    fn check(measured: &str, current: &str, expected: &[u32]) {
        let text = |letters: &str| {
            letters
                .chars()
                .flat_map(|letter| [letter, '\n'])
                .collect::<String>()
        };
        let found = mapped(&text(measured), &text(current));
        let found: Vec<u32> = found.into_iter().map(Option::unwrap_or_default).collect();
        assert_eq!(found, expected, "{measured} -> {current}");
    }

    #[test]
    fn lines_move_with_what_is_typed_around_them() {
        check("abc", "abc", &[1, 2, 3]);
        check("abc", "xabc", &[2, 3, 4]);
        check("abc", "axbc", &[1, 3, 4]);
        check("abc", "ac", &[1, 0, 2]);
        check("abc", "axc", &[1, 0, 3]);
        check("abc", "", &[0, 0, 0]);
        check("", "abc", &[]);
        check("abcdef", "xabcydef", &[2, 3, 4, 6, 7, 8]);
        check("abcdef", "abxcdyef", &[1, 2, 4, 5, 7, 8]);
    }

    #[test]
    fn equal_lines_are_not_taken_for_each_other() {
        // The line between two changed ones may be any of the equal ones.
        check("axbxc", "ayxzc", &[1, 0, 0, 0, 5]);
        // Which of two was deleted cannot be told; a change elsewhere does not tell it either.
        check("axxb", "axb", &[1, 0, 0, 3]);
        check("axxbc", "axbd", &[1, 0, 0, 3, 0]);
        check("xx", "x", &[0, 0]);
        check("abcabd", "abd", &[0, 0, 0, 0, 0, 3]);
        // What was added beside an equal line leaves the measured one where it was.
        check("axb", "axxb", &[1, 2, 4]);
        // A line that both have once vouches for its neighbours.
        check("pxuxq", "rxuxs", &[0, 2, 3, 4, 0]);
    }

    #[test]
    fn line_ends_and_byte_order_marks_are_no_change() {
        for current in ["a\r\nb\r\nc\r\n", "a\rb\rc\r", "\u{feff}a\nb\nc", "a\nb\r\nc\n"] {
            let mapping = Mapping::new("a\nb\nc\n", current);
            assert!(mapping.is_identity(), "{current:?}");
            assert_eq!(
                (mapping.to_current(3), mapping.to_current(4)),
                (Some(3), None),
                "{current:?}"
            );
        }
        assert!(!Mapping::new("a\n", "a\n\n").is_identity());
        assert!(!Mapping::new("a ", "a").is_identity());
        assert_eq!(mapped("a\x0cb\nc", "a\x0cb\nc"), [Some(1), Some(2)]);
    }

    #[test]
    fn ranges_are_unchanged_as_a_whole() {
        let mapping = Mapping::new("a\nb\nc\nd\ne\n", "x\na\nb\ny\nc\nd\nz\n");
        let cases = [
            (1, 2, true),
            (3, 4, true),
            (2, 3, false),
            (4, 5, false),
            (5, 5, false),
            (0, 1, false),
            (2, 1, false),
            (1, u32::MAX, false),
            (9, 9, false),
        ];
        for (first, last, expected) in cases {
            assert_eq!(
                mapping.range_unchanged(first, last),
                expected,
                "{first} to {last}"
            );
        }
    }

    /// Numbers that look random and are the same each time (xorshift64).
    struct Random(u64);

    impl Random {
        fn below(&mut self, limit: usize) -> usize {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            usize::try_from(self.0 % u64::try_from(limit).unwrap()).unwrap()
        }
    }

    /// What must hold of any two texts.
    fn hold(measured: &[String], current: &[String]) {
        let mapping = Mapping::new(&measured.join("\n"), &current.join("\r\n"));
        let mut last = 0;
        for (number, line) in (1..).zip(measured) {
            let Some(to) = mapping.to_current(number) else {
                continue;
            };
            assert_eq!(*line, current[to as usize - 1], "{measured:?} {current:?}");
            assert!(to > last, "{measured:?} {current:?}");
            assert_eq!(mapping.to_measured(to), Some(number));
            last = to;
        }
        let is_same = measured == current;
        assert_eq!(mapping.is_identity(), is_same);
        assert!(!is_same || last as usize == measured.len());
    }

    #[test]
    fn whatever_is_edited_or_undone_mapped_lines_are_equal_and_in_order() {
        let mut random = Random(0x9e37_79b9_7f4a_7c15);
        for _ in 0..2_000 {
            // Few different lines: many equal ones.
            let letters = 2 + random.below(30);
            let line = |random: &mut Random| format!("line {}", random.below(letters));
            let measured: Vec<String> = (0..=random.below(40)).map(|_| line(&mut random)).collect();
            let mut current = measured.clone();
            let mut undo = Vec::new();
            for _ in 0..=random.below(6) {
                undo.push(current.clone());
                let at = random.below(current.len() + 1);
                match random.below(3) {
                    0 => current.insert(at, line(&mut random)),
                    1 if at < current.len() && current.len() > 1 => drop(current.remove(at)),
                    2 if at < current.len() => current[at] = line(&mut random),
                    _ => {}
                }
                hold(&measured, &current);
            }
            while let Some(state) = undo.pop() {
                hold(&measured, &state);
            }
        }
    }

    #[test]
    fn every_line_that_was_not_touched_is_found_when_lines_differ() {
        let mut random = Random(7);
        for _ in 0..300 {
            let measured: Vec<String> = (0..60).map(|index| format!("line {index}")).collect();
            let mut current = measured.clone();
            let mut touched = Vec::new();
            for edit in 0..=random.below(8) {
                let at = random.below(current.len());
                if random.below(2) == 0 {
                    current.insert(at, format!("new {edit}"));
                } else {
                    touched.push(std::mem::replace(&mut current[at], format!("other {edit}")));
                }
            }
            let found = mapped(&measured.join("\n"), &current.join("\n"));
            for (line, to) in measured.iter().zip(found) {
                assert_eq!(to.is_none(), touched.contains(line), "{line}");
            }
        }
    }

    #[test]
    fn large_texts_that_differ_throughout_are_bounded() {
        let many = |step: usize| -> Vec<String> {
            (0..10_000)
                .map(|index| format!("line {}", index * step % 97))
                .collect()
        };
        let (one, other) = (many(31), many(58));
        hold(&one, &other);
        // With a line that both have once between them, the parts are compared by themselves.
        let here = ["here".to_owned()];
        let measured = [&one[..], &here[..], &other[..]].concat();
        let current = [&other[..], &here[..], &one[..]].concat();
        hold(&measured, &current);
        let found = mapped(&measured.join("\n"), &current.join("\n"));
        assert_eq!(found[10_000], Some(10_001));
    }
}
