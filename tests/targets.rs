//! The ways to name a target and to say how it is called, through the program itself. Lines marked
//! `# @name` tell by their executions what ran.
#![cfg(unix)]

mod support;

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use support::binary::{all, bytecost, end, executions, project, report};
use support::{fixture, pythons};

/// Arguments, and how often which marked lines must have run.
const CASES: &[(&str, &str)] = &[
    ("kern.py::plain", "plain=100"),
    ("kern.py::plain --call plain(1000)", "plain=1000"),
    ("kern.py::needs --call needs(2,x) --setup x=LIMIT", "needs=102"),
    ("kern.py::directed", "directed=200"),
    ("kern.py::directed --call directed(5)", "directed=5"),
    ("kern.py::configured", "configured=300"),
    ("kern.py::configured_setup", "configured_setup=400"),
    ("kern.py::configured_setup --setup size=4", "configured_setup=4"),
    ("kern.py::documented", "documented=530"),
    ("kern.py::generator", "generator=100"),
    ("kern.py::coroutine", "coroutine=100"),
    ("kern.py::stream", "stream=100"),
    ("kern.py::decorated", "decorated=100 wrapper=1"),
    ("kern.py::cached --calls 3", "cached=100"),
    ("kern.py::outer", "outer=10 inner=100"),
    ("kern.py::outer.<locals>.inner", "outer=10 inner=100"),
    ("kern.py::outer.inner --call outer(3)", "outer=3 inner=30"),
    ("kern.py::Shape.method", "method=100"),
    (
        "kern.py::Shape.method --call Shape(7).method() --calls 3",
        "method=21",
    ),
    ("kern.py::Shape.static", "static=100"),
    ("kern.py::Shape.made", "made=100"),
    ("kern.py::Shape.area", "area=100"),
    ("kern.py::Shape.slow", "slow=100"),
    ("kern.py::Shape.Inner.deep", "deep=100"),
    ("kern.py::Shape.__private", "private=100"),
    ("kern.py::Shape.__call__", "call=100"),
    ("kern.py::accents_é", "accents=100"),
    ("kern.py::manager --call manager(10).__enter__()", "manager=10"),
    ("src/pack/sub/worker.py::work", "worker=100 sibling=100"),
    ("./src/pack/../pack/sub/worker.py::work", "worker=100 sibling=100"),
    ("src/space/inner/loose.py::work", "loose=100"),
    ("script.py -- 10 20", "script=30"),
    ("script.py", "script=0"),
    ("-m app -- 70", "tool=70"),
    ("-m app.tool", "tool=60 toolmain=1"),
];

/// A copy of the example project.
fn example() -> (tempfile::TempDir, PathBuf) {
    let (folder, here) = project();
    let status = Command::new("cp")
        .arg("-r")
        .arg(fixture("targets/project/."))
        .arg(&here)
        .status()
        .expect("cp");
    assert!(status.success());
    (folder, here)
}

/// File and 1-based line of the line marked `# @name`.
fn marked(here: &Path, name: &str) -> (String, usize) {
    let files = [
        "kern.py",
        "script.py",
        "src/pack/sub/worker.py",
        "src/pack/sub/sibling.py",
        "src/space/inner/loose.py",
        "app/tool.py",
        "tests/test_kern.py",
    ];
    let ending = format!("# @{name}");
    let found = files.iter().find_map(|file| {
        let text = std::fs::read_to_string(here.join(file)).expect("a file");
        let at = text.lines().position(|line| line.ends_with(&ending))?;
        Some(((*file).to_owned(), at + 1))
    });
    found.unwrap_or_else(|| panic!("no line is marked {name}"))
}

/// What of `expected` (`name=count …`) the report contradicts.
fn contradictions(report: &Value, here: &Path, expected: &str) -> Vec<String> {
    let each = expected.split(' ').filter_map(|one| {
        let (name, count) = one.split_once('=').expect("name=count");
        let (file, line) = marked(here, name);
        let got = executions(report, &file, line);
        (got != count.parse().ok()).then(|| format!("{name} ran {got:?} times, expected {count}"))
    });
    each.collect()
}

#[test]
fn every_way_to_name_and_call_a_target_runs_what_it_says() {
    let pythons = pythons::native_pythons("targets of every kind");
    let (_folder, here) = example();
    // Each case on the oldest and on one of the others in turn.
    let jobs: Vec<_> = CASES
        .iter()
        .enumerate()
        .flat_map(|(at, case)| {
            let others = pythons.len().saturating_sub(1).max(1);
            let chosen = move |&(index, _): &(usize, _)| index == 0 || (index - 1) % others == at % others;
            let on = pythons.iter().enumerate().filter(chosen);
            on.map(move |(_, python)| (case, python))
        })
        .collect();
    all(&jobs, |((arguments, expected), (minor, python))| {
        let mut words: Vec<_> = arguments.split(' ').collect();
        let repeats = words[0].contains("::") && !arguments.contains("--calls");
        if repeats {
            words.splice(1..1, ["--calls", "1"]);
        }
        let (ended, report) = report(&here, python, &words, None, &|_| {});
        let wrong = match &report {
            Some(report) if ended.status == 0 => contradictions(report, &here, expected),
            _ => vec![format!("exit {}: {}", ended.status, ended.err())],
        };
        wrong
            .iter()
            .map(|what| format!("{minor} {arguments}: {what}"))
            .collect()
    });
}

#[test]
fn a_folder_elsewhere_changes_nothing() {
    let (_folder, here) = example();
    let away = tempfile::tempdir().expect("a folder");
    for (minor, python) in pythons::native_pythons("targets of every kind") {
        let target = format!("{}::work", here.join("src/pack/sub/worker.py").display());
        let (ended, report) = report(away.path(), &python, &["--calls", "1", &target], None, &|_| {});
        let report = report.unwrap_or_else(|| panic!("{minor}: {}", ended.err()));
        let wrong = contradictions(&report, &here, "worker=100 sibling=100");
        assert!(wrong.is_empty(), "{minor}: {wrong:?}");
    }
}

#[test]
fn without_a_way_to_call_it_the_ways_are_listed() {
    let (_folder, here) = example();
    let mut seen = Vec::new();
    for target in [
        "kern.py::needs",
        "kern.py::no_such",
        "kern.py::plain(3)",
        "kern.py",
        "none.py",
        "src",
        "kern.py::needs --call needs(",
        "kern.py::needs --call x=1",
        "script.py --call f()",
        "",
    ] {
        let mut command = bytecost(&here);
        command
            .arg("run")
            .args(target.split(' ').filter(|word| !word.is_empty()));
        command.args(["--python", "/no/such/python"]);
        let ended = end(&mut command, None);
        assert_eq!(ended.status, 2, "{target}: {}", ended.err());
        assert_eq!(ended.out(), "", "{target}");
        let said = ended.err().replace(&here.display().to_string(), "HERE");
        seen.push(format!("$ bytecost run {target}\n{said}"));
    }
    insta::assert_snapshot!(seen.join("\n"));
}

/// An environment with pytest for this interpreter, made once in the folder of the rigs.
fn with_pytest(minor: &str, python: &Path) -> Option<PathBuf> {
    let venv = pythons::rigs().join("venvs").join(format!("pytest-{minor}"));
    let inside = venv.join("bin/python");
    let works = || {
        let output = Command::new(&inside).args(["-c", "import pytest"]).output();
        output.is_ok_and(|output| output.status.success())
    };
    if !works() {
        let quiet = |command: &mut Command| command.output().is_ok_and(|output| output.status.success());
        let _ = std::fs::remove_dir_all(&venv);
        let made = quiet(Command::new(python).args(["-m", "venv"]).arg(&venv))
            && quiet(Command::new(&inside).args(["-m", "pip", "install", "-q", "pytest"]));
        if !made || !works() {
            eprintln!("skipped: pytest could not be installed for {minor}");
            return None;
        }
    }
    Some(inside)
}

#[test]
fn pytest_selections_run_under_pytest() {
    const SELECTIONS: [(&str, i32, &str); 4] = [
        (
            "pytest:tests/test_kern.py::test_one",
            0,
            "test_one=100 plain=50 test_two=0",
        ),
        (
            "pytest:tests/test_kern.py::test_two[20]",
            0,
            "test_two=20 test_one=0",
        ),
        ("pytest:tests/test_kern.py::TestClass", 0, "test_method=1"),
        (
            "pytest:tests/test_kern.py",
            1,
            "test_one=100 test_two=30 test_fails=1",
        ),
    ];
    let (_folder, here) = example();
    let jobs: Vec<_> = pythons::native_pythons("targets of every kind")
        .into_iter()
        .filter_map(|(minor, python)| Some((minor, with_pytest(minor, &python)?)))
        .flat_map(|(minor, python)| SELECTIONS.map(|selection| (minor, python.clone(), selection)))
        .collect();
    all(&jobs, |(minor, python, (selection, status, expected))| {
        let (ended, report) = report(&here, python, &[selection, "--", "-q"], None, &|_| {});
        let at = format!("{minor} {selection}");
        let Some(report) = report else {
            return vec![format!("{at}: no report: {}", ended.err())];
        };
        let mut wrong: Vec<_> = contradictions(&report, &here, expected)
            .into_iter()
            .map(|one| format!("{at}: {one}"))
            .collect();
        if ended.status != *status {
            wrong.push(format!("{at}: {} {} {}", ended.status, ended.out(), ended.err()));
        }
        let said = ended.out();
        if said.contains("test session starts") {
            wrong.push(format!("{at}: -q is not heeded: {said}"));
        }
        if said.matches(" in ").count() != 1 {
            wrong.push(format!("{at}: not said once: {said}"));
        }
        wrong
    });
}

#[test]
fn without_pytest_one_sentence_says_so() {
    let (_folder, here) = example();
    let Some((minor, python)) = pythons::native_pythons("targets of every kind")
        .into_iter()
        .next()
    else {
        return;
    };
    let has = Command::new(&python).args(["-c", "import pytest"]).output();
    if has.is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: this {minor} has pytest");
        return;
    }
    let (ended, _) = report(&here, &python, &["pytest:tests"], None, &|_| {});
    assert_eq!(ended.status, 1);
    assert_eq!(
        ended.err(),
        "bytecost: this interpreter has no pytest; install it there or name another with --python\n"
    );
}

#[test]
fn only_the_first_call_is_heard_and_calls_read_nothing() {
    let (_folder, here) = example();
    let input = here.join("kern.py");
    for (minor, python) in pythons::native_pythons("targets of every kind") {
        let calls = ["--calls", "50", "kern.py::printing"];
        let (ended, report_) = report(&here, &python, &calls, None, &|_| {});
        assert_eq!(ended.out(), "printed 100\n", "{minor}");
        let wrong = contradictions(&report_.expect("a report"), &here, "printing=5000");
        assert!(wrong.is_empty(), "{minor}: {wrong:?}");
        let reading = [
            "--calls",
            "2",
            "kern.py::reading",
            "--call",
            "print(repr(reading()))",
        ];
        let (ended, _) = report(&here, &python, &reading, Some(&input), &|_| {});
        assert_eq!(ended.out(), "''\n", "{minor}");
    }
}

#[test]
fn a_call_that_fails_keeps_what_was_measured() {
    let (_folder, here) = example();
    for (minor, python) in pythons::native_pythons("targets of every kind") {
        let check = |target: &str, status: i32, expected: &str, note: &str| {
            let (ended, report) = report(&here, &python, &["--calls", "9", target], None, &|_| {});
            assert_eq!(ended.status, status, "{minor} {target}: {}", ended.err());
            let report = report.expect("a report");
            let wrong = contradictions(&report, &here, expected);
            assert!(wrong.is_empty(), "{minor} {target}: {wrong:?}");
            let notes = report["notes"].to_string();
            assert!(notes.contains(note), "{minor} {target}: {notes}");
            ended
        };
        let ended = check(
            "kern.py::fails",
            1,
            "fails=100",
            "the target raised ValueError: every time",
        );
        let traceback = ended.err();
        let kern = here.join("kern.py");
        let begin = format!(
            "Traceback (most recent call last):\n  File \"{}\", line ",
            kern.display()
        );
        assert!(traceback.starts_with(&begin), "{minor}: {traceback}");
        assert!(
            traceback.ends_with("ValueError: every time\n"),
            "{minor}: {traceback}"
        );
        assert_eq!(traceback.matches("File ").count(), 1, "{minor}: {traceback}");
        check(
            "kern.py::fails_later",
            0,
            "fails_later=200",
            "call 2 raised ValueError",
        );
        check("kern.py::exits", 1, "exits=100", "exited with status 4");
    }
}
