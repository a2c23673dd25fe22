//! Repetitions in a sequence.

/// A stretch of the sequence that is `period` long and stands there `times` times in a row; once
/// for what is not repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// Where it begins.
    pub start: usize,
    /// Its length.
    pub period: usize,
    /// How often it stands there.
    pub times: usize,
}

/// Longest repetition to look for.
const LONGEST: usize = 256;

/// Splits a sequence into runs, from the left on: of what is repeated the shortest period, so that
/// a loop in a loop is found within the outer one's run.
#[must_use]
pub fn runs(sequence: &[u64]) -> Vec<Run> {
    let mut runs = Vec::new();
    let mut start = 0;
    while start < sequence.len() {
        let rest = &sequence[start..];
        let run = (1..=LONGEST.min(rest.len() / 2))
            .map(|period| (period, repeated(rest, period)))
            .find(|(_, times)| *times > 1)
            .map_or((1, 1), |found| found);
        runs.push(Run {
            start,
            period: run.0,
            times: run.1,
        });
        start += run.0 * run.1;
    }
    runs
}

/// How often the first `period` elements stand there in a row.
fn repeated(sequence: &[u64], period: usize) -> usize {
    let first = &sequence[..period];
    sequence
        .chunks_exact(period)
        .take_while(|part| *part == first)
        .count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(sequence: &[u64]) -> Vec<(usize, usize, usize)> {
        let runs = runs(sequence);
        runs.iter()
            .map(|run| (run.start, run.period, run.times))
            .collect()
    }

    #[test]
    fn repetitions_are_found_from_the_left() {
        assert_eq!(found(&[]), []);
        assert_eq!(found(&[1, 2, 3]), [(0, 1, 1), (1, 1, 1), (2, 1, 1)]);
        assert_eq!(
            found(&[7, 1, 2, 1, 2, 1, 2, 1]),
            [(0, 1, 1), (1, 2, 3), (7, 1, 1)]
        );
        assert_eq!(found(&[5, 5, 5, 6]), [(0, 1, 3), (3, 1, 1)]);
    }

    #[test]
    fn a_loop_in_a_loop_is_one_run() {
        assert_eq!(found(&[1, 2, 2, 1, 2, 2]), [(0, 3, 2)]);
        assert_eq!(found(&[1, 2, 2]), [(0, 1, 1), (1, 1, 2)]);
    }

    #[test]
    fn runs_cover_everything_once() {
        let sequence: Vec<u64> = (0..5_000).map(|n: u64| n * n % 7 % 3).collect();
        let mut at = 0;
        for run in runs(&sequence) {
            assert_eq!(run.start, at);
            at += run.period * run.times;
        }
        assert_eq!(at, sequence.len());
    }
}
