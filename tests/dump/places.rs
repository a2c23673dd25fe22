//! Dumps with places in code against what the programs that wrote them, or other readers of the same
//! bytes, say of the same run.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use bytecost::dump::located::{Grain, Located};
use bytecost::dump::{self, Content, Dump, place};
use bytecost::profile::{Note, Profile, State};
use bytecost::store::import::{self, Check, Imported};

use crate::packed::fixture;
use crate::pythons;

fn read(name: &str) -> Dump {
    dump::read(name, &fixture(name)[..]).unwrap_or_else(|error| panic!("{error}"))
}

fn located(dump: &Dump) -> &Located {
    match &dump.content {
        Content::Located(located) => located,
        Content::Statistics(_) | Content::JitLog(_) => panic!("{} has places", dump.name),
    }
}

/// The programs that were profiled.
fn texts() -> BTreeMap<String, String> {
    let root = format!("{}/tests/fixtures/dump/app", env!("CARGO_MANIFEST_DIR"));
    let names: BTreeSet<String> = [
        "app.py",
        "spin.py",
        "tiny.py",
        "lp_tiny.py",
        "sight_tiny.py",
        "sight_app.py",
        "__init__.py",
        "feed.py",
        "models.py",
        "pricing.py",
        "report.py",
    ]
    .map(str::to_owned)
    .into();
    let texts = bytecost::store::texts::named(root.as_ref(), &names);
    assert_eq!(texts.len(), 11, "{:?}", texts.keys());
    texts
}

fn profile(name: &str) -> Profile {
    profile_of(&read(name))
}

fn profile_of(dump: &Dump) -> Profile {
    let texts = texts();
    let texts = texts
        .iter()
        .map(|(path, text)| (path.clone(), text.as_str()))
        .collect();
    place::profile(dump, located(dump), "/w/app", &texts, None)
}

/// Own time by line in ms, rounded.
fn own_ms(profile: &Profile, path: &str) -> BTreeMap<u32, f64> {
    let mut lines = BTreeMap::new();
    let file = profile
        .files
        .iter()
        .find(|file| file.path == path)
        .expect("the file is placed");
    for instruction in file.codes.iter().flat_map(|code| &code.instructions) {
        let line = instruction.position.unwrap().line;
        *lines.entry(line).or_default() += instruction.time.as_ref().map_or(0.0, |time| time.busy_ns) / 1e6;
    }
    lines.retain(|_, ms| *ms > 0.0);
    lines
}

fn notes(profile: &Profile) -> Vec<String> {
    profile.notes.iter().map(bytecost::explain::words::note).collect()
}

#[track_caller]
fn near(found: &BTreeMap<u32, f64>, expected: &[(u32, f64)], within: f64) {
    assert_eq!(
        found.keys().copied().collect::<Vec<_>>(),
        expected.iter().map(|(line, _)| *line).collect::<Vec<_>>()
    );
    for (line, ms) in expected {
        assert!(
            (found[line] - ms).abs() <= within,
            "line {line}: {} and not {ms}",
            found[line]
        );
    }
}

/// Sums that a reader in Python made of the same bytes.
#[test]
fn tachyon_binary_has_the_sums_of_another_reader() {
    let oracle: serde_json::Value = serde_json::from_slice(&fixture("tachyon/oracle.json")).unwrap();
    let oracle = oracle.as_object().unwrap();
    assert!(oracle.len() >= 7);
    for (name, expected) in oracle {
        let dump = read(&format!("tachyon/{name}"));
        assert_eq!(dump.problems, [""; 0], "{name}");
        let located = located(&dump);
        assert_eq!(located.python.as_deref(), Some("3.15.0"));
        assert_eq!(located.samples, expected["samples"].as_u64(), "{name}");
        let mut found: BTreeMap<String, (u64, f64)> = BTreeMap::new();
        for (place, fact) in &located.facts {
            let position = place.position.unwrap();
            let columns = position.columns.unwrap_or_default();
            let key = format!(
                "{}|{}|{}|{}|{}|{}|{}",
                place.path,
                place.function,
                position.line,
                position.end_line,
                columns.0,
                columns.1,
                place.opcode.as_deref().unwrap_or("-"),
            );
            if fact.own.samples > 0 {
                found.insert(key, (fact.own.samples, fact.own.busy_ns / 1e3));
            }
        }
        let rows = expected["rows"].as_object().unwrap();
        assert_eq!(found.len(), rows.len(), "{name}");
        for (key, row) in rows {
            let (samples, us) = found.get(key).unwrap_or_else(|| panic!("{name} has no {key}"));
            assert_eq!(
                (*samples, *us),
                (row[0].as_u64().unwrap(), row[1].as_f64().unwrap()),
                "{key}"
            );
        }
    }
}

#[test]
fn packed_and_plain_tachyon_say_the_same_of_a_loop() {
    for name in [
        "tachyon/3.15.0-spin-opcodes.tach",
        "tachyon/3.15.0-spin-opcodes-zstd.tach",
    ] {
        let profile = profile(name);
        let code = profile.files[0]
            .codes
            .iter()
            .find(|code| code.qualname == "spin")
            .unwrap();
        assert_eq!((code.qualname.as_str(), code.first_line), ("spin", 2));
        let of = |opcode: &str, line: u32| {
            code.instructions
                .iter()
                .filter(|found| found.opcode == opcode && found.position.unwrap().line == line)
                .map(|found| {
                    (
                        found.state,
                        found.site.as_ref().and_then(|site| site.form.clone()),
                    )
                })
                .collect::<Vec<_>>()
        };
        // `acc += data["k"] * i % 7`: subscript, product, remainder and sum.
        let binary = of("BINARY_OP", 6);
        assert!(binary.contains(&(State::Imported, None)), "{name}: {binary:?}");
        for form in [
            "BINARY_OP_SUBSCR_DICT",
            "BINARY_OP_MULTIPLY_INT",
            "BINARY_OP_ADD_INT",
        ] {
            assert!(
                binary.contains(&(State::Imported, Some(form.to_owned()))),
                "{name}: {binary:?}"
            );
        }
        assert_eq!(
            of("FOR_ITER", 5),
            [(State::Imported, Some("FOR_ITER_RANGE".to_owned()))]
        );
        let Some(Note::Imported {
            grain,
            specialization,
            ..
        }) = profile.notes.first()
        else {
            panic!("{:?}", profile.notes);
        };
        assert_eq!((grain.as_str(), *specialization), ("instructions", true));
    }
}

/// Every form of the same sampler, of runs of its own: the loop's line has most of the time in each.
#[test]
fn all_forms_of_tachyon_put_the_time_on_the_loop() {
    for (form, grain) in [
        ("opcodes.tach", Grain::Instruction),
        ("plain.tach", Grain::Expression),
        ("plain.jsonl", Grain::Expression),
        ("plain.collapsed", Grain::Line),
        ("plain.pstats", Grain::Line),
        ("plain.gecko", Grain::Expression),
        ("opcodes.gecko", Grain::Instruction),
    ] {
        let dump = read(&format!("tachyon/3.15.0-spin-{form}"));
        assert_eq!(located(&dump).grain, grain, "{form}");
        let own = own_ms(&profile_of(&dump), "spin.py");
        assert!(
            own.keys().all(|line| [5, 6, 10].contains(line)),
            "{form}: {own:?}"
        );
        let share = own[&6] / own.values().sum::<f64>();
        assert!((0.7..0.9).contains(&share), "{form}: {share}");
    }
    // What the collapsed form and pstats print themselves.
    let collapsed = own_ms(&profile("tachyon/3.15.0-spin-plain.collapsed"), "spin.py");
    near(&collapsed, &[(5, 68.0), (6, 343.0)], 0.0);
    let pstats = own_ms(&profile("tachyon/3.15.0-spin-plain.pstats"), "spin.py");
    near(&pstats, &[(5, 70.0), (6, 316.0)], 1e-6);
}

#[test]
fn markers_of_the_firefox_form_give_opcodes_to_the_samples_they_cover() {
    let profile = profile("tachyon/3.15.0-spin-opcodes.gecko");
    let forms: HashSet<_> = profile.files[0]
        .codes
        .iter()
        .flat_map(|code| &code.instructions)
        .filter_map(|found| found.site.as_ref()?.form.clone())
        .collect();
    assert!(
        forms.contains("BINARY_OP_ADD_INT") && forms.contains("FOR_ITER_RANGE"),
        "{forms:?}"
    );
}

/// It does not say where an expression ends: of several instructions that begin together none is chosen,
/// and the time stays on the line.
#[test]
fn the_firefox_form_keeps_the_time_of_what_compiled_code_cannot_tell_apart() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/dump/app");
    let path = root.join("../tachyon/3.15.0-spin-opcodes.gecko.gz");
    let Imported::Profile(profile) = import::import(&path, &root, Check::Compiled).unwrap() else {
        panic!("it has places");
    };
    let text = notes(&profile).join(" ");
    if text.contains("no interpreter of the dump's version is on PATH") {
        eprintln!("skipped: python3.15 is not on PATH");
        return;
    }
    assert!(
        text.contains("14 of 14 instructions placed, checked against what CPython 3.15."),
        "{text}"
    );
    // 70 samples of 403 are of line 5, the rest of line 6, as counting them in the file says.
    let own = own_ms(&profile, "spin.py");
    let share = own[&5] / (own[&5] + own[&6]);
    assert!((share - 70.0 / 403.0).abs() < 0.02, "{own:?}");
    // One function, however its places were found.
    let codes = &profile.files[0].codes;
    assert_eq!(codes.iter().filter(|code| code.qualname == "spin").count(), 1);
    let forms: HashSet<_> = codes
        .iter()
        .flat_map(|code| &code.instructions)
        .filter_map(|found| found.site.as_ref()?.form.clone())
        .collect();
    // One FOR_ITER begins where it does; three of the BINARY_OPs begin at the same place.
    assert!(
        forms.contains("FOR_ITER_RANGE") && !forms.contains("BINARY_OP_SUBSCR_DICT"),
        "{forms:?}"
    );
}

#[test]
fn every_instruction_that_bytesight_prints_is_counted_once() {
    for (version, name) in [
        ("3.11.7", "tiny-print"),
        ("3.13.15", "tiny-time"),
        ("3.14.8", "app-print"),
        ("3.15.0", "app-time"),
        ("3.11.7", "app-time"),
    ] {
        let file = format!("bytesight/{version}-{name}.txt");
        let text = String::from_utf8(fixture(&file)).unwrap();
        // Instructions by their only mark: words in brackets after a name in capitals.
        let is_instruction = |line: &&str| {
            let mut words = line
                .split_whitespace()
                .skip_while(|word| word.parse::<u32>().is_ok() || *word == ">>");
            !line.trim_start().starts_with("//")
                && words.next().is_some_and(|word| {
                    word.len() > 1 && word == word.to_uppercase() && word.contains(char::is_alphabetic)
                })
                && line.contains('(')
        };
        // Frames of code that has no file are left out, with theirs.
        let mut frames: Vec<bool> = Vec::new();
        let (mut expected, mut ns) = (0_u64, 0.0);
        for line in text.lines() {
            let trimmed = line.trim();
            if trimmed.starts_with("// =") && trimmed.contains('`') {
                frames.push(!trimmed.contains(" <"));
            } else if trimmed.starts_with("// ====") {
                frames.pop();
            } else if is_instruction(&line) && frames.last() == Some(&true) {
                expected += 1;
                if let Some((_, time)) = line.rsplit_once("// ") {
                    ns += time.trim_end_matches("ns").trim().parse::<f64>().unwrap();
                }
            }
        }
        let dump = read(&file);
        assert_eq!(dump.problems, [""; 0], "{file}");
        let located = located(&dump);
        let found: u64 = located
            .facts
            .iter()
            .map(|(_, fact)| fact.executions.unwrap())
            .sum();
        assert_eq!(found, expected, "{file}");
        assert!(expected > 20);
        let found_ns: f64 = located.facts.iter().map(|(_, fact)| fact.own.busy_ns).sum();
        assert!(
            (found_ns - ns).abs() < 1e-6 * ns.max(1.0),
            "{file}: {found_ns} and not {ns}"
        );
        assert_eq!(located.has_times, name.ends_with("time"));
        let profile = profile_of(&dump);
        let placed: u64 = profile
            .files
            .iter()
            .flat_map(|file| &file.codes)
            .flat_map(|code| &code.instructions)
            .filter_map(|instruction| instruction.executions)
            .sum();
        assert_eq!(placed, expected, "{file}: {:?}", notes(&profile));
    }
}

/// Lines by offset are those that 3.11 prints at the first instruction of each only.
#[test]
fn bytesight_of_3_11_has_the_lines_of_later_versions() {
    let lines = |name: &str| {
        let profile = profile(name);
        let file = profile
            .files
            .iter()
            .find(|file| file.path == "sight_tiny.py")
            .unwrap();
        let mut lines: Vec<_> = file.codes[0]
            .instructions
            .iter()
            .map(|instruction| instruction.position.unwrap().line)
            .collect();
        lines.sort_unstable();
        lines.dedup();
        lines
    };
    let of_311 = lines("bytesight/3.11.7-tiny-print.txt");
    assert_eq!(of_311, lines("bytesight/3.13.15-tiny-time.txt"));
    assert_eq!(of_311, [8, 9, 10, 11, 13, 14]);
}

#[test]
fn a_text_that_changed_is_not_shown() {
    let dump = read("bytesight/3.13.15-tiny-time.txt");
    let mut texts = texts();
    let text = texts["sight_tiny.py"].replace("total = 0", "total = 1");
    assert_ne!(text, texts["sight_tiny.py"]);
    texts.insert("sight_tiny.py".to_owned(), text);
    let texts = texts
        .iter()
        .map(|(path, text)| (path.clone(), text.as_str()))
        .collect();
    let profile = place::profile(&dump, located(&dump), "/w/app", &texts, None);
    let said = notes(&profile);
    assert!(said.iter().any(|note| note.contains("2 do not fit")), "{said:?}");
    let lines: HashSet<_> = profile.files[0].codes[0]
        .instructions
        .iter()
        .map(|found| found.position.unwrap().line)
        .collect();
    assert!(!lines.contains(&8) && lines.contains(&9), "{lines:?}");
}

/// Each instruction with an opcode is looked for in what an interpreter of the dump's version compiles.
#[test]
fn opcodes_are_checked_against_compiled_code() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/dump/app");
    for (name, minor) in [
        ("tachyon/3.15.0-spin-opcodes.tach", "3.15"),
        ("tachyon/3.15.0-app-opcodes.tach", "3.15"),
        ("bytesight/3.11.7-app-time.txt", "3.11"),
        ("bytesight/3.13.15-tiny-time.txt", "3.13"),
        ("bytesight/3.14.8-app-print.txt", "3.14"),
        ("bytesight/3.15.0-app-time.txt", "3.15"),
    ] {
        if !pythons::pythons().iter().any(|(found, _)| *found == minor) {
            continue;
        }
        let path = format!("{}/tests/fixtures/dump/{name}.gz", env!("CARGO_MANIFEST_DIR"));
        let Imported::Profile(profile) = import::import(path.as_ref(), &root, Check::Compiled).unwrap()
        else {
            panic!("{name} has places");
        };
        let said = notes(&profile).join(" ");
        let text_only = said.contains("no interpreter of the dump's version is on PATH");
        if text_only {
            eprintln!("skipped: python{minor} is not on PATH");
            continue;
        }
        assert!(
            said.contains("instructions placed, checked against what CPython 3."),
            "{name}: {said}"
        );
        assert!(!said.contains("fit and"), "{name}: all of them fit: {said}");
        // What `dis` says of the same code is what is shown: offsets rise, positions are the compiler's.
        for code in profile.files.iter().flat_map(|file| &file.codes) {
            let offsets: Vec<_> = code.instructions.iter().map(|one| one.offset).collect();
            assert!(offsets.is_sorted_by(|a, b| a < b), "{name}: {offsets:?}");
        }
    }
}

/// A line that came in above moves every position: nothing of the function is shown where it was.
#[test]
fn instructions_of_a_source_that_moved_are_counted_and_not_shown() {
    if !pythons::pythons().iter().any(|(found, _)| *found == "3.15") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let old = std::fs::read_to_string(
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/dump/app/spin.py"),
    )
    .unwrap();
    std::fs::write(folder.path().join("spin.py"), format!("import os\n\n\n{old}")).unwrap();
    let path = format!(
        "{}/tests/fixtures/dump/tachyon/3.15.0-spin-opcodes.tach.gz",
        env!("CARGO_MANIFEST_DIR")
    );
    let Imported::Profile(profile) = import::import(path.as_ref(), folder.path(), Check::Compiled).unwrap()
    else {
        panic!("it has places");
    };
    let said = notes(&profile).join(" ");
    assert!(said.contains("do not fit and are not shown"), "{said}");
    assert!(
        profile
            .files
            .iter()
            .flat_map(|file| &file.codes)
            .all(|code| code.qualname != "spin"),
        "nothing of it fits"
    );
}

/// Against what `pstats` prints of the same file.
#[test]
fn cprofile_marks_first_lines_with_calls_and_times() {
    let profile = profile("others/cprofile-3.11.7-tiny.pstats");
    let code = profile.files[0]
        .codes
        .iter()
        .find(|code| code.qualname == "scale")
        .unwrap();
    // `python -m pstats` of the file: calls, own and cumulative time in s.
    let (calls, own, total) = (1, 0.000_487_51, 0.000_487_51);
    assert_eq!(code.calls, Some(calls));
    assert_eq!(code.first_line, 2);
    assert!((code.instructions[0].time.as_ref().unwrap().busy_ns - own * 1e9).abs() < 1.0);
    assert!((code.total.unwrap().busy_ns - total * 1e9).abs() < 1.0);
    assert!(notes(&profile).iter().any(|note| note.contains("functions only")));
    // `print`, `sum`, `split` and `exec` are C functions: the first three are the module's.
    let module = profile.files[0]
        .codes
        .iter()
        .find(|code| code.qualname == "<module>")
        .unwrap();
    let own = 0.000_200_046 + 16.347e-6 + 5.699e-6 + 0.582e-6;
    assert!((module.instructions[0].time.as_ref().unwrap().busy_ns - own * 1e9).abs() < 1.0);
}

#[test]
fn line_profiler_has_hits_and_times_of_lines() {
    let profile = profile("others/line_profiler-5.1.0-tiny.txt");
    near(
        &own_ms(&profile, "lp_tiny.py"),
        &[
            (7, 0.0004),
            (8, 0.1879),
            (9, 0.2378),
            (10, 0.2153),
            (12, 0.0358),
            (13, 0.0002),
        ],
        1e-9,
    );
    let hits: Vec<_> = profile.files[0].codes[0]
        .instructions
        .iter()
        .map(|found| found.executions.unwrap())
        .collect();
    assert_eq!(hits, [1, 2001, 2000, 1800, 200, 1]);
    // The same run as it is saved, not rounded.
    let saved = self::profile("others/line_profiler-5.1.0-tiny.lprof");
    near(
        &own_ms(&saved, "lp_tiny.py"),
        &[
            (7, 0.000_432),
            (8, 0.187_870),
            (9, 0.237_758),
            (10, 0.215_338),
            (12, 0.035_774),
            (13, 0.000_2),
        ],
        1e-9,
    );
    let app = self::profile("others/line_profiler-5.1.0-app.lprof");
    assert!(app.files.len() >= 2, "{:?}", notes(&app));
}

/// Austin's own tool made the text of the binary.
#[test]
fn austin_binary_has_the_sums_of_its_text() {
    for (name, path) in [("spin", "spin.py"), ("app", "shop/feed.py")] {
        let binary = read(&format!("others/austin-4.0.0-{name}.mojo"));
        let text = read(&format!("others/austin-4.0.0-{name}.austin.txt"));
        assert_eq!(binary.problems, [""; 0]);
        assert_eq!(text.problems, [""; 0]);
        let all = |dump: &Dump| located(dump).all.busy_ns + located(dump).all.waiting_ns;
        assert!(
            (all(&binary) - all(&text)).abs() < 1.0,
            "{name}: {} and {}",
            all(&binary),
            all(&text)
        );
        let text = own_ms(&profile_of(&text), path);
        let expected: Vec<_> = text.into_iter().collect();
        near(&own_ms(&profile_of(&binary), path), &expected, 1e-6);
    }
}

#[test]
fn py_spy_has_its_samples_on_its_lines() {
    let raw = profile("others/pyspy-0.4.3-3.11-spin.raw");
    near(&own_ms(&raw, "spin.py"), &[(5, 38.0), (6, 119.0)], 0.0);
    let scope = own_ms(
        &profile("others/pyspy-0.4.3-3.11-spin.speedscope.json"),
        "spin.py",
    );
    assert!(
        scope[&6] > scope[&5] && scope.keys().all(|line| [5, 6, 10].contains(line)),
        "{scope:?}"
    );
    let functions = profile("others/pyspy-0.4.3-3.11-app-function.raw");
    assert!(
        notes(&functions)
            .iter()
            .any(|note| note.contains("functions only")),
        "{:?}",
        notes(&functions)
    );
    assert_eq!(
        located(&read("others/pyspy-0.4.3-3.11-app-subprocess-threads.raw")).grain,
        Grain::Line
    );
}

#[test]
fn scalene_and_pyinstrument_have_their_parts_of_the_run() {
    let scalene = own_ms(&profile("others/scalene-2.4.0-spin-cpu.json"), "spin.py");
    let half = 0.696_625_709_533_691_4 * (28.448_798_016_983 + 21.540_547_374_120_884) * 10.0;
    near(&scalene, &[(5, half), (6, half)], 0.01);
    let tree = profile("others/pyinstrument-5.1.3-spin.json");
    near(&own_ms(&tree, "spin.py"), &[(2, 1164.006)], 1e-6);
    let session = read("others/pyinstrument-5.1.3-app.pyisession");
    let document: serde_json::Value =
        serde_json::from_slice(&fixture("others/pyinstrument-5.1.3-app.pyisession")).unwrap();
    let sum: f64 = document["frame_records"]
        .as_array()
        .unwrap()
        .iter()
        .map(|record| record[1].as_f64().unwrap())
        .sum();
    assert!((located(&session).all.busy_ns - sum * 1e9).abs() < 10.0);
}

#[test]
fn damage_is_told_with_its_place_and_the_rest_is_kept() {
    let tachyon = fixture("tachyon/3.15.0-spin-opcodes.tach");
    let error = |bytes: &[u8]| dump::read("x", bytes).unwrap_err().to_string();
    assert_eq!(
        error(&tachyon[..5000]),
        "x: offset 5000: the file is cut: the names of its frames are missing"
    );
    assert_eq!(
        error(&[0; 3000]),
        "x: offset 0: the sampler did not finish this file: its header is missing"
    );
    let mut broken = tachyon.clone();
    broken[4] = 9;
    assert_eq!(
        error(&broken),
        "x: offset 4: version 9 of this format is not known, only 1 is"
    );
    let mut broken = tachyon.clone();
    // The kind of the second record.
    broken[64 + 12] = 77;
    let dump = dump::read("x", &broken[..]).unwrap();
    assert!(
        dump.problems
            .iter()
            .any(|said| said == "offset 64: the samples are damaged from here on")
    );

    let pickle = error(&fixture("others/line_profiler-hostile-pickle.lprof"));
    assert!(
        pickle.contains("it names posix.system. It was not unpickled"),
        "{pickle}"
    );
    let cut = dump::read("x", &fixture("others/cprofile-3.11.7-tiny.pstats")[..400]).unwrap();
    assert_eq!(
        cut.problems,
        ["offset 324: the file is cut here; what comes before is kept"]
    );
    assert!(!located(&cut).facts.is_empty());
    // A code object in a dictionary is not decoded.
    let code = error(b"\xfb(\x01\x00\x00\x00c\x00\x00\x00\x00");
    assert_eq!(
        code,
        "x: no function of a file could be read; offset 1: it holds a value of type 0x00, which is not read; what comes before is kept"
    );
    let austin = fixture("others/austin-4.0.0-app.mojo");
    let cut = dump::read("x", &austin[..20_001]).unwrap();
    assert!(
        cut.problems[0].ends_with("what comes before is kept"),
        "{:?}",
        cut.problems
    );
    assert!(located(&cut).all.busy_ns > 0.0);
}

/// No byte of any sample can make a reader panic, hang or take memory that the file does not pay for.
#[test]
fn cut_and_changed_files_never_panic() {
    let mut state = 0x9e37_79b9_u64;
    let mut random = move |below: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % below
    };
    for name in [
        "tachyon/3.15.0-spin-opcodes.tach",
        "tachyon/3.15.0-spin-opcodes-zstd.tach",
        "tachyon/3.15.0-spin-plain.jsonl",
        "tachyon/3.15.0-spin-plain.pstats",
        "tachyon/3.15.0-spin-plain.gecko",
        "others/cprofile-3.11.7-tiny.pstats",
        "others/austin-4.0.0-spin.mojo",
        "others/line_profiler-5.1.0-tiny.txt",
        "others/line_profiler-5.1.0-app.lprof",
        "others/pyinstrument-5.1.3-spin.json",
        "bytesight/3.13.15-tiny-time.txt",
    ] {
        let good = fixture(name);
        let mut read = 0;
        for round in 0..60 {
            let mut bytes = good.clone();
            if round % 3 == 0 {
                bytes.truncate(random(bytes.len()));
            }
            for _ in 0..=random(8) {
                if !bytes.is_empty() {
                    let at = random(bytes.len());
                    bytes[at] = u8::try_from(random(256)).unwrap();
                }
            }
            if let Ok(dump) = dump::read(name, &bytes[..])
                && let Content::Located(located) = &dump.content
            {
                read += 1;
                assert!(located.all.busy_ns.is_finite());
                let texts = texts();
                if round % 10 == 0 {
                    let texts = texts
                        .iter()
                        .map(|(path, text)| (path.clone(), text.as_str()))
                        .collect();
                    let placed = place::profile(&dump, located, "/w/app", &texts, None);
                    assert!(!placed.notes.is_empty());
                }
            }
        }
        assert!(
            read > 0 || name.ends_with("gecko") || name.ends_with("json"),
            "{name}: none could be read"
        );
    }
}
