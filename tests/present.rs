//! Reports for the terminal, as people see them.

#[path = "support/profiles.rs"]
#[allow(dead_code)] // Each test binary uses its part.
mod profiles;

use bytecost::attribute::attribute;
use bytecost::explain::Thresholds;
use bytecost::present::terminal::{Style, render};
use bytecost::profile::{Note, Outcome, PassKind, State};
use profiles::{Fixture, KERN, kern};
use unicode_width::UnicodeWidthStr;

fn show(fixture: &Fixture, style: Style) -> String {
    let costs = attribute(&fixture.profile, &|path| fixture.text(path));
    render(&fixture.profile, &costs, &Thresholds::default(), &style)
}

fn plain(fixture: &Fixture, width: usize) -> String {
    show(
        fixture,
        Style {
            width,
            ..Style::default()
        },
    )
}

/// Tabs, wide and combining characters, a long line, and what would steer the terminal.
fn odd() -> Fixture {
    let long = "x".repeat(90);
    let source = format!(
        "class 店:\n\tdef 売る(self, 数):\n\t\t合計 = 数 % 7\t# 👍🏽 é\n\t\t名 = '\u{1b}[31m\u{202e}' + 数 % 9\n\t\treturn {long} + 数 % 5\n"
    );
    let mut fixture = Fixture::new("店.py", "店.売る", &source);
    fixture
        .code("店.売る", (2, 5), 300)
        .op("RESUME", "0", 2, "def", 300)
        .op("BINARY_OP", "%", 3, "数 % 7", 300)
        .generic()
        .op("BINARY_OP", "%", 4, "数 % 9", 300)
        .generic()
        .op("BINARY_OP", "%", 5, "数 % 5", 300)
        .missing("BINARY_OP_EXTEND", &[("BINARY_OP_EXTEND", 300)])
        .op("BINARY_OP", "+", 5, &format!("{long} + 数 % 5"), 300)
        .generic();
    fixture
}

/// A script with a loop in its body, nested functions and a comprehension.
fn script() -> Fixture {
    let source = "import sys\n\ndef outer(n):\n    def inner(k):\n        return k + 1\n    return [inner(i) for i in range(n)]\n\nLIMIT = 10\n\n\n\n\n\nfor i in range(1_000):\n    total = outer(\n        i)\nprint(total)\n";
    let mut fixture = Fixture::script("main.py", source);
    fixture
        .code("<module>", (1, 17), 1)
        .op("IMPORT_NAME", "sys", 1, "import sys", 1)
        .op("STORE_NAME", "outer", 3, "def outer", 1)
        .op("STORE_NAME", "LIMIT", 8, "LIMIT", 1)
        .op("FOR_ITER", "", 14, "range(1_000)", 1_001)
        .specialized("FOR_ITER_RANGE")
        .op("CALL", "1", 15, "outer(", 1_000)
        .until(16, 10)
        .missing("CALL_PY_EXACT_ARGS", &[("CALL_PY_EXACT_ARGS", 1_000)])
        .op("CALL", "1", 17, "print(total)", 1);
    fixture
        .code("outer", (3, 6), 1_000)
        .op("STORE_FAST", "inner", 4, "def inner", 1_000)
        .op("CALL", "1", 6, "inner(i)", 499_500)
        .specialized("CALL_PY_EXACT_ARGS");
    fixture
        .code("outer.<locals>.inner", (4, 5), 499_500)
        .op("BINARY_OP", "+", 5, "k + 1", 499_500)
        .specialized("BINARY_OP_ADD_INT");
    fixture
}

fn clean() -> Fixture {
    let mut fixture = Fixture::new("kern.py", "weight", KERN);
    fixture
        .code("weight", (37, 38), 1_000)
        .op("RESUME", "0", 37, "def weight", 1_000)
        .op("CALL", "1", 38, "sum(b.mass for b in bodies)", 1_000)
        .specialized("CALL_BUILTIN_FAST");
    fixture
}

/// One note of each kind, on a partial run.
fn troubled() -> Fixture {
    let mut fixture = kern()
        .note(Note::Partial {
            pass: PassKind::Count,
            why: "the workload raised".to_owned(),
        })
        .note(Note::Skipped {
            pass: PassKind::Misses,
            why: "--once.".to_owned(),
        })
        .note(Note::NotFromFile {
            file: "<string>".to_owned(),
            codes: 1,
            executions: Some(1_234),
        })
        .note(Note::NotFromFile {
            file: "gen.py".to_owned(),
            codes: 12,
            executions: None,
        })
        .note(Note::FileChanged {
            file: "kern.py".to_owned(),
        })
        .note(Note::FileUnreadable {
            file: "x.py".to_owned(),
            why: "Permission denied".to_owned(),
        })
        .note(Note::Inconsistent {
            code: "kern.py:37 weight".to_owned(),
        })
        .note(Note::Diverged {
            what: "weight ran 1 and 2 times".to_owned(),
        })
        .note(Note::Threads { threads: 8 })
        .note(Note::Children)
        .note(Note::Instrumented {
            by: "sys.settrace".to_owned(),
        })
        .note(Note::UnknownVersion {
            minor: "3.16".to_owned(),
        })
        .note(Note::NoSpecialization)
        .note(Note::Other {
            text: "A word from\nthe \u{1b}[1mhelper.".to_owned(),
        });
    let passes = &mut fixture.profile.passes;
    passes[0].outcome = Outcome::TimedOut { seconds: 2.5 };
    passes[1].outcome = Outcome::Raised {
        exception: "ValueError: no bodies".to_owned(),
        place: Some("kern.py:29".to_owned()),
    };
    fixture.profile.python.free_threaded = true;
    "on".clone_into(&mut fixture.profile.python.jit);
    fixture
}

#[test]
fn a_function_with_findings() {
    for width in [60, 80, 120] {
        insta::assert_snapshot!(format!("kern-{width}"), plain(&kern(), width));
    }
}

#[test]
fn colour_and_ascii() {
    insta::assert_snapshot!(
        "kern-colour",
        show(
            &kern(),
            Style {
                color: true,
                ..Style::default()
            }
        )
    );
    insta::assert_snapshot!(
        "kern-ascii",
        show(
            &kern(),
            Style {
                ascii: true,
                ..Style::default()
            }
        )
    );
    insta::assert_snapshot!(
        "odd-ascii",
        show(
            &odd(),
            Style {
                ascii: true,
                ..Style::default()
            }
        )
    );
}

#[test]
fn odd_characters() {
    insta::assert_snapshot!("odd-60", plain(&odd(), 60));
    insta::assert_snapshot!("odd-120", plain(&odd(), 120));
}

#[test]
fn a_script() {
    insta::assert_snapshot!("script-80", plain(&script(), 80));
}

#[test]
fn without_counts() {
    insta::assert_snapshot!("uncounted-80", plain(&kern().uncounted(), 80));
}

#[test]
fn notes_and_outcomes() {
    insta::assert_snapshot!("troubled-80", plain(&troubled(), 80));
}

#[test]
fn nothing_to_gain() {
    insta::assert_snapshot!("clean-80", plain(&clean(), 80));
}

#[test]
fn lines_are_shown_by_number_when_the_text_is_not_the_measured_one() {
    let mut fixture = kern();
    fixture.source = "# edited\n".to_owned();
    insta::assert_snapshot!("stale-80", plain(&fixture, 80));
}

/// A profile whose only sites are in this state, with its verdict.
fn verdict(state: State, executions: u64) -> String {
    let mut fixture = Fixture::new("a.py", "f", "def f(): return g()\n");
    fixture
        .code("f", (1, 1), 1)
        .op("CALL", "0", 1, "g()", executions)
        .state(state);
    let text = plain(&fixture, 200);
    let section = text.split("What costs\n").nth(1).unwrap();
    section.lines().next().unwrap().to_owned()
}

#[test]
fn the_answer_is_honest() {
    let cases = [
        (
            State::NotExecuted,
            0,
            "Nothing to judge: no code of the workspace ran.",
        ),
        (
            State::Basic,
            500,
            "Nothing to gain: none of the instructions that ran has a specialized form.",
        ),
        (
            State::Specialized,
            500,
            "Nothing to gain: everything that can be specialized is, and hits.",
        ),
        (
            State::Cold,
            1,
            "Too cold to judge: nothing ran often enough for CPython to try to specialize it.",
        ),
        (
            State::Unspecialized,
            99,
            "Nothing to gain worth the effort: 1 site is generic or missing, with fewer than 100 executions or on a line with less than 1% of the instructions.",
        ),
        (
            State::Instrumented,
            500,
            "Nothing to judge: a debugger, profiler or monitoring tool hid the specialized forms.",
        ),
        (
            State::Imported,
            500,
            "Not judged: the dump tells the forms that were seen, not what CPython tried or whether guards held.",
        ),
    ];
    for (state, executions, sentence) in cases {
        assert_eq!(verdict(state, executions), sentence);
    }
    assert!(verdict(State::Unspecialized, 100).starts_with("1 ▲ a.py:1"));
}

#[test]
fn every_report_fits_every_width_and_says_the_same_twice() {
    let mut huge = kern();
    for instruction in &mut huge.profile.files[0].codes[3].instructions {
        instruction.executions = Some(u64::MAX / 50);
    }
    huge.profile.files[0].path = format!("{}/kern.py", "very/deep".repeat(20));
    for fixture in [
        kern(),
        odd(),
        script(),
        clean(),
        troubled(),
        kern().uncounted(),
        huge,
    ] {
        for width in (40..=130).chain([300]) {
            for ascii in [false, true] {
                let style = Style {
                    width,
                    ascii,
                    ..Style::default()
                };
                let text = show(&fixture, style);
                for line in text.lines() {
                    assert!(line.width() <= width, "{} cells in {width}: {line}", line.width());
                    assert_eq!(line.trim_end(), line);
                    assert!(!line.contains(char::is_control), "{line:?}");
                    assert!(!ascii || line.is_ascii(), "{line}");
                }
                assert_eq!(text, show(&fixture, style));
            }
        }
    }
}

#[test]
fn colour_only_adds_colour() {
    for fixture in [kern(), odd(), script(), troubled()] {
        let coloured = show(
            &fixture,
            Style {
                color: true,
                ..Style::default()
            },
        );
        let mut bare = String::new();
        let mut rest = coloured.as_str();
        while let Some(start) = rest.find("\u{1b}[") {
            bare.push_str(&rest[..start]);
            rest = &rest[start..];
            rest = &rest[rest.find('m').unwrap() + 1..];
        }
        bare.push_str(rest);
        assert!(coloured.len() > bare.len());
        assert_eq!(bare, plain(&fixture, 80));
    }
}

#[test]
fn a_wrong_profile_does_not_panic() {
    let mut fixture = kern();
    for code in &mut fixture.profile.files[0].codes {
        (code.first_line, code.last_line) = (code.last_line, u32::MAX);
        for instruction in &mut code.instructions {
            instruction.executions = Some(u64::MAX);
            if let Some(position) = &mut instruction.position {
                position.columns = Some((3, 2));
                position.end_line = 0;
            }
        }
    }
    fixture.profile.files[0].codes[4].qualname = ".<locals>..".to_owned();
    fixture.profile.files[0].digest = String::new();
    fixture.source = "é\n\u{feff}\r\rx".to_owned();
    for pass in &mut fixture.profile.passes {
        pass.call_ns = Some(-1.0);
    }
    assert!(plain(&fixture, 0).contains("What costs"));
}
