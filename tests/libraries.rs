//! Reading operand types changes nothing: the test suites of three libraries from `PyPI` end the same
//! with and without it, test by test.

mod support;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use support::binary::{all, apart, bytecost, end};
use support::pythons;

const PINNED: [&str; 4] = [
    "toolz==1.0.0",
    "mpmath==1.3.0",
    "networkx==3.4.2",
    "pytest==8.3.4",
];

/// What is run of each.
const SUITES: [(&str, &str); 3] = [
    ("toolz", "toolz/tests"),
    ("mpmath", "mpmath/tests/test_basic_ops.py"),
    ("networkx", "networkx/utils/tests"),
];

const OPTIONS: [&str; 5] = ["-q", "-p", "no:cacheprovider", "--assert=plain", "-p"];

/// The libraries in a folder, installed once.
fn installed() -> Option<PathBuf> {
    let folder = pythons::rigs().join("libraries");
    let done = folder.join(".complete");
    if done.is_file() {
        return Some(folder);
    }
    let (_, python) = pythons::pythons().into_iter().next()?;
    let venv = pythons::rigs().join("venvs/libraries");
    let quiet = |command: &mut Command| command.output().is_ok_and(|output| output.status.success());
    let _ = std::fs::remove_dir_all(&folder);
    let made = quiet(Command::new(&python).args(["-m", "venv", "--clear"]).arg(&venv))
        && quiet(
            Command::new(venv.join("bin/python"))
                .args(["-m", "pip", "install", "-q", "--target"])
                .arg(&folder)
                .args(PINNED),
        );
    if !made {
        assert!(std::env::var_os("CI").is_none(), "CI must reach PyPI");
        eprintln!("skipped: the libraries could not be installed from PyPI");
        return None;
    }
    std::fs::write(done, "").ok()?;
    Some(folder)
}

/// The outcome of each test in a `JUnit` file.
fn outcomes(path: &Path) -> BTreeMap<String, String> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let cases = text.split("<testcase ").skip(1).map(|case| {
        let (head, _) = case.split_once(" time=").unwrap_or((case, ""));
        let ended = ["<failure", "<error", "<skipped"]
            .into_iter()
            .find(|tag| case.contains(tag));
        (head.to_owned(), ended.unwrap_or("passed").to_owned())
    });
    cases.collect()
}

/// A copy that is the user's own code: what is installed is not measured.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("it is there").flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else if entry
            .path()
            .extension()
            .is_some_and(|extension| extension != "pyc")
        {
            std::fs::copy(entry.path(), target).expect("copied");
        }
    }
}

fn check(python: &Path, minor: &str, site: &Path, (library, selection): (&str, &str)) -> Vec<String> {
    let folder = tempfile::tempdir().expect("a folder");
    let here = folder.path().canonicalize().expect("it exists");
    copy(&site.join(library), &here.join(library));
    std::fs::write(here.join("pyproject.toml"), "").expect("written");
    let file = |name: &str| format!("--junitxml={}", here.join(name).display());
    let mut plain = apart(Command::new(python), &here);
    plain
        .args(["-m", "pytest"])
        .args(OPTIONS)
        .args(["no:randomly", &file("plain.xml"), selection])
        .env("PYTHONPATH", site)
        .env("PYTHONHASHSEED", "0");
    end(&mut plain, None);
    // Each pass writes the file anew: what is left is that of the last one, which reads types.
    let report = here.join("report.json");
    let mut measured = bytecost(&here);
    measured
        .args([
            "run",
            "--quiet",
            "--passes",
            "natural,count,types",
            "--format",
            "json",
            "-o",
        ])
        .arg(&report)
        .arg("--python")
        .arg(python)
        .arg(format!("pytest:{selection}"))
        .arg("--")
        .args(OPTIONS)
        .args(["no:randomly", &file("measured.xml")])
        .env("PYTHONPATH", site)
        .env("PYTHONHASHSEED", "0");
    let ended = end(&mut measured, None);
    let at = format!("{minor} {library}");
    let Ok(text) = std::fs::read(&report) else {
        return vec![format!("{at}: no report: {}", ended.err())];
    };
    let report: Value = serde_json::from_slice(&text).expect("JSON");
    let (one, other) = (
        outcomes(&here.join("plain.xml")),
        outcomes(&here.join("measured.xml")),
    );
    let passes = report["passes"].as_array().expect("passes");
    let mut wrong = Vec::new();
    if !passes.iter().any(|pass| pass["kind"] == "types") {
        wrong.push(format!(
            "{at}: types were not read: {passes:?} {}",
            report["notes"]
        ));
    }
    if one.len() < 10 || one != other {
        let differ: Vec<_> = one
            .iter()
            .filter(|(name, how)| other.get(*name) != Some(how))
            .collect();
        wrong.push(format!(
            "{at}: {} tests, {} measured: {differ:?}",
            one.len(),
            other.len()
        ));
    }
    println!("{at}: {} tests end the same", one.len());
    wrong
}

#[test]
fn test_suites_end_the_same_while_types_are_read() {
    let Some(site) = installed() else { return };
    let mut pythons = pythons::native_pythons("test suites of libraries");
    if std::env::var_os("BYTECOST_LIBRARIES").is_none() {
        // Minutes each: the two ways of reading, by tracing and by monitoring, unless all are asked for.
        pythons.retain(|(minor, _)| ["3.11", "3.14"].contains(minor));
        println!("on 3.11 and 3.14; BYTECOST_LIBRARIES=all takes every version");
    }
    let jobs: Vec<_> = pythons
        .iter()
        .flat_map(|(minor, python)| SUITES.map(|suite| (*minor, python, suite)))
        .collect();
    all(&jobs, |(minor, python, suite)| {
        check(python, minor, &site, *suite)
    });
}
