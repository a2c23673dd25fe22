//! Hints as they stand on a screen, against the report.

use serde_json::Value;

/// A line of the source as the screen shows it.
#[derive(Debug)]
pub struct Shown {
    /// 1-based line of the source.
    pub line: u64,
    /// The hint at its end.
    pub hint: Option<Hint>,
    /// What else stands behind the source: a diagnostic.
    pub rest: String,
}

/// What a hint says.
#[derive(Debug, Clone, PartialEq)]
pub struct Hint {
    /// A mark stands before the numbers.
    pub marked: bool,
    /// The percentage as written, and whether the share is below it: `(true, 0.1)` is
    /// `<0.1%`.
    pub share: Option<(bool, f64)>,
    /// The share is one of instructions, not of time.
    pub of_instructions: bool,
    /// The executions as written, such as `20k`.
    pub executions: String,
    /// They are the calls of the function that begins here.
    pub calls: bool,
}

impl Hint {
    /// A hint at the beginning of a text, and what follows it: `▲ 7.7% instr ×10k`.
    fn parse(text: &str) -> Option<(Self, &str)> {
        let text = text.trim_start();
        let (marked, text) = match text.split_once(' ') {
            Some(("▲" | "▼", rest)) => (true, rest),
            _ => (false, text),
        };
        let (before, after) = text.split_once('×')?;
        let of_instructions = before.contains("instr");
        let share = match before.split_once('%') {
            None if before.trim().is_empty() => None,
            None => return None,
            Some((number, _unit)) => {
                let below = number.starts_with('<');
                Some((below, number.trim_start_matches('<').parse().ok()?))
            }
        };
        let end = after.find(' ').unwrap_or(after.len());
        let (executions, rest) = after.split_at(end);
        let calls = [" calls", " call"]
            .into_iter()
            .find_map(|word| rest.strip_prefix(word));
        let hint = Self {
            marked,
            share,
            of_instructions,
            executions: executions.to_owned(),
            calls: calls.is_some(),
        };
        Some((hint, calls.unwrap_or(rest).trim_start()))
    }
}

/// The lines of a source that a screen shows, in screen order. A line is known by its text, so
/// only lines that occur once are found; `gutter` is how many cells stand before the text.
pub fn shown(screen: &str, source: &str, gutter: usize) -> Vec<Shown> {
    let lines: Vec<&str> = source.lines().collect();
    let is_once = |line: &str| !line.trim().is_empty() && lines.iter().filter(|it| **it == line).count() == 1;
    let rows = screen
        .lines()
        .map(|row| row.chars().skip(gutter).collect::<String>());
    rows.filter_map(|row| {
        // The longest line that the row begins with.
        let found = lines
            .iter()
            .enumerate()
            .filter(|(_, line)| is_once(line) && row.starts_with(**line));
        let (index, line) = found.max_by_key(|(_, line)| line.len())?;
        let behind = row[line.len()..].to_owned();
        let (hint, rest) = match Hint::parse(&behind) {
            Some((hint, rest)) => (Some(hint), rest.to_owned()),
            None => (None, behind.trim().to_owned()),
        };
        Some(Shown {
            line: index as u64 + 1,
            hint,
            rest,
        })
    })
    .collect()
}

/// The hint of a line, if it is on the screen and has one.
pub fn hint_of(screen: &str, source: &str, gutter: usize, text: &str) -> Option<Hint> {
    let shown = shown(screen, source, gutter);
    let line = 1 + source.lines().position(|line| line.trim() == text.trim())? as u64;
    shown.into_iter().find(|it| it.line == line)?.hint
}

/// Share of the executed instructions, in percent, below which a line may go without a hint.
const MIN_SHARE: f64 = 0.1;

/// Checks every line of the source on the screen: one that ran has a hint, unless it weighs next
/// to nothing, one that never ran has none, and hints have the numbers of the report. Returns how
/// many lines have one.
pub fn compare(screen: &str, source: &str, gutter: usize, report: &Value) -> usize {
    let lines = report["files"][0]["lines"].as_array().expect("lines");
    let functions = report["files"][0]["functions"].as_array().expect("functions");
    let is_timed = !report["time"].is_null();
    let mut with_hint = 0;
    for Shown { line, hint, .. } in shown(screen, source, gutter) {
        let reported = lines.iter().find(|it| it["line"] == line);
        let executions = reported.and_then(|it| it["executions"].as_u64()).unwrap_or(0);
        let share = ["self_share", "instruction_share"]
            .into_iter()
            .find_map(|key| reported?[key].as_f64())
            .unwrap_or(0.0);
        let function = functions.iter().find(|it| it["line"] == line);
        let is_due = executions > 0 && 100.0 * share >= MIN_SHARE && function.is_none();
        let Some(hint) = hint else {
            assert!(!is_due, "line {line} ran and has no hint:\n{screen}");
            continue;
        };
        assert!(
            executions > 0,
            "line {line} never ran, but has {hint:?}:\n{screen}"
        );
        let reported = reported.expect("a line that ran is reported");
        with_hint += 1;
        let (low, high) = meant(&hint.executions);
        if hint.calls {
            let calls = function
                .and_then(|it| it["calls"].as_f64())
                .expect("a called function");
            assert!(
                (low..=high).contains(&calls),
                "line {line} begins a function of {calls} calls: {hint:?}\n{screen}"
            );
            assert_eq!(hint.share, None, "line {line}: {hint:?}\n{screen}");
            continue;
        }
        assert!(
            (low..=high).contains(&(executions as f64)),
            "line {line} ran {executions} times: {hint:?}\n{screen}"
        );
        let share = 100.0 * share;
        assert!(
            hint.share.is_none() || hint.of_instructions != is_timed,
            "line {line}: {hint:?}\n{screen}"
        );
        let is_right = match hint.share {
            None => share < LEAST_SHARE,
            Some((true, _)) => false,
            Some((false, percent)) => {
                let half = if percent < 10.0 { 0.0501 } else { 0.501 };
                (share - percent).abs() <= half
            }
        };
        assert!(
            is_right,
            "line {line} has {share} % of the instructions: {hint:?}\n{screen}"
        );
        let sites = reported["sites"].as_array().expect("sites");
        let marked = sites.iter().any(|site| {
            let state = site["state"].as_str().unwrap_or_default();
            ["unspecialized", "deopting", "polymorphic"].contains(&state)
        });
        assert_eq!(hint.marked, marked, "line {line}: {hint:?}\n{screen}");
    }
    with_hint
}

/// Share in percent below which a hint has none.
const LEAST_SHARE: f64 = 0.05;

/// The range of counts that an abbreviated one stands for: `20k` is 19,500 to 20,500.
fn meant(text: &str) -> (f64, f64) {
    let digits = text.trim_end_matches(|it: char| it.is_ascii_alphabetic());
    let unit = match &text[digits.len()..] {
        "" => None,
        "k" => Some(1e3),
        "M" => Some(1e6),
        "G" => Some(1e9),
        unit => panic!("{unit} is no unit"),
    };
    let value: f64 = digits.parse().unwrap_or_else(|_| panic!("`{text}` is no count"));
    let Some(unit) = unit else {
        return (value, value);
    };
    // `1k` is written for 1.0k.
    let half = if value < 10.0 { 0.05 } else { 0.5 };
    ((value - half) * unit, (value + half) * unit)
}

#[test]
fn hints_are_read_as_they_are_written() {
    let (hint, rest) = Hint::parse(" ▲ 7.7% instr ×10k ● it is generic").expect("a hint");
    let expected = Hint {
        marked: true,
        share: Some((false, 7.7)),
        of_instructions: true,
        executions: "10k".to_owned(),
        calls: false,
    };
    assert_eq!((hint, rest), (expected, "● it is generic"));
    let (hint, rest) = Hint::parse(" ×1 call  ● it is generic").expect("a hint");
    assert_eq!((hint.calls, hint.share, rest), (true, None, "● it is generic"));
    assert_eq!(Hint::parse(""), None);
    assert_eq!(Hint::parse("    ■ it is generic"), None);
    assert_eq!(meant("20k"), (19_500.0, 20_500.0));
    assert_eq!(meant("7"), (7.0, 7.0));
}
