//! What an interpreter compiles a text to, without running it.

use std::path::Path;
use std::process::{Command, Stdio};

use serde::Deserialize;

use super::helper::{Helper, Job};
use super::interpreter::{self, Environment};
use super::merge::{self, Finished};
use super::wire;
use crate::bytecode::Tables;
use crate::dump::place::{Compiled, Texts};
use crate::profile::{Outcome, PassKind, Python, Workload, WorkloadKind};

/// What the helper answers.
#[derive(Deserialize)]
struct Answer {
    tables: Tables,
    codes: Vec<wire::Code>,
}

/// Compiles texts with the interpreter of a minor version such as `3.14`; none when none is found on
/// `PATH`, or it does not answer. Interpreters of a workspace are not asked: what is in it may not run.
#[must_use]
pub fn compile(minor: &str, texts: &Texts) -> Option<Compiled> {
    let environment = Environment {
        path: std::env::var_os("PATH"),
        // A relative name in `PATH` must not mean a folder that anyone can write to.
        current_directory: std::path::MAIN_SEPARATOR_STR.into(),
        ..Environment::default()
    };
    let here = environment.current_directory.clone();
    let candidate = interpreter::discover(Some(minor), None, &here, &environment).ok()?;
    let found = interpreter::probe(&candidate).ok()?;
    if found.minor != minor {
        return None;
    }
    let answer = ask(&found.executable, texts)?;
    let python = Python::from(&found);
    let workload = Workload {
        kind: WorkloadKind::Process,
        target: String::new(),
        file: None,
        qualname: None,
        call: None,
        setup: None,
        arguments: Vec::new(),
    };
    let result = wire::Result::of_codes(PassKind::Natural, answer.codes, answer.tables, 0);
    let finished = Finished {
        kind: PassKind::Natural,
        outcome: Outcome::Completed,
        result: Some(result),
        samples: None,
    };
    let read = |path: &str| {
        let text = texts.get(path);
        text.map_or_else(
            || Err(std::io::ErrorKind::NotFound.into()),
            |text| Ok(text.as_bytes().to_vec()),
        )
    };
    let profile = merge::merge(python, workload, Path::new(""), &[finished], None, &read);
    Some(Compiled {
        version: found.version,
        minor: found.minor,
        files: profile
            .files
            .into_iter()
            .map(|file| (file.path, file.codes))
            .collect(),
    })
}

fn ask(python: &Path, texts: &Texts) -> Option<Answer> {
    let helper = Helper::unpack().ok()?;
    let mut job = Job::default();
    for (path, text) in texts {
        job.add("path", path).add("text", text);
    }
    let file = helper.file("compile.job");
    std::fs::write(&file, job.text()).ok()?;
    let done = Command::new(python)
        .args(["-I", "-S", "-B", "-W", "ignore"])
        .arg(helper.folder().join("bytecost_compile.py"))
        .arg(&file)
        .env_remove("PYTHON_LLTRACE")
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    serde_json::from_slice(&done.stdout).ok()
}
