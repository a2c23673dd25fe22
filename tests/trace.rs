//! `bytecost trace`, against bytesight's own trace and against counted executions.

mod support;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use support::binary::{apart, bytecost};
use support::{fixture, pythons};

/// Functions of `trace/calls.py` that need no arguments.
const CALLS: [&str; 7] = [
    "consume",
    "caught",
    "accounts",
    "recursion",
    "library",
    "delegated",
    "example",
];

fn folder() -> PathBuf {
    fixture("trace")
}

/// Traces a call of `trace/calls.py`: status, header and events.
fn traced(python: &Path, target: &str, call: &str, options: &[&str]) -> (i32, Value, Vec<Value>) {
    let mut command = bytecost(&folder());
    command
        .args(["trace", "-q", "--format", "jsonl", "--call", call, "--python"])
        .arg(python)
        .args(options)
        .arg(format!("calls.py::{target}"));
    let output = command.output().expect("it starts");
    let text = String::from_utf8(output.stdout).expect("JSON is UTF-8");
    let mut lines = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("a line is JSON"));
    let errors = String::from_utf8_lossy(&output.stderr);
    let header = lines
        .next()
        .unwrap_or_else(|| panic!("nothing is written: {errors}"));
    (output.status.code().unwrap_or(-1), header, lines.collect())
}

/// The instructions among the events.
fn instructions(events: &[Value]) -> impl Iterator<Item = &Value> {
    events.iter().filter(|event| event["event"] == "instruction")
}

/// An event as `trace/reference.py` prints it; `source` gives a line of the frame's file.
fn as_reference(event: &Value, root: &Path, file: &mut Vec<PathBuf>) -> Value {
    match event["event"].as_str().expect("a kind") {
        "call" => {
            let path = PathBuf::from(event["path"].as_str().expect("a path"));
            let stem = path.file_stem().expect("a name").to_string_lossy().into_owned();
            file.push(path);
            json!(["call", stem, event["function"], event["line"]])
        }
        "line" => {
            let path = root.join(file.last().expect("a frame"));
            let line = usize::try_from(event["line"].as_u64().expect("a line")).expect("small");
            let text = std::fs::read_to_string(path).ok();
            let text = text.as_ref().and_then(|text| text.lines().nth(line - 1));
            json!(["line", text.map_or("<source not available>", str::trim)])
        }
        "return" => {
            file.pop();
            json!(["return"])
        }
        "exception" => json!(["exception", event["type"]]),
        "instruction" => {
            let argument = event["argument"].as_str().expect("text");
            let mut parts = argument.split("0x");
            let mut text = parts.next().unwrap_or_default().to_owned();
            for part in parts {
                text.push_str("0x");
                text.push_str(part.trim_start_matches(|it: char| it.is_ascii_hexdigit()));
            }
            let text = text.replace("0x0x", "0x");
            json!([
                "instruction",
                event["offset"],
                event["opcode"],
                event["arg"],
                text,
                event["target"]
            ])
        }
        other => panic!("{other} is no event"),
    }
}

#[test]
fn traces_equal_those_of_bytesight() {
    let bytesight = pythons::rigs().join("bytesight");
    if !bytesight.is_dir() {
        assert!(
            std::env::var_os("CI").is_none(),
            "CI must have bytesight: run tests/rigs/install-bytesight"
        );
        eprintln!("skipped: no bytesight (tests/rigs/install-bytesight gets it)");
        return;
    }
    for (minor, python) in pythons::native_pythons("comparison with bytesight") {
        // Its trace function is not told of instructions there.
        if minor == "3.12" {
            continue;
        }
        for call in CALLS {
            let mut reference = apart(Command::new(&python), &folder());
            reference
                .env("PYTHONPATH", &bytesight)
                .env("PYTHONDONTWRITEBYTECODE", "1")
                .arg(folder().join("reference.py"))
                .arg(folder())
                .arg(call);
            let output = reference.output().expect("it starts");
            let errors = String::from_utf8_lossy(&output.stderr);
            let expected: Vec<Value> = serde_json::from_slice(&output.stdout).expect(&errors);
            assert!(expected.len() > 20, "{minor} {call}: {expected:?}");
            let (_, header, events) = traced(&python, call, &format!("{call}()"), &["--time", "0"]);
            let mut files = Vec::new();
            let root = PathBuf::from(header["root"].as_str().expect("a folder"));
            let found = events.iter().map(|event| as_reference(event, &root, &mut files));
            let found: Vec<_> = found.collect();
            for (index, (found, expected)) in found.iter().zip(&expected).enumerate() {
                assert_eq!(found, expected, "{minor} {call}, event {index}; {header}");
            }
            assert_eq!(found.len(), expected.len(), "{minor} {call}; {header}");
        }
    }
}

#[test]
fn traces_have_what_is_counted() {
    for (minor, python) in pythons::pythons() {
        for call in ["consume", "caught", "accounts", "recursion", "delegated"] {
            let expression = format!("{call}()");
            let (status, header, events) =
                traced(&python, call, &expression, &["--scope", "project", "--time", "0"]);
            assert_eq!(status, 0, "{minor} {call}: {header}");
            let mut ran: BTreeMap<(u64, String), u64> = BTreeMap::new();
            for event in instructions(&events) {
                // Of instructions without a line the report knows none.
                if let Some(line) = event["line"].as_u64() {
                    let opcode = event["opcode"].as_str().expect("a name").to_owned();
                    *ran.entry((line, opcode)).or_default() += 1;
                }
            }
            let mut run = bytecost(&folder());
            run.args([
                "run",
                "-q",
                "--format",
                "json",
                "--calls",
                "1",
                "--call",
                &expression,
                "--python",
            ])
            .arg(&python)
            .arg(format!("calls.py::{call}"));
            let output = run.output().expect("it starts");
            let report: Value = serde_json::from_slice(&output.stdout).expect("a report");
            let mut counted: BTreeMap<(u64, String), u64> = BTreeMap::new();
            let mut begins = BTreeMap::new();
            let lines = report["files"][0]["lines"].as_array().expect("lines");
            let sites = |line: &Value| line["sites"].as_array().expect("sites").clone();
            for site in lines
                .iter()
                .flat_map(sites)
                .filter(|site| site["opcode"] == "RESUME")
            {
                let begin = begins.entry(site["function"].to_string()).or_insert(u64::MAX);
                *begin = site["offset"].as_u64().expect("an offset").min(*begin);
            }
            assert!(begins.len() > 3);
            for line in lines {
                for site in sites(line) {
                    let opcode = site["opcode"].as_str().expect("a name").to_owned();
                    let executions = site["executions"].as_u64().unwrap_or(0);
                    let function = site["function"].as_str().expect("a name");
                    // No events: what goes before a frame's begin or another instruction, and
                    // what ran when the module was loaded.
                    let loaded = function == "<module>" || function == "Account";
                    let before = site["offset"].as_u64() < begins.get(&site["function"].to_string()).copied();
                    let silent = before || ["RESUME", "EXTENDED_ARG"].contains(&opcode.as_str());
                    if executions > 0 && !loaded && !silent {
                        let line = line["line"].as_u64().expect("a line");
                        *counted.entry((line, opcode)).or_default() += executions;
                    }
                }
            }
            ran.retain(|(_, opcode), _| opcode != "EXTENDED_ARG");
            let differing: Vec<_> = counted
                .iter()
                .filter(|(key, count)| ran.get(*key) != Some(count))
                .map(|(key, count)| (key.clone(), *count, ran.get(key).copied()))
                .collect();
            assert_eq!(differing, [], "{minor} {call}: counted, traced");
            for key in ran.keys() {
                assert!(
                    counted.contains_key(key),
                    "{minor} {call}: {key:?} was traced but not counted"
                );
            }
        }
    }
}

#[test]
fn times_add_up_and_find_the_heavy_instruction() {
    for (minor, python) in pythons::native_pythons("times of instructions") {
        let call = "heavy(range(20000, 0, -1))";
        let (_, header, events) = traced(&python, "heavy", call, &["--time", "0.3"]);
        let whole = header["times"]["call_ns"]
            .as_f64()
            .unwrap_or_else(|| panic!("{minor}: no times: {header}"));
        let times: Vec<(f64, u64)> = instructions(&events)
            .map(|event| {
                (
                    event["ns"].as_f64().expect("a time"),
                    event["line"].as_u64().expect("a line"),
                )
            })
            .collect();
        let sum: f64 = times.iter().map(|(ns, _)| ns).sum();
        assert!(
            sum <= whole * 1.001 && sum > whole * 0.8,
            "{minor}: {sum} of {whole}"
        );
        let heaviest = times
            .iter()
            .max_by(|a, b| a.0.total_cmp(&b.0))
            .expect("instructions");
        let line = std::fs::read_to_string(folder().join("calls.py")).expect("it is there");
        let line = line
            .lines()
            .nth(usize::try_from(heaviest.1).unwrap() - 1)
            .expect("a line");
        assert!(line.contains("sorted"), "{minor}: {line}");
        assert!(heaviest.0 > 0.8 * whole, "{minor}: {heaviest:?} of {whole}");
    }
}

#[test]
fn what_is_too_long_is_cut_and_says_so() {
    let Some((_, python)) = pythons::pythons().pop() else {
        return;
    };
    let (status, header, events) = traced(&python, "scale", "scale(1000)", &["--limit", "50"]);
    assert_eq!(status, 0);
    assert_eq!(
        (instructions(&events).count(), &header["cut_at"]),
        (50, &json!(50))
    );
    assert_eq!(header["times"], Value::Null);
    let (_, header, events) = traced(
        &python,
        "recursion",
        "recursion()",
        &["--depth", "2", "--time", "0"],
    );
    assert_eq!(header["cut_at"], Value::Null);
    let deepest = events.iter().filter_map(|event| event["depth"].as_u64()).max();
    assert_eq!(deepest, Some(1));
}

#[test]
fn a_call_that_raises_is_traced_to_its_end() {
    for (minor, python) in pythons::pythons() {
        let (status, header, events) = traced(&python, "example", "example()", &[]);
        // The call before the traced one fails already: nothing is traced of it.
        assert_eq!(status, 1, "{minor}");
        assert_eq!(header["outcome"]["how"], "raised", "{minor}: {header}");
        let raised = events
            .iter()
            .filter(|event| event["event"] == "exception")
            .count();
        assert_eq!(raised, 2, "{minor}: {header}");
        let last = events.last().expect("events");
        assert_eq!(
            (&last["event"], &last["how"]),
            (&json!("return"), &json!("exception")),
            "{minor}"
        );
    }
}

#[test]
fn a_call_that_does_not_reach_the_target_says_so() {
    let Some((_, python)) = pythons::pythons().pop() else {
        return;
    };
    let (status, header, events) = traced(&python, "fail", "scale(3)", &["--time", "0"]);
    assert_eq!((status, events.len()), (1, 0));
    assert!(
        header["notes"].to_string().contains("did not come to fail"),
        "{header}"
    );
}

#[test]
fn loops_are_folded_on_the_terminal() {
    let python = pythons::pythons().into_iter().find(|(minor, _)| *minor == "3.14");
    let Some((_, python)) = python else { return };
    let mut command = bytecost(&folder());
    command
        .args(["trace", "-q", "--time", "0", "--python"])
        .arg(&python)
        .args(["--call", "some_more(4)", "calls.py::some_more"]);
    let output = command.output().expect("it starts");
    let text = String::from_utf8(output.stdout).expect("text");
    let (head, rest) = text.split_once("CPython 3.14.").expect("the version is named");
    let rest = rest.trim_start_matches(|it: char| it.is_ascii_digit());
    insta::assert_snapshot!(format!("{head}CPython 3.14{rest}"));
}
