//! Times, while the machine is busy with other things: apart from the tests that these would disturb.

#![cfg(target_os = "linux")]

mod support;

use std::process::Command;
use std::time::{Duration, Instant};

use support::running::Running;
use support::{binary, pythons};

/// Frames of all kinds come and go, and take each other's place.
const CALLS: &str = "
class Made:
    def __init__(self):
        self.one = 1
    def own(self):
        return self.one
def nothing(value):
    return value
def calling(n):
    for i in range(n):
        Made().own()
        nothing(i)
";

/// A thread that loses its processor while it makes a frame is found at it again and again.
#[test]
fn frames_being_made_are_no_torn_samples() {
    for (minor, python) in pythons::native_pythons("sampling") {
        let (_folder, here) = binary::project();
        std::fs::write(here.join("calls.py"), CALLS).unwrap();
        let _others = [Running::busy(), Running::busy()];
        let passes = ["--time", "2", "--passes", "natural,sample"];
        let arguments = [&passes[..], &["--call", "calling(3000)", "calls.py::calling"]].concat();
        let (ended, report) = binary::report(&here, &python, &arguments, None, &|_| {});
        let time = &report.unwrap_or_else(|| panic!("{minor}: {}", ended.err()))["time"];
        let of = |key: &str| time[key].as_f64().expect(key);
        let (torn, all) = (of("torn_samples"), of("samples"));
        assert!(all > 500.0, "{minor}: {all} samples");
        assert!(torn <= all / 2_000.0, "{minor}: {torn} of {all} samples torn");
    }
}

/// Woken on the processor on which the target runs, the sampler would take its place.
#[test]
fn the_sampler_keeps_off_the_processor_of_its_target() {
    let Some((_, python)) = pythons::native_pythons("looking at a process").pop() else {
        return;
    };
    let (_folder, here) = binary::project();
    let target = Running::start(Command::new(python).args(["-c", "while True: pass"])).on("0");
    // With the other one taken, too, the system chooses now this one, now that.
    let _other = Running::busy().on("1");
    std::thread::sleep(Duration::from_millis(500));
    let mut sampler = binary::apart(Command::new("taskset"), &here);
    sampler.args(["-c", "0,1", env!("CARGO_BIN_EXE_bytecost")]);
    sampler.args(["run", "--quiet", "--time", "60", "--pid", &target.pid()]);
    let sampler = Running::start(&mut sampler);
    let began = Instant::now();
    while !sampler.allowed().contains(&"1".to_owned()) {
        let found = sampler.allowed();
        assert!(began.elapsed() < Duration::from_secs(30), "{found:?}");
        std::thread::sleep(Duration::from_millis(100));
    }
}
