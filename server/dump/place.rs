//! From what a dump says of places to a profile of the files that are there.
//!
//! A place is shown only where it fits the text; what does not fit is counted.

use std::collections::{BTreeMap, HashMap};

use super::Dump;
use super::located::{Fact, Grain, Located, Place};
use crate::attribute::digest;
use crate::profile::{
    Code, File, Instruction, LineTotal, Method, Note, Outcome, Pass, PassKind, Position, Profile, Python,
    Site, State, Time, Times, Workload, WorkloadKind,
};
use crate::source::Source;
use crate::stats::opcodes::Opcodes;

/// Stands for the opcode where a dump knows lines or functions only.
const UNKNOWN: &str = "<unknown>";
/// Samples in which a generic instruction must have been seen to be called hot.
const HOT: u64 = 10;

/// The files a dump may be about, by path below the root, `/` separated, with their texts.
pub type Texts<'t> = BTreeMap<String, &'t str>;

/// Picks the file that a path of a dump means: that with the longest common end; none when there is
/// none, or more than one.
#[must_use]
pub fn choose<'f>(path: &str, files: impl Iterator<Item = &'f str>) -> Option<&'f str> {
    let wanted = components(path);
    let name = wanted.last()?;
    // What is installed is not the workspace's, even when it is named like a file there.
    let installed = wanted
        .iter()
        .position(|part| matches!(*part, "site-packages" | "dist-packages") || part.starts_with("python3"));
    let least = installed.map_or(1, |at| wanted.len() - at);
    let mut best: Option<((usize, bool), bool, &str)> = None;
    for file in files {
        let own = components(file);
        if own.last() != Some(name) {
            continue;
        }
        let common = wanted
            .iter()
            .rev()
            .zip(own.iter().rev())
            .take_while(|(a, b)| a == b)
            .count();
        // A name alone, in folders of other names, is another file.
        if common < least || common == 1 && wanted.len() > 1 && own.len() > 1 {
            continue;
        }
        let common = (common, common == own.len());
        match &mut best {
            Some((most, tie, _)) if common == *most => *tie = true,
            Some((most, ..)) if common < *most => {}
            _ => best = Some((common, false, file)),
        }
    }
    best.filter(|(_, tie, _)| !tie).map(|(_, _, file)| file)
}

/// Names of folders and the file; `.` is nothing, and what lies above `..` is not known.
fn components(path: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    for part in path.split(['/', '\\']) {
        match part {
            "" | "." => {}
            ".." => parts.clear(),
            part => parts.push(part),
        }
    }
    parts
}

/// Path, first line and qualified name.
type CodeKey = (String, u32, String);
/// Offset, position and base opcode.
type InstructionKey = (Option<u32>, Option<Position>, String);

struct Placed {
    file: String,
    qualname: String,
    first_line: u32,
}

/// The profile of a dump; `root` is the folder that the paths of `texts` are below.
#[must_use]
pub fn profile(dump: &Dump, located: &Located, root: &str, texts: &Texts) -> Profile {
    let sources: HashMap<&str, Source> = texts
        .iter()
        .map(|(path, text)| (path.as_str(), Source::new(text)))
        .collect();
    let mut chosen: HashMap<&str, Option<&str>> = HashMap::new();
    let mut codes: BTreeMap<CodeKey, Vec<(&Place, Fact)>> = BTreeMap::new();
    let grain = grain(located, texts, &sources);
    let mut counts = Counts::default();
    let mut elsewhere = Time::default();
    for (place, fact) in &located.facts {
        let file = *chosen
            .entry(&place.path)
            .or_insert_with(|| choose(&place.path, texts.keys().map(String::as_str)));
        let Some(file) = file else {
            counts.elsewhere += 1;
            elsewhere.add(fact.own);
            continue;
        };
        counts.inside += 1;
        let placed =
            fit(place, grain, file, &sources[file]).filter(|_| is_quoted(located, place, &sources[file]));
        if let Some(placed) = placed {
            let key = (placed.file, placed.first_line, placed.qualname);
            codes.entry(key).or_default().push((place, *fact));
        } else {
            counts.misfits += 1;
            elsewhere.add(fact.own);
        }
    }
    let minor = located.python.as_deref().map(minor_of).unwrap_or_default();
    let mut files: BTreeMap<String, File> = BTreeMap::new();
    for ((path, first_line, qualname), facts) in codes {
        let code = code(located, qualname, first_line, &facts, &minor);
        let text = texts[&path];
        let file = files.entry(path.clone()).or_insert_with(|| File {
            path,
            digest: digest(text),
            text: Some(text.to_owned()),
            codes: Vec::new(),
            totals: Vec::new(),
        });
        file.codes.push(code);
    }
    for ((path, line), total) in &located.lines {
        if let Some(file) = chosen
            .get(path.as_str())
            .copied()
            .flatten()
            .and_then(|path| files.get_mut(path))
        {
            file.totals.push(LineTotal {
                line: *line,
                total: *total,
            });
        }
    }
    for file in files.values_mut() {
        file.totals.sort_by_key(|total| total.line);
    }
    let found = Found {
        files: files.into_values().collect(),
        counts,
        elsewhere,
        grain,
        minor,
    };
    assemble(dump, located, root, found)
}

/// Functions, when a dump of lines has first lines of functions only.
fn grain(located: &Located, texts: &Texts, sources: &HashMap<&str, Source>) -> Grain {
    if located.grain != Grain::Line || !located.quoted.is_empty() {
        return located.grain;
    }
    let mut named = 0;
    for (place, _) in &located.facts {
        let Some(file) = choose(&place.path, texts.keys().map(String::as_str)) else {
            continue;
        };
        let line = place.position.map(|position| position.line);
        let is_first = if place.function == "<module>" {
            line == Some(1)
        } else if place.function.ends_with('>') {
            true
        } else {
            named += 1;
            fit(place, Grain::Function, file, &sources[file]).is_some()
        };
        if !is_first {
            return Grain::Line;
        }
    }
    if named > 0 { Grain::Function } else { Grain::Line }
}

/// Whether the line has the text that the dump quotes, if it quotes any.
fn is_quoted(located: &Located, place: &Place, source: &Source) -> bool {
    let Some(position) = place.position else {
        return false;
    };
    let quoted = located.quoted.get(&(place.path.clone(), position.line));
    quoted.is_none_or(|text| source.line(position.line).is_some_and(|line| line.trim() == text))
}

#[derive(Default)]
struct Counts {
    inside: u64,
    misfits: u64,
    elsewhere: u64,
}

fn minor_of(version: &str) -> String {
    version.split('.').take(2).collect::<Vec<_>>().join(".")
}

/// Checks a place against the text: the line is there, the columns are on it, and the function around
/// it has the dump's name.
fn fit(place: &Place, grain: Grain, path: &str, source: &Source) -> Option<Placed> {
    let position = place.position?;
    let text = source.line(position.line)?;
    source.line(position.end_line)?;
    if position.end_line < position.line {
        return None;
    }
    if let Some((start, _)) = position.columns
        && start as usize > text.len()
    {
        return None;
    }
    let placed = |qualname: &str, first_line: u32| Placed {
        file: path.to_owned(),
        qualname: qualname.chars().filter(|c| !c.is_control()).collect(),
        first_line,
    };
    let name = place.function.rsplit('.').next().unwrap_or_default();
    if place.function.is_empty() || place.function.ends_with('>') {
        let name = if place.function.is_empty() {
            "<module>"
        } else {
            &place.function
        };
        return Some(placed(
            name,
            place
                .first_line
                .unwrap_or(if name == "<module>" { 1 } else { position.line }),
        ));
    }
    let functions = source.functions().iter().filter(|known| known.name() == name);
    let around = functions.filter(|known| {
        if grain == Grain::Function {
            position.line == known.first_line || position.line == known.def_line
        } else {
            (known.first_line..=known.end_line).contains(&position.line)
        }
    });
    if let Some(function) = around.max_by_key(|known| known.first_line) {
        return Some(placed(&function.qualname, function.first_line));
    }
    // The body of a class is no function; it must at least be named there. Annotations have a function
    // that no text shows.
    let is_class = (1..=source.line_count())
        .filter_map(|line| source.line(line))
        .any(|line| {
            line.trim_start()
                .strip_prefix("class ")
                .and_then(|rest| rest.strip_prefix(name))
                .is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_'))
        });
    let is_class = is_class || name == "__annotate__";
    is_class.then(|| placed(&place.function, place.first_line.unwrap_or(position.line)))
}

/// Places with the same position and base opcode are one instruction.
fn code(located: &Located, qualname: String, first_line: u32, facts: &[(&Place, Fact)], minor: &str) -> Code {
    let opcodes = Opcodes::of(minor);
    let base = |name: &str| {
        opcodes
            .and_then(|opcodes| opcodes.base(name))
            .unwrap_or(name)
            .to_owned()
    };
    let mut merged: BTreeMap<InstructionKey, (Fact, BTreeMap<String, u64>)> = BTreeMap::new();
    let (mut total, mut calls): (Option<Time>, Option<u64>) = (None, None);
    let mut seen = Vec::new();
    for (place, fact) in facts {
        let name = (place.path.clone(), place.function.clone(), place.first_line);
        if !seen.contains(&name) {
            if let Some(time) = located.codes.get(&name) {
                total.get_or_insert_default().add(*time);
            }
            if let Some(more) = located.calls.get(&name) {
                calls = Some(calls.unwrap_or(0).saturating_add(*more));
            }
            seen.push(name);
        }
        let opcode = place.opcode.as_deref().unwrap_or(UNKNOWN);
        let key = (place.offset, place.position, base(opcode));
        let (sum, forms) = merged.entry(key).or_default();
        sum.own.add(fact.own);
        if let Some(more) = fact.executions {
            sum.executions = Some(sum.executions.unwrap_or(0).saturating_add(more));
        }
        *forms.entry(opcode.to_owned()).or_default() += fact.own.samples;
    }
    let mut lines = Vec::new();
    let instructions: Vec<_> = merged
        .into_iter()
        .zip(0_u32..)
        .map(|(((offset, position, opcode), (fact, forms)), order)| {
            let line = position.map(|position| position.line);
            let starts_line = line.is_some_and(|line| !lines.contains(&line));
            lines.extend(line);
            let (state, site) = specialization(&opcode, &forms, opcodes);
            Instruction {
                offset: offset.unwrap_or(2 * order),
                opcode,
                argument: String::new(),
                position,
                starts_line,
                executions: fact.executions,
                state,
                time: located.has_times.then(|| Box::new(fact.own)),
                site: site.map(Box::new),
            }
        })
        .collect();
    Code {
        qualname,
        first_line,
        last_line: lines.into_iter().fold(first_line, u32::max),
        digest: String::new(),
        calls,
        withheld: false,
        failures: None,
        total,
        instructions,
    }
}

/// By the forms in which an instruction was seen.
fn specialization(
    base: &str,
    forms: &BTreeMap<String, u64>,
    opcodes: Option<&Opcodes>,
) -> (State, Option<Site>) {
    let Some(opcodes) = opcodes.filter(|opcodes| opcodes.has_family(base)) else {
        return (State::Basic, None);
    };
    let mut specialized: Vec<_> = forms
        .iter()
        .filter(|(form, _)| opcodes.base(form).is_some())
        .collect();
    specialized.sort_by_key(|(_, samples)| std::cmp::Reverse(**samples));
    let generic = forms.get(base).copied().unwrap_or(0);
    let state = match specialized.len() {
        0 if generic >= HOT => State::Unspecialized,
        0 => State::Cold,
        1 => State::Specialized,
        _ => State::Polymorphic,
    };
    let site = Site {
        form: specialized.first().map(|(form, _)| (*form).clone()),
        forms_seen: specialized.iter().map(|(form, _)| ((*form).clone(), 0)).collect(),
        misses: None,
        deferred: None,
        failed_attempts: None,
        types: Vec::new(),
    };
    (state, Some(site))
}

/// What was placed, and what was not.
struct Found {
    files: Vec<File>,
    counts: Counts,
    elsewhere: Time,
    grain: Grain,
    minor: String,
}

/// What the placed instructions tell.
struct Tells {
    specialization: bool,
    opcodes: bool,
}

fn notes(
    dump: &Dump,
    located: &Located,
    root: &str,
    counts: &Counts,
    grain: Grain,
    tells: &Tells,
) -> Vec<Note> {
    let mut notes = vec![Note::Imported {
        from: format!("{}, {}", dump.name, dump.format.name()),
        grain: match grain {
            Grain::Instruction => "instructions",
            Grain::Expression => "expressions",
            Grain::Line => "lines",
            Grain::Function => "functions",
        }
        .to_owned(),
        specialization: tells.specialization,
    }];
    let mut say = |text: String| notes.push(Note::Other { text });
    let placed = counts.inside - counts.misfits;
    if counts.misfits > 0 {
        say(format!(
            "{placed} of {} places in these files are placed; {} do not fit the text and are not shown: it has changed since, or another file has its name.",
            counts.inside, counts.misfits
        ));
    }
    if counts.elsewhere > 0 {
        say(format!(
            "{} places are in files that are not in {root} or cannot be told from others there.",
            counts.elsewhere
        ));
    }
    if grain == Grain::Function {
        say(
            "The dump knows functions only: the numbers on a `def` line are of its whole function."
                .to_owned(),
        );
    }
    if grain != Grain::Function
        && tells.opcodes
        && located.facts.iter().all(|(place, _)| place.offset.is_none())
    {
        say("The dump has no offsets of instructions: those given only count them.".to_owned());
    }
    for text in located.notes.iter().chain(&dump.problems) {
        say(text.clone());
    }
    notes
}

fn assemble(dump: &Dump, located: &Located, root: &str, found: Found) -> Profile {
    let Found {
        files,
        counts,
        elsewhere,
        grain,
        minor,
    } = found;
    let instructions = || {
        files
            .iter()
            .flat_map(|file| &file.codes)
            .flat_map(|code| &code.instructions)
    };
    let tells = Tells {
        specialization: instructions().any(|instruction| instruction.site.is_some()),
        opcodes: instructions().any(|instruction| instruction.opcode != UNKNOWN),
    };
    let notes = notes(dump, located, root, &counts, grain, &tells);
    let busy = located.all.busy_ns;
    let known: f64 = instructions()
        .filter_map(|instruction| instruction.time.as_deref().copied())
        .map(|time| time.busy_ns)
        .sum();
    let times = located.has_times.then(|| Times {
        method: Method::Imported,
        calls: 1,
        wall_ns: located.wall_ns.unwrap_or(busy + located.all.waiting_ns),
        busy_ns: busy,
        waiting_ns: located.all.waiting_ns,
        collecting_ns: located.all.collecting_ns,
        outside_ns: 0.0,
        elsewhere_ns: elsewhere.busy_ns.max(busy - known).max(0.0),
        threads: located.threads,
        samples: located.samples,
        torn: 0,
    });
    let counted = instructions().any(|instruction| instruction.executions.is_some());
    let pass = counted.then_some(Pass {
        kind: PassKind::Count,
        calls: 1,
        wall_ns: 0,
        call_ns: None,
        outcome: Outcome::Completed,
    });
    Profile {
        python: Python {
            version: located
                .python
                .clone()
                .unwrap_or_else(|| "of unknown version".to_owned()),
            known: crate::cpython::version(&minor).is_some(),
            minor,
            executable: String::new(),
            jit: "none".to_owned(),
            free_threaded: false,
            pystats: false,
        },
        workload: Workload {
            kind: WorkloadKind::Process,
            target: dump.name.clone(),
            file: None,
            qualname: None,
            call: None,
            setup: None,
            arguments: Vec::new(),
        },
        passes: pass.into_iter().collect(),
        times,
        notes,
        root: root.to_owned(),
        files,
    }
}

#[cfg(test)]
mod tests {
    use super::choose;

    #[test]
    fn the_longest_common_end_decides_and_ties_are_not_guessed() {
        let files = [
            "app.py",
            "shop/models.py",
            "old/shop/models.py",
            "a/x.py",
            "b/x.py",
        ];
        let choose = |path| choose(path, files.iter().copied());
        assert_eq!(choose("/w/app/app.py"), Some("app.py"));
        assert_eq!(choose("/w/old/shop/models.py"), Some("old/shop/models.py"));
        assert_eq!(choose("/w/app/shop/models.py"), Some("shop/models.py"));
        assert_eq!(choose("/usr/lib/python3.14/app.py"), None, "that is another one");
        assert_eq!(choose("x.py"), None);
        assert_eq!(choose("asyncio/models.py"), None, "in a folder of another name");
        assert_eq!(choose("/src/b/x.py"), Some("b/x.py"));
        assert_eq!(choose("../../etc/passwd"), None);
        assert_eq!(choose("a/../x.py"), None);
        assert_eq!(choose("C:\\src\\a\\x.py"), Some("a/x.py"));
    }
}
