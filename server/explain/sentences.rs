//! Sentences on one site or one line, for where there is room for one.
//!
//! Names of code come in as the reader is to see them, quoted for the medium.

use core::time::Duration;

use crate::attribute::{FileCosts, LineCosts, Shape, SiteCosts};
use crate::profile::{Instruction, Note, Profile, State};

use super::cause::{self, Diagnosis};
use super::number::{count, counted, percent};
use super::{times, types, words};

/// What the line costs, as the emphasised part of a headline and the facts behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Headline {
    /// Share or state of the line, for instance `9.8% of the executed instructions`.
    pub strong: String,
    /// Where, in words that follow `strong` directly: `` (12.3% of `advance`)``.
    pub place: String,
    /// Further facts, to be joined: executions, marked sites.
    pub facts: Vec<String>,
}

/// The headline of a line. `quote` makes code of a name.
#[must_use]
pub fn headline(file: &FileCosts, line: &LineCosts, quote: &dyn Fn(&str) -> String) -> Headline {
    let owner = heaviest_owner(file, line);
    let place = owner.map(|owner| place(file, owner, quote));
    let inside = place
        .as_ref()
        .map(|place| format!(" in {place}"))
        .unwrap_or_default();
    // All of the work in one function: its share and the whole's read the same.
    let in_place = |share: Option<f64>| {
        let part = share_of_owner(file, line, owner?)?;
        let place = place.as_ref()?;
        (share.map(percent) != Some(percent(part))).then(|| format!(" ({} of {place})", percent(part)))
    };
    let mut facts = Vec::new();
    let ran = line.tally.is_none_or(|tally| tally.executions() > 0);
    let time = line.time.filter(|_| ran);
    let (strong, place) = match (line.tally, line.share) {
        _ if is_withheld(file, line) => (
            "Counts withheld".to_owned(),
            format!("{inside}: they contradict each other"),
        ),
        _ if let Some(time) = time => {
            let executions = line.executions;
            facts.extend(executions.map(|number| counted(number, "execution", "executions")));
            facts.extend(times::facts(line, &time));
            let place = in_place(Some(time.share)).unwrap_or(inside);
            (format!("{} {}", percent(time.share), times::OF_TIME), place)
        }
        (None, _) => ("Executions not counted".to_owned(), inside),
        (Some(tally), _) if tally.executions() == 0 => ("Never ran".to_owned(), inside),
        (Some(tally), share) => {
            let strong = share.map_or_else(
                || {
                    counted(
                        tally.executions(),
                        "executed instruction",
                        "executed instructions",
                    )
                },
                |share| format!("{} of the executed instructions", percent(share)),
            );
            let place = in_place(share).unwrap_or(inside);
            facts.push(match line.executions {
                Some(executions) => counted(executions, "execution", "executions"),
                None => counted(tally.executions(), "instruction", "instructions"),
            });
            (strong, place)
        }
    };
    facts.extend(marks(line));
    Headline { strong, place, facts }
}

/// Whether a code object on the line has its counts withheld.
#[must_use]
pub fn is_withheld(file: &FileCosts, line: &LineCosts) -> bool {
    line.sites
        .iter()
        .any(|site| file.functions[site.function].code.withheld)
}

/// The code object that most of the line's executed instructions belong to; of equals the innermost.
fn heaviest_owner(file: &FileCosts, line: &LineCosts) -> Option<usize> {
    let owners = line.sites.iter().map(|site| file.owner(site.function));
    owners.max_by_key(|&owner| (executed(file, line, owner), owner))
}

fn executed(file: &FileCosts, line: &LineCosts, owner: usize) -> u64 {
    let own = line
        .sites
        .iter()
        .filter(|site| file.owner(site.function) == owner);
    own.filter_map(SiteCosts::executions).fold(0, u64::saturating_add)
}

fn share_of_owner(file: &FileCosts, line: &LineCosts, owner: usize) -> Option<f64> {
    if let Some(time) = line.time {
        let parts = file.functions.iter().enumerate();
        let parts = parts.filter(|(index, _)| file.owner(*index) == owner);
        let all: f64 = parts.filter_map(|(_, part)| Some(part.time?.share)).sum();
        return (all > 0.0).then(|| (time.share / all).min(1.0));
    }
    let parts = file.functions.iter().enumerate();
    let total = parts
        .filter(|(index, _)| file.owner(*index) == owner)
        .filter_map(|(_, function)| function.instructions)
        .fold(0, u64::saturating_add);
    (total > 0).then(|| executed(file, line, owner) as f64 / total as f64)
}

fn place(file: &FileCosts, function: usize, quote: &dyn Fn(&str) -> String) -> String {
    let function = &file.functions[function];
    match function.shape {
        Shape::Module => "the module body".to_owned(),
        Shape::Class => format!("the class body of {}", quote(&function.code.qualname)),
        Shape::Function | Shape::Expression => quote(&function.code.qualname),
    }
}

/// `▲ 1 generic`, `▼ 2 missing`: the marked sites of a line, by mark.
fn marks(line: &LineCosts) -> Vec<String> {
    [State::Unspecialized, State::Deopting]
        .into_iter()
        .filter_map(|state| {
            let mark = words::mark(state)?;
            let sites = line.sites.iter();
            let number = sites
                .filter(|site| words::mark(site.instruction.state) == Some(mark))
                .count();
            (number > 0).then(|| format!("{mark} {number} {}", words::state(state)))
        })
        .collect()
}

/// What a function costs as a whole, to stand at its definition; none without counts.
#[must_use]
pub fn whole(file: &FileCosts, function: usize, name: &str) -> Option<String> {
    let function = file.functions.get(function)?;
    let (share, whole) = match function.time {
        Some(time) => (time.total_share.unwrap_or(time.share), "time, with what it calls"),
        None => (function.share?, "executed instructions"),
    };
    let calls = function
        .code
        .calls
        .map(|calls| format!("{}, ", counted(calls, "call", "calls")))
        .unwrap_or_default();
    Some(format!(
        "{name} as a whole: {calls}{} of the {whole}.",
        percent(share)
    ))
}

/// The opcode, and its argument when that is an operator or `name_is_code` says that nothing
/// else names it: `BINARY_OP %`.
#[must_use]
pub fn operation(instruction: &Instruction, name_is_code: bool) -> String {
    let argument = &instruction.argument;
    let is_operator = !argument.is_empty() && !argument.contains(|c: char| c.is_alphanumeric() || c == '_');
    if is_operator || (!name_is_code && !argument.is_empty()) {
        format!("{} {argument}", instruction.opcode)
    } else {
        instruction.opcode.clone()
    }
}

/// A specialized form without the name of its family: `SLOT` of `LOAD_ATTR`.
#[must_use]
pub fn form<'f>(opcode: &str, form: &'f str) -> &'f str {
    form.strip_prefix(opcode)
        .and_then(|rest| rest.strip_prefix('_'))
        .filter(|rest| !rest.is_empty())
        .unwrap_or(form)
}

/// What is wrong at a marked site, without a full stop: short and complete. `name` is the
/// expression as code; none when its text is not known.
#[must_use]
pub fn problem(site: &SiteCosts, name: Option<&str>) -> String {
    let instruction = site.instruction;
    let operation = operation(instruction, name.is_some());
    let name = name.unwrap_or("This expression");
    match instruction.state {
        State::Unspecialized => format!("{name} is generic: {operation} {}", generic(site)),
        State::Polymorphic => format!("{name} changes form: {operation} {}", missed(site)),
        _ => format!("{name} misses: {operation} {}", missed(site)),
    }
}

/// Why, and what to write instead: the operands, the reason, what is behind it, the remedy.
#[must_use]
pub fn because(instruction: &Instruction, diagnosis: &Diagnosis) -> String {
    format!("{} {}", why(instruction, diagnosis), diagnosis.fix())
}

/// Why, in sentences: the operands, the reason, what is behind it.
#[must_use]
pub fn why(instruction: &Instruction, diagnosis: &Diagnosis) -> String {
    format!(
        "{}. {}",
        reason(instruction, diagnosis),
        diagnosis.explanation(instruction)
    )
}

/// The operands and the reason, without a full stop.
#[must_use]
pub fn reason(instruction: &Instruction, diagnosis: &Diagnosis) -> String {
    let headline = diagnosis.headline(instruction);
    match types::distribution(instruction) {
        Some(types) => format!("{types}: {headline}"),
        None => headline,
    }
}

/// The same for where only the beginning may be seen: what is wrong comes first, without the expression.
#[must_use]
pub fn problem_first(file: &FileCosts, site: &SiteCosts) -> String {
    if let Some(diagnosis) = cause::best(site.instruction, file.minor) {
        return reason(site.instruction, &diagnosis);
    }
    let operation = operation(site.instruction, false);
    match site.instruction.state {
        State::Unspecialized => format!("{operation} is generic: {}", generic(site)),
        State::Polymorphic => format!("{operation} changes form: {}", missed(site)),
        _ => format!("{operation} misses: {}", missed(site)),
    }
}

fn generic(site: &SiteCosts) -> String {
    match site.tally {
        None => "never specialized, executions not counted".to_owned(),
        Some(tally) => {
            let ran = counted(tally.executions(), "time", "times");
            match tally.deferred {
                0 => format!("ran {ran}, not specialized"),
                deferred if deferred == tally.executions() => format!("ran {ran}, never specialized"),
                deferred => format!("ran {ran}, {} of them generic", count(deferred)),
            }
        }
    }
}

fn missed(site: &SiteCosts) -> String {
    let instruction = site.instruction;
    let facts = instruction.site.as_ref();
    let bound = facts
        .and_then(|facts| facts.misses)
        .is_some_and(|misses| misses.at_least);
    let bound = if bound { "at least " } else { "" };
    let how_often = match (site.misses(), site.executions()) {
        (None, _) => "failed its guard (misses not counted)".to_owned(),
        (Some(misses), Some(executions)) => {
            format!(
                "failed its guard {bound}{} of {}",
                count(misses),
                counted(executions, "time", "times")
            )
        }
        (Some(misses), None) => format!("failed its guard {bound}{}", counted(misses, "time", "times")),
    };
    let forms = seen(instruction);
    if forms.is_empty() {
        how_often
    } else {
        format!("{how_often}, as {forms}")
    }
}

/// Most forms to name in a sentence.
const FORMS: usize = 3;

/// The specialized forms a site was seen in, those with the most misses first.
fn seen(instruction: &Instruction) -> String {
    let Some(site) = &instruction.site else {
        return String::new();
    };
    let mut seen: Vec<_> = site.forms_seen.iter().collect();
    seen.sort_by_key(|(_, misses)| std::cmp::Reverse(*misses));
    let mut names: Vec<_> = seen.into_iter().map(|(name, _)| name).collect();
    if names.is_empty() {
        names.extend(site.form.as_deref());
    }
    let more = names.len().saturating_sub(FORMS);
    names.truncate(FORMS);
    let names: Vec<_> = names
        .into_iter()
        .map(|name| form(&instruction.opcode, name))
        .collect();
    match names.split_last() {
        None => String::new(),
        Some((last, [])) => (*last).to_owned(),
        Some(_) if more > 0 => format!("{} and {more} more", names.join(", ")),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
    }
}

/// What can be said of one site, in whole sentences: what it is, how often it ran, its state.
#[must_use]
pub fn site(file: &FileCosts, site: &SiteCosts, name: Option<&str>) -> String {
    let instruction = site.instruction;
    if instruction.is_marked() {
        let Some(reason) = cause::best(instruction, file.minor) else {
            let types = types::distribution(instruction)
                .map(|types| format!(" Seen: {types}."))
                .unwrap_or_default();
            return format!(
                "{}. {}{types}",
                problem(site, name),
                words::reason(instruction.state)
            );
        };
        return format!("{}. {}", problem(site, name), because(instruction, &reason));
    }
    let mut text = match name {
        Some(name) => format!("{name}: {}", operation(instruction, true)),
        None => operation(instruction, false),
    };
    if let Some(form) = instruction.site.as_ref().and_then(|site| site.form.as_deref()) {
        text.push_str(" → ");
        text.push_str(self::form(&instruction.opcode, form));
    }
    let executions = site.executions().filter(|executions| *executions > 0);
    if let Some(executions) = executions {
        text.push_str(", ");
        text.push_str(&counted(executions, "execution", "executions"));
    }
    if let Some(misses) = site.misses().filter(|misses| *misses > 0) {
        text.push_str(", ");
        text.push_str(&counted(misses, "miss", "misses"));
    }
    format!("{text}. {}", words::answer(instruction.state))
}

/// Whether a dump says that the generic form ran, which is no verdict on the site.
#[must_use]
pub fn was_seen_generic(instruction: &Instruction) -> bool {
    instruction.state == State::Imported
        && instruction.site.as_ref().is_some_and(|site| {
            site.forms_seen
                .iter()
                .any(|(form, _)| *form == *instruction.opcode)
        })
}

/// What to say of a line without marked sites; none when it has some, or never ran.
#[must_use]
pub fn verdict(profile: &Profile, line: &LineCosts) -> Option<&'static str> {
    let has = |state: State| line.sites.iter().any(|site| site.instruction.state == state);
    let has_note = |wanted: fn(&Note) -> bool| profile.notes.iter().any(wanted);
    let ran = line
        .sites
        .iter()
        .any(|site| site.instruction.state != State::NotExecuted);
    if !ran || line.sites.iter().any(|site| site.instruction.is_marked()) {
        return None;
    }
    Some(if has_note(|note| matches!(note, Note::NoSpecialization)) {
        "Nothing to judge: this build of CPython does not specialize."
    } else if has_note(|note| {
        matches!(
            note,
            Note::Imported {
                specialization: false,
                ..
            }
        )
    }) {
        "Nothing to judge: the dump does not say what specialized."
    } else if has_note(|note| matches!(note, Note::UnknownVersion { .. })) && !has(State::Specialized) {
        "Nothing to judge: what specialized here is not known for this version of CPython."
    } else if has(State::Imported) {
        "Not judged: the dump tells the forms that were seen, not what CPython tried or whether guards held."
    } else if has(State::Instrumented) {
        "Not known: a debugger, profiler or monitoring tool hid the specialized forms."
    } else if has(State::Specialized) && has(State::Cold) {
        "Nothing to gain: what ran often enough to be tried is specialized and hits."
    } else if has(State::Specialized) {
        "Nothing to gain: everything that can be specialized is, and hits."
    } else if has(State::Cold) {
        "Too cold to judge: it ran too little for CPython to try to specialize it."
    } else {
        "Nothing to gain: none of these instructions has a specialized form."
    })
}

/// What the shares are of, as a fact to stand beside [`words::provenance`].
pub const SHARES: &str = "shares of instructions, not of time";

/// How long ago something was measured.
#[must_use]
pub fn age(age: Duration) -> String {
    let minutes = age.as_secs() / 60;
    match minutes {
        0 => "measured just now".to_owned(),
        1..60 => format!("measured {minutes} min ago"),
        60..2_880 => format!("measured {} h ago", minutes / 60),
        _ => format!("measured {} days ago", minutes / 1_440),
    }
}

/// The interpreter, as facts to be joined.
#[must_use]
pub fn interpreter(profile: &Profile) -> Vec<String> {
    let python = &profile.python;
    let mut facts = vec![format!("CPython {}", python.version)];
    if python.free_threaded {
        facts.push("free-threaded".to_owned());
    }
    if python.jit == "on" {
        facts.push("JIT on".to_owned());
    }
    facts
}
