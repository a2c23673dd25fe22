//! Files and text: whatever the bytes, the numbers stand at the right expression of the right text.
#![cfg(unix)]

mod support;

use std::path::Path;

use serde_json::Value;
use support::binary::{all, bytecost, end, executions, file, notes, project, report, wrong_lines};
use support::pythons;

/// Text in a declared encoding, with the expression whose executions are known.
struct Encoded {
    name: &'static str,
    /// The file's bytes.
    bytes: Vec<u8>,
    /// What they decode to.
    text: String,
    /// An expression of the text, and how often it runs.
    expression: &'static str,
    executions: u64,
}

/// `text` with each of these characters as other bytes than UTF-8.
fn encoded(name: &'static str, text: &str, table: &[(char, &[u8])], expression: &'static str) -> Encoded {
    let mut bytes = Vec::new();
    for letter in text.chars() {
        match table.iter().find(|(from, _)| *from == letter) {
            Some((_, to)) => bytes.extend_from_slice(to),
            None => bytes.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    Encoded {
        name,
        bytes,
        text: text.to_owned(),
        expression,
        executions: 1000,
    }
}

fn corpus() -> Vec<Encoded> {
    let body = |first: &str, name: &str, string: &str| {
        format!("{first}a = b = 1\nfor {name} in range(1000):\n    t = '{string}', a + b; u = '{string}'\n")
    };
    let latin: &[(char, &[u8])] = &[('é', b"\xe9"), ('ß', b"\xdf")];
    let windows: &[(char, &[u8])] = &[('€', b"\x80"), ('’', b"\x92")];
    let japanese: &[(char, &[u8])] = &[('日', b"\x93\xfa"), ('本', b"\x96\x7b"), ('ソ', b"\x83\x5c")];
    vec![
        encoded("utf8.py", &body("", "i", "é日🎉"), &[], "a + b"),
        encoded("names.py", &body("", "größe_日本", "e"), &[], "a + b"),
        encoded(
            "latin1.py",
            &body("# -*- coding: latin-1 -*-\n", "ß", "éß"),
            latin,
            "a + b",
        ),
        encoded(
            "vim.py",
            &body(
                "#!/usr/bin/python\n# vim: set fileencoding=iso-8859-15 :\n",
                "i",
                "éß",
            ),
            latin,
            "a + b",
        ),
        encoded(
            "cp1252.py",
            &body("# coding: cp1252\n", "i", "€’"),
            windows,
            "a + b",
        ),
        encoded(
            "shift_jis.py",
            &body("# coding=shift_jis\n", "日本", "日本 ソ "),
            japanese,
            "a + b",
        ),
        encoded("bom.py", &body("", "é", "é"), &[], "a + b").prefixed(b"\xef\xbb\xbf"),
        encoded(
            "bom_declared.py",
            &body("# coding: utf-8\n", "é", "é"),
            &[],
            "a + b",
        )
        .prefixed(b"\xef\xbb\xbf"),
        encoded("crlf.py", &body("", "i", "é").replace('\n', "\r\n"), &[], "a + b"),
        encoded("cr.py", &body("", "i", "é").replace('\n', "\r"), &[], "a + b"),
        encoded(
            "tabs.py",
            &body("", "i", "\té").replace("    ", "\t"),
            &[],
            "a + b",
        ),
        encoded(
            "formfeed.py",
            &body("\x0c\n\x0cx = 1\n\x0c\n", "i", "é").replace("\n    ", "\n\x0c    "),
            &[],
            "a + b",
        ),
        encoded(
            "separators.py",
            &body("'''\u{2028}\u{85}\u{b}'''\n", "i", "\u{2028}é"),
            &[],
            "a + b",
        ),
        encoded(
            "continued.py",
            &body("x = 'é' \\\n  'ß'\n", "i", "é").replace("a + b", "(a +\n b)"),
            &[],
            "a +\n b",
        ),
        encoded("no_newline.py", body("", "i", "é").trim_end(), &[], "a + b"),
        encoded("long_line.py", &body("", "i", &"日".repeat(3000)), &[], "a + b"),
    ]
}

impl Encoded {
    fn prefixed(mut self, bytes: &[u8]) -> Self {
        self.bytes.splice(0..0, bytes.iter().copied());
        self
    }

    fn check(&self, minor: &str, python: &Path) -> Vec<String> {
        let (_folder, here) = project();
        std::fs::write(here.join(self.name), &self.bytes).expect("written");
        let (ended, report) = report(&here, python, &[self.name], None, &|_| {});
        let mut wrong = Vec::new();
        match report.as_ref().filter(|_| ended.status == 0) {
            None => wrong.push(format!("exit {}: {}", ended.status, ended.err())),
            Some(report) => {
                let found = expressions(report, self.name, &self.text);
                let here = found.iter().find(|(text, _)| text == self.expression);
                if here.map(|(_, executions)| *executions) != Some(Some(self.executions)) {
                    wrong.push(format!("{:?} not found among {found:?}", self.expression));
                }
                if report["notes"] != Value::Array(Vec::new()) {
                    wrong.push(format!("noted {}", report["notes"]));
                }
            }
        }
        let mut command = bytecost(&here);
        let shown = end(
            command
                .args(["run", "-q", "--color", "never", "--python"])
                .arg(python)
                .arg(self.name),
            None,
        );
        if !shown.out().contains("in range(1000):") || shown.out().contains(char::REPLACEMENT_CHARACTER) {
            wrong.push(format!("shown as {}\n{}", shown.out(), shown.err()));
        }
        wrong
            .iter()
            .map(|what| format!("{minor} {}: {what}", self.name))
            .collect()
    }
}

/// The expression of each `BINARY_OP` by its range in the decoded text, with its executions.
fn expressions(report: &Value, path: &str, text: &str) -> Vec<(String, Option<u64>)> {
    let lines: Vec<&str> = text.split('\n').collect();
    // CPython reads every end of line as a single one.
    let unified = text.replace("\r\n", "\n").replace('\r', "\n");
    let lines = if text.contains('\r') {
        unified.split('\n').collect()
    } else {
        lines
    };
    let place = |at: &Value| {
        let number = |index: usize| usize::try_from(at[index].as_u64().expect("a number")).expect("small");
        let before: usize = lines[..number(0) - 1].iter().map(|line| line.len() + 1).sum();
        before + number(1)
    };
    let all_text = lines.join("\n");
    let file = file(report, path).expect("the file is in the report");
    let sites = file["lines"]
        .as_array()
        .expect("lines")
        .iter()
        .flat_map(|line| line["sites"].as_array().expect("sites"));
    sites
        .filter(|site| site["opcode"] == "BINARY_OP")
        .map(|site| {
            let (start, end) = (place(&site["range"]["start"]), place(&site["range"]["end"]));
            (
                all_text.get(start..end).unwrap_or("?").to_owned(),
                site["executions"].as_u64(),
            )
        })
        .collect()
}

#[test]
fn columns_are_right_in_every_encoding_and_line_ending() {
    let corpus = corpus();
    let pythons = pythons::pythons();
    let jobs: Vec<_> = corpus
        .iter()
        .flat_map(|encoded| pythons.iter().map(move |python| (encoded, python)))
        .filter(|(_, (minor, _))| ["3.11", "3.14"].contains(minor))
        .collect();
    all(&jobs, |(encoded, (minor, python))| encoded.check(minor, python));
}

/// Executions of every function of this qualified name, by first line.
fn calls(report: &Value, path: &str, qualname: &str) -> Vec<(u64, Option<u64>)> {
    let functions = file(report, path).expect("in the report")["functions"]
        .as_array()
        .expect("functions");
    let named = functions
        .iter()
        .filter(|function| function["qualname"] == qualname);
    named
        .map(|function| {
            (
                function["line"].as_u64().expect("a line"),
                function["calls"].as_u64(),
            )
        })
        .collect()
}

const CROWDED: &str = "\
def one(): return 1
def one(): return 2
first = lambda: 1; second = lambda: 2; third = lambda: [1 for _ in range(2)]
class A: f = lambda self: 1; g = lambda self: 2
class B:
    def f(self): pass
    def f(self): pass
    if True:
        def f(self): pass
a, b = A(), B()
for _ in range(10):
    one(); first()  #= 10
for _ in range(20):
    second(); a.f()  #= 20
for _ in range(30):
    third(); a.g(); b.f()  #= 30
for _ in range(5):
    (lambda: 1)(), (lambda: 2)()  #= 5
";

#[test]
fn functions_on_one_line_and_of_one_name_are_told_apart() {
    for (minor, python) in pythons::pythons() {
        let (_folder, here) = project();
        std::fs::write(here.join("crowded.py"), CROWDED).expect("written");
        let (ended, report) = report(&here, &python, &["crowded.py"], None, &|_| {});
        assert_eq!(ended.status, 0, "{}", ended.err());
        let report = report.expect("a report");
        assert_eq!(
            wrong_lines(&report, "crowded.py", CROWDED),
            Vec::<String>::new(),
            "{minor}"
        );
        assert_eq!(
            calls(&report, "crowded.py", "one"),
            [(1, Some(0)), (2, Some(10))],
            "{minor}"
        );
        let mut lambdas = calls(&report, "crowded.py", "<lambda>");
        lambdas.sort_unstable();
        let expected = [
            (3, Some(10)),
            (3, Some(20)),
            (3, Some(30)),
            (18, Some(5)),
            (18, Some(5)),
        ];
        assert_eq!(lambdas, expected, "{minor}");
        let mut methods = calls(&report, "crowded.py", "A.<lambda>");
        methods.sort_unstable();
        assert_eq!(methods, [(4, Some(20)), (4, Some(30))], "{minor}");
        let same = calls(&report, "crowded.py", "B.f");
        assert_eq!(same, [(6, Some(0)), (7, Some(0)), (9, Some(30))], "{minor}");
    }
}

const STRINGS: &str = r#"
source = """
def made(n):
    for i in range(n):
        i += 1

made(500)
"""


def work(n):
    for i in range(n):
        i += 1  #= 1000


exec(source)
exec(compile(source, "<generated>", "exec"))
exec(compile(source, __file__, "exec"))  #= 1
work(1000)
eval("sum(i for i in range(100))")
"#;

#[test]
fn code_that_is_not_from_the_file_is_noted_and_never_shown_there() {
    for (minor, python) in pythons::pythons() {
        let (_folder, here) = project();
        std::fs::write(here.join("strings.py"), STRINGS).expect("written");
        let (ended, report) = report(&here, &python, &["strings.py"], None, &|_| {});
        assert_eq!(ended.status, 0, "{}", ended.err());
        let report = report.expect("a report");
        assert_eq!(
            wrong_lines(&report, "strings.py", STRINGS),
            Vec::<String>::new(),
            "{minor}"
        );
        assert_eq!(report["files"].as_array().map(Vec::len), Some(1), "{minor}");
        assert_eq!(calls(&report, "strings.py", "made"), [], "{minor}");
        let notes = notes(&report);
        assert!(
            notes.contains("2 code objects that name strings.py are not from its text"),
            "{minor}: {notes}"
        );
        assert!(
            notes.contains("compiled from strings ran; they belong to no line"),
            "{minor}: {notes}"
        );
    }
}

/// Imports a module, and gives its file more lines before or after the import.
const EDITOR: &str = "\
from pathlib import Path
file = Path('edited.py')
text = file.read_text()
import edited
file.write_text('# new\\n' * 3 + text)
edited.work(1000)
";
const EDITED: &str = "def work(n):\n    for i in range(n):\n        i += 1  #= 1000\n";

#[test]
fn a_file_edited_while_it_runs_is_shown_as_it_was() {
    for (minor, python) in pythons::pythons() {
        let (_folder, here) = project();
        let write = |name: &str, text: &str| std::fs::write(here.join(name), text).expect("written");
        write("main.py", EDITOR);
        let said = "edited.py changed while it ran: the numbers belong to its text before the change.";
        let lines = |report: &Value| {
            let lines = file(report, "edited.py").expect("in the report")["lines"]
                .as_array()
                .cloned();
            lines
                .expect("lines")
                .iter()
                .filter_map(|line| line["line"].as_u64().filter(|&line| line > 0))
                .collect::<Vec<_>>()
        };
        // The second pass loads another text: its numbers belong to no line of the first.
        write("edited.py", EDITED);
        let (ended, first) = report(&here, &python, &["main.py"], None, &|_| {});
        assert_eq!(ended.status, 0, "{}", ended.err());
        let first = first.expect("a report");
        assert!(notes(&first).contains(said), "{minor}: {}", notes(&first));
        let unknown = "edited.py was edited before it was counted, so its executions are not known";
        assert!(notes(&first).contains(unknown), "{minor}: {}", notes(&first));
        assert_eq!(lines(&first), [1, 2, 3], "{minor}");
        assert_eq!(executions(&first, "edited.py", 3), None, "{minor}");
        assert_eq!(executions(&first, "main.py", 6), Some(1), "{minor}");
        // One that undoes its edit at the start is counted.
        write(
            "main.py",
            &format!("open('edited.py', 'w').write({EDITED:?})\n{EDITOR}"),
        );
        let (_, second) = report(&here, &python, &["main.py"], None, &|_| {});
        let second = second.expect("a report");
        assert!(notes(&second).contains(said), "{minor}: {}", notes(&second));
        assert_eq!(
            wrong_lines(&second, "edited.py", EDITED),
            Vec::<String>::new(),
            "{minor}"
        );
        let mut command = bytecost(&here);
        let shown = end(
            command
                .args(["run", "-q", "--python"])
                .arg(&python)
                .arg("main.py"),
            None,
        )
        .out();
        assert!(
            shown.contains("i += 1  #= 1000") && !shown.contains("# new"),
            "{minor}: {shown}"
        );
    }
}
