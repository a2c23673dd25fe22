//! Lines of the measured text that are still there, unchanged, in the text on screen.

/// The unchanged lines of two texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapping {
    head: u32,
    tail: u32,
    measured: u32,
    current: u32,
}

impl Mapping {
    /// Compares two texts.
    #[must_use]
    pub fn new(measured: &str, current: &str) -> Self {
        let measured: Vec<_> = lines(measured);
        let current: Vec<_> = lines(current);
        let head = measured.iter().zip(&current).take_while(|(a, b)| a == b).count();
        let tail = measured[head..]
            .iter()
            .rev()
            .zip(current[head..].iter().rev())
            .take_while(|(a, b)| a == b)
            .count();
        let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Self {
            head: number(head),
            tail: number(tail),
            measured: number(measured.len()),
            current: number(current.len()),
        }
    }

    /// Where a measured line is now.
    #[must_use]
    pub fn to_current(&self, line: u32) -> Option<u32> {
        map(line, self.head, self.tail, self.measured, self.current)
    }

    /// Which measured line a line was.
    #[must_use]
    pub fn to_measured(&self, line: u32) -> Option<u32> {
        map(line, self.head, self.tail, self.current, self.measured)
    }

    /// Whether nothing changed.
    #[must_use]
    pub fn is_identity(&self) -> bool {
        self.measured == self.current && self.head == self.measured
    }

    /// Whether measured lines `first..=last` are all there, together.
    #[must_use]
    pub fn range_unchanged(&self, first: u32, last: u32) -> bool {
        match (self.to_current(first), self.to_current(last)) {
            (Some(start), Some(end)) => end.checked_sub(start) == last.checked_sub(first),
            _ => false,
        }
    }
}

fn map(line: u32, head: u32, tail: u32, from: u32, to: u32) -> Option<u32> {
    if line == 0 || line > from {
        None
    } else if line <= head {
        Some(line)
    } else if line > from - tail {
        Some(to - (from - line))
    } else {
        None
    }
}

fn lines(text: &str) -> Vec<&str> {
    text.split('\n')
        .map(|line| line.strip_suffix('\r').unwrap_or(line))
        .collect()
}
