//! Executions, instruction by instruction, against opcode tracing by an independent program.

mod support;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use serde::Deserialize;
use support::{call, fixture, pythons, run};

#[derive(Deserialize)]
struct Oracle {
    codes: Vec<Traced>,
}

#[derive(Deserialize)]
struct Traced {
    qualname: String,
    digest: String,
    firstlineno: u32,
    first_comparable: u32,
    counts: BTreeMap<u32, u64>,
    line_hits: BTreeMap<u32, u64>,
}

fn oracle(python: &Path, program: &Path) -> Oracle {
    let output = Command::new(python)
        .env("PYTHON_JIT", "0")
        .arg(fixture("counts/oracle.py"))
        .arg(program)
        .output()
        .expect("the oracle starts");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).expect("the oracle prints JSON")
}

#[test]
fn executions_equal_those_of_opcode_tracing() {
    let mut programs: Vec<_> = std::fs::read_dir(fixture("counts/programs"))
        .expect("the corpus")
        .map(|entry| entry.expect("readable").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "py"))
        .collect();
    programs.sort();
    let mut failures = Vec::new();
    let mut wrong_lines = Vec::new();
    for (minor, python) in pythons::pythons() {
        let native = pythons::native(&python);
        let (mut compared, mut executed, mut lines) = (0, 0, 0);
        for program in &programs {
            if minor == "3.11" && program.to_string_lossy().ends_with("_312.py") {
                continue;
            }
            if !native
                && ["coroutines.py", "threads.py"]
                    .iter()
                    .any(|name| program.ends_with(name))
            {
                eprintln!(
                    "skipped: {} on {minor}: {}",
                    program.display(),
                    pythons::NOT_NATIVE
                );
                continue;
            }
            let name = program
                .file_name()
                .expect("a file")
                .to_string_lossy()
                .into_owned();
            let oracle = oracle(&python, program);
            let mut request = call(minor, &python, program, "run()");
            request.calls = Some(1);
            let profile = run(&request);
            assert!(
                profile.failure().is_none(),
                "{minor} {name}: {:?}",
                profile.passes
            );
            let file = profile
                .files
                .iter()
                .find(|file| file.path == name)
                .expect("the program was measured");
            for traced in &oracle.codes {
                let Some(code) = file
                    .codes
                    .iter()
                    .find(|code| code.digest == traced.digest && code.first_line == traced.firstlineno)
                else {
                    failures.push(format!("{minor} {name} {}: not in the profile", traced.qualname));
                    continue;
                };
                // Nobody sees a generator being made: 3.15 does it after a first RESUME.
                let mut instructions = code.instructions.iter();
                let made = instructions.any(|one| one.opcode == "RETURN_GENERATOR");
                let resumed = instructions.find(|one| made && one.opcode == "RESUME");
                let first = resumed.map_or(traced.first_comparable, |one| one.offset);
                for one in code.instructions.iter().filter(|one| one.offset >= first) {
                    let want = traced.counts[&one.offset];
                    compared += 1;
                    executed += want;
                    if one.executions != Some(want) {
                        failures.push(format!(
                            "{minor} {name} {} {} {}: {:?}, traced {want}",
                            traced.qualname, one.offset, one.opcode, one.executions
                        ));
                    }
                }
                for (line, hits) in entered(code) {
                    let want = traced.line_hits.get(&line).copied().unwrap_or(0);
                    lines += 1;
                    // Tracers tell every entry of a line, we how often its busiest one was: a `with`
                    // is left through the line that began it.
                    if hits > want || (hits == 0) != (want == 0) {
                        wrong_lines.push(format!(
                            "{minor} {name} {} line {line}: {hits}, traced {want}",
                            traced.qualname
                        ));
                    }
                }
            }
        }
        println!("{minor}: {compared} instructions, {executed} executions, {lines} lines compared");
    }
    assert!(wrong_lines.is_empty(), "{}", wrong_lines.join("\n"));
    assert!(
        failures.is_empty(),
        "{} differences\n{}",
        failures.len(),
        failures[..failures.len().min(40)].join("\n")
    );
}

/// Executions of each line of a code object: the largest count of what enters it.
fn entered(code: &bytecost::profile::Code) -> BTreeMap<u32, u64> {
    let mut lines = BTreeMap::new();
    for one in code.instructions.iter().filter(|one| one.starts_line) {
        if let Some(position) = one.position {
            let hits: &mut u64 = lines.entry(position.line).or_default();
            *hits = (*hits).max(one.executions.unwrap_or(0));
        }
    }
    lines
}

#[test]
fn counting_at_the_recursion_limit_ends_and_adds_up() {
    for (minor, python) in pythons::pythons() {
        let mut request = call(minor, &python, &fixture("counts/limits/deep.py"), "run()");
        request.calls = Some(1);
        let profile = run(&request);
        assert!(profile.failure().is_none(), "{minor}: {:?}", profile.passes);
        let codes = profile.files.iter().flat_map(|file| &file.codes);
        let withheld: Vec<_> = codes.filter(|code| code.withheld).collect();
        assert!(withheld.is_empty(), "{minor}: {withheld:?}");
        let ended = |pass: &bytecost::profile::Pass| pass.outcome == bytecost::profile::Outcome::Completed;
        assert!(profile.passes.iter().all(ended), "{minor}: {:?}", profile.passes);
        let codes = profile.files.iter().flat_map(|file| &file.codes);
        let dive = codes
            .filter(|code| code.qualname == "dive")
            .flat_map(|code| &code.instructions);
        let bounds: Vec<_> = dive
            .filter_map(|one| one.site.as_ref()?.misses)
            .filter(|misses| misses.count > 0)
            .map(|misses| misses.at_least)
            .collect();
        // 3.11 cannot poll when frames return: it must say so.
        assert!(bounds.contains(&true) == (minor == "3.11"), "{minor}: {bounds:?}");
    }
}
