//! What editors show of a profile.

#[path = "support/profiles.rs"]
#[allow(dead_code)] // Each test binary uses its part.
mod profiles;
mod support;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use std::time::Duration;

use bytecost::attribute::{Costs, attribute};
use bytecost::explain::Thresholds;
use bytecost::present::editor::{
    Diagnostic, DiagnosticOptions, Hint, HintOptions, HoverOptions, Severity, diagnostics, hints, hover,
    listing,
};
use bytecost::profile::{Note, PassKind, Profile, State};
use profiles::{Fixture, KERN, kern};
use unicode_width::UnicodeWidthStr;

fn costs(fixture: &Fixture) -> Costs<'_> {
    attribute(&fixture.profile, &|path| fixture.text(path))
}

fn hints_of(fixture: &Fixture, options: &HintOptions) -> Vec<Hint> {
    hints(&costs(fixture).files[0], options)
}

/// Each hint behind its source line.
fn drawn(fixture: &Fixture, options: &HintOptions) -> String {
    let mut text = String::new();
    for hint in hints_of(fixture, options) {
        let line = fixture.source.split('\n').nth(hint.line as usize - 1).unwrap();
        let _ = writeln!(text, "{line}  « {} »", hint.label);
    }
    text
}

fn hover_at(fixture: &Fixture, line: u32, column: u32) -> Option<String> {
    let options = HoverOptions {
        ascii: false,
        age: Some(Duration::from_secs(150)),
    };
    let path = &fixture.profile.files[0].path;
    let hover = hover(&fixture.profile, &costs(fixture), path, line, column, &options)?;
    Some(format!(
        "{:?} to {:?}\n{}",
        hover.start, hover.end, hover.markdown
    ))
}

/// The column of a part of a line.
fn column(fixture: &Fixture, line: u32, part: &str) -> u32 {
    let text = fixture.source.split('\n').nth(line as usize - 1).unwrap();
    u32::try_from(text.find(part).unwrap()).unwrap()
}

fn diagnostics_of(fixture: &Fixture) -> Vec<Diagnostic> {
    let mut all = diagnostics(&costs(fixture), &DiagnosticOptions::default());
    all.remove(&fixture.profile.files[0].path).unwrap_or_default()
}

fn written(diagnostics: &[Diagnostic]) -> String {
    let mut text = String::new();
    for diagnostic in diagnostics {
        let _ = writeln!(
            text,
            "{:?}-{:?} {:?} {}\n    {}",
            diagnostic.start, diagnostic.end, diagnostic.severity, diagnostic.code, diagnostic.message
        );
    }
    text
}

/// What the compiler emits twice, text that tries to be markup, and a form that changes.
fn hostile() -> Fixture {
    let source = "def 数(x):\n    try:\n        y = x[`'```'`] + '\u{1b}[2J</b>*'\n    finally:\n        x.close(\n            1)\n    return y\n";
    let mut fixture = Fixture::new("h`.py", "数", source);
    fixture
        .code("数", (1, 7), 2_000)
        .op("RESUME", "0", 1, "def", 2_000)
        .op("NOP", "", 2, "try:", 2_000)
        .until(6, 14)
        .op("BINARY_OP", "[]", 3, "x[`'```'`]", 2_000)
        .missing(
            "BINARY_OP_SUBSCR_DICT",
            &[("BINARY_OP_SUBSCR_DICT", 900), ("BINARY_OP_SUBSCR_LIST_INT", 100)],
        )
        .inferred()
        .op("BINARY_OP", "+", 3, "x[`'```'`] + '\u{1b}[2J</b>*'", 2_000)
        .generic()
        .op("CALL", "1", 5, "x.close(", 1_500)
        .until(6, 14)
        .generic()
        .op("RETURN_VALUE", "", 7, "return y", 1_500)
        .op("CALL", "1", 5, "x.close(", 500)
        .until(6, 14)
        .generic();
    fixture.note(Note::Partial {
        pass: PassKind::Count,
        why: "<img src=x> [a](command:b) raised".to_owned(),
    })
}

#[test]
fn hints_stand_behind_their_lines() {
    insta::assert_snapshot!("hints", drawn(&kern(), &HintOptions::default()));
}

#[test]
fn hints_hold_what_is_asked_for() {
    let label = |options: HintOptions| {
        let hints = hints_of(&kern(), &options);
        hints
            .into_iter()
            .find(|hint| hint.line == 26)
            .map(|hint| hint.label)
    };
    let all = HintOptions::default();
    let cases = [
        (all, Some("▲ 26% instr ×20k")),
        (HintOptions { ascii: true, ..all }, Some("! 26% instr x20k")),
        (HintOptions { mark: false, ..all }, Some("26% instr ×20k")),
        (HintOptions { share: false, ..all }, Some("▲ ×20k")),
        (
            HintOptions {
                executions: false,
                ..all
            },
            Some("▲ 26% instr"),
        ),
        (
            HintOptions {
                max_length: 15,
                ..all
            },
            Some("▲ 26% instr"),
        ),
        (HintOptions { max_length: 5, ..all }, Some("▲")),
        (HintOptions { max_length: 0, ..all }, None),
        (
            HintOptions {
                min_share: 0.3,
                ..all
            },
            None,
        ),
        (
            HintOptions {
                enabled: false,
                ..all
            },
            None,
        ),
    ];
    for (options, expected) in cases {
        assert_eq!(label(options).as_deref(), expected, "{options:?}");
    }
}

#[test]
fn labels_keep_to_their_length_and_tooltips_are_the_headline() {
    let mut huge = kern();
    for instruction in huge.profile.files[0]
        .codes
        .iter_mut()
        .flat_map(|code| &mut code.instructions)
    {
        instruction.executions = Some(u64::MAX / 99);
    }
    for fixture in [kern(), hostile(), huge, kern().uncounted()] {
        for max_length in 0..30 {
            for ascii in [false, true] {
                let options = HintOptions {
                    ascii,
                    max_length,
                    ..HintOptions::default()
                };
                let mut last = 0;
                for hint in hints_of(&fixture, &options) {
                    assert!(hint.label.chars().count() <= max_length && !hint.label.is_empty());
                    assert!(hint.line > last, "in line order, once each");
                    assert!(!ascii || (hint.label.is_ascii() && hint.tooltip.is_ascii()));
                    last = hint.line;
                    let path = &fixture.profile.files[0].path;
                    let options = HoverOptions { ascii, age: None };
                    let hover = hover(&fixture.profile, &costs(&fixture), path, hint.line, 0, &options);
                    assert!(hover.unwrap().markdown.starts_with(&hint.tooltip));
                }
            }
        }
    }
}

#[test]
fn without_counts_only_marks_are_left() {
    insta::assert_snapshot!(drawn(&kern().uncounted(), &HintOptions::default()), @"
                b.x = b.x + b.v * 0.01  « ▼ missing »
                t += b.x % 7  « ▲ generic »
                if t < 0:  « ▲ generic »
        return sum(b.mass for b in bodies)  « ▼ missing »
    ");
}

#[test]
fn withheld_and_stale_code_has_nothing() {
    let mut fixture = kern();
    fixture.profile.files[0].codes[3].withheld = true;
    let lines: Vec<_> = hints_of(&fixture, &HintOptions::default())
        .iter()
        .map(|hint| hint.line)
        .collect();
    assert!(
        !lines.iter().any(|line| (21..=34).contains(line)) && lines.contains(&38),
        "{lines:?}"
    );
    assert!(
        diagnostics_of(&fixture)
            .iter()
            .all(|diagnostic| diagnostic.start.0 == 38)
    );
    assert!(hover_at(&fixture, 26, 0).unwrap().contains("Counts withheld"));

    let costs = attribute(&fixture.profile, &|_| Some("other\n".to_owned()));
    assert_eq!(hints(&costs.files[0], &HintOptions::default()), []);
    assert!(diagnostics(&costs, &DiagnosticOptions::default()).is_empty());
    let options = HoverOptions::default();
    assert_eq!(hover(&fixture.profile, &costs, "kern.py", 26, 0, &options), None);
    assert_eq!(listing(&fixture.profile, &costs, "kern.py", 26, false), None);
}

#[test]
fn a_hover_on_an_expression() {
    let fixture = kern();
    let on_remainder = column(&fixture, 26, "% 7");
    insta::assert_snapshot!("hover-generic", hover_at(&fixture, 26, on_remainder).unwrap());
    let on_speed = column(&fixture, 25, "b.v") + 2;
    insta::assert_snapshot!("hover-missing", hover_at(&fixture, 25, on_speed).unwrap());
}

#[test]
fn a_hover_beside_expressions() {
    let fixture = kern();
    for (name, line) in [("def", 21), ("module", 2), ("never", 29), ("cold", 34)] {
        insta::assert_snapshot!(format!("hover-{name}"), hover_at(&fixture, line, 0).unwrap());
    }
    for line in [0, 1, 3, 28, 99, u32::MAX] {
        assert_eq!(hover_at(&fixture, line, 0), None, "{line}");
    }
}

#[test]
fn the_four_answers_are_words() {
    let answer = |state: State| {
        let mut fixture = kern();
        let code = &mut fixture.profile.files[0].codes[3];
        code.instructions[10].state = state;
        let at = column(&fixture, 26, "% 7");
        hover_at(&fixture, 26, at).unwrap()
    };
    for (state, words) in [
        (State::Specialized, "Specialized: its guards hold."),
        (
            State::Deopting,
            "Its guard fails and the generic form runs instead.",
        ),
        (
            State::Unspecialized,
            "CPython tried to specialize it and could not.",
        ),
        (State::Cold, "Too cold to judge"),
    ] {
        assert!(answer(state).contains(words), "{state:?}: {}", answer(state));
    }
}

#[test]
fn the_rest_of_an_expression_of_many_lines_is_its_own() {
    let fixture = hostile();
    let hover = hover_at(&fixture, 6, 12).unwrap();
    assert!(hover.starts_with("(5, 8) to (6, 14)\n"), "{hover}");
    // A `try` has its whole body for a position, but is no expression.
    assert_eq!(hover_at(&fixture, 4, 0), None);
}

#[test]
fn nothing_in_the_code_is_markup() {
    let fixture = hostile();
    insta::assert_snapshot!("hover-hostile", hover_at(&fixture, 3, 14).unwrap());
}

#[test]
fn hovers_fit_a_popup_and_hold_no_markup_of_others() {
    let mut long = kern();
    for code in &mut long.profile.files[0].codes {
        for instruction in &mut code.instructions {
            instruction.opcode = format!("{}_{}", instruction.opcode, "VERY_LONG".repeat(9));
            instruction.executions = Some(u64::MAX / 99);
        }
        let repeated = code.instructions.clone();
        code.instructions
            .extend(repeated.iter().cycle().take(300).cloned());
    }
    for fixture in [kern(), hostile(), long, kern().uncounted()] {
        let lines = u32::try_from(fixture.source.split('\n').count()).unwrap();
        for line in 1..=lines {
            for column in 0..40 {
                let Some(hover) = hover_at(&fixture, line, column) else {
                    continue;
                };
                let mut fence: Option<String> = None;
                for text in hover.lines().skip(1) {
                    let ticks: String = text.chars().take_while(|letter| *letter == '`').collect();
                    match &fence {
                        None if ticks.len() >= 3 && text.ends_with("text") => fence = Some(ticks),
                        Some(open) if text == open => fence = None,
                        Some(_) => assert!(text.width() <= 76, "{} cells: {text}", text.width()),
                        None => assert!(!text.contains("](") || text.contains(r"\]("), "{text}"),
                    }
                    assert!(!text.contains(char::is_control), "{text:?}");
                }
                assert_eq!(fence, None, "{hover}");
                assert!(hover.lines().count() < 60, "{hover}");
            }
        }
    }
}

#[test]
fn diagnostics_are_on_the_expression() {
    insta::assert_snapshot!("diagnostics", written(&diagnostics_of(&kern())));
    insta::assert_snapshot!("diagnostics-hostile", written(&diagnostics_of(&hostile())));
}

#[test]
fn diagnostics_keep_to_the_thresholds_and_severities() {
    let fixture = kern();
    let options = DiagnosticOptions {
        thresholds: Thresholds {
            executions: 20_000,
            line_share: 0.2,
            ..Thresholds::default()
        },
        strong: Severity::Warning,
        ..DiagnosticOptions::default()
    };
    let found = diagnostics(&costs(&fixture), &options);
    let found: Vec<_> = found["kern.py"]
        .iter()
        .map(|diagnostic| (diagnostic.start.0, diagnostic.severity))
        .collect();
    assert_eq!(found, [(25, Severity::Warning), (26, Severity::Warning)]);
    let off = DiagnosticOptions {
        enabled: false,
        ..options
    };
    assert_eq!(diagnostics(&costs(&fixture), &off), BTreeMap::new());
    // What was not counted cannot be strong.
    let uncounted = diagnostics_of(&kern().uncounted());
    assert!(!uncounted.is_empty());
    assert!(
        uncounted
            .iter()
            .all(|diagnostic| diagnostic.severity == Severity::Hint)
    );
}

#[test]
fn a_listing_has_every_instruction_of_the_innermost_function() {
    let fixture = kern();
    let costs = costs(&fixture);
    let at = |line| listing(&fixture.profile, &costs, "kern.py", line, false);
    let listing = at(28).unwrap();
    insta::assert_snapshot!("listing", listing.text);
    assert_eq!(listing.text.lines().count(), listing.lines.len());
    for (line, expected) in [
        (21, "advance (kern.py:21)"),
        (12, "Body.__init__ (kern.py:8)"),
        (6, "class body of Body (kern.py:5)"),
        (3, "module body (kern.py:1)"),
        (38, "weight (kern.py:37)"),
    ] {
        assert_eq!(at(line).unwrap().title, expected);
    }
    assert_eq!(at(40), None);
    assert!(at(38).unwrap().text.contains("weight.<locals>.<genexpr>"));
    for (text, line) in listing.text.lines().zip(&listing.lines) {
        if text.contains("BINARY_OP") {
            assert!(matches!(line, Some(25 | 26)), "{text}");
        }
    }
    let plain = kern();
    let plain = bytecost::present::editor::listing(&plain.profile, &self::costs(&plain), "kern.py", 28, true);
    assert!(plain.unwrap().text.is_ascii() && KERN.is_ascii());
}

#[test]
fn a_real_run_is_shown() {
    let pythons = support::pythons::pythons();
    let Some((minor, python)) = pythons.last() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("nbody.py");
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/nbody.py");
    std::fs::copy(example, &file).unwrap();
    let source = std::fs::read_to_string(&file).unwrap();
    let mut request = support::call(minor, python, &file, "advance(make_bodies(), 200)");
    request.calls = Some(1);
    let profile: Profile = support::run(&request);
    let costs = attribute(&profile, &|_| Some(source.clone()));
    let path = &profile.files[0].path;
    let line_of = |part: &str| {
        let index = source.lines().position(|line| line.contains(part)).unwrap();
        u32::try_from(index + 1).unwrap()
    };

    let hints = hints(&costs.files[0], &HintOptions::default());
    let hot = line_of("one.vx -= dx * pull");
    let label = &hints.iter().find(|hint| hint.line == hot).unwrap().label;
    assert!(label.ends_with("% instr ×2k"), "{label}");
    // Lines of functions that did not run have none.
    assert!(
        !hints
            .iter()
            .any(|hint| hint.line == line_of("distance = math.dist"))
    );

    let options = HoverOptions::default();
    let line = source.lines().nth(hot as usize - 1).unwrap();
    let at = u32::try_from(line.find("* pull").unwrap()).unwrap();
    let hover = hover(&profile, &costs, path, hot, at, &options).unwrap();
    let text = |(from, to): ((u32, u32), (u32, u32))| {
        assert_eq!((from.0, to.0), (hot, hot));
        &line[from.1 as usize..to.1 as usize]
    };
    assert_eq!(text((hover.start, hover.end)), "dx * pull");
    assert!(hover.markdown.contains("of `advance`"), "{}", hover.markdown);
    assert!(hover.markdown.contains("BINARY_OP *"), "{}", hover.markdown);

    let strict = Thresholds {
        executions: 1,
        line_share: 0.0,
        ..Thresholds::default()
    };
    let marked = costs.files[0].lines.values().flat_map(|line| &line.sites);
    let marked = marked.filter(|site| site.instruction.is_marked()).count();
    let options = DiagnosticOptions {
        thresholds: strict,
        ..DiagnosticOptions::default()
    };
    let found = diagnostics(&costs, &options).remove(path).unwrap_or_default();
    assert!(found.len() <= marked && found.is_empty() == (marked == 0));

    let listing = listing(&profile, &costs, path, hot, false).unwrap();
    let code = profile.files[0]
        .codes
        .iter()
        .find(|code| code.qualname == "advance")
        .unwrap();
    for instruction in &code.instructions {
        let offset = format!(" {} ", instruction.offset);
        assert!(
            listing
                .text
                .lines()
                .any(|line| line.contains(&offset) && line.contains(&instruction.opcode)),
            "{}",
            instruction.offset
        );
    }
}

/// A diagnostic leads to where the operands got the values that are slow together.
#[test]
fn operands_lead_to_where_they_get_their_values() {
    const SOURCE: &str = "\
class Body:
    def __init__(self, mass):
        self.mass = mass


def kern(n):
    step = 7.5
    other, body = 3, Body(1.5)
    total = 0
    for _ in range(n):
        total += body.mass % step
    if n < 0:
        step = 1
    return total + other
";
    for (minor, python) in support::pythons::pythons() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("kern.py");
        std::fs::write(&file, SOURCE).unwrap();
        let mut request = support::call(minor, &python, &file, "kern(2000)");
        request.calls = Some(1);
        let profile: Profile = support::run(&request);
        let costs = attribute(&profile, &|_| Some(SOURCE.to_owned()));
        let found = diagnostics(&costs, &DiagnosticOptions::default());
        let lines: Vec<&str> = SOURCE.lines().collect();
        let slow = found["kern.py"]
            .iter()
            .find(|diagnostic| {
                lines[diagnostic.start.0 as usize - 1][diagnostic.start.1 as usize..]
                    .starts_with("body.mass %")
            })
            .unwrap();
        let led: Vec<_> = slow
            .related
            .iter()
            .map(|place| (lines[place.start.0 as usize - 1].trim(), place.message.as_str()))
            .collect();
        // What did not run gave no value.
        assert_eq!(
            led,
            [
                ("self.mass = mass", "`mass` gets a value here"),
                ("step = 7.5", "`step` gets a value here"),
            ],
            "{minor}"
        );
    }
}
