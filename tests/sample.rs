//! Times, against what is known without measuring them.

#![cfg(target_os = "linux")]

mod support;

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use support::running::Running;
use support::{binary, pythons};

const PROGRAM: &str = include_str!("sample/shares.py");

/// The line that a mark stands on.
fn marked(mark: &str) -> u64 {
    let wanted = format!("#= {mark}");
    let at = PROGRAM.lines().position(|line| line.ends_with(&wanted));
    at.expect(mark) as u64 + 1
}

fn line(report: &Value, number: u64) -> &Value {
    let file = binary::file(report, "shares.py").expect("the file");
    let lines = file["lines"].as_array().expect("lines");
    lines
        .iter()
        .find(|line| line["line"] == number)
        .expect("the line")
}

fn number(line: &Value, key: &str) -> f64 {
    line[key].as_f64().unwrap_or_else(|| panic!("{key} of {line}"))
}

fn measured(python: &Path, call: &str, passes: &str) -> Value {
    measured_for("1", python, call, passes)
}

fn measured_for(seconds: &str, python: &Path, call: &str, passes: &str) -> Value {
    let (_folder, here) = binary::project();
    std::fs::write(here.join("shares.py"), PROGRAM).unwrap();
    let target = format!("shares.py::{}", call.split('(').next().unwrap());
    let arguments = ["--time", seconds, "--passes", passes, "--call", call, &target];
    let (ended, report) = binary::report(&here, python, &arguments, None, &|_| {});
    report.unwrap_or_else(|| panic!("{call} under {}: {}", python.display(), ended.err()))
}

#[test]
fn the_line_that_takes_the_time_has_it() {
    let cases = [
        ("product(100)", "most", "self_share"),
        ("calls(100)", "callee", "self_share"),
        ("recursion(20)", "recursion-total", "total"),
        ("generator(100)", "generator", "self_share"),
        ("exceptions(100)", "failing", "self_share"),
        ("coroutine(400)", "coroutine", "self_share"),
        ("calls(100)", "total", "total"),
        ("threads(30)", "threads", "self_share"),
        // Threads that live for a millisecond.
        ("threads(10)", "threads", "self_share"),
    ];
    let jobs: Vec<_> = pythons::native_pythons("sampling")
        .into_iter()
        .flat_map(|python| cases.map(|case| (python.clone(), case)))
        .collect();
    binary::all(&jobs, |((minor, python), (call, mark, key))| {
        let report = measured(python, call, "natural,sample");
        let line = line(&report, marked(mark));
        let share = match *key {
            "total" => number(line, "total_ns") / number(&report["time"], "busy_ns"),
            key => number(line, key),
        };
        let mut wrong = Vec::new();
        // Products of numbers of 40,000 bits take a thousand times as long as what is around them.
        if !(0.5..=1.001).contains(&share) {
            wrong.push(format!("{minor} {call}: {mark} has {share} of the time"));
        }
        if line["time_method"] != "sampled" || number(line, "samples") < 50.0 && *key != "total" {
            wrong.push(format!("{minor} {call}: {line}"));
        }
        let (torn, all) = (
            number(&report["time"], "torn_samples"),
            number(&report["time"], "samples"),
        );
        // A thread that lives for a millisecond may be gone before its first frames are known.
        let most = if call.starts_with("threads") {
            all / 50.0
        } else {
            all / 1_000.0
        };
        if torn > 2.0 + most {
            wrong.push(format!("{minor} {call}: {torn} of {all} samples torn"));
        }
        wrong
    });
}

/// Frames that last a quarter of a microsecond: the time is that of the function, not of the call.
#[test]
fn short_calls_take_their_own_time() {
    for (minor, python) in pythons::native_pythons("sampling") {
        for (call, least) in [("caller(3000)", 0.7), ("unpacker(1500)", 0.6)] {
            let report = measured(&python, call, "natural,sample");
            let functions = binary::file(&report, "shares.py").expect("the file")["functions"].clone();
            let of = |name: &str| {
                let functions = functions.as_array().expect("functions");
                let function = functions.iter().find(|one| one["qualname"] == name);
                number(function.expect(name), "self_share")
            };
            // Ten turns of its loop against one turn of the caller's and a call.
            assert!(of("quick") > least, "{minor}, {call}: {}", of("quick"));
            if call.starts_with("caller") {
                let line = line(&report, marked("calls-quick"));
                assert!(number(line, "self_share") < 0.2, "{minor}: {line}");
            }
        }
    }
}

#[test]
fn samples_are_as_many_as_asked_for() {
    for (minor, python) in pythons::oldest_and_newest("sampling") {
        let (_folder, here) = binary::project();
        std::fs::write(here.join("shares.py"), PROGRAM).unwrap();
        let pass = ["--time", "1", "--rate", "200", "--passes", "natural,sample"];
        let arguments = [&pass[..], &["--call", "product(100)", "shares.py::product"]].concat();
        let (_, report) = binary::report(&here, &python, &arguments, None, &|_| {});
        let samples = number(&report.expect("a report")["time"], "samples");
        // A machine that is busy has time for fewer.
        assert!((20.0..=220.0).contains(&samples), "{minor}: {samples}");
    }
}

/// What a function left in memory looks as if the next one had called it.
#[test]
fn frames_that_exceptions_left_are_not_believed() {
    for (minor, python) in pythons::native_pythons("sampling") {
        // Several processes, warmed up: until it is known where frames are, some have no callers.
        let report = measured_for("4", &python, "suppresser(3000)", "natural,sample");
        let functions = &binary::file(&report, "shares.py").expect("the file")["functions"];
        let functions = functions.as_array().expect("functions");
        let raising = functions.iter().find(|one| one["qualname"] == "raising");
        let own = number(raising.expect("it was called"), "self_share");
        let call = line(&report, marked("raises"));
        let total = number(call, "total_ns") / number(&report["time"], "busy_ns");
        let called = total - number(call, "self_share");
        assert!(
            (0.95..=1.05).contains(&(called / own)),
            "{minor}: {called} of {own}"
        );
        let other = line(&report, marked("suppresses"));
        let called = number(other, "total_ns") / number(other, "self_ns") - 1.0;
        assert!(called < 0.02, "{minor}: nobody is called there: {called}");
    }
}

/// Their frames say that whoever made them called them.
#[test]
fn generators_that_have_not_begun_take_no_time() {
    for (minor, python) in pythons::native_pythons("sampling") {
        let report = measured(&python, "made(100)", "natural,sample");
        let share = |mark: &str| number(line(&report, marked(mark)), "self_share");
        assert!(share("beside") > 0.5, "{minor}: {}", share("beside"));
        let unbegun = share("unbegun") + share("generator");
        assert!(unbegun < 0.05, "{minor}: {unbegun}");
    }
}

/// Their frames are read after those of their callers, which have gone on by then.
#[test]
fn generators_take_no_time_of_lines_before_them() {
    for (minor, python) in pythons::native_pythons("sampling") {
        for call in ["resumes", "resumes_by_c"] {
            let report = measured_for("2", &python, &format!("{call}(3000)"), "natural,sample");
            for mark in ["first", "last"] {
                let line = line(&report, marked(&format!("{call}-{mark}")));
                let called = number(line, "total_ns") / number(line, "self_ns") - 1.0;
                assert!(
                    called < 0.03,
                    "{minor}, {call}, {mark}: nobody is called there: {called}"
                );
            }
            let functions = &binary::file(&report, "shares.py").expect("the file")["functions"];
            let functions = functions.as_array().expect("functions");
            let small = functions
                .iter()
                .find(|one| one["qualname"] == "small")
                .expect("it ran");
            // Where C code runs it, most of its time may be the call's.
            let least = if call == "resumes" { 0.1 } else { 0.0 };
            assert!(number(small, "self_share") > least, "{minor}, {call}: {small}");
        }
    }
}

#[test]
fn a_function_that_calls_itself_takes_its_time_once() {
    for (minor, python) in pythons::native_pythons("sampling") {
        let report = measured(&python, "recursion(20)", "natural,sample");
        let line = line(&report, marked("recursion"));
        let share = number(line, "total_ns") / number(&report["time"], "busy_ns");
        assert!((0.5..=1.001).contains(&share), "{minor}: {share}");
    }
}

/// Each process has its own addresses, and what is wrong by them is wrong in all of its samples.
#[test]
fn short_calls_are_sampled_in_several_processes() {
    for (minor, python) in pythons::oldest_and_newest("sampling") {
        let processes = |call: &str| {
            let report = measured_for("4", &python, call, "natural,sample");
            let passes = report["passes"].as_array().expect("passes");
            let sampled: Vec<_> = passes.iter().filter(|pass| pass["kind"] == "sample").collect();
            assert_eq!(sampled.len(), 1, "{minor}: {passes:?}");
            let of = |key: &str| report["time"][key].as_u64().expect(key);
            assert_eq!(
                sampled[0]["calls"].as_u64(),
                Some(of("measured_calls")),
                "{minor}"
            );
            (of("processes"), number(&report["time"], "dispersion"))
        };
        let (short, dispersion) = processes("product(30)");
        assert!(short > 1 && dispersion >= 1.0, "{minor}: {short}, {dispersion}");
        // A call of 0.24 s: two processes would have too few of them.
        let (long, dispersion) = processes("waits(12)");
        assert_eq!(long, 1, "{minor}");
        assert!((dispersion - 1.0).abs() < 1e-9, "{minor}: {dispersion}");
    }
}

/// What they do before they are sampled, their first calls among it, is left out.
#[test]
fn sampled_processes_warm_up_first() {
    for (minor, python) in pythons::oldest_and_newest("sampling") {
        // The first call of a process does what no other does.
        let report = measured_for("4", &python, "first_is_dear()", "natural,sample");
        let (first, others) = (line(&report, marked("first")), line(&report, marked("others")));
        assert!(report["time"]["processes"].as_u64() > Some(1), "{minor}");
        assert!(number(first, "self_share") < 0.01, "{minor}: {first}");
        assert!(number(others, "self_share") > 0.5, "{minor}: {others}");
    }
}

#[test]
fn a_process_that_fails_is_the_last_one() {
    for (minor, python) in pythons::oldest_and_newest("sampling") {
        let (_folder, here) = binary::project();
        std::fs::write(here.join("shares.py"), PROGRAM).unwrap();
        let setup = "fails_from(3, 'started')";
        let arguments = [
            "--time",
            "6",
            "--passes",
            "natural,sample",
            "--setup",
            setup,
            "--call",
            "product(30)",
            "shares.py::product",
        ];
        let (_, report) = binary::report(&here, &python, &arguments, None, &|_| {});
        let report = report.expect("a report");
        let started = std::fs::read_to_string(here.join("started")).expect("a count");
        // The natural pass, a process that was sampled, and the one that failed.
        assert_eq!(started.len(), 3, "{minor}");
        assert_eq!(report["time"]["processes"], 1, "{minor}: {}", report["time"]);
        assert!(
            binary::notes(&report).contains("the target raised"),
            "{minor}: {}",
            binary::notes(&report)
        );
        assert!(
            number(line(&report, marked("most")), "self_share") > 0.5,
            "{minor}"
        );
    }
}

#[test]
fn waiting_is_no_work() {
    for (minor, python) in pythons::native_pythons("sampling") {
        let report = measured(&python, "waits(5)", "natural,sample");
        let line = line(&report, marked("waiting"));
        // Five waits of 20 ms in each call.
        let waited = number(line, "waiting_ns");
        assert!((0.08e9..0.5e9).contains(&waited), "{minor}: {waited}");
        let (busy, waiting) = (number(line, "self_ns"), number(&report["time"], "waiting_ns"));
        assert!(busy < waiting, "{minor}: {busy} of {waiting}");
        assert!(waited > 0.9 * waiting, "{minor}: {waited} of {waiting}");
    }
}

#[test]
fn collections_of_garbage_are_told_apart() {
    for (minor, python) in pythons::native_pythons("sampling") {
        let report = measured(&python, "collects(20)", "natural,sample");
        let line = line(&report, marked("collecting"));
        let (own, collecting) = (number(line, "self_ns"), number(line, "collecting_ns"));
        assert!(collecting > 0.8 * own, "{minor}: {collecting} of {own}");
    }
}

#[test]
fn without_sampling_times_are_traced() {
    for (minor, python) in pythons::native_pythons("tracing for times") {
        let report = measured(&python, "product(30)", "natural,trace");
        let line = line(&report, marked("most"));
        assert_eq!(line["time_method"], "traced", "{minor}");
        let share = number(line, "self_share");
        assert!((0.7..=1.0).contains(&share), "{minor}: {share}");
        assert!(
            line["self_share_error"].is_null() && line["samples"].is_null(),
            "{minor}: {line}"
        );
    }
}

#[test]
fn a_call_too_long_to_be_traced_has_no_times_and_a_note() {
    let Some((_, python)) = pythons::native_pythons("tracing for times").pop() else {
        return;
    };
    let report = measured(&python, "product(25000)", "natural,trace");
    assert!(report["time"].is_null());
    let notes = binary::notes(&report);
    let why = "a call executes more than 200000 instructions; name one with less work by --call";
    assert!(
        notes.contains(&format!("The traced pass was not made: {why}.")),
        "{notes}"
    );
}

#[test]
fn where_sampling_is_forbidden_a_note_says_so() {
    let Some((_, python)) = pythons::native_pythons("sampling").pop() else {
        return;
    };
    let (_folder, here) = binary::project();
    std::fs::write(here.join("shares.py"), PROGRAM).unwrap();
    let arguments = [
        "--time",
        "0.5",
        "--passes",
        "natural,sample",
        "--call",
        "product(30)",
        "shares.py::product",
    ];
    let (_, report) = binary::report(&here, &python, &arguments, None, &|command| {
        command.env("BYTECOST_NO_SAMPLING", "1");
    });
    let report = report.expect("a report");
    assert_eq!(report["time"]["method"], "traced");
    let notes = binary::notes(&report);
    assert!(notes.contains("The sampled pass was not made"), "{notes}");
}

const SERVER: &str = "
import asyncio
BIG = 1 << 40_000
async def handle(reader, writer):
    await reader.readline()
    for i in range(300):
        BIG * BIG
        i % 7
    writer.write(b'x')
    await writer.drain()
    writer.close()
async def client(port):
    while True:
        reader, writer = await asyncio.open_connection('127.0.0.1', port)
        writer.write(b'x\\n')
        await reader.read()
        writer.close()
async def main():
    server = await asyncio.start_server(handle, '127.0.0.1', 0)
    port = server.sockets[0].getsockname()[1]
    await asyncio.gather(client(port), client(port))
asyncio.run(main())
";

const WORKER: &str = "
import queue, threading
BIG = 1 << 40_000
jobs = queue.Queue(10)
def work():
    while True:
        for i in range(jobs.get()):
            BIG * BIG
            i % 7
for _ in range(3):
    threading.Thread(target=work, daemon=True).start()
while True:
    jobs.put(100)
";

/// The report on a running process.
fn looked_at(here: &Path, pid: &str, minor: &str) -> Value {
    let mut command = binary::bytecost(here);
    command.args(["run", "--quiet", "--format", "json", "--time", "1", "--pid", pid]);
    let ended = binary::end(&mut command, None);
    assert_eq!(ended.status, 0, "{minor}: {}", ended.err());
    serde_json::from_slice(&ended.stdout).expect("JSON")
}

#[test]
fn a_running_process_is_looked_at_and_left_alone() {
    for (minor, python) in pythons::native_pythons("looking at a process") {
        for (program, product, sites) in [(SERVER, 7, 8), (WORKER, 8, 9)] {
            let (_folder, here) = binary::project();
            let mut running = Running::script(&python, &here, program);
            let report = looked_at(&here, &running.pid(), minor);
            let share = number(line(&report, product), "self_share");
            assert!((0.5..=1.001).contains(&share), "{minor}: {share}");
            let sites = line(&report, sites)["sites"].as_array().expect("sites");
            // What no version specializes; a whole number by a small one may be on newer ones.
            let remainder = sites
                .iter()
                .find(|site| site["opcode"] == "BINARY_OP")
                .expect("a remainder");
            assert_eq!(remainder["state"], "unspecialized", "{minor}: {remainder}");
            assert!(!running.has_ended(), "{minor}: it has ended");
        }
    }
}

/// In a container threads have numbers of their own.
#[test]
fn a_process_of_another_namespace_is_looked_at() {
    let unshare = ["--pid", "--fork", "--mount", "--mount-proc", "--kill-child"];
    let is_allowed = Command::new("unshare")
        .args(unshare)
        .arg("true")
        .stderr(Stdio::null())
        .status();
    if !is_allowed.is_ok_and(|status| status.success()) {
        eprintln!("skipped: namespaces: this user or container may make none");
        return;
    }
    for (minor, python) in pythons::native_pythons("looking into a container") {
        let (_folder, here) = binary::project();
        std::fs::write(here.join("shares.py"), WORKER).unwrap();
        let mut outside = Command::new("unshare");
        outside
            .args(unshare)
            .arg(&python)
            .arg("shares.py")
            .current_dir(&here);
        let outside = Running::start(&mut outside);
        std::thread::sleep(Duration::from_millis(1500));
        let children = format!("/proc/{0}/task/{0}/children", outside.pid());
        let children = std::fs::read_to_string(children).expect("the container's process");
        let pid = children.split_whitespace().next().expect("its number");
        let report = looked_at(&here, pid, minor);
        let share = number(line(&report, 8), "self_share");
        assert!((0.5..=1.001).contains(&share), "{minor}: {share}");
    }
}

#[test]
fn what_cannot_be_looked_at_is_said() {
    let (_folder, here) = binary::project();
    let look = |pid: &str| {
        let mut command = binary::bytecost(&here);
        binary::end(
            command.args(["run", "--quiet", "--time", "0.1", "--pid", pid]),
            None,
        )
    };
    let ended = look("999999999");
    assert_eq!(ended.status, 2);
    assert!(
        ended.err().contains("there is no process 999999999"),
        "{}",
        ended.err()
    );
    let mut sleep = Command::new("sleep").arg("20").spawn().unwrap();
    let ended = look(&sleep.id().to_string());
    let _ = sleep.kill();
    let _ = sleep.wait();
    assert_eq!(ended.status, 2);
    assert!(
        ended.err().contains("has no CPython 3.11 or newer"),
        "{}",
        ended.err()
    );
}

/// Needs the right to become somebody else.
#[test]
fn a_process_of_somebody_else_is_refused_with_advice() {
    let Some((_, python)) = pythons::native_pythons("permissions").pop() else {
        return;
    };
    if !nix_is_root() {
        eprintln!("skipped: permissions: needs root");
        return;
    }
    let (_folder, here) = binary::project();
    let running = Running::script(&python, &here, WORKER);
    let program = std::env::temp_dir().join(format!("bytecost-{}", std::process::id()));
    std::fs::copy(env!("CARGO_BIN_EXE_bytecost"), &program).unwrap();
    let mut command = Command::new("setpriv");
    command
        .args(["--reuid=65534", "--clear-groups"])
        .arg(&program)
        .args(["run", "--quiet", "--time", "0.1", "--pid", &running.pid()])
        .current_dir("/");
    let ended = binary::end(&mut command, None);
    std::fs::remove_file(&program).unwrap();
    assert_eq!(ended.status, 2, "{}", ended.err());
    assert!(ended.err().contains("belongs to user 0"), "{}", ended.err());
}

fn nix_is_root() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status
        .lines()
        .any(|line| line.starts_with("Uid:") && line.split_whitespace().nth(2) == Some("0"))
}
