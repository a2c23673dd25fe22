//! Specialization states, forms and misses against sites whose state is known by construction.
//! What is expected was checked with `dis` alone, by `states/check_with_dis.py`.

mod support;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytecost::profile::{Instruction, Profile, State};
use serde::Deserialize;
use support::{call, fixture, pythons, run};

#[derive(Deserialize)]
struct Case {
    id: String,
    family: String,
    function: String,
    source: String,
    call: String,
    calls: u64,
    expect: BTreeMap<String, Expected>,
}

#[derive(Deserialize)]
struct Expected {
    op: String,
    argument: Option<String>,
    nth: usize,
    state: State,
    form: Option<String>,
    executions: Option<u64>,
    misses: Option<u64>,
}

fn site<'a>(profile: &'a Profile, case: &Case, expected: &Expected) -> Option<&'a Instruction> {
    let codes = profile.files.iter().flat_map(|file| &file.codes);
    codes
        .filter(|code| code.qualname == case.function)
        .flat_map(|code| &code.instructions)
        .filter(|one| one.opcode == expected.op)
        .filter(|one| {
            expected
                .argument
                .as_ref()
                .is_none_or(|argument| *argument == one.argument)
        })
        .nth(expected.nth)
}

fn check(minor: &str, python: &Path, case: &Case, expected: &Expected) -> Vec<String> {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path().canonicalize().expect("it exists");
    let file = folder.join("case.py");
    std::fs::write(&file, &case.source).expect("written");
    let mut request = call(minor, python, &file, &case.call);
    request.calls = Some(case.calls);
    // Says nothing of what is looked at here.
    request.types = false;
    let profile = run(&request);
    let Some(found) = site(&profile, case, expected) else {
        return vec![format!("{minor} {}: no such site", case.id)];
    };
    let mut wrong = Vec::new();
    let mut compare = |what: &str, got: String, want: String| {
        if got != want {
            wrong.push(format!(
                "{minor} {}: {what} {got}, expected {want}: {:?}",
                case.id, found
            ));
        }
    };
    let form = found.site.as_ref().and_then(|site| site.form.clone());
    compare(
        "state",
        format!("{:?}", found.state),
        format!("{:?}", expected.state),
    );
    // A site that went generic again has no form at the end.
    compare("form", format!("{form:?}"), format!("{:?}", expected.form));
    if let Some(executions) = expected.executions {
        compare(
            "executions",
            format!("{:?}", found.executions),
            format!("{:?}", Some(executions)),
        );
    }
    if let Some(misses) = expected.misses {
        compare("misses", found.misses().to_string(), misses.to_string());
    }
    wrong
}

fn runs_without_processes(minor: &str, case: &Case) -> bool {
    let runs = !case.source.contains("asyncio") && !case.source.contains("threading");
    if !runs {
        eprintln!("skipped: {} on {minor}: {}", case.id, pythons::NOT_NATIVE);
    }
    runs
}

#[test]
fn states_forms_and_misses_are_those_of_the_undisturbed_run() {
    let cases: Vec<Case> =
        serde_json::from_slice(&std::fs::read(fixture("states/cases.json")).expect("the cases"))
            .expect("valid");
    let pythons = pythons::pythons();
    let jobs: Vec<_> = pythons
        .iter()
        .flat_map(|(minor, python)| {
            let native = pythons::native(python);
            cases
                .iter()
                .filter(move |case| native || runs_without_processes(minor, case))
                .filter_map(move |case| Some((*minor, python, case, case.expect.get(*minor)?)))
        })
        .collect();
    let (next, wrong) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some((minor, python, case, expected)) =
                    jobs.get(next.fetch_add(1, Ordering::Relaxed))
                {
                    wrong
                        .lock()
                        .expect("no panic")
                        .extend(check(minor, python, case, expected));
                }
            });
        }
    });
    let mut families: Vec<_> = cases.iter().map(|case| &case.family).collect();
    families.sort();
    families.dedup();
    println!(
        "{} states of {} cases over {} families",
        jobs.len(),
        cases.len(),
        families.len()
    );
    let wrong = wrong.into_inner().expect("no panic");
    assert!(
        wrong.is_empty(),
        "{} of {} wrong\n{}",
        wrong.len(),
        jobs.len(),
        wrong.join("\n")
    );
}
