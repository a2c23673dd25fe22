//! Statistics against the reports that CPython's summary script printed of the same dumps.

use bytecost::dump::{self, Content};
use bytecost::stats::{Counters, Statistics, Table, compare};

use crate::packed::{fixture, packed};

fn bytes(name: &str) -> Vec<u8> {
    packed(&format!("tests/fixtures/dump/pystats/{name}"))
}

fn unpacked(name: &str) -> Vec<u8> {
    fixture(&format!("pystats/{name}"))
}

fn read(name: &str) -> Statistics {
    of(dump::read(name, &bytes(name)[..]).unwrap())
}

fn of(dump: dump::Dump) -> Statistics {
    let Content::Statistics(statistics) = dump.content else {
        panic!("{} is no statistics", dump.name);
    };
    *statistics
}

fn counters(name: &str) -> Counters {
    match read(name) {
        Statistics::Counters(counters) => *counters,
        other => panic!("{name}: {other:?}"),
    }
}

/// Tables of an HTML report by splitting it at its tags: nothing of the program is used.
fn printed(name: &str) -> Vec<(String, Vec<Vec<String>>)> {
    let text = String::from_utf8(unpacked(name)).unwrap();
    let mut tables = Vec::new();
    let (mut section, mut title) = ("", "");
    for (index, part) in text.split("<table>").enumerate() {
        let (table, rest) = if index == 0 {
            ("", part)
        } else {
            part.split_once("</table>").unwrap_or((part, ""))
        };
        if index > 0 {
            let rows = table.split("<tr>").skip(1).map(|row| {
                let cells = row
                    .split("<t")
                    .skip(1)
                    .filter(|cell| cell.starts_with(['h', 'd']) && cell[1..].starts_with(' '));
                let text = cells.map(|cell| {
                    let inner = cell.split_once('>').unwrap().1;
                    let inner = inner.split("</t").next().unwrap();
                    inner.split("<details>").next().unwrap().trim().to_owned()
                });
                text.collect::<Vec<_>>()
            });
            tables.push((format!("{section}|{title}"), rows.collect()));
        }
        for line in rest.lines() {
            if let Some(found) = line.strip_prefix("### ") {
                title = found;
            } else if let Some(found) = line.strip_prefix("## ") {
                (section, title) = (found, "");
            }
        }
    }
    tables
}

fn shown(tables: &[Table]) -> Vec<(String, Vec<Vec<String>>)> {
    tables
        .iter()
        .map(|table| {
            let mut rows = vec![table.columns.clone()];
            rows.extend(
                table
                    .rows
                    .iter()
                    .map(|row| row.iter().map(bytecost::stats::Cell::text).collect::<Vec<_>>()),
            );
            (format!("{}|{}", table.section, table.title), rows)
        })
        .collect()
}

#[track_caller]
fn assert_same(ours: &[(String, Vec<Vec<String>>)], theirs: &[(String, Vec<Vec<String>>)]) {
    for (our, their) in ours.iter().zip(theirs) {
        assert_eq!(our.0, their.0);
        for (our_row, their_row) in our.1.iter().zip(&their.1) {
            assert_eq!(our_row, their_row, "in {}", our.0);
        }
        assert_eq!(our.1.len(), their.1.len(), "rows of {}", our.0);
    }
    assert_eq!(ours.len(), theirs.len());
}

/// The change of a comparison has a colon in the heading of some versions.
fn without_colons(mut tables: Vec<(String, Vec<Vec<String>>)>) -> Vec<(String, Vec<Vec<String>>)> {
    for cell in tables
        .iter_mut()
        .flat_map(|(_, rows)| rows.iter_mut().take(1).flatten())
    {
        *cell = cell.replace(':', "");
    }
    tables
}

const REPORTS: [&str; 3] = ["3.13.5-tiny-jit", "3.13.5-app-jit-3proc", "3.13.5-window"];

#[test]
fn every_table_of_the_summary_script_has_the_same_numbers() {
    for name in REPORTS {
        let ours = shown(&read(&format!("{name}.json")).tables());
        let theirs = printed(&format!("{name}-html.md"));
        assert!(theirs.len() > 300, "{name} has {} tables", theirs.len());
        assert_same(&ours, &theirs);
    }
}

#[test]
fn raw_dumps_have_the_counters_that_the_script_kept() {
    for (json, raws) in [
        ("3.13.5-tiny-jit", vec!["3.13.5-tiny-jit"]),
        (
            "3.13.5-app-jit-3proc",
            vec![
                "3.13.5-app-jit-3proc-1",
                "3.13.5-app-jit-3proc-2",
                "3.13.5-app-jit-3proc-3",
            ],
        ),
    ] {
        let theirs = counters(&format!("{json}.json"));
        let mut ours = counters(&format!("{}.txt", raws[0]));
        for raw in &raws[1..] {
            assert!(ours.merge(counters(&format!("{raw}.txt"))));
        }
        assert_eq!(ours.files, theirs.files);
        let mut expected: Vec<_> = theirs.entries().collect();
        let mut found: Vec<_> = ours.entries().collect();
        expected.sort_unstable();
        found.sort_unstable();
        // The script adds up how many files flagged a family; here a flag stays a flag.
        for (key, value) in &mut expected {
            if key.ends_with(".specializable") {
                *value = 1;
            }
        }
        assert_eq!(found, expected, "{json}");
        // Built-in names of reasons and forms instead of those in the JSON.
        assert_eq!(ours.minor.as_deref(), Some("3.13"));
        let unordered = |counters: Counters| {
            let mut tables = shown(&Statistics::Counters(Box::new(counters)).tables());
            for (_, rows) in &mut tables {
                rows.sort();
            }
            tables.retain(|(name, _)| !name.contains("air"));
            tables.sort();
            tables
        };
        if raws.len() == 1 {
            assert_same(&unordered(ours), &unordered(theirs));
        }
    }
}

#[test]
fn reports_are_read_back_in_every_form() {
    for (name, json) in [
        ("3.13.5-tiny-jit-html.md", "3.13.5-tiny-jit"),
        ("3.13.5-tiny-jit-webcopy.txt", "3.13.5-tiny-jit"),
        ("3.13.5-app-jit-3proc-html.md", "3.13.5-app-jit-3proc"),
        ("3.13.5-app-jit-3proc-pipe2024.md", "3.13.5-app-jit-3proc"),
        ("3.13.5-app-jit-3proc-webcopy.txt", "3.13.5-app-jit-3proc"),
        ("3.13.5-window-html.md", "3.13.5-window"),
    ] {
        let theirs = shown(&read(&format!("{json}.json")).tables());
        let Statistics::Report(tables) = read(name) else {
            panic!("{name} is a report");
        };
        println!("{name}");
        assert_same(&shown(&tables), &theirs);
    }
}

#[test]
fn what_a_report_rounds_is_computed_again_where_the_whole_is_in_it() {
    use bytecost::stats::Cell;
    let Statistics::Report(tables) = read("3.13.5-tiny-jit-html.md") else {
        panic!("a report");
    };
    let exact = read("3.13.5-tiny-jit.json").tables();
    let (mut computed, mut printed) = (0, 0);
    for (table, exact) in tables.iter().zip(&exact) {
        for (cell, exact) in table.rows.iter().flatten().zip(exact.rows.iter().flatten()) {
            match cell {
                Cell::Printed(_) => printed += 1,
                Cell::Ratio { .. } => {
                    computed += 1;
                    if table.section == "Execution counts" || table.title.is_empty() {
                        assert_eq!(
                            cell.value(),
                            exact.value(),
                            "in {} {}",
                            table.section,
                            table.title
                        );
                    }
                }
                _ => {}
            }
        }
    }
    assert!(computed > printed, "{computed} computed, {printed} only printed");
}

#[test]
fn comparisons_have_the_numbers_of_the_script() {
    for (base, head, printed_as) in [
        (
            "3.13.5-tiny-nojit.json",
            "3.13.5-tiny-jit.json",
            "cmp-3.13.5-tiny-nojit-vs-jit",
        ),
        (
            "3.13.5-app-nojit.txt",
            "3.13.5-app-jit-3proc.json",
            "cmp-3.13.5-app-nojit-vs-jit3",
        ),
    ] {
        let mut base = read(base);
        let head = read(head);
        if let (Statistics::Counters(base), Statistics::Counters(head)) = (&mut base, &head) {
            base.defines.clone_from(&head.defines);
            base.specialized.clone_from(&head.specialized);
        }
        let theirs = without_colons(printed(&format!("{printed_as}.md")));
        let ours = shown(&compare::compare(&base, &head).unwrap());
        assert_same(&ours, &theirs);
        let Statistics::Comparison(read_back) = read(&format!("{printed_as}.md")) else {
            panic!("{printed_as} is a comparison");
        };
        assert_same(&without_colons(shown(&read_back)), &theirs);
    }
}

#[test]
fn reports_can_be_compared_too() {
    let base = read("3.13.5-app-jit-3proc.json");
    let head = read("3.13.5-tiny-jit.json");
    let exact = shown(&compare::compare(&base, &head).unwrap());
    let from_reports = compare::compare(
        &read("3.13.5-app-jit-3proc-html.md"),
        &read("3.13.5-tiny-jit-html.md"),
    );
    let from_reports = shown(&from_reports.unwrap());
    // Only families that were never tried on one side are missing: a report does not have them.
    let missing = exact
        .iter()
        .filter(|table| !from_reports.contains(table))
        .collect::<Vec<_>>();
    assert!(
        missing
            .iter()
            .all(|(name, _)| name.starts_with("Specialization stats|")),
        "{missing:?}"
    );
    assert!(missing.len() < 12, "{}", missing.len());
}

#[test]
fn numbers_of_3_11_become_names() {
    for name in ["3.11.2-tiny", "3.11.2-app"] {
        let ours = counters(&format!("{name}.txt"));
        assert_eq!(ours.minor.as_deref(), Some("3.11"));
        let Statistics::Report(theirs) = read(&format!("{name}-pipe.md")) else {
            panic!("a report");
        };
        let tables = Statistics::Counters(Box::new(ours)).tables();
        let mut compared = 0;
        for table in &theirs {
            // The script of 3.11 has other rows for attempts and the effectiveness.
            let counted = [
                "Execution counts",
                "Pair counts",
                "Predecessor/Successor Pairs",
                "Call stats",
                "Object stats",
            ];
            if !counted.contains(&table.section.as_str()) {
                continue;
            }
            let ours = tables.iter().find(|ours| {
                (&ours.section, &ours.title, &ours.columns[0])
                    == (&table.section, &table.title, &table.columns[0])
            });
            let ours = ours.unwrap_or_else(|| panic!("{} {}", table.section, table.title));
            let counts = |table: &Table| {
                let mut counts: Vec<_> = table.rows.iter().map(|row| row[1].text()).collect();
                counts.sort();
                counts
            };
            // The script of 3.11 does not tell what comes first in a frame.
            if !table.section.contains("air") {
                assert_eq!(counts(ours), counts(table), "{} {}", table.section, table.title);
            }
            for row in &table.rows {
                if let Some([_, count, ..]) = ours.row(&row[0].text()) {
                    assert_eq!(*count, row[1], "{} {}", table.section, table.title);
                    compared += 1;
                }
            }
        }
        assert!(compared > 700, "{name}: {compared}");
    }
}

#[test]
fn what_other_programs_print_between_the_lines_is_left_out() {
    let name = "3.13.5-tiny-stderr-3proc.log";
    let dump = dump::read(name, &bytes(name)[..]).unwrap();
    let Content::Statistics(statistics) = dump.content else {
        panic!("statistics")
    };
    let Statistics::Counters(counters) = *statistics else {
        panic!("counters")
    };
    let text = String::from_utf8_lossy(&unpacked(name)).into_owned();
    let expected: u64 = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix("opcode[RESUME].execution_count :"))
        .map(|value| value.trim().parse::<u64>().unwrap())
        .sum();
    assert!(expected > 0);
    assert_eq!(counters.get("opcode[RESUME].execution_count"), expected);
}

#[test]
fn damage_costs_itself_only() {
    let good = "opcode[NOP].execution_count : 5\nopcode[RESUME].execution_count : 7\n";
    let read = |text: &str| dump::read("d.txt", text.as_bytes().to_vec().as_slice());
    let count = |dump: dump::Dump, key: &str| match of(dump) {
        Statistics::Counters(counters) => counters.get(key),
        other => panic!("{other:?}"),
    };
    let crlf = read(&good.replace('\n', "\r\n")).unwrap();
    assert_eq!(crlf.problems, [""; 0]);
    assert_eq!(count(crlf, "opcode[RESUME].execution_count"), 7);
    for bad in ["-3", "99999999999999999999", "1e5", "NaN", "1 2"] {
        let dump = read(&format!("{good}opcode[POP_TOP].execution_count : {bad}\n{good}")).unwrap();
        assert_eq!(
            dump.problems,
            ["line 3: the value of this counter is no number of 64 bits"],
            "{bad}"
        );
        assert_eq!(count(dump, "opcode[NOP].execution_count"), 10);
    }
    let cut = read(&good[..good.len() - 1]).unwrap();
    assert_eq!(
        cut.problems,
        ["line 2: the file is cut here: the last line is left out"]
    );
    assert_eq!(count(cut, "opcode[RESUME].execution_count"), 0);
    let huge = format!("{good}opcode[NOP].execution_count : {}\n", u64::MAX);
    let dump = read(&huge).unwrap();
    assert_eq!(
        dump.problems,
        ["line 3: the sum of this counter has more than 64 bits"]
    );
    assert_eq!(count(dump, "opcode[NOP].execution_count"), u64::MAX);

    let json = unpacked("3.13.5-tiny-jit.json");
    let error = dump::read("cut.json", &json[..40_000]).unwrap_err().to_string();
    assert!(
        error.starts_with("cut.json: line 1: column ") && error.ends_with("the JSON ends too early"),
        "{error}"
    );
    let html = unpacked("3.13.5-tiny-jit-html.md");
    let dump = dump::read("cut.md", &html[..90_000]).unwrap();
    assert_eq!(dump.problems, ["the report is cut: its last line is missing"]);
    for (bytes, said) in [
        (&b""[..], "x: the file is empty"),
        (
            b"hello\n",
            "x: this text is none of the formats that bytecost reads; if PYTHON_LLTRACE was 1: CPython 3.15 logs nothing at level 1, so set it to 2",
        ),
        (b"\0\0\0\0", "x: this is none of the formats that bytecost reads"),
    ] {
        assert_eq!(dump::read("x", bytes).unwrap_err().to_string(), said);
    }
}

#[test]
fn what_is_printed_as_markdown_is_read_back() {
    use bytecost::present::stats::{About, markdown};
    let tables = read("3.13.5-tiny-jit.json").tables();
    let text = markdown(&tables, &About::default());
    let Statistics::Report(read_back) = of(dump::read("own.md", text.as_bytes()).unwrap()) else {
        panic!("a report");
    };
    assert_same(&shown(&read_back), &shown(&tables));
}

#[test]
fn the_command_adds_up_files_and_refuses_what_cannot_be() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, from: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes(from)).unwrap();
        path
    };
    let raw = [1, 2, 3].map(|number| {
        file(
            &format!("{number}"),
            &format!("3.13.5-app-jit-3proc-{number}.txt"),
        )
    });
    let report = file("report.md", "3.13.5-tiny-jit-html.md");
    let base = file("base.json", "3.13.5-tiny-nojit.json");
    let stats = |arguments: &[&std::path::Path], more: &[&str]| {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_bytecost"))
            .arg("stats")
            .args(more)
            .args(arguments)
            .output()
            .unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout), text(output.stderr))
    };
    let (code, text, _) = stats(&[&raw[0], &raw[1], &raw[2]], &["--format", "json"]);
    assert_eq!(code, Some(0));
    let document: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        (document["python"].as_str(), document["method"].as_str()),
        (Some("3.13"), Some("process-wide"))
    );
    let tables = document["tables"].as_array().unwrap();
    let meta = tables
        .iter()
        .find(|table| table["section"] == "Meta stats")
        .unwrap();
    assert_eq!(meta["rows"][0][1], 3);
    let first = &tables[0]["rows"][0];
    // As the report of the three together has it: `LOAD_FAST`, 365,786, 16.3%.
    assert_eq!((&first[0], &first[1]), (&"LOAD_FAST".into(), &365_786.into()));
    assert_eq!(first[2]["text"], "16.3%");

    let (code, text, _) = stats(&[&report], &["--compare", base.to_str().unwrap()]);
    assert_eq!(code, Some(0));
    assert!(
        text.contains("FOR_ITER_RANGE") && text.contains("-99.4%"),
        "{text}"
    );

    let (code, _, error) = stats(&[&report, &raw[0]], &[]);
    assert_eq!(code, Some(2));
    assert!(
        error.contains("a printed report has lost what a sum needs"),
        "{error}"
    );
}

#[test]
fn many_files_read_at_once_are_the_same_sum_and_each_is_blamed_for_its_own() {
    let stats = |folder: &std::path::Path, format: &str| {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_bytecost"))
            .args(["stats", "--format", format])
            .arg(folder)
            .output()
            .unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout), text(output.stderr))
    };
    let folder = tempfile::tempdir().unwrap();
    let many = folder.path();
    let mut whole = counters("3.13.5-app-jit-3proc-1.txt");
    for number in 0..40 {
        let seed = number % 3 + 1;
        let seed = format!("3.13.5-app-jit-3proc-{seed}.txt");
        std::fs::write(many.join(format!("{number:02}.txt")), unpacked(&seed)).unwrap();
        if number > 0 {
            assert!(whole.merge(counters(&seed)));
        }
    }
    let expected: Vec<_> = shown(&Statistics::Counters(Box::new(whole)).tables());
    let (_, text, _) = stats(many, "markdown");
    assert_same(
        &shown(&of(dump::read("sum.md", text.as_bytes()).unwrap()).tables()),
        &expected,
    );

    // What is wrong with one of many is said of that one.
    std::fs::write(many.join("17.txt"), "hello\n").unwrap();
    let huge = format!("opcode[NOP].execution_count : {}\n", u64::MAX);
    std::fs::write(many.join("23.txt"), &huge).unwrap();
    std::fs::write(
        many.join("29.txt"),
        format!("{huge}opcode[NOP].execution_count : 1e3\n"),
    )
    .unwrap();
    let (_, text, _) = stats(many, "json");
    let document: serde_json::Value = serde_json::from_str(&text).unwrap();
    let notes: Vec<_> = document["notes"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|note| note.as_str())
        .collect();
    let of_file = |name: &str| notes.iter().filter(|note| note.contains(name)).count();
    assert_eq!(
        (
            of_file("17.txt: this text is none"),
            of_file("29.txt: line 2: the value")
        ),
        (1, 1),
        "{notes:#?}"
    );
    assert_eq!(
        of_file("29.txt: the sum of a counter has more than 64 bits"),
        1,
        "{notes:#?}"
    );
    std::fs::write(
        many.join("31.txt"),
        "opcode[LOAD_FAST_BORROW].execution_count : 1\n",
    )
    .unwrap();
    let (code, _, error) = stats(many, "text");
    assert_eq!(code, Some(2));
    assert!(
        error.contains("31.txt is of another version of CPython than the files before it"),
        "{error}"
    );
}
