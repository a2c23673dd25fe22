//! Shared by the integration tests.
#![allow(dead_code, reason = "each test uses its own part")]

pub mod binary;
pub mod pythons;
pub mod running;

use std::path::{Path, PathBuf};
use std::time::Duration;

use bytecost::collect::{self, Request};
use bytecost::profile::{Profile, Python, Workload, WorkloadKind};

/// A file below `tests/`.
pub fn fixture(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(path)
}

/// An interpreter as the collector wants it, without probing.
pub fn python(minor: &str, executable: &Path) -> Python {
    Python {
        version: minor.to_owned(),
        minor: minor.to_owned(),
        executable: executable.display().to_string(),
        jit: "off".to_owned(),
        free_threaded: false,
        pystats: false,
        known: true,
    }
}

/// A request to evaluate `call` in the module that `file` is.
pub fn call(minor: &str, executable: &Path, file: &Path, call: &str) -> Request {
    let stem = file.file_stem().expect("a file").to_string_lossy().into_owned();
    let folder = file.parent().expect("in a folder").to_owned();
    Request {
        python: python(minor, executable),
        workload: Workload {
            kind: WorkloadKind::Call,
            target: stem.clone(),
            file: None,
            qualname: None,
            call: Some(call.to_owned()),
            setup: None,
            arguments: Vec::new(),
        },
        root: folder.clone(),
        include: Vec::new(),
        file: Some(file.to_owned()),
        module: Some(stem),
        import_root: Some(folder),
        package: false,
        argv0: None,
        selection: None,
        doctest: Vec::new(),
        origin: String::new(),
        timing: bytecost::collect::Timing::Off,
        rate: bytecost::collect::sample::RATE,
        sampled_budget: std::time::Duration::ZERO,
        count: true,
        types: true,
        jit: false,
        pystats: true,
        once: false,
        calls: None,
        budget: Duration::from_millis(50),
        deadline: Some(Duration::from_mins(1)),
        counted_deadline: Some(Duration::from_mins(1)),
    }
}

/// Runs a request to its end.
pub fn run(request: &Request) -> Profile {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let (_cancel, mut cancelled) = tokio::sync::watch::channel(false);
    runtime
        .block_on(collect::run(request, &mut cancelled, &mut |_| {}))
        .expect("the run itself works")
}
