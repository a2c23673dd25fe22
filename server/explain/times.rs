//! Sentences on times.

use crate::attribute::{LineCosts, SiteCosts, TimeCosts, Whole};
use crate::profile::Method;

use super::number::{count, counted, duration, percent};
use super::words;

/// A line's time is split over its instructions from so many samples on: the 95 % interval of each
/// part is then at most 5 points to both sides.
pub const SPLIT: u64 = 400;
/// Less than this of the run is not said of what a line called, waited for, or collected.
const NOTABLE: f64 = 0.005;

/// What a share of the time is of.
pub const OF_TIME: &str = "of the time";

/// What the weight of a line is a share of, in short.
#[must_use]
pub fn whole_of(line: &LineCosts) -> &'static str {
    match line.time {
        Some(_) => "the time",
        None => "instructions",
    }
}

/// The times of a line besides its share: what one execution took, with what it called, waits,
/// collections of garbage.
#[must_use]
pub fn facts(line: &LineCosts, time: &TimeCosts) -> Vec<String> {
    let mut facts = Vec::new();
    facts.extend(each(line, time));
    if let Some(total) = time.total_share.filter(|total| total - time.share >= NOTABLE) {
        facts.push(format!("{} with what it calls", percent(total)));
    }
    if time.waiting_ns > NOTABLE * time.self_ns && time.waiting_ns > 0.0 {
        facts.push(format!("waits {} besides", duration(time.waiting_ns)));
    }
    if time.collecting_ns > NOTABLE * time.self_ns && time.collecting_ns > 0.0 {
        let part = percent(time.collecting_ns / time.self_ns);
        facts.push(format!("{part} of it collects garbage"));
    }
    facts
}

/// `58.0 ns each ± 3.1 ns`; none when it is not known how often the line ran.
fn each(line: &LineCosts, time: &TimeCosts) -> Option<String> {
    let executions = line.executions.filter(|&executions| executions > 0)?;
    if time.self_ns <= 0.0 {
        return None;
    }
    let each = time.self_ns / executions as f64;
    let error = time.error.filter(|_| time.share > 0.0);
    let error = error.map(|error| format!(" ± {}", duration(each * error / time.share)));
    Some(format!("{} each{}", duration(each), error.unwrap_or_default()))
}

/// What one execution of an instruction took, or its part of the line where executions are not known;
/// none when the line has too few samples to be split.
#[must_use]
pub fn of_site(line: &LineCosts, sites: &[&SiteCosts]) -> Option<String> {
    let time = line.time.filter(splits)?;
    let own = own(line, sites)?;
    let executions = match sites {
        [site] => site.executions(),
        // Several together: for one execution of the line.
        _ => line.executions,
    };
    Some(match executions.filter(|&executions| executions > 0) {
        Some(executions) => duration(own / executions as f64),
        None => percent(own / time.self_ns),
    })
}

/// Time of some instructions of a line together, ns; none when the line has too few samples to be split, or
/// they have none.
#[must_use]
pub fn own(line: &LineCosts, sites: &[&SiteCosts]) -> Option<f64> {
    line.time.filter(splits)?;
    let own: f64 = sites
        .iter()
        .filter_map(|site| Some(site.time.as_deref()?.self_ns))
        .sum();
    (own > 0.0).then_some(own)
}

fn splits(time: &TimeCosts) -> bool {
    time.self_ns > 0.0 && (time.method != Method::Sampled || time.samples >= SPLIT)
}

/// That a line's time cannot be split; none when it can, or when there is none.
#[must_use]
pub fn unsplit(line: &LineCosts) -> Option<String> {
    let time = line.time.filter(|time| time.samples > 0 && !splits(time))?;
    Some(format!(
        "{}: too few to split the line's time over its expressions ({} are needed).",
        counted(time.samples, "sample", "samples"),
        count(SPLIT)
    ))
}

/// What sampled shares are of; the number of samples goes behind it.
pub const SAMPLED: &str =
    "time %: share of the time on the processor in these files and what they call, from";

fn sampled(samples: u64, processes: u64) -> String {
    let samples = counted(samples, "sample", "samples");
    match processes {
        0 | 1 => samples,
        processes => format!("{samples} of {processes} processes"),
    }
}

/// What the times of a report are, and how they were obtained.
#[must_use]
pub fn whole(whole: &Whole) -> String {
    let times = whole.times;
    let mut text = match times.samples {
        Some(samples) => format!("{SAMPLED} {}", sampled(samples, times.processes)),
        None => format!(
            "time %: share of the time on the processor in these files, {}: cheap instructions look dearer than they are",
            words::method(times.method)
        ),
    };
    let all = times.busy_ns + times.waiting_ns;
    let process = times.busy_ns + times.outside_ns;
    let parts = [
        (
            times.waiting_ns / all.max(1.0),
            "of the threads' time is waiting, besides",
        ),
        (times.collecting_ns / times.busy_ns.max(1.0), "collects garbage"),
        (
            times.elsewhere_ns / times.busy_ns.max(1.0),
            "is in other files that they call",
        ),
        (
            times.outside_ns / process.max(1.0),
            "of the process's time is besides",
        ),
    ];
    for (share, what) in parts.into_iter().filter(|(share, _)| *share >= NOTABLE) {
        text.push_str("; ");
        text.push_str(&percent(share));
        text.push(' ');
        text.push_str(what);
    }
    text + "."
}

/// How times were obtained, for where other methods are named.
#[must_use]
pub fn provenance(whole: &Whole) -> String {
    match whole.times.samples {
        Some(samples) => format!("times from {}", sampled(samples, whole.times.processes)),
        None => format!("times {}", words::method(whole.times.method)),
    }
}
