//! The shipped examples on every version: their reports keep the contract, and what their hot
//! lines execute is known from reading them.

mod support;

use std::path::{Path, PathBuf};
use std::process::Command;

use bytecost::present::json;
use serde_json::Value;
use support::pythons;

struct Example {
    file: &'static str,
    function: &'static str,
    /// Lines, by a part that no other line has, and how often one call executes them.
    hot: &'static [(&'static str, u64)],
    /// Runs an event loop.
    needs_processes: bool,
}

const EXAMPLES: [Example; 5] = [
    Example {
        file: "nbody.py",
        function: "advance",
        // 1,000 steps over the 10 pairs of 5 bodies.
        hot: &[
            ("for _ in range(steps):", 1_001),
            ("for one, other in interacting:", 11_000),
            ("dx = one.x - other.x", 10_000),
            ("magnitude = dt / (square * math.sqrt(square))", 10_000),
            ("other.vz += dz * push", 10_000),
            ("for body in bodies:\n            body.x", 6_000),
            ("body.z += dt * body.vz", 5_000),
        ],
        needs_processes: false,
    },
    Example {
        file: "jsonish.py",
        function: "Parser.parse",
        // 600 orders of 5 members; 4 numbers each, 2 of them no integers; 1 list each, and the outer one.
        hot: &[
            ("members = {}", 600),
            ("members[key] = self.value()", 3_000),
            ("items = []", 601),
            ("items.append(self.value())", 2_400),
            ("return int(digits)", 2_400),
            ("return float(digits)", 1_200),
        ],
        needs_processes: false,
    },
    Example {
        file: "pipeline.py",
        function: "pipeline",
        // 2,400 lines, each nineteenth damaged, from the first on.
        hot: &[
            ("for i in range(count):", 2_401),
            ("value = i % 40 if i % 3 else", 2_400),
            ("yield f\"{key};{value};{i}\"", 2_400),
            ("key, value, moment = line.split", 2_400),
            ("raise Malformed(line) from None", 127),
            ("key, value, moment = reading", 2_273),
            ("name = self.known[key] = STATIONS.get(key)", 5),
        ],
        needs_processes: true,
    },
    Example {
        file: "simulation.py",
        function: "day",
        // 2,000 customers.
        hot: &[
            ("for customer in customers(count):", 2_001),
            ("yield kinds[number * 5 % 7]", 2_000),
            ("self.queues[customer.priority].append(customer)", 2_000),
            ("bank.schedule(customer.arrived", 2_000),
        ],
        needs_processes: false,
    },
    Example {
        file: "tokenizer.py",
        function: "weigh",
        // 60 copies of a program of 80 tokens on 13 lines.
        hot: &[
            ("for token in tokens(text):", 4_801),
            ("kinds[token.kind] += 1", 4_800),
            ("total += weight(token)", 4_800),
            ("reader.newline()", 780),
        ],
        needs_processes: false,
    },
];

fn path_of(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(file)
}

/// The report of an example, and what was said on stderr.
fn report(python: &Path, example: &Example) -> Result<(Value, String), String> {
    let target = format!("{}::{}", path_of(example.file).display(), example.function);
    let output = Command::new(env!("CARGO_BIN_EXE_bytecost"))
        .args(["run", "--format", "json", "--calls", "3", "--python"])
        .arg(python)
        .arg(&target)
        .output()
        .expect("bytecost starts");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    if !output.status.success() {
        return Err(format!("{}: {said}", output.status));
    }
    let report = serde_json::from_slice(&output.stdout).map_err(|error| error.to_string())?;
    Ok((report, said))
}

/// 1-based number of the only line that has the part.
fn line_of(text: &str, part: &str) -> usize {
    let at: Vec<_> = text.match_indices(part).collect();
    assert_eq!(at.len(), 1, "{part:?}");
    text[..at[0].0].matches('\n').count() + 1
}

fn number(value: &Value, key: &str) -> u64 {
    value[key].as_u64().unwrap_or_else(|| panic!("{key} of {value}"))
}

fn check(example: &Example, report: &Value, said: &str, schema: &jsonschema::Validator) -> Vec<String> {
    let text = std::fs::read_to_string(path_of(example.file)).expect("the example");
    let mut wrong: Vec<_> = schema
        .iter_errors(report)
        .map(|error| format!("{}: {error}", error.instance_path))
        .collect();
    let directive = format!("the comment in line {}", line_of(&text, "# bytecost: "));
    if !said.contains(&directive) {
        wrong.push(format!("does not run {directive}: {said}"));
    }
    for note in report["notes"].as_array().expect("notes") {
        let note = note.as_str().expect("a sentence");
        if note.contains("contradict") || note.contains("differently") || note.contains("partial") {
            wrong.push(note.to_owned());
        }
    }
    let calls = number(&report["workload"], "counted_calls");
    let name = format!("examples/{}", example.file);
    let files = report["files"].as_array().expect("files");
    let file = files
        .iter()
        .find(|file| file["path"] == *name)
        .expect("the example");
    let lines = file["lines"].as_array().expect("lines");
    let mut executed = 0;
    for line in lines {
        let parts = ["basic", "hits", "misses", "deferred"];
        let parts: u64 = parts.iter().map(|part| number(line, part)).sum();
        let sites = line["sites"].as_array().expect("sites");
        let of_sites: u64 = sites.iter().map(|site| number(site, "executions")).sum();
        if parts != number(line, "instructions") || of_sites != parts {
            wrong.push(format!("line {} does not add up", line["line"]));
        }
        executed += parts;
    }
    if executed < 50_000 {
        wrong.push(format!("only {executed} instructions"));
    }
    for (part, expected) in example.hot {
        let at = line_of(&text, part);
        let found = lines.iter().find(|line| line["line"] == at);
        let found = found.map(|line| number(line, "executions"));
        if found != Some(expected * calls) {
            wrong.push(format!(
                "line {at}, {part:?}: {found:?} in {calls} calls, expected {expected} a call"
            ));
        }
    }
    wrong
}

#[test]
fn reports_keep_the_contract_and_hot_lines_run_as_often_as_they_must() {
    let schema = jsonschema::validator_for(&json::schema()).expect("a schema");
    let mut wrong = Vec::new();
    for (minor, python) in pythons::pythons() {
        let native = pythons::native(&python);
        for example in &EXAMPLES {
            if example.needs_processes && !native {
                eprintln!("skipped: {} on {minor}: {}", example.file, pythons::NOT_NATIVE);
                continue;
            }
            let found = match report(&python, example) {
                Ok((report, said)) => check(example, &report, &said, &schema),
                Err(error) => vec![error],
            };
            wrong.extend(
                found
                    .into_iter()
                    .map(|what| format!("{minor} {}: {what}", example.file)),
            );
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_example_is_listed_here_and_runs_as_a_script() {
    let mut found: Vec<_> = std::fs::read_dir(path_of(""))
        .expect("the examples")
        .map(|entry| {
            entry
                .expect("readable")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .filter(|name| {
            Path::new(name)
                .extension()
                .is_some_and(|extension| extension == "py")
        })
        .collect();
    found.sort();
    let mut listed: Vec<_> = EXAMPLES.iter().map(|example| example.file.to_owned()).collect();
    listed.sort();
    assert_eq!(found, listed);
    for (_, python) in pythons::native_pythons("the examples as scripts")
        .into_iter()
        .take(1)
    {
        for example in &EXAMPLES {
            let output = Command::new(&python)
                .arg(path_of(example.file))
                .output()
                .expect("it starts");
            assert!(
                output.status.success(),
                "{}: {}",
                example.file,
                String::from_utf8_lossy(&output.stderr)
            );
        }
    }
}
