//! Targets that fail, crash, hang or take the interpreter apart: what was measured stays right, what
//! they print stays theirs. Each program of `targets/hostile` says at its top how it must end; lines
//! marked `#= N` must have run N times. The output is compared with that of plain Python.
#![cfg(unix)]

mod support;

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use support::binary::{Ended, all, apart, end, notes, project, report, running, wrong_lines};
use support::{fixture, pythons};

/// Interpreters for programs that do not say otherwise.
const USUAL: [&str; 2] = ["3.11", "3.14"];

struct Program {
    name: String,
    path: PathBuf,
    text: String,
}

impl Program {
    fn all() -> Vec<Self> {
        let entries = std::fs::read_dir(fixture("targets/hostile")).expect("the corpus");
        let mut programs: Vec<_> = entries
            .map(|entry| Self::new(&entry.expect("readable").path()))
            .collect();
        programs.sort_by(|one, other| one.name.cmp(&other.name));
        programs
    }

    fn new(path: &Path) -> Self {
        Self {
            name: path.file_name().expect("a file").to_string_lossy().into_owned(),
            text: String::from_utf8_lossy(&std::fs::read(path).expect("readable")).into_owned(),
            path: path.to_owned(),
        }
    }

    /// The value of `# key: value` at the top.
    fn says(&self, key: &str) -> Option<&str> {
        let top = self.text.lines().take_while(|line| line.starts_with('#'));
        top.filter_map(|line| line.strip_prefix("# ")?.split_once(": "))
            .find(|(found, _)| *found == key)
            .map(|(_, value)| value)
    }

    fn runs_on(&self, minor: &str) -> bool {
        match self.says("on") {
            None => USUAL.contains(&minor),
            Some(list) => list == "all" || list.split(' ').any(|one| one == minor),
        }
    }

    fn arguments(&self) -> Vec<&str> {
        let run = self.says("run").unwrap_or("FILE").split(' ');
        run.map(|word| if word == "FILE" { &self.name } else { word })
            .collect()
    }

    /// What is wrong with a run under this interpreter.
    fn check(&self, minor: &str, python: &Path) -> Vec<String> {
        let (_folder, here) = project();
        std::fs::copy(&self.path, here.join(&self.name)).expect("copied");
        let numbers = here.join("numbers");
        let input = self.says("stdin").map(|_| numbers.as_path());
        std::fs::write(
            &numbers,
            (0..1000)
                .map(|n: u32| n.to_string())
                .collect::<Vec<_>>()
                .join("\n"),
        )
        .expect("written");
        let mark = here.as_os_str();
        let (ended, report) = report(&here, python, &self.arguments(), input, &|command| {
            command.env("HOSTILE_TEST", mark);
        });
        let mut wrong = Vec::new();
        if running(mark) > 0 {
            wrong.push("left processes running".to_owned());
        }
        let plain = self.says("plain").is_none().then(|| {
            let (_folder, other) = project();
            std::fs::copy(&self.path, other.join(&self.name)).expect("copied");
            let mut command = apart(Command::new(python), &other);
            let ended = end(command.arg(&self.name), input);
            let stdout = comparable(&ended.stdout, &other, &here);
            let stderr = comparable(&ended.stderr, &other, &here);
            Ended {
                stdout,
                stderr,
                ..ended
            }
        });
        if let Some(plain) = &plain {
            let (stdout, stderr) = (&ended.stdout, &ended.stderr);
            wrong.extend(differ("stdout", &comparable(stdout, &here, &here), &plain.stdout));
            if self.says("stderr").is_none() {
                wrong.extend(differ("stderr", &comparable(stderr, &here, &here), &plain.stderr));
            }
        }
        let exit = self.says("exit").unwrap_or("0");
        if exit != "any" && exit != ended.status.to_string() {
            wrong.push(format!(
                "exit {}, expected {exit}; stderr: {}",
                ended.status,
                ended.err()
            ));
        }
        match &report {
            Some(report) => wrong.extend(self.check_report(report)),
            None => wrong.push(format!("no report: {}", ended.err())),
        }
        wrong
            .iter()
            .map(|what| format!("{minor} {}: {what}", self.name))
            .collect()
    }

    fn check_report(&self, report: &Value) -> Vec<String> {
        let mut wrong = wrong_lines(report, &self.name, &self.text);
        let wanted = self.says("outcome").expect("every program says how it ends");
        let got = outcome(&report["passes"][0]["outcome"]);
        if wanted != "any" && !got.starts_with(wanted) {
            wrong.push(format!("ended {got:?}, expected {wanted:?}"));
        }
        if let Some(note) = self.says("note")
            && !notes(report).contains(note)
        {
            wrong.push(format!("no note of {note:?} in {:?}", notes(report)));
        }
        if !wrong.is_empty() {
            wrong.push(format!("{} {:?}", report["passes"], notes(report)));
        }
        wrong
    }
}

/// An outcome in a few words.
fn outcome(value: &Value) -> String {
    let text = |key: &str| value[key].as_str().unwrap_or_default().to_owned();
    match value["how"].as_str().expect("a word") {
        "raised" => format!("raised {}", text("exception")),
        "exited" => format!("exited {}", value["status"]),
        "killed" => format!("killed {}", text("signal")),
        other => other.to_owned(),
    }
}

/// Output with one folder's name for another's, and no addresses of objects.
fn comparable(bytes: &[u8], from: &Path, to: &Path) -> Vec<u8> {
    let (from, to) = (
        from.as_os_str().as_encoded_bytes(),
        to.as_os_str().as_encoded_bytes(),
    );
    let mut out = Vec::new();
    let mut rest = bytes;
    while let Some(&first) = rest.first() {
        if let Some(after) = rest.strip_prefix(from) {
            out.extend_from_slice(to);
            rest = after;
        } else if let Some(after) = rest.strip_prefix(b"0x7") {
            let digits = after.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
            rest = &after[digits..];
        } else {
            out.push(first);
            rest = &rest[1..];
        }
    }
    out
}

fn differ(what: &str, got: &[u8], want: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy;
    (got != want).then(|| {
        format!(
            "{what} differs:\n--- got\n{}\n--- plain\n{}\n---",
            text(got),
            text(want)
        )
    })
}

#[test]
fn hostile_programs_corrupt_no_result() {
    let programs = Program::all();
    let only = std::env::var("BYTECOST_ONLY").ok();
    let pythons = pythons::native_pythons("hostile targets");
    let jobs: Vec<_> = programs
        .iter()
        .filter(|program| only.as_ref().is_none_or(|only| program.name.contains(only)))
        .flat_map(|program| {
            pythons
                .iter()
                .map(move |(minor, python)| (program, *minor, python))
        })
        .filter(|(program, minor, _)| program.runs_on(minor))
        .collect();
    all(&jobs, |(program, minor, python)| program.check(minor, python));
}
