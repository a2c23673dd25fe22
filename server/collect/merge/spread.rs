//! How much sampled processes of one workload differ among themselves.

use std::collections::{BTreeMap, BTreeSet};

/// Samples of the lines of a process; `None` for those of no line.
#[derive(Debug, Default)]
pub(super) struct ByLine(BTreeMap<(String, Option<u32>), u64>);

impl ByLine {
    /// Adds samples of a line.
    pub(super) fn add(&mut self, path: &str, line: Option<u32>, samples: u64) {
        *self.0.entry((path.to_owned(), line)).or_default() += samples;
    }
}

/// Lines with fewer samples in a process than this are put together: of few, the statistic is not what
/// its tables say (Cochran 1954).
const FEWEST: f64 = 5.0;

/// By how much variances of shares exceed those of independent samples: Pearson's statistic of lines and
/// processes over its degrees of freedom, at least 1. What differs from process to process, addresses for
/// one, makes each of them wrong alike in all its samples, which their number does not tell.
pub(super) fn dispersion(processes: &[ByLine]) -> f64 {
    let sums: Vec<f64> = processes.iter().map(|process| sum(process.0.values())).collect();
    let all: f64 = sums.iter().sum();
    if processes.len() < 2 || sums.contains(&0.0) {
        return 1.0;
    }
    let keys: BTreeSet<_> = processes.iter().flat_map(|process| process.0.keys()).collect();
    let row = |key: &&(String, Option<u32>)| -> Vec<f64> {
        let samples = processes.iter().map(|process| process.0.get(*key));
        samples
            .map(|samples| samples.copied().unwrap_or(0) as f64)
            .collect()
    };
    let least = sums.iter().copied().fold(f64::INFINITY, f64::min);
    let is_rare = |row: &Vec<f64>| row.iter().sum::<f64>() * least < FEWEST * all;
    let (rare, mut rows): (Vec<_>, Vec<_>) = keys.iter().map(row).partition(is_rare);
    let rest: Vec<f64> = (0..sums.len())
        .map(|at| rare.iter().map(|row| row[at]).sum())
        .collect();
    if !is_rare(&rest) {
        rows.push(rest);
    }
    if rows.len() < 2 {
        return 1.0;
    }
    let statistic: f64 = rows
        .iter()
        .flat_map(|row| {
            let share = row.iter().sum::<f64>() / all;
            let cells = row.iter().zip(&sums);
            cells.map(move |(seen, sum)| (seen - share * sum).powi(2) / (share * sum))
        })
        .sum();
    let freedom = (rows.len() - 1) * (sums.len() - 1);
    (statistic / freedom as f64).max(1.0)
}

fn sum<'a>(samples: impl Iterator<Item = &'a u64>) -> f64 {
    samples.sum::<u64>() as f64
}

#[cfg(test)]
mod tests {
    use super::{ByLine, dispersion};

    fn process(samples: &[u64]) -> ByLine {
        let mut by_line = ByLine::default();
        for (line, &samples) in (1..).zip(samples) {
            by_line.add("kern.py", Some(line), samples);
        }
        by_line
    }

    /// Worked out by hand: a table of 2 by 2 with 60 and 40, 40 and 60 has a statistic of 8.
    #[test]
    fn what_differs_more_than_chance_is_told() {
        let found = dispersion(&[process(&[60, 40]), process(&[40, 60])]);
        assert!((found - 8.0).abs() < 1e-9, "{found}");
    }

    #[test]
    fn what_differs_less_than_chance_is_as_chance() {
        let found = dispersion(&[process(&[50, 50]), process(&[51, 49]), process(&[500, 501])]);
        assert!((found - 1.0).abs() < 1e-9, "{found}");
    }

    #[test]
    fn one_process_or_one_line_tells_nothing() {
        for processes in [
            vec![process(&[10, 20])],
            vec![process(&[10]), process(&[30])],
            vec![process(&[]), process(&[10, 20])],
            vec![],
        ] {
            assert!((dispersion(&processes) - 1.0).abs() < 1e-9, "{processes:?}");
        }
    }

    /// A line seen once in one of them would alone make the statistic large.
    #[test]
    fn rare_lines_count_together() {
        let found = dispersion(&[process(&[500, 500, 3, 0, 2, 1]), process(&[500, 500, 0, 4, 1, 1])]);
        assert!(found < 1.01, "{found}");
    }
}
