//! What a pystats build counts, by function, as a run shows it: against the same functions run alone,
//! and from a saved run where there is no such build.

mod support;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use bytecost::profile::{Code, PassKind, Profile, WorkloadKind};
use serde_json::Value;
use support::binary::{bytecost, end};
use support::{call, fixture, pythons, run};

/// Builds made with `./configure --enable-pystats`, by minor version: the programs that
/// `BYTECOST_PYSTATS` names, separated as on `PATH`, and `python3.x-pystats` in the rigs. CI has none:
/// there the saved run below stands for them.
fn builds() -> Vec<(String, PathBuf)> {
    let named = std::env::var_os("BYTECOST_PYSTATS").unwrap_or_default();
    let rigs = pythons::MINORS.map(|minor| pythons::rigs().join(format!("bin/python{minor}-pystats")));
    let script = "import sys; sys._stats_on; print('%d.%d' % sys.version_info[:2])";
    let version = |python: &Path| {
        let output = Command::new(python)
            .args(["-I", "-S", "-c", script])
            .output()
            .ok()?;
        let minor = String::from_utf8(output.stdout).ok()?.trim().to_owned();
        (output.status.success() && minor != "3.11").then_some(minor)
    };
    let found: Vec<_> = std::env::split_paths(&named)
        .chain(rigs)
        .filter(|python| python.is_file())
        .filter_map(|python| Some((version(&python)?, python)))
        .collect();
    if found.is_empty() {
        eprintln!("skipped: what a pystats build counts, run live: no such build of CPython 3.12 or newer");
    }
    found
}

/// A function and what CPython counted when it ran alone; see `causes/record.py`.
#[derive(serde::Deserialize)]
struct Recorded {
    family: String,
    source: String,
    call: String,
    kinds: BTreeMap<u32, u64>,
}

fn recorded(minor: &str) -> Vec<Recorded> {
    let text = std::fs::read(fixture(&format!("causes/pystats-{minor}.json"))).unwrap_or_default();
    serde_json::from_slice(&text).unwrap_or_default()
}

fn codes<'p>(profile: &'p Profile, path: &str) -> impl Iterator<Item = &'p Code> {
    let file = profile.files.iter().find(|file| file.path == path);
    file.into_iter().flat_map(|file| &file.codes)
}

const DRIVER: &str = "
import importlib
for name, call in CALLS:
    module = importlib.import_module(name)
    code = compile(call, '<call>', 'eval')
    for _ in range(400):
        eval(code, module.__dict__)
";

/// Runs a script of files in a folder on a build.
fn script(minor: &str, python: &Path, folder: &Path, text: &str) -> Profile {
    let file = folder.join("driver.py");
    std::fs::write(&file, text).expect("written");
    let mut request = call(minor, python, &file, "");
    request.python.pystats = true;
    request.types = false;
    request.workload.kind = WorkloadKind::Script;
    request.workload.call = None;
    request.module = None;
    request.import_root = None;
    request.argv0 = Some(file.display().to_string());
    run(&request)
}

fn folder() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().canonicalize().expect("it exists");
    (folder, path)
}

/// All functions of the file in one run, each must have just what it had when it ran alone.
#[test]
fn each_function_has_the_failures_that_it_has_alone() {
    for (minor, python) in builds() {
        let cases = recorded(&minor);
        let (_kept, folder) = folder();
        let mut calls = String::new();
        for (index, case) in cases.iter().enumerate() {
            std::fs::write(folder.join(format!("case_{index}.py")), &case.source).expect("written");
            let _ = write!(calls, "({:?}, {:?}), ", format!("case_{index}"), case.call);
        }
        let profile = script(
            &minor,
            &python,
            &folder,
            &DRIVER.replace("CALLS", &format!("[{calls}]")),
        );
        assert!(profile.failure().is_none(), "{minor}: {:?}", profile.passes);
        let mut wrong = Vec::new();
        for (index, case) in cases.iter().enumerate() {
            let mut found: BTreeMap<u32, u64> = BTreeMap::new();
            for code in
                codes(&profile, &format!("case_{index}.py")).filter(|code| code.qualname != "<module>")
            {
                let failures = code.failures.as_ref().expect("they were told apart");
                for one in failures.iter().filter(|one| one.opcode == case.family) {
                    *found.entry(one.kind).or_default() += one.count;
                }
            }
            // Alone, what it called in the standard library was counted too, and is of other files here.
            let fits = |(kind, count): (&u32, &u64)| case.kinds.get(kind).is_some_and(|all| count <= all);
            let differs =
                found.is_empty() || !found.iter().all(fits) || case.kinds.len() == 1 && found != case.kinds;
            if differs {
                wrong.push(format!(
                    "{} alone {:?}, found {found:?}\n{}",
                    case.family, case.kinds, case.source
                ));
            }
        }
        println!("{minor}: {} of {} functions differ", wrong.len(), cases.len());
        assert!(wrong.is_empty(), "{minor}: {}\n{}", wrong.len(), wrong.join("\n"));
    }
}

#[test]
fn generators_exceptions_and_recursion_keep_their_own() {
    let text = "
def remainder(x):
    return x % 3
def numbers(n):
    for i in range(n):
        yield float(i) // 2
def thrower(x):
    if x > 0:
        thrower(x - 1)
    raise ValueError(x << 1)
def middle(n):
    for value in numbers(n):
        remainder(value)
        try:
            thrower(2)
        except ValueError:
            pass
middle(200)
";
    for (minor, python) in builds() {
        let (_kept, folder) = folder();
        let profile = script(&minor, &python, &folder, text);
        let kinds = |qualname: &str| -> Vec<(String, u32)> {
            let code = codes(&profile, "driver.py").find(|code| code.qualname == qualname);
            let failures = code.and_then(|code| code.failures.as_ref()).expect("known");
            let often = failures.iter().filter(|one| one.count > 1);
            often.map(|one| (one.opcode.clone(), one.kind)).collect()
        };
        let named = |qualname: &str| -> Vec<String> {
            let found = kinds(qualname);
            let name = |(opcode, kind): &(String, u32)| {
                let name = bytecost::cpython::fail_kinds::name(&minor, opcode, *kind);
                format!("{opcode} {}", name.unwrap_or("unknown"))
            };
            found.iter().map(name).collect()
        };
        assert_eq!(named("remainder"), ["BINARY_OP remainder"], "{minor}");
        assert_eq!(named("numbers"), ["BINARY_OP floor divide"], "{minor}");
        assert!(
            named("thrower").contains(&"BINARY_OP lshift".to_owned()),
            "{minor}: {:?}",
            named("thrower")
        );
        assert!(
            !named("middle").iter().any(|kind| kind.starts_with("BINARY_OP")),
            "{minor}: {:?}",
            named("middle")
        );
    }
}

#[test]
fn threads_are_not_told_apart() {
    let text = "
import threading
def remainder(n):
    t = 0
    for i in range(n):
        t += i % 3
    return t
workers = [threading.Thread(target=remainder, args=(20_000,)) for _ in range(3)]
for worker in workers:
    worker.start()
for worker in workers:
    worker.join()
";
    for (minor, python) in builds() {
        let (_kept, folder) = folder();
        let profile = script(&minor, &python, &folder, text);
        assert!(
            codes(&profile, "driver.py").all(|code| code.failures.is_none()),
            "{minor}"
        );
        let said = profile
            .notes
            .iter()
            .any(|note| format!("{note:?}").contains("threads"));
        assert!(said, "{minor}: {:?}", profile.notes);
    }
}

/// The target's own output must be its own: such a build prints its counters when a process ends.
#[test]
fn nothing_is_dumped() {
    for (minor, python) in builds() {
        let (_kept, folder) = folder();
        std::fs::write(folder.join("quiet.py"), "def f(x):\n    return x % 3\n").expect("written");
        let mut command = bytecost(&folder);
        command
            .args([
                "run", "-q", "--format", "json", "--time", "0.1", "--call", "f(5)", "--python",
            ])
            .arg(&python)
            .arg("quiet.py::f");
        let ended = end(&mut command, None);
        assert_eq!((ended.status, ended.err().as_str()), (0, ""), "{minor}");
        let report: Value = serde_json::from_str(&ended.out()).expect("JSON");
        assert_eq!(report["python"]["pystats"], true, "{minor}");
        let functions = report["files"][0]["functions"].as_array().expect("functions");
        let f = functions.iter().find(|one| one["qualname"] == "f").expect("f");
        assert_eq!(f["failure_kinds"][0]["name"], "remainder", "{minor}: {f}");
    }
}

/// A run of `causes/saved.py` on CPython 3.13.5, built with pystats, saved by `bytecost run --save`.
#[test]
fn a_saved_run_shows_them_in_every_form() {
    let (_kept, folder) = folder();
    let saved = fixture("causes/pystats-run-3.13.json");
    let show = |arguments: &[&str]| {
        let mut command = bytecost(&folder);
        command.arg("show").args(arguments).arg(&saved);
        let ended = end(&mut command, None);
        assert_eq!((ended.status, ended.err().as_str()), (0, ""));
        ended.out()
    };
    let report: Value = serde_json::from_str(&show(&["--format", "json"])).expect("JSON");
    let functions = report["files"][0]["functions"].as_array().expect("functions");
    let kinds = |qualname: &str| {
        let function = functions.iter().find(|one| one["qualname"] == qualname);
        let kinds = function.expect("it ran")["failure_kinds"]
            .as_array()
            .expect("known")
            .clone();
        let text = |kind: &Value| {
            format!(
                "{} {}",
                kind["opcode"].as_str().unwrap(),
                kind["name"].as_str().unwrap()
            )
        };
        kinds.iter().map(text).collect::<Vec<_>>()
    };
    assert_eq!(kinds("wrap"), ["BINARY_OP remainder"]);
    assert_eq!(kinds("mean"), ["BINARY_OP true divide different types"]);
    let passes = report["passes"].as_array().expect("passes");
    assert!(passes.iter().any(|pass| pass["kind"] == "pystats"));
    let text = show(&["--width", "120", "--min-share", "0"]);
    for part in [
        "pystats (exact): ",
        "failed attempts to specialize here: BINARY_OP remainder ",
        "CPython counted for BINARY_OP in this function: \"remainder\" ",
        "failure kinds exact, by pystats",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    assert!(show(&["--format", "html"]).contains("failed attempts to specialize here: BINARY_OP remainder"));
    let text = std::fs::read(&saved).expect("the fixture");
    let profile = bytecost::profile::saved::from_slice(&text).expect("a profile");
    assert!(profile.pass(PassKind::Pystats).is_some());
    let costs = bytecost::attribute::attribute(&profile, &|_| None);
    let path = profile.files[0].path.as_str();
    let line = profile.files[0]
        .codes
        .iter()
        .find(|code| code.qualname == "wrap")
        .expect("it is there")
        .first_line;
    let hover = bytecost::present::editor::hover(
        &profile,
        &costs,
        path,
        line,
        0,
        &bytecost::present::editor::HoverOptions::default(),
    );
    let markdown = hover.expect("a measured line").markdown;
    assert!(markdown.contains("pystats (exact): "), "{markdown}");
}
