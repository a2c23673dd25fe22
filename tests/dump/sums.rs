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
