//! Sentences on a trace.

use super::number::{count, counted, duration};
use super::words;
use crate::trace::{Leave, Times, Trace};

/// What a reader must know: what is missing, how the call ended, how the times were obtained.
#[must_use]
pub fn notes(trace: &Trace) -> Vec<String> {
    let cut = trace.cut_at.map(|limit| {
        let limit = count(limit);
        format!(
            "The trace ends after {limit} instructions; the call went on unrecorded. --limit changes that."
        )
    });
    let mut notes: Vec<_> = cut.into_iter().collect();
    notes.extend(trace.notes.iter().map(|note| sentence(note)));
    notes.extend(words::outcome(&trace.outcome));
    notes.extend(trace.times.as_ref().map(times));
    notes
}

fn times(times: &Times) -> String {
    format!(
        "Times are traced: the least of {}, less {} of the instrument an event, then times {:.2}, so that \
         all that the call expression runs sums up to {}, as without it. No instruction is specialized while \
         it is traced: compare them with each other only.",
        counted(times.repeats, "repeat", "repeats"),
        duration(times.event_ns),
        times.scale,
        duration(times.call_ns),
    )
}

/// How a frame was left, where that is worth a word.
#[must_use]
pub fn left(left: Option<Leave>) -> Option<&'static str> {
    match left {
        Some(Leave::Return) => None,
        Some(Leave::Yield) => Some("yields"),
        Some(Leave::Exception) => Some("left by the exception"),
        None => Some("not left before the trace ends"),
    }
}

/// What stands above something that is shown once for all its repetitions.
#[must_use]
pub fn repeated(number: usize, with_times: bool) -> String {
    let mean = if with_times { ", mean times" } else { "" };
    format!("{} alike{mean}", counted(number as u64, "time", "times"))
}

/// A note with a capital and a full stop.
fn sentence(note: &str) -> String {
    let mut letters = note.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string());
    let text = first.unwrap_or_default() + letters.as_str();
    if text.ends_with('.') { text } else { text + "." }
}
