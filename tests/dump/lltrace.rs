//! Logs of the JIT against what `grep` finds in them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use bytecost::attribute::attribute;
use bytecost::dump::{self, Content};
use bytecost::explain::{jit, words};
use bytecost::present::editor::{DiagnosticOptions, diagnostics};
use bytecost::profile::Profile;
use bytecost::stats::{Cell, Table};
use bytecost::store::import::{self, Check, Imported};

use crate::packed::{packed, unpacked};
use crate::pythons;

fn log(name: &str) -> (String, Vec<Table>) {
    let path = format!("tests/fixtures/dump/lltrace/{name}");
    let text = String::from_utf8(unpacked(&path)).unwrap();
    let dump = dump::read(name, &packed(&path)[..]).unwrap();
    let Content::JitLog(log) = dump.content else {
        panic!("a log")
    };
    (text, log.tables)
}

fn sum(tables: &[Table], title: &str, column: &str) -> u64 {
    let Some(table) = tables.iter().find(|table| table.title == title) else {
        return 0;
    };
    let at = table.columns.iter().position(|head| head == column).unwrap();
    table.rows.iter().filter_map(|row| row[at].count()).sum()
}

fn lines(text: &str, has: &[&str]) -> u64 {
    let counted = text
        .lines()
        .filter(|line| has.iter().all(|part| line.contains(part)));
    counted.count() as u64
}

#[test]
fn traces_refusals_and_exits_are_all_counted() {
    for name in [
        "3.13.5-tiny-L1.log",
        "3.13.5-tiny-L2.log",
        "3.13.5-chatty-L2.log",
        "3.14.8-app-L2.log",
        "3.15.0-app-L2.log",
    ] {
        let (text, tables) = log(name);
        let created = lines(&text, &["Created a proto-trace for "]) + lines(&text, &["Trace done"]);
        assert_eq!(sum(&tables, "", "Traces"), created, "{name}");
        assert_eq!(
            sum(&tables, "", "Refused"),
            lines(&text, &["No trace for "]),
            "{name}"
        );
        assert_eq!(
            sum(&tables, "Unsupported opcodes", "Count"),
            lines(&text, &["Unsupported opcode "]),
            "{name}"
        );
        let exits = lines(&text, &["SIDE EXIT: [", " -> "]) + lines(&text, &["DEOPT: [", " -> "]);
        assert_eq!(sum(&tables, "Exits", "Count"), exits, "{name}");
        assert!(created > 0);
    }
}

/// The module's loop calls nothing but looks names up: that is what the log says stops its trace.
#[test]
fn what_stops_a_trace_is_told_with_its_place() {
    let (_, tables) = log("3.13.5-tiny-L2.log");
    let text = |cell: &Cell| cell.text();
    let blocked: Vec<Vec<_>> = tables[1]
        .rows
        .iter()
        .map(|row| row.iter().map(text).collect())
        .collect();
    assert_eq!(
        blocked[0],
        ["LOAD_NAME", "<module> (/w/app/tiny.py:1) at 34", "5"]
    );
    let sites: BTreeMap<_, _> = tables[0].rows.iter().map(|row| (row[0].text(), row)).collect();
    let refused = sites["<module> (/w/app/tiny.py:1) at 34"];
    assert_eq!(
        (refused[1].count(), refused[2].count(), refused[3].count()),
        (Some(4), Some(0), Some(4))
    );
    assert!(refused[7].text().contains("too short"), "{}", refused[7].text());
    let hot = sites["<module> (/w/app/tiny.py:1) at 44"];
    assert_eq!(
        (hot[2].count(), hot[4].count(), hot[5].count()),
        (Some(1), Some(11), Some(15))
    );
    let exits = tables.iter().find(|table| table.title == "Exits").unwrap();
    let to_name = exits
        .rows
        .iter()
        .find(|row| row[0].text() == "LOAD_NAME at 34")
        .unwrap();
    assert_eq!(to_name[3].text(), "<module> (/w/app/tiny.py:1) at 34");
}

/// Every line of an instruction ran once, but for those printed again when they specialized.
#[test]
fn executed_instructions_are_counted_once() {
    for name in [
        "3.13.5-traced-L5-one-module.log",
        "3.14.8-traced-L5-one-module.log",
        "3.15.0-traced-L5-one-module.log",
    ] {
        let (text, tables) = log(name);
        let mut expected = 0;
        let mut before = ("", "");
        for line in text.lines() {
            let line = line.trim();
            if line.starts_with("Resuming frame") {
                before = ("", "");
            }
            let Some((offset, rest)) = line.split_once(": ") else {
                continue;
            };
            let opcode = rest.split(' ').next().unwrap();
            let is_one = offset.bytes().all(|byte| byte.is_ascii_digit())
                && opcode.len() > 1
                && opcode
                    .bytes()
                    .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
                && rest
                    .split(' ')
                    .nth(1)
                    .is_none_or(|argument| argument.parse::<u32>().is_ok());
            if is_one {
                let again = before.0 == offset
                    && before.1 != opcode
                    && (before.1.starts_with(opcode) || opcode.starts_with(before.1));
                expected += u64::from(!again);
                before = (offset, opcode);
            }
        }
        let ran = tables
            .iter()
            .find(|table| table.section == "Executed instructions")
            .unwrap();
        let found: u64 = ran.rows.iter().filter_map(|row| row[1].count()).sum();
        assert!(expected > 100, "{name}: {expected}");
        assert_eq!(found, expected, "{name}");
    }
}

#[test]
fn broken_lines_of_several_processes_are_left_out() {
    let (text, tables) = log("3.13.5-interleaved-3proc-L2-excerpt.log");
    let whole = text
        .lines()
        .filter(|line| line.starts_with("Optimizing ") && line.contains(") at byte offset "))
        .count();
    let attempts = sum(&tables, "", "Attempts");
    assert!(
        attempts > 0 && attempts <= 2 * whole as u64 + 50,
        "{attempts} of {whole}"
    );
}

/// The log of a program, on its source.
fn placed(name: &str, root: &Path) -> Option<Profile> {
    let path = format!(
        "{}/tests/fixtures/dump/lltrace/{name}.gz",
        env!("CARGO_MANIFEST_DIR")
    );
    match import::import(path.as_ref(), root, Check::Compiled).unwrap() {
        Imported::Profile(profile) => Some(*profile),
        Imported::Statistics(_) => None,
    }
}

fn app() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/dump/app")
}

fn notes(profile: &Profile) -> String {
    let notes: Vec<_> = profile.notes.iter().map(words::note).collect();
    notes.join("\n")
}

/// What is said of the JIT, by file and line, with the expressions it is about.
fn said(profile: &Profile) -> Vec<String> {
    let costs = attribute(profile, &|_| None);
    let mut said = Vec::new();
    for file in &costs.files {
        for line in file.lines.values() {
            for fact in jit::line(file, line) {
                let excerpt = fact.position.and_then(|position| file.excerpt(position));
                let name = excerpt
                    .map(|excerpt| excerpt.text().to_owned())
                    .unwrap_or_default();
                said.push(format!("{}:{} {name}: {}", file.file.path, line.line, fact.text));
            }
        }
    }
    said
}

/// An interpreter of the log's version is needed to place anything.
fn rig(minor: &str) -> bool {
    pythons::pythons().iter().any(|(found, _)| *found == minor) && {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let here = std::env::split_paths(&path).any(|folder| folder.join(format!("python{minor}")).exists());
        if !here {
            eprintln!("skipped: python{minor} is not on PATH");
        }
        here
    }
}

#[test]
fn a_log_is_placed_on_the_instructions_of_its_program() {
    for (minor, name, all) in [
        ("3.13", "3.13.5-tiny-L2.log", 21),
        ("3.14", "3.14.8-tiny-L2.log", 12),
        ("3.15", "3.15.0-tiny-L2.log", 11),
    ] {
        if !rig(minor) {
            continue;
        }
        let profile = placed(name, &app()).expect("it is of this program");
        assert_eq!(profile.python.minor, minor);
        assert!(
            notes(&profile).contains(&format!(
                "{all} of {all} instructions placed, checked against what CPython {minor}."
            )),
            "{}",
            notes(&profile)
        );
        let said = said(&profile);
        assert!(
            said.iter()
                .any(|text| text.starts_with("tiny.py:4 range(n): a trace begins here: ")),
            "{said:#?}"
        );
        assert!(profile.files.iter().all(|file| file.path == "tiny.py"));
    }
}

/// On the expression that blocks it.
/// 3.15 stops recording without a line when an exception is raised: that loop has an attempt and no trace.
#[test]
fn an_attempt_that_was_broken_off_is_told_as_that() {
    if !rig("3.15") {
        return;
    }
    let said = said(&placed("3.15.0-app-L2.log", &app()).unwrap());
    let why = "this loop is not traced: the attempt was broken off, and the log does not say why";
    let found: Vec<_> = said.iter().filter(|text| text.ends_with(why)).collect();
    assert_eq!(found.len(), 1, "{said:#?}");
    assert!(found[0].starts_with("shop/report.py:39 "), "{found:?}");
}

/// 3.13 ends the last uop that the optimizer looked at without a new line: what comes next is no part of it.
#[test]
fn lines_of_the_optimizer_between_take_nothing_away() {
    let (text, mixed) = log("3.13.5-chatty-L2-OPT3.log");
    let plain = log("3.13.5-chatty-L2.log").1;
    assert!(text.contains("operand=0) Optimized trace (length 25):"));
    let traces = |tables: &[Table]| tables.iter().find(|table| table.title.is_empty()).cloned();
    assert_eq!(traces(&mixed), traces(&plain));
    // As one line of level 1 after the uops of another trace.
    let glued = "Created a proto-trace for f (/w/a.py:1) at byte offset 28 -- length 11\n\
        \x20  0 abs: _START_EXECUTOR (0, target=7, operand=0)  stack_level 0\n\
        \x20 10 abs: _EXIT_TRACE (0, target=17, operand=0) Created a proto-trace for g (/w/a.py:9) at byte offset 30 -- length 29\n";
    let Content::JitLog(found) = dump::read("log", glued.as_bytes()).unwrap().content else {
        panic!("a log");
    };
    let mut traces: Vec<_> = found
        .codes
        .iter()
        .flat_map(|code| &code.jit.traces)
        .map(|trace| (trace.offset, trace.made, trace.uops_before))
        .collect();
    traces.sort_unstable();
    assert_eq!(traces, [(28, 1, Some(11)), (30, 1, Some(29))]);
}

/// 3.13 names the head of a loop and 3.14 the jump at its end; nothing else tells level 1 of them apart.
#[test]
fn a_log_without_opcodes_is_of_the_version_whose_loops_it_fits() {
    if !rig("3.13") || !rig("3.14") {
        return;
    }
    let log = tempfile::NamedTempFile::new().unwrap();
    let line = "Created a proto-trace for scale (/w/app/tiny.py:2) at byte offset";
    std::fs::write(log.path(), format!("{line} 80 -- length 44\n")).unwrap();
    let Imported::Profile(of_314) = import::import(log.path(), &app(), Check::Compiled).unwrap() else {
        panic!("it is placed");
    };
    assert_eq!(of_314.python.minor, "3.14");
    assert_eq!(
        said(&of_314),
        ["tiny.py:4 range(n): a trace begins here: 44 uops"]
    );
    for name in ["3.13.5-tiny-L1.log", "3.13.5-app-L1.log"] {
        assert_eq!(placed(name, &app()).unwrap().python.minor, "3.13", "{name}");
    }
}

#[test]
fn what_keeps_a_loop_out_is_told_on_the_expression() {
    if !rig("3.13") {
        return;
    }
    let profile = placed("3.13.5-tiny-L2.log", &app()).unwrap();
    let said = said(&profile);
    assert!(
        said.contains(
            &"tiny.py:14 x: this loop is not traced beyond here: `LOAD_NAME` is unsupported (5 attempts)"
                .to_owned()
        ),
        "{said:#?}"
    );
    // 1,983 side exits go on at LOAD_NAME: counted by grep in the log, told on that line.
    assert!(
        said.contains(&"tiny.py:14 x: traces were left to go on here 1,983 times (`LOAD_NAME`)".to_owned()),
        "{said:#?}"
    );
    let costs = attribute(&profile, &|_| None);
    let found = diagnostics(&costs, &DiagnosticOptions::default());
    let blocked = found["tiny.py"]
        .iter()
        .find(|one| one.message.contains("`LOAD_NAME`"))
        .expect("a diagnostic");
    assert_eq!((blocked.code.as_str(), blocked.start.0), ("not-traced", 14));
}

/// Every executed instruction of level 5 finds its place, but for the line that the program prints
/// itself to look like one.
#[test]
fn executed_instructions_are_placed_but_for_a_planted_one() {
    for (minor, name, fits, all, calls) in [
        ("3.13", "3.13.5-traced-L5-one-module.log", 80, 81, 2),
        ("3.14", "3.14.8-traced-L5-one-module.log", 91, 92, 2),
        ("3.15", "3.15.0-traced-L5-one-module.log", 91, 92, 2),
    ] {
        if !rig(minor) {
            continue;
        }
        let profile = placed(name, &app()).expect("it is of this program");
        assert_eq!(profile.python.minor, minor, "{name}");
        assert!(
            notes(&profile).contains(&format!("{fits} of {all} instructions placed")),
            "{name}: {}",
            notes(&profile)
        );
        // The program calls `run` for 2 and 3, which make a `Box` and sum what its generator yields.
        let costs = attribute(&profile, &|_| None);
        let file = costs
            .files
            .iter()
            .find(|file| file.file.path == "traced.py")
            .unwrap();
        let ran = |line: u32| file.line(line).and_then(|line| line.executions);
        assert_eq!((ran(7), ran(16)), (Some(calls), Some(calls)), "{name}");
        assert_eq!(ran(11), Some(2 + 3), "{name}: one yield for each number");
    }
}

/// Nothing is shown on a line of another text.
#[test]
fn what_does_not_fit_a_changed_source_is_counted_and_not_shown() {
    if !rig("3.13") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let text = std::fs::read_to_string(app().join("tiny.py")).unwrap();
    let changed = text.replace("total", "total[0]");
    assert_ne!(changed, text);
    std::fs::write(folder.path().join("tiny.py"), &changed).unwrap();
    let before = placed("3.13.5-tiny-L2.log", &app()).unwrap();
    let after = placed("3.13.5-tiny-L2.log", folder.path()).unwrap();
    let told = notes(&after);
    assert!(told.contains("do not fit and are not shown"), "{told}");
    let shown = |profile: &Profile| {
        let codes = profile.files.iter().flat_map(|file| &file.codes);
        let function = codes.filter(|code| code.qualname == "scale");
        function.map(|code| code.instructions.len()).sum::<usize>()
    };
    assert!(shown(&after) < shown(&before));
}
