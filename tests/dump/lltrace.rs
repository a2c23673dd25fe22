//! Logs of the JIT against what `grep` finds in them.

use std::collections::BTreeMap;
use std::io::Read;

use bytecost::dump::{self, Content};
use bytecost::stats::{Cell, Table};

fn log(name: &str) -> (String, Vec<Table>) {
    let path = format!(
        "{}/tests/fixtures/dump/lltrace/{name}.gz",
        env!("CARGO_MANIFEST_DIR")
    );
    let packed = std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let mut text = String::new();
    flate2::read::GzDecoder::new(&packed[..])
        .read_to_string(&mut text)
        .unwrap();
    let dump = dump::read(name, &packed[..]).unwrap();
    let Content::JitLog(log) = dump.content else {
        panic!("a log")
    };
    (text, log.tables)
}

fn sum(tables: &[Table], title: &str, column: &str) -> u64 {
    let Some(table) = tables.iter().find(|table| table.title == title) else {
        return 0;
    };
    let at = table.columns.iter().position(|head| head == column).unwrap();
    table.rows.iter().filter_map(|row| row[at].count()).sum()
}

fn lines(text: &str, has: &[&str]) -> u64 {
    let counted = text
        .lines()
        .filter(|line| has.iter().all(|part| line.contains(part)));
    counted.count() as u64
}

#[test]
fn traces_refusals_and_exits_are_all_counted() {
    for name in [
        "3.13.5-tiny-L1.log",
        "3.13.5-tiny-L2.log",
        "3.13.5-chatty-L2.log",
        "3.14.8-app-L2.log",
        "3.15.0-app-L2.log",
    ] {
        let (text, tables) = log(name);
        let created = lines(&text, &["Created a proto-trace for "]) + lines(&text, &["Trace done"]);
        assert_eq!(sum(&tables, "", "Traces"), created, "{name}");
        assert_eq!(
            sum(&tables, "", "Refused"),
            lines(&text, &["No trace for "]),
            "{name}"
        );
        assert_eq!(
            sum(&tables, "Unsupported opcodes", "Count"),
            lines(&text, &["Unsupported opcode "]),
            "{name}"
        );
        let exits = lines(&text, &["SIDE EXIT: [", " -> "]) + lines(&text, &["DEOPT: [", " -> "]);
        assert_eq!(sum(&tables, "Exits", "Count"), exits, "{name}");
        assert!(created > 0);
    }
}

/// The module's loop calls nothing but looks names up: that is what the log says stops its trace.
#[test]
fn what_stops_a_trace_is_told_with_its_place() {
    let (_, tables) = log("3.13.5-tiny-L2.log");
    let text = |cell: &Cell| cell.text();
    let blocked: Vec<Vec<_>> = tables[1]
        .rows
        .iter()
        .map(|row| row.iter().map(text).collect())
        .collect();
    assert_eq!(
        blocked[0],
        ["LOAD_NAME", "<module> (/w/app/tiny.py:1) at 34", "5"]
    );
    let sites: BTreeMap<_, _> = tables[0].rows.iter().map(|row| (row[0].text(), row)).collect();
    let refused = sites["<module> (/w/app/tiny.py:1) at 34"];
    assert_eq!(
        (refused[1].count(), refused[2].count(), refused[3].count()),
        (Some(4), Some(0), Some(4))
    );
    assert!(refused[7].text().contains("too short"), "{}", refused[7].text());
    let hot = sites["<module> (/w/app/tiny.py:1) at 44"];
    assert_eq!(
        (hot[2].count(), hot[4].count(), hot[5].count()),
        (Some(1), Some(11), Some(15))
    );
    let exits = tables.iter().find(|table| table.title == "Exits").unwrap();
    let to_name = exits
        .rows
        .iter()
        .find(|row| row[0].text() == "LOAD_NAME at 34")
        .unwrap();
    assert_eq!(to_name[3].text(), "<module> (/w/app/tiny.py:1) at 34");
}

/// Every line of an instruction ran once, but for those printed again when they specialized.
#[test]
fn executed_instructions_are_counted_once() {
    for name in [
        "3.13.5-traced-L5-one-module.log",
        "3.14.8-traced-L5-one-module.log",
        "3.15.0-traced-L5-one-module.log",
    ] {
        let (text, tables) = log(name);
        let mut expected = 0;
        let mut before = ("", "");
        for line in text.lines() {
            let line = line.trim();
            if line.starts_with("Resuming frame") {
                before = ("", "");
            }
            let Some((offset, rest)) = line.split_once(": ") else {
                continue;
            };
            let opcode = rest.split(' ').next().unwrap();
            let is_one = offset.bytes().all(|byte| byte.is_ascii_digit())
                && opcode.len() > 1
                && opcode
                    .bytes()
                    .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
                && rest
                    .split(' ')
                    .nth(1)
                    .is_none_or(|argument| argument.parse::<u32>().is_ok());
            if is_one {
                let again = before.0 == offset
                    && before.1 != opcode
                    && (before.1.starts_with(opcode) || opcode.starts_with(before.1));
                expected += u64::from(!again);
                before = (offset, opcode);
            }
        }
        let ran = tables
            .iter()
            .find(|table| table.section == "Executed instructions")
            .unwrap();
        let found: u64 = ran.rows.iter().filter_map(|row| row[1].count()).sum();
        assert!(expected > 100, "{name}: {expected}");
        assert_eq!(found, expected, "{name}");
    }
}

#[test]
fn broken_lines_of_several_processes_are_left_out() {
    let (text, tables) = log("3.13.5-interleaved-3proc-L2-excerpt.log");
    let whole = text
        .lines()
        .filter(|line| line.starts_with("Optimizing ") && line.contains(") at byte offset "))
        .count();
    let attempts = sum(&tables, "", "Attempts");
    assert!(
        attempts > 0 && attempts <= 2 * whole as u64 + 50,
        "{attempts} of {whole}"
    );
}
