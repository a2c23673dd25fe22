//! One wording for each state, note, outcome and method.

use crate::profile::{Method, Misses, Note, Outcome, PassKind, Profile, State};

use super::number::{count, counted, percent};

/// A state in a few words.
#[must_use]
pub fn state(state: State) -> &'static str {
    match state {
        State::NotExecuted => "not executed",
        State::Basic => "basic",
        State::Cold => "cold",
        State::Specialized => "specialized",
        State::Unspecialized => "generic",
        State::Deopting => "missing",
        State::Polymorphic => "missing in several forms",
        State::Instrumented => "hidden",
        State::Imported => "not told",
    }
}

/// The symbol of a state that a report marks; none for the others.
#[must_use]
pub fn mark(state: State) -> Option<&'static str> {
    match state {
        State::Unspecialized => Some("▲"),
        State::Deopting | State::Polymorphic => Some("▼"),
        _ => None,
    }
}

/// What the mark of a state means.
#[must_use]
pub fn legend(state: State) -> &'static str {
    match state {
        State::Unspecialized => "generic: tried to specialize, could not",
        State::Deopting | State::Polymorphic => "specialized, but missing",
        other => self::state(other),
    }
}

/// The answer a state gives, as one sentence. Four of them are verdicts: specialized,
/// specialized but missing, generic, too cold to judge.
#[must_use]
pub fn answer(state: State) -> &'static str {
    match state {
        State::NotExecuted => "It never ran.",
        State::Basic => "Its opcode has no specialized forms.",
        State::Cold => "Too cold to judge: it ran too little for CPython to try to specialize it.",
        State::Specialized => "Specialized: its guards hold.",
        State::Unspecialized => "Generic: CPython tried to specialize it and could not.",
        State::Deopting => "Specialized but missing: its guard fails and the generic form runs instead.",
        State::Polymorphic => {
            "Specialized but missing: it changes between specialized forms and their guards fail."
        }
        State::Instrumented => "Not known: a debugger, profiler or monitoring tool hid its form.",
        State::Imported => {
            "Not known: the dump tells at most the forms it was seen in, not what CPython tried or whether guards held."
        }
    }
}

/// Why a marked state came about, as one sentence: its answer without the verdict.
#[must_use]
pub fn reason(state: State) -> String {
    let answer = self::answer(state);
    let reason = answer.split_once(": ").map_or(answer, |(_, reason)| reason);
    let mut letters = reason.chars();
    letters
        .next()
        .map(|first| first.to_uppercase().chain(letters).collect())
        .unwrap_or_default()
}

/// How misses were obtained, to stand after their number.
#[must_use]
pub fn misses_method(misses: Misses) -> &'static str {
    match (misses.method, misses.at_least) {
        (Method::Counted, false) => "counted",
        (Method::Counted, true) => "counted in part",
        (method, _) => self::method(method),
    }
}

/// A method in a word or two.
#[must_use]
pub fn method(method: Method) -> &'static str {
    match method {
        Method::Counted => "counted",
        Method::Sampled => "sampled",
        Method::Traced => "traced",
        Method::Inferred => "inferred",
        Method::Imported => "imported",
        Method::ProcessWide => "process-wide",
    }
}

/// A pass by its purpose.
#[must_use]
pub fn pass(pass: PassKind) -> &'static str {
    match pass {
        PassKind::Natural => "natural pass",
        PassKind::Count => "count pass",
        PassKind::Misses => "pass for misses",
        PassKind::Types => "pass for types",
        PassKind::Pystats => "pass for pystats",
        PassKind::Sample => "sampled pass",
        PassKind::Trace => "traced pass",
        PassKind::Jit => "pass with the JIT",
    }
}

/// What the times of a comparison are.
pub const TOOK: &str = "Times are of one execution of the expression, or of its whole line (\"line\") where samples are \
                        too few to split it. Between interpreters they were measured one after the other: only what \
                        differs a lot means something.";

/// That sites matter, and none of them can be made notably faster.
#[must_use]
pub fn nothing_pays(sites: usize, share: f64) -> String {
    let sites = counted(u64::try_from(sites).unwrap_or(u64::MAX), "site is", "sites are");
    format!(
        "Nothing to gain worth the effort: {sites} generic or missing on lines that matter, each best left or with less than {} of the time to save.",
        percent(share)
    )
}

/// Introduces the sites that [`nothing_pays`] speaks of, where others stand above.
#[must_use]
pub fn little_to_gain(share: f64) -> String {
    format!(
        "Best left, or with less than {} of the time to save:",
        percent(share)
    )
}

/// The most that a remedy saves, as a sentence.
#[must_use]
pub fn upper_bound(share: f64) -> String {
    format!("Upper bound of what this saves: {} of the time.", percent(share))
}

/// How the numbers of a profile were obtained, in facts to be joined.
#[must_use]
pub fn provenance(profile: &Profile) -> Vec<String> {
    let from = |note: &Note| match note {
        Note::Imported { from, .. } => Some(format!("imported from {from}")),
        _ => None,
    };
    let mut facts: Vec<_> = profile.notes.iter().filter_map(from).collect();
    let instructions = || {
        profile
            .files
            .iter()
            .flat_map(|file| &file.codes)
            .flat_map(|code| &code.instructions)
    };
    facts.push(
        if instructions().any(|instruction| instruction.executions.is_some()) {
            let imported = |note: &Note| matches!(note, Note::Imported { .. });
            let how = if profile.notes.iter().any(imported) {
                "imported"
            } else {
                "exact"
            };
            format!("counts {how}")
        } else {
            "executions not counted".to_owned()
        },
    );
    let misses: Vec<_> = instructions()
        .filter_map(|instruction| instruction.site.as_ref()?.misses)
        .filter(|misses| misses.count > 0)
        .collect();
    if !misses.is_empty() {
        let mut methods: Vec<_> = misses.iter().map(|misses| self::method(misses.method)).collect();
        methods.sort_unstable();
        methods.dedup();
        let bound = match misses.iter().filter(|misses| misses.at_least).count() {
            0 => "",
            some if some == misses.len() => ", as lower bounds",
            _ => ", some as lower bounds",
        };
        facts.push(format!("misses {}{bound}", methods.join(" and ")));
    }
    let codes = || profile.files.iter().flat_map(|file| &file.codes);
    if codes().any(|code| code.failures.is_some()) {
        facts.push("failure kinds exact, by pystats".to_owned());
    }
    if profile.pass(PassKind::Natural).is_some() {
        facts.push("states of an undisturbed run".to_owned());
    }
    if profile.pass(PassKind::Jit).is_some() {
        facts.push("executors of a run of their own, with the JIT on".to_owned());
    }
    facts
}

/// How a pass ended, as one sentence; none when it completed.
#[must_use]
pub fn outcome(outcome: &Outcome) -> Option<String> {
    let kept = "What was measured until then is shown.";
    Some(match outcome {
        Outcome::Completed => return None,
        Outcome::Raised { exception, place } => {
            format!("The workload raised {exception}{}. {kept}", at(place.as_deref()))
        }
        Outcome::Exited { status } => {
            format!("The workload ended the process with status {status}. {kept}")
        }
        Outcome::Killed { signal, place } => {
            format!(
                "The process was killed by {signal}{}. {kept}",
                at(place.as_deref())
            )
        }
        Outcome::TimedOut { seconds } => {
            format!("The time limit of {seconds} s ended the workload. {kept}")
        }
    })
}

fn at(place: Option<&str>) -> String {
    place.map(|place| format!(" at {place}")).unwrap_or_default()
}

/// A note as one sentence.
#[must_use]
pub fn note(note: &Note) -> String {
    match note {
        Note::Partial { pass, why } => format!("The {} is partial: {}.", self::pass(*pass), stem(why)),
        Note::Skipped { pass, why } => format!("The {} was not made: {}.", self::pass(*pass), stem(why)),
        Note::NotFromFile {
            file,
            codes,
            executions,
        } => {
            let ran = if file == "<string>" {
                counted(
                    *codes,
                    "function compiled from a string ran; it belongs to no line",
                    "functions compiled from strings ran; they belong to no line",
                )
            } else if *codes == 1 {
                format!("1 code object that names {file} is not from its text and is not shown")
            } else {
                format!(
                    "{} code objects that name {file} are not from its text and are not shown",
                    count(*codes)
                )
            };
            match executions {
                Some(executions) => {
                    format!(
                        "{ran} ({}).",
                        counted(*executions, "executed instruction", "executed instructions")
                    )
                }
                None => format!("{ran}."),
            }
        }
        Note::FileChanged { file } => {
            format!("{file} changed while it ran: the numbers belong to its text before the change.")
        }
        Note::FileUnreadable { file, why } => {
            format!(
                "{file} could not be read back, so its lines have no text: {}.",
                stem(why)
            )
        }
        Note::Inconsistent { code } => {
            format!("The counts of {code} contradict each other and are withheld.")
        }
        Note::Diverged { what } => {
            format!(
                "The workload behaved differently from pass to pass: {}.",
                stem(what)
            )
        }
        Note::Threads { threads } => format!(
            "Up to {} threads ran at once: misses in code they share are lower bounds.",
            count(*threads)
        ),
        Note::Children => "The workload started child processes: they are not measured.".to_owned(),
        Note::Instrumented { by } => format!(
            "The workload used {by} itself: where that was active, specialized forms and counts can be hidden."
        ),
        Note::UnknownVersion { minor } => format!(
            "bytecost has no tables for CPython {minor}: names and numbers are right, their meaning is not known."
        ),
        Note::Imported { from, grain, .. } => {
            format!("Imported from {from}: it tells {grain} apart, and nothing was run.")
        }
        Note::NoSpecialization => {
            "This build of CPython does not specialize: every instruction runs its generic form.".to_owned()
        }
        Note::Other { text } => text.clone(),
    }
}

/// That a file's text is not the one that was measured.
#[must_use]
pub fn stale(file: &str) -> String {
    format!("{file} is not the text that was measured: its lines are shown by number only.")
}

/// That executed instructions belong to no line.
#[must_use]
pub fn unplaced(share: f64) -> String {
    format!(
        "{} of the executed instructions belong to no line: the compiler made them.",
        super::number::percent(share)
    )
}

/// That code was left out of a listing.
#[must_use]
pub fn left_out(codes: u64, share: f64) -> String {
    format!(
        "Not shown: {} that ran, {} of the executed instructions together.",
        counted(codes, "code object", "code objects"),
        super::number::percent(share)
    )
}

/// That findings were left out of a list.
#[must_use]
pub fn more_findings(number: u64) -> String {
    format!(
        "{} not listed; the JSON report has every site.",
        counted(number, "more site is", "more sites are")
    )
}

/// Where to read on about a cause.
#[must_use]
pub fn more_on(cause: &str) -> String {
    format!("bytecost explain {cause}")
}

/// That a cause was explained at an earlier finding.
#[must_use]
pub fn as_above(cause: &str, finding: usize) -> String {
    format!("{cause}, as {finding}")
}

/// What the operands were, where no cause is known.
#[must_use]
pub fn seen_types(types: &str) -> String {
    format!("Operands: {types}. The catalogue has no cause for this.")
}

/// What the shares of a report are, and are not.
pub const SHARE: &str = "instr %: share of the executed bytecode instructions, not of time.";

/// Without the full stop the sentence gets.
fn stem(text: &str) -> &str {
    text.trim_end().trim_end_matches('.')
}
