//! Executors of a run with the JIT on, against what another program finds in the same loops.

mod support;

use std::collections::{BTreeMap, HashMap};
use std::process::Command;

use bytecost::attribute::attribute;
use bytecost::explain::jit;
use bytecost::profile::{Code, PassKind, Profile};
use support::pythons;
use support::{call, fixture, run};

/// Versions that Debian builds with a JIT.
const WITH_JIT: [&str; 2] = ["3.14", "3.15"];

fn code<'p>(profile: &'p Profile, name: &str) -> &'p Code {
    let mut codes = profile.files.iter().flat_map(|file| &file.codes);
    codes.find(|code| code.qualname == name).expect("it ran")
}

fn has_jit(python: &std::path::Path) -> bool {
    let asked = Command::new(python)
        .args(["-c", "import sys; print(sys._jit.is_available())"])
        .output();
    asked.is_ok_and(|told| told.stdout.starts_with(b"True"))
}

#[test]
fn executors_are_those_that_another_program_finds() {
    for (minor, python) in pythons::native_pythons("the JIT")
        .into_iter()
        .filter(|(minor, _)| WITH_JIT.contains(minor))
    {
        if !has_jit(&python) {
            eprintln!("skipped: {minor} has no JIT");
            continue;
        }
        let mut request = call(minor, &python, &fixture("jit/kern.py"), "main(20000)");
        request.jit = true;
        request.types = false;
        request.calls = Some(8);
        let profile = run(&request);
        let pass = profile.pass(PassKind::Jit).expect("it was made");
        assert_eq!(pass.calls, 8, "{minor}: {pass:?}");

        let told = Command::new(&python)
            .arg(fixture("jit/executors.py"))
            .arg(fixture("jit"))
            .arg(pass.calls.to_string())
            .env("PYTHON_JIT", "1")
            .output()
            .unwrap();
        let told: HashMap<String, (u64, bool, u64)> = serde_json::from_slice(&told.stdout).unwrap();
        // The longest loop there is closes on every version, and so is found by both.
        let closes = code(&profile, "closes").jit.as_ref().expect("it has an executor");
        let trace = &closes.traces[0];
        let (uops, is_closed, bytes) = told[&format!("closes {}", trace.offset)];
        assert_eq!(
            (trace.uops, trace.closed, trace.bytes, trace.valid, trace.jumps),
            (Some(uops), Some(is_closed), Some(bytes), Some(true), None),
            "{minor}"
        );
        assert!(is_closed && uops > 10, "{minor}: {uops}");

        // All of its loop is in the trace, nothing before or after.
        let own = code(&profile, "closes");
        let in_trace: BTreeMap<u32, bool> = own
            .instructions
            .iter()
            .map(|one| {
                (
                    one.offset,
                    closes.at(one.offset).is_some_and(|site| site.traces > 0),
                )
            })
            .collect();
        for one in &own.instructions {
            let line = one.position.map_or(0, |position| position.line);
            let in_loop = line == 11 || one.opcode == "FOR_ITER" || one.opcode == "STORE_FAST" && line == 10;
            assert_eq!(
                in_trace[&one.offset], in_loop,
                "{minor}: {} at {} of line {line}",
                one.opcode, one.offset
            );
        }
        // Its uops are those of the executor, but for the few that belong to no instruction.
        let counted: u64 = closes.sites.iter().filter_map(|site| site.uops).sum();
        assert!(
            counted <= uops && counted + 4 >= uops,
            "{minor}: {counted} of {uops}"
        );

        // A loop that calls has its callee's instructions in the trace.
        let callee = code(&profile, "callee").jit.as_ref();
        let calls = code(&profile, "calls").jit.as_ref().expect("something is known");
        if calls.traces.iter().any(|trace| trace.made > 0) {
            assert!(
                callee.is_some_and(|jit| jit.sites.iter().any(|site| site.traces > 0)),
                "{minor}"
            );
        }
        let costs = attribute(&profile, &|path| {
            std::fs::read_to_string(fixture("jit").join(path)).ok()
        });
        let file = &costs.files[0];
        let says = |line: u32| jit::sentences(file, file.line(line).unwrap()).join(" ");
        assert!(
            says(10).contains("a trace begins here: "),
            "{minor}: {}",
            says(10)
        );
        assert!(says(10).contains("closed"), "{minor}: {}", says(10));
    }
}

/// What 3.15 cannot trace: a loop whose body raises and catches.
#[test]
fn a_hot_loop_without_an_executor_is_told() {
    for (minor, python) in pythons::native_pythons("the JIT")
        .into_iter()
        .filter(|(minor, _)| *minor == "3.15")
    {
        if !has_jit(&python) {
            eprintln!("skipped: {minor} has no JIT");
            continue;
        }
        let mut request = call(minor, &python, &fixture("jit/kern.py"), "raises(20000)");
        request.jit = true;
        request.types = false;
        let profile = run(&request);
        let jit = code(&profile, "raises").jit.as_ref().expect("it ran hot");
        let hot: Vec<_> = jit.traces.iter().filter(|trace| trace.made == 0).collect();
        let calls = profile.pass(PassKind::Jit).unwrap().calls;
        assert_eq!(hot.len(), 1, "{jit:?}");
        assert_eq!(hot[0].jumps, Some(20_000 * calls), "each round jumps back once");
        let costs = attribute(&profile, &|path| {
            std::fs::read_to_string(fixture("jit").join(path)).ok()
        });
        let file = &costs.files[0];
        let says: Vec<_> = file
            .lines
            .values()
            .flat_map(|line| jit::sentences(file, line))
            .collect();
        assert!(
            says.iter()
                .any(|text| text.contains("this loop jumped back") && text.contains("and has no trace")),
            "{says:?}"
        );
    }
}

/// Without the pass nothing is said of executors.
#[test]
fn nothing_is_said_that_was_not_looked_at() {
    let Some((minor, python)) = pythons::native_pythons("the JIT").pop() else {
        return;
    };
    let request = call(minor, &python, &fixture("jit/kern.py"), "closes(20000)");
    let profile = run(&request);
    assert!(profile.pass(PassKind::Jit).is_none());
    let mut codes = profile.files.iter().flat_map(|file| &file.codes);
    assert!(codes.all(|code| code.jit.is_none()));
}
