//! Dumps of several processes together.

use std::process::Command;

use bytecost::dump::{self, Content, Dump};

fn fixture(name: &str) -> String {
    format!("{}/tests/fixtures/dump/{name}.gz", env!("CARGO_MANIFEST_DIR"))
}

fn read(name: &str) -> Dump {
    dump::read(name, &std::fs::read(fixture(name)).unwrap()[..]).unwrap()
}

fn samples(dump: &Dump) -> (u64, f64, u64) {
    let Content::Located(located) = &dump.content else {
        panic!("{} has places", dump.name);
    };
    let own: f64 = located.facts.iter().map(|(_, fact)| fact.own.busy_ns).sum();
    let samples = located.facts.iter().map(|(_, fact)| fact.own.samples).sum();
    (located.samples.unwrap_or(0), own, samples)
}

#[test]
fn several_processes_are_added_up() {
    for (one, other) in [
        (
            "tachyon/3.15.0-app-opcodes.tach",
            "tachyon/3.15.0-spin-opcodes.tach",
        ),
        (
            "tachyon/3.15.0-app-plain.jsonl",
            "tachyon/3.15.0-spin-plain.jsonl",
        ),
        ("others/austin-4.0.0-app.mojo", "others/austin-4.0.0-spin.mojo"),
    ] {
        let (mut sum, more) = (read(one), read(other));
        let (before, added) = (samples(&sum), samples(&more));
        dump::add(&mut sum, &more).unwrap();
        let after = samples(&sum);
        assert_eq!(
            (after.0, after.2),
            (before.0 + added.0, before.2 + added.2),
            "{one}"
        );
        assert!((after.1 - before.1 - added.1).abs() < 1.0, "{one}");
    }
}

#[test]
fn what_would_count_twice_is_refused_with_the_reason() {
    let mut sum = read("tachyon/3.15.0-spin-opcodes.tach");
    let before = sum.clone();
    let same = read("tachyon/3.15.0-spin-opcodes.tach");
    let why = dump::add(&mut sum, &same).unwrap_err();
    assert!(why.contains("same run and would count twice"), "{why}");
    // The same run in another form of the same tool.
    let other = read("tachyon/3.15.0-spin-plain.jsonl");
    let why = dump::add(&mut sum, &other).unwrap_err();
    assert!(why.contains("another format"), "{why}");
    assert_eq!(sum, before, "it is as it was");
    // Times of single calls are no parts of a sum.
    let mut timed = read("bytesight/3.13.15-tiny-time.txt");
    let why = dump::add(&mut timed, &read("bytesight/3.15.0-app-time.txt")).unwrap_err();
    assert!(why.contains("one call each"), "{why}");
}

#[test]
fn show_adds_files_of_one_format_and_refuses_the_same_twice() {
    let show = |files: &[&str]| {
        let files = files.iter().map(|name| fixture(name));
        Command::new(env!("CARGO_BIN_EXE_bytecost"))
            .args(["show", "--format", "json", "--source"])
            .arg(format!("{}/tests/fixtures/dump/app", env!("CARGO_MANIFEST_DIR")))
            .args(files)
            .output()
            .unwrap()
    };
    let (one, other) = ("tachyon/3.15.0-app-plain.tach", "tachyon/3.15.0-spin-plain.tach");
    let both = show(&[one, other]);
    assert!(both.status.success(), "{}", String::from_utf8_lossy(&both.stderr));
    let report: serde_json::Value = serde_json::from_slice(&both.stdout).expect("one report");
    let paths: Vec<_> = report["files"]
        .as_array()
        .unwrap()
        .iter()
        .map(|file| file["path"].clone())
        .collect();
    assert!(
        paths.contains(&"app.py".into()) && paths.contains(&"spin.py".into()),
        "{paths:?}"
    );
    let twice = show(&[one, one]);
    assert_eq!(twice.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&twice.stderr).contains("count twice"));
}

/// The printed form of a profile against the file that `cProfile` wrote in another run of the same
/// program, which makes the same calls.
#[test]
fn a_printed_profile_has_the_calls_of_the_file() {
    let calls = |name: &str| -> std::collections::BTreeMap<(String, String, u32), u64> {
        let dump = read(name);
        let Content::Located(located) = dump.content else {
            panic!("{name} has places");
        };
        let ours = ["feed.py", "models.py", "pricing.py"];
        let entries = located.calls.into_iter().map(|((path, function, line), calls)| {
            let file = path.rsplit('/').next().unwrap().to_owned();
            ((file, function, line.unwrap()), calls)
        });
        entries
            .filter(|((file, ..), _)| ours.contains(&file.as_str()))
            .collect()
    };
    let printed = calls("others/cprofile-3.11.7-app.txt");
    let written = calls("others/cprofile-3.11.7-app.pstats");
    assert!(printed.len() > 15, "{printed:?}");
    // How often the queue lets its two ends run depends on the clock.
    let fixed = |calls: &std::collections::BTreeMap<(String, String, u32), u64>| {
        let kept = calls
            .iter()
            .filter(|((_, function, _), _)| !matches!(function.as_str(), "pump" | "drain"));
        kept.map(|(place, calls)| (place.clone(), *calls))
            .collect::<Vec<_>>()
    };
    assert_eq!(fixed(&printed), fixed(&written));
}

/// From the first event to the last: 550,274 - 29,343 µs, all of it in `spin`.
#[test]
fn a_chrome_trace_has_the_time_between_its_events() {
    let dump = read("others/pyspy-0.4.3-3.11-spin.chrometrace.json");
    let Content::Located(located) = &dump.content else {
        panic!("it has places");
    };
    let spent: Vec<_> = located
        .facts
        .iter()
        .filter(|(_, fact)| fact.own.busy_ns > 0.0)
        .map(|(place, fact)| (place.function.as_str(), fact.own.busy_ns.round()))
        .collect();
    assert_eq!(spent, [("spin", 520_931_000.0)]);
    let module = &located.codes[&("/w/app/spin.py".to_owned(), "<module>".to_owned(), None)];
    assert!((module.busy_ns - 520_931_000.0).abs() < 1.0, "{module:?}");
}
