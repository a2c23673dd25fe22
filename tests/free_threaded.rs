//! Builds without the global interpreter lock: threads run at once, each with a copy of the bytecode of its
//! own from 3.14 on.

#![cfg(target_os = "linux")]

mod support;

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use support::{binary, pythons};

const PROGRAM: &str = include_str!("free_threaded/program.py");
const CALLS: u64 = 20_000;
const THREADS: u64 = 3;

/// Interpreters that `BYTECOST_FREE_THREADED` names, separated as on `PATH`, and `python3.xt` in the rigs.
/// No package has them, so CI has none: what they are needed for is named as skipped.
fn builds(what: &str) -> Vec<PathBuf> {
    let named = std::env::var_os("BYTECOST_FREE_THREADED").unwrap_or_default();
    let rigs = pythons::MINORS.map(|minor| pythons::rigs().join(format!("bin/python{minor}t")));
    let found: Vec<PathBuf> = std::env::split_paths(&named)
        .chain(rigs)
        .filter(|path| path.is_file())
        .collect();
    if found.is_empty() {
        eprintln!("skipped: {what}: no build without the global interpreter lock");
    }
    found
}

/// Whether a build specializes; 3.13 does not.
fn specializes(python: &Path) -> bool {
    let script = "import sys; print(sys.version_info >= (3, 14))";
    let output = Command::new(python)
        .args(["-c", script])
        .output()
        .expect("it runs");
    output.stdout.starts_with(b"True")
}

fn report(python: &Path, call: &str, passes: &str) -> Value {
    let (_folder, here) = binary::project();
    std::fs::write(here.join("program.py"), PROGRAM).unwrap();
    let target = format!("program.py::{}", call.split('(').next().unwrap());
    let arguments = ["--time", "1", "--passes", passes, "--call", call, &target];
    let (ended, report) = binary::report(&here, python, &arguments, None, &|_| {});
    report.unwrap_or_else(|| panic!("{}: {}", python.display(), ended.err()))
}

/// The line of the program with a mark.
fn line<'a>(report: &'a Value, mark: &str) -> &'a Value {
    let end = format!("#= {mark}");
    let at = PROGRAM.lines().position(|line| line.ends_with(&end));
    let number = at.expect(mark) as u64 + 1;
    let file = binary::file(report, "program.py").expect("the file");
    let lines = file["lines"].as_array().expect("lines");
    lines
        .iter()
        .find(|line| line["line"] == number)
        .expect("the line")
}

/// The site of an opcode on a line.
fn site<'a>(line: &'a Value, opcode: &str) -> &'a Value {
    let sites = line["sites"].as_array().expect("sites");
    let mut found = sites.iter().filter(|site| site["opcode"] == opcode);
    found.next().unwrap_or_else(|| panic!("{opcode} in {line}"))
}

#[test]
fn what_several_threads_do_is_counted_once_each() {
    for python in builds("counts of threads that run at once") {
        let report = report(&python, &format!("threads({CALLS})"), "natural,count");
        for mark in ["attribute", "remainder", "call"] {
            assert_eq!(line(&report, mark)["executions"], THREADS * CALLS, "{python:?}");
        }
    }
}

#[test]
fn threads_miss_what_they_miss_alone() {
    for python in builds("misses of threads that run at once") {
        if !specializes(&python) {
            continue;
        }
        let misses = |call: &str| {
            let report = report(&python, &format!("{call}({CALLS})"), "natural,count");
            site(line(&report, "attribute"), "LOAD_ATTR")["misses"]
                .as_u64()
                .unwrap()
        };
        let alone = misses("work");
        assert!(alone > CALLS / 40, "{python:?}: {alone}");
        // Threads that share types do not specialize at just the same executions as one alone.
        let (found, wanted) = (misses("threads"), THREADS * alone);
        assert!(
            found.abs_diff(wanted) * 200 <= wanted,
            "{python:?}: {found}, alone {wanted}"
        );
    }
}

#[test]
fn states_are_those_of_the_threads_that_ran() {
    for python in builds("states in threads") {
        let report = report(&python, &format!("threads({CALLS})"), "natural");
        let state = |opcode| site(line(&report, "remainder"), opcode)["state"].clone();
        if specializes(&python) {
            assert_eq!(state("BINARY_OP"), "unspecialized", "{python:?}");
            assert_eq!(state("TO_BOOL"), "specialized", "{python:?}");
        } else {
            assert_eq!(state("BINARY_OP"), "basic", "{python:?}");
            let notes = report["notes"].to_string();
            assert!(notes.contains("does not specialize"), "{python:?}: {notes}");
        }
    }
}

#[test]
fn threads_that_specialize_differently_are_told_of() {
    for python in builds("threads that specialize differently") {
        if !specializes(&python) {
            continue;
        }
        let report = report(&python, &format!("differ({CALLS})"), "natural");
        let notes = report["notes"].to_string();
        assert!(notes.contains("not all alike in add"), "{python:?}: {notes}");
    }
}

#[test]
fn all_threads_are_sampled() {
    for python in builds("sampling of threads that run at once") {
        let report = report(&python, &format!("threads({CALLS})"), "natural,sample");
        let time = &report["time"];
        assert_eq!(time["method"], "sampled", "{python:?}");
        let (samples, torn) = (
            time["samples"].as_u64().unwrap(),
            time["torn_samples"].as_u64().unwrap(),
        );
        assert!(torn * 100 <= samples, "{python:?}: {torn} of {samples}");
        let share = ["attribute", "remainder", "call"]
            .map(|mark| line(&report, mark)["self_share"].as_f64().unwrap_or_default());
        assert!(share.iter().sum::<f64>() > 0.7, "{python:?}: {share:?}");
    }
}

#[test]
fn a_running_process_shows_the_copies_of_its_threads() {
    for python in builds("a running process with threads that run at once") {
        if !specializes(&python) {
            continue;
        }
        let (_folder, here) = binary::project();
        let program = format!("{PROGRAM}\nwhile True:\n    threads(100_000)\n");
        std::fs::write(here.join("program.py"), program).unwrap();
        let mut target = Command::new(&python)
            .arg("program.py")
            .current_dir(&here)
            .spawn()
            .unwrap();
        std::thread::sleep(std::time::Duration::from_secs(1));
        let pid = target.id().to_string();
        let mut command = binary::bytecost(&here);
        command.args(["run", "--quiet", "--format", "json", "--time", "1", "--pid", &pid]);
        let ended = binary::end(&mut command, None);
        target.kill().unwrap();
        target.wait().unwrap();
        assert_eq!(ended.status, 0, "{python:?}: {}", ended.err());
        let report: Value = serde_json::from_slice(&ended.stdout).expect("JSON");
        let found = site(line(&report, "remainder"), "BINARY_OP");
        assert_eq!(found["state"], "unspecialized", "{python:?}: {found}");
    }
}
