//! What a file is, by its content: never by its name.

use std::borrow::Cow;

use super::Problem;

/// A format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// Counters as a pystats build writes them.
    PystatsRaw,
    /// Counters as the summary script writes them.
    PystatsJson,
    /// A report of the summary script, in Markdown.
    PystatsReport,
    /// The text of a report as a web page shows it.
    PystatsPage,
    /// `profiling.sampling --binary`.
    Tachyon,
    /// `profiling.sampling --jsonl`.
    TachyonLines,
    /// `profiling.sampling --collapsed`.
    TachyonCollapsed,
    /// `profiling.sampling --gecko`.
    Gecko,
    /// `cProfile`, `profile` or `profiling.sampling --pstats`.
    Pstats,
    /// What `pstats` prints.
    PstatsText,
    /// `py-spy record --format chrometrace`.
    ChromeTrace,
    /// What a debug build prints for `PYTHON_LLTRACE` and `PYTHON_OPT_DEBUG`.
    JitLog,
    /// bytesight's printed trace.
    Bytesight,
    /// `py-spy record --format raw`.
    PySpy,
    /// A profile for speedscope.
    Speedscope,
    /// What `line_profiler` prints.
    LineProfiler,
    /// What `line_profiler` saves.
    LineProfilerPickle,
    /// Scalene's JSON.
    Scalene,
    /// Austin's MOJO.
    Austin,
    /// Austin's text.
    AustinText,
    /// pyinstrument's JSON.
    Pyinstrument,
    /// A saved session of pyinstrument.
    PyinstrumentSession,
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 22] = [
        Self::PystatsRaw,
        Self::PystatsJson,
        Self::PystatsReport,
        Self::PystatsPage,
        Self::Tachyon,
        Self::TachyonLines,
        Self::TachyonCollapsed,
        Self::Gecko,
        Self::Pstats,
        Self::PstatsText,
        Self::ChromeTrace,
        Self::JitLog,
        Self::Bytesight,
        Self::PySpy,
        Self::Speedscope,
        Self::LineProfiler,
        Self::LineProfilerPickle,
        Self::Scalene,
        Self::Austin,
        Self::AustinText,
        Self::Pyinstrument,
        Self::PyinstrumentSession,
    ];

    /// In words.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::PystatsRaw => "a pystats dump",
            Self::PystatsJson => "the JSON of a pystats summary",
            Self::PystatsReport => "a pystats report",
            Self::PystatsPage => "the text of a pystats report",
            Self::Tachyon => "a binary profile of Tachyon",
            Self::TachyonLines => "a JSON-lines profile of Tachyon",
            Self::TachyonCollapsed => "collapsed stacks of Tachyon",
            Self::Gecko => "a Firefox profile of Tachyon",
            Self::Pstats => "a pstats profile",
            Self::PstatsText => "a printed pstats profile",
            Self::ChromeTrace => "a Chrome trace of py-spy",
            Self::JitLog => "a log of PYTHON_LLTRACE",
            Self::Bytesight => "a trace of bytesight",
            Self::PySpy => "raw stacks of py-spy",
            Self::Speedscope => "a speedscope profile",
            Self::LineProfiler => "a report of line_profiler",
            Self::LineProfilerPickle => "a saved profile of line_profiler",
            Self::Scalene => "a profile of Scalene",
            Self::Austin => "a MOJO profile of Austin",
            Self::AustinText => "a text profile of Austin",
            Self::Pyinstrument => "a profile of pyinstrument",
            Self::PyinstrumentSession => "a session of pyinstrument",
        }
    }
}

/// Lines of a text that are looked at: what a program printed may come first.
const LINES: usize = 200;

/// Whether the first line is a counter of pystats already.
pub(super) fn is_raw(head: &[u8]) -> bool {
    let first = head.split(|&byte| byte == b'\n').next().unwrap_or_default();
    std::str::from_utf8(first).is_ok_and(|first| is_counter(first.trim()))
}

/// Tells a format by the first bytes.
pub(super) fn sniff(head: &[u8]) -> Result<Format, Problem> {
    if head.starts_with(&[0x1f, 0x8b]) {
        return Err(Problem::Refused(
            "this is packed more than once: unpack it first".to_owned(),
        ));
    }
    if head.starts_with(b"HCAT") || head.starts_with(b"TACH") || head.starts_with(&[0; 64]) {
        return Ok(Format::Tachyon);
    }
    if head.starts_with(b"MOJ") && head.get(3).is_some_and(|version| *version < b' ') {
        return Ok(Format::Austin);
    }
    if let [0x80, 2..=5, ..] = head {
        return Ok(Format::LineProfilerPickle);
    }
    if let [b'{' | 0xfb, b'(' | b')' | 0xa8 | 0xa9, ..] = head {
        return Ok(Format::Pstats);
    }
    if is_raw(head) {
        return Ok(Format::PystatsRaw);
    }
    let text = std::str::from_utf8(head).map_or_else(|_| String::from_utf8_lossy(head), Cow::Borrowed);
    let start = text.trim_start();
    if start.starts_with('[') && start.contains("\"cat\":\"py-spy\"") {
        return Ok(Format::ChromeTrace);
    }
    if start.starts_with('{') {
        return of_json(start).ok_or(Problem::Unknown);
    }
    of_text(&text).ok_or_else(|| {
        let is_text = !text.chars().any(|c| c.is_control() && !c.is_whitespace());
        if is_text {
            Problem::UnknownText
        } else {
            Problem::Unknown
        }
    })
}

/// By the keys that only it has; a document may be longer than what is looked at.
fn of_json(text: &str) -> Option<Format> {
    let has = |key: &str| text.contains(key);
    let first = text.lines().next().unwrap_or_default();
    if first.contains("\"type\":\"meta\"") && first.contains("\"run_id\"") {
        return Some(Format::TachyonLines);
    }
    if has("\"opcode[") || has("\"_defines\"") || has("\"_stats_defines\"") {
        Some(Format::PystatsJson)
    } else if has("speedscope.app/file-format") {
        Some(Format::Speedscope)
    } else if has("\"preprocessedProfileVersion\"") {
        Some(Format::Gecko)
    } else if has("\"root_frame\"") && has("\"sample_count\"") {
        Some(Format::Pyinstrument)
    } else if has("\"frame_records\"") {
        Some(Format::PyinstrumentSession)
    } else if has("\"alloc_samples\"") && has("\"async_profile\"") {
        Some(Format::Scalene)
    } else {
        None
    }
}

fn of_text(text: &str) -> Option<Format> {
    let mut before = "";
    for line in text.lines().take(LINES) {
        let trimmed = line.trim();
        if is_counter(trimmed) {
            return Some(Format::PystatsRaw);
        }
        if trimmed == "## Execution counts" {
            return Some(Format::PystatsReport);
        }
        if trimmed.starts_with("//// Trace of `") {
            return Some(Format::Bytesight);
        }
        if is_jit_log(trimmed) || line.starts_with("    stack=[") {
            return Some(Format::JitLog);
        }
        if super::pstats_text::is_head(trimmed) {
            return Some(Format::PstatsText);
        }
        if trimmed.starts_with("Timer unit: ") && trimmed.ends_with(" s") {
            return Some(Format::LineProfiler);
        }
        if trimmed.starts_with("# austin: ") || is_austin(trimmed) {
            return Some(Format::AustinText);
        }
        let is_head = trimmed == "Name Count Self Cumulative Miss ratio"
            || trimmed == "Name Base Count Head Count Change";
        if is_head || trimmed == "Execution counts for Tier 1 instructions." && before == "Execution counts" {
            return Some(Format::PystatsPage);
        }
        if !trimmed.is_empty() {
            before = trimmed;
        }
    }
    stacks(text)
}

fn is_jit_log(line: &str) -> bool {
    let begins = [
        "Optimizing ",
        "Tracing ",
        "Created a proto-trace for ",
        "No trace for ",
    ];
    begins.iter().any(|begin| line.starts_with(begin)) && line.contains(" at byte offset ")
        || line.starts_with("Resuming frame for '")
        || line.contains(" ADD_TO_TRACE: _")
        || line.contains(" OPTIMIZED: _")
        || line.contains(" abs: _")
        || line.contains(" out: _")
        || line == "Missing function"
}

fn is_austin(line: &str) -> bool {
    let digits = line
        .strip_prefix('P')
        .map(|rest| rest.trim_start_matches(|c: char| c.is_ascii_digit()));
    digits.is_some_and(|rest| rest.starts_with(";T"))
}

/// Every line, but for one that is cut, is a stack and a number.
fn stacks(text: &str) -> Option<Format> {
    let whole = text.rsplit_once('\n').map_or(text, |(whole, _)| whole);
    let mut lines = whole
        .lines()
        .filter(|line| !line.trim().is_empty())
        .take(LINES)
        .peekable();
    lines.peek()?;
    let (mut is_tachyon, mut any) = (true, false);
    for line in lines {
        let (frames, number) = line.trim().rsplit_once(' ').unwrap_or(("", line.trim()));
        number.parse::<u64>().ok()?;
        is_tachyon &= frames.starts_with("tid:");
        any |= !frames.is_empty();
        let is_frame = |frame: &str| {
            frame.contains(" (") && frame.ends_with(')')
                || frame.starts_with("process ")
                || frame.starts_with("thread (")
        };
        if !frames.is_empty() && !frames.starts_with("tid:") && !frames.split(';').all(is_frame) {
            return None;
        }
    }
    if !any {
        return None;
    }
    Some(if is_tachyon {
        Format::TachyonCollapsed
    } else {
        Format::PySpy
    })
}

/// A line of a raw dump that no other program writes.
fn is_counter(line: &str) -> bool {
    let starts = ["opcode[", "uops[", "uop["]
        .iter()
        .any(|start| line.starts_with(start));
    starts && line.contains("].") && line.contains(':') || line.starts_with("Calls to PyEval_EvalDefault: ")
}
