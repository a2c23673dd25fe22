//! What holds for every dump, whatever is in it.

use std::collections::BTreeMap;

use bytecost::dump::{self, Content, Dump, Format, place};
use bytecost::present::stats;
use bytecost::profile::{Profile, Time};
use bytecost::stats::{Statistics, compare};

/// Programs that the samples are of.
const TEXTS: [(&str, &str); 4] = [
    ("app.py", include_str!("../tests/fixtures/dump/app/app.py")),
    ("tiny.py", include_str!("../tests/fixtures/dump/app/tiny.py")),
    ("spin.py", include_str!("../tests/fixtures/dump/app/spin.py")),
    (
        "shop/models.py",
        include_str!("../tests/fixtures/dump/app/shop/models.py"),
    ),
];

/// Reads bytes as one format.
pub fn known(format: Format, bytes: &[u8]) {
    match dump::read_known("fuzz", format, bytes) {
        Ok(dump) => holds(&dump),
        Err(error) => sentence(&error.to_string()),
    }
}

/// Finds out what the bytes are, and reads them.
pub fn any(bytes: &[u8]) {
    match dump::read("fuzz", bytes) {
        Ok(dump) => holds(&dump),
        Err(error) => sentence(&error.to_string()),
    }
}

/// One line that a terminal can show.
fn sentence(text: &str) {
    assert!(!text.is_empty() && text.len() < 4096, "{text:?}");
    assert!(!text.contains(|c: char| c.is_control()), "{text:?}");
}

fn holds(dump: &Dump) {
    for problem in &dump.problems {
        sentence(problem);
    }
    match &dump.content {
        Content::Statistics(statistics) => tables(statistics),
        Content::JitLog(log) => {
            tables(&Statistics::Report(log.tables.clone()));
            let _ = place::log_fits(log, &place::Compiled::default());
        }
        Content::Located(located) => {
            let texts: BTreeMap<_, _> = TEXTS
                .iter()
                .map(|(path, text)| ((*path).to_owned(), *text))
                .collect();
            placed(&place::profile(dump, located, "/w/app", &texts, None));
        }
    }
}

fn tables(statistics: &Statistics) {
    let found = statistics.tables();
    for table in &found {
        for row in &table.rows {
            assert_eq!(
                row.len(),
                table.columns.len(),
                "{}: {}",
                table.section,
                table.title
            );
        }
    }
    let about = stats::About::default();
    let _ = (
        stats::text(&found, &about),
        stats::markdown(&found, &about),
        stats::json(&found, &about),
    );
    if let Ok(changes) = compare::compare(statistics, statistics) {
        let _ = stats::text(&changes, &about);
    }
}

fn is_time(time: &Time) -> bool {
    [time.busy_ns, time.waiting_ns, time.collecting_ns]
        .iter()
        .all(|ns| ns.is_finite() && *ns >= 0.0)
}

fn placed(profile: &Profile) {
    for file in &profile.files {
        let (_, text) = TEXTS
            .iter()
            .find(|(path, _)| *path == file.path)
            .expect("it is one of ours");
        let lines = text.lines().count() + 1;
        for code in &file.codes {
            assert!(!code.qualname.contains(|c: char| c.is_control()));
            for instruction in &code.instructions {
                let position = instruction.position.expect("it is on a line");
                assert!((1..=lines).contains(&(position.line as usize)), "{position:?}");
                assert!(instruction.time.as_deref().is_none_or(is_time), "{instruction:?}");
            }
        }
    }
    if let Some(times) = &profile.times {
        for ns in [times.wall_ns, times.busy_ns, times.waiting_ns, times.elsewhere_ns] {
            assert!(ns.is_finite() && ns >= 0.0, "{times:?}");
        }
    }
}
