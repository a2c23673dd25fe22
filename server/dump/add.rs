//! Adding up dumps of several processes of one program.

use std::collections::HashMap;

use super::located::{Located, Place};
use super::{Content, Dump, Format};

/// Adds a dump to another of its format; else why that would be wrong: what is of the same run would
/// count twice.
///
/// # Errors
/// One sentence; `sum` is as it was.
pub fn add(sum: &mut Dump, more: &Dump) -> Result<(), String> {
    let refused = |why: &str| Err(format!("{} is not added to {}: {why}", more.name, sum.name));
    if sum.format != more.format {
        return refused(
            "it has another format, so both may be of the same run and its time would count twice",
        );
    }
    let (Content::Located(to), Content::Located(from)) = (&mut sum.content, &more.content) else {
        return refused("only dumps with numbers of places can be added here");
    };
    if let Some(why) = obstacle(sum.format, to, from) {
        return Err(format!("{} is not added to {}: {why}", more.name, sum.name));
    }
    merge(to, from);
    sum.name = format!("{}, {}", sum.name, more.name);
    for problem in &more.problems {
        sum.problems.push(format!("{}: {problem}", more.name));
    }
    Ok(())
}

fn obstacle(format: Format, to: &Located, from: &Located) -> Option<&'static str> {
    if is_part(to, from) {
        return Some("its numbers are all in it already, so they are of the same run and would count twice");
    }
    if to.python != from.python {
        return Some("it is of another version of CPython");
    }
    if to.grain != from.grain {
        return Some("one tells functions and the other lines");
    }
    if format == Format::Bytesight && (to.has_times || from.has_times) {
        return Some("its times are of one call each, which no sum is");
    }
    if to.has_times != from.has_times {
        return Some("only one of them has times");
    }
    let quoted = from.quoted.iter();
    let differs =
        |(place, text): (&(String, u32), &String)| to.quoted.get(place).is_some_and(|known| known != text);
    if quoted.into_iter().any(differs) {
        return Some("they quote different texts of the same lines");
    }
    None
}

/// Whether one says nothing that the other does not: the same run, saved twice.
fn is_part(to: &Located, from: &Located) -> bool {
    let known: HashMap<&Place, _> = to.facts.iter().map(|(place, fact)| (place, fact)).collect();
    !from.facts.is_empty()
        && from
            .facts
            .iter()
            .all(|(place, fact)| known.get(place) == Some(&fact))
}

fn merge(to: &mut Located, from: &Located) {
    let mut numbers: HashMap<Place, usize> = HashMap::new();
    for (number, (place, _)) in to.facts.iter().enumerate() {
        numbers.insert(place.clone(), number);
    }
    for (place, fact) in &from.facts {
        if let Some(&number) = numbers.get(place) {
            let known = &mut to.facts[number].1;
            known.own.add(fact.own);
            if let Some(more) = fact.executions {
                known.executions = Some(known.executions.unwrap_or(0).saturating_add(more));
            }
        } else {
            to.facts.push((place.clone(), *fact));
        }
    }
    for (line, time) in &from.lines {
        to.lines.entry(line.clone()).or_default().add(*time);
    }
    for (code, time) in &from.codes {
        to.codes.entry(code.clone()).or_default().add(*time);
    }
    for (code, calls) in &from.calls {
        let known = to.calls.entry(code.clone()).or_default();
        *known = known.saturating_add(*calls);
    }
    let quoted = from.quoted.iter();
    to.quoted
        .extend(quoted.map(|(place, text)| (place.clone(), text.clone())));
    // Processes run side by side or one after the other: no dump says which.
    to.wall_ns = None;
    to.all.add(from.all);
    to.samples = to
        .samples
        .zip(from.samples)
        .map(|(one, other)| one.saturating_add(other));
    to.threads = to.threads.saturating_add(from.threads);
    for note in &from.notes {
        if !to.notes.contains(note) {
            to.notes.push(note.clone());
        }
    }
}
