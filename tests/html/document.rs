//! The document by itself: well formed, alone, and safe whatever a profile says.

use std::path::Path;
use std::process::Command;

use bytecost::profile::State;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::profiles::{self, Fixture};
use crate::support::{binary, pythons};
use crate::{embedded, hostile, render, two_files};

/// What an independent parser finds wrong with a document.
fn wrong(python: &Path, page: &str) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("report.html");
    std::fs::write(&path, page).expect("written");
    let output = Command::new(python)
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/html/document.py"))
        .arg(path)
        .output()
        .expect("it starts");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).expect("UTF-8").trim().to_owned()
}

fn every_kind() -> Vec<(&'static str, Fixture)> {
    let mut stale = profiles::kern();
    stale.profile.files[0].digest = "0".repeat(64);
    let mut empty = profiles::kern();
    empty.profile.files.clear();
    empty.profile.passes.clear();
    vec![
        ("findings", profiles::kern()),
        ("uncounted", profiles::kern().uncounted()),
        ("two files", two_files()),
        ("stale", stale),
        ("empty", empty),
        ("hostile", hostile()),
    ]
}

#[test]
fn it_is_well_formed_and_points_nowhere() {
    let pythons = pythons::native_pythons("reading the document");
    let Some((_, python)) = pythons.last() else { return };
    for (name, fixture) in every_kind() {
        assert_eq!(wrong(python, &render(&fixture)), "", "{name}");
    }
    // The parser does see what is wrong.
    let page = render(&profiles::kern());
    for (from, to) in [
        ("<h1", "<img src=http://a.b/c.png><h1"),
        ("</nav>", ""),
        ("<body>", "<body onload=alert(1)>"),
        ("<main>", "<main>\u{202e}"),
        ("<style>", "<style>@import 'x';"),
    ] {
        assert_ne!(wrong(python, &page.replace(from, to)), "", "{to}");
    }
}

#[test]
fn its_policy_admits_its_own_script_and_style_only() {
    let page = render(&profiles::kern());
    let between = |start: &str, end: &str| {
        let (_, rest) = page.split_once(start).expect(start);
        rest.split_once(end).expect(end).0
    };
    let policy = between("http-equiv=\"Content-Security-Policy\" content=\"", "\"");
    assert!(policy.starts_with("default-src 'none'; "), "{policy}");
    assert!(!policy.contains("unsafe") && !policy.contains("http"), "{policy}");
    for (directive, text) in [
        ("script-src", between("<script type=\"module\">", "</script>")),
        ("style-src", between("<style>", "</style>")),
    ] {
        let hash = Sha256::digest(text.as_bytes());
        let (_, rest) = policy
            .split_once(&format!("{directive} 'sha256-"))
            .expect(directive);
        let encoded = rest.split_once('\'').expect("its end").0;
        assert_eq!(decoded(encoded), hash.as_slice(), "{directive}");
    }
}

/// Base64 back to bytes.
fn decoded(text: &str) -> Vec<u8> {
    let digit = |c: u8| match c {
        b'A'..=b'Z' => c - b'A',
        b'a'..=b'z' => c - b'a' + 26,
        b'0'..=b'9' => c - b'0' + 52,
        b'+' => 62,
        _ => 63,
    };
    let bits: Vec<u8> = text
        .trim_end_matches('=')
        .bytes()
        .flat_map(|c| (0..6).rev().map(move |bit| digit(c) >> bit & 1))
        .collect();
    bits.chunks_exact(8)
        .map(|byte| byte.iter().fold(0, |sum, bit| sum << 1 | bit))
        .collect()
}

#[test]
fn nothing_of_a_profile_is_markup() {
    let page = render(&hostile());
    let data = embedded::text(&page);
    assert!(!data.contains(['<', '>', '&']), "the data ends its element");
    let data = embedded::data(&page);
    let file = &data["files"][0];
    // The text is all there, letter for letter, but for what steers.
    let path = file["path"].as_str().unwrap();
    assert_eq!(path, format!("{}·····[31m ·  ·.py", crate::ATTACK));
    let line = file["source"][1].as_str().unwrap();
    assert!(line.starts_with("\treturn x % 7 + '</script>"), "{line}");
    assert!(
        page.contains("&lt;/script&gt;&lt;/title&gt;"),
        "the title and notes are escaped"
    );
    assert!(!page.contains("<img"), "an element was made");
}

#[test]
fn the_same_profile_gives_the_same_document() {
    assert_eq!(render(&two_files()), render(&two_files()));
}

#[test]
fn lines_without_their_text_keep_their_numbers() {
    let mut fixture = profiles::kern();
    fixture.profile.files[0].digest = "0".repeat(64);
    let page = render(&fixture);
    let data = embedded::data(&page);
    let file = &data["files"][0];
    assert_eq!(
        (&file["source"], &file["stale"]),
        (&Value::Null, &Value::Bool(true))
    );
    let full = embedded::data(&render(&profiles::kern()));
    assert_eq!(
        file["lines"]["executions"],
        full["files"][0]["lines"]["executions"]
    );
    assert!(
        file["sites"]["range"]
            .as_array()
            .unwrap()
            .iter()
            .all(Value::is_null)
    );
    assert!(page.contains("kern.py is not the text that was measured"));
}

#[test]
fn a_wrong_profile_does_not_panic() {
    let mut fixture = profiles::kern();
    for code in &mut fixture.profile.files[0].codes {
        code.first_line = u32::MAX;
        for (nth, instruction) in code.instructions.iter_mut().enumerate() {
            instruction.executions = Some(u64::MAX);
            instruction.state = [State::Instrumented, State::Polymorphic][nth % 2];
            if let Some(position) = &mut instruction.position {
                position.columns = Some((u32::MAX, 0));
                position.end_line = [0, u32::MAX][nth % 2];
            }
        }
    }
    embedded::data(&render(&fixture));
}

#[test]
fn the_program_writes_it() {
    let pythons = pythons::native_pythons("running an example");
    let Some((_, python)) = pythons.last() else { return };
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/nbody.py");
    let target = format!("{}::pairs", example.display());
    let run = |more: &[&str]| {
        let (_keep, folder) = binary::project();
        let mut command = binary::bytecost(&folder);
        command.args([
            "run",
            "--quiet",
            "--calls",
            "1",
            "--call",
            "pairs(make_bodies())",
            "--format",
            "html",
        ]);
        command.arg("--python").arg(python).args(more).arg(&target);
        let ended = binary::end(&mut command, None);
        let written = std::fs::read_to_string(folder.join("report.html")).ok();
        (ended, written)
    };
    let (ended, written) = run(&["-o", "report.html"]);
    assert_eq!((ended.status, ended.out().as_str()), (0, ""), "{}", ended.err());
    let written = written.expect("the report");
    assert_eq!(wrong(python, &written), "");
    let source = std::fs::read_to_string(&example).expect("the example");
    let shown = &embedded::data(&written)["files"][0]["source"];
    assert_eq!(*shown, source.lines().collect::<Value>());
    let (ended, written) = run(&[]);
    assert_eq!((ended.status, written), (0, None), "{}", ended.err());
    assert!(ended.out().starts_with("<!doctype html>"), "{}", ended.out());
}

/// A report that is thrown away leaves the device there, and a pipe gets it.
#[test]
#[cfg(unix)]
fn what_is_no_file_is_written_to_and_not_replaced() {
    let pythons = pythons::native_pythons("running a script");
    let Some((_, python)) = pythons.last() else { return };
    let (_keep, folder) = binary::project();
    std::fs::write(folder.join("a.py"), "print(7)\n").expect("written");
    // Links, so that the machine's own devices stay whole should this fail.
    for (link, device) in [("nowhere", "/dev/null"), ("out", "/dev/stdout")] {
        let link = folder.join(link);
        std::os::unix::fs::symlink(device, &link).expect("a link");
        let mut command = binary::bytecost(&folder);
        command.args(["run", "--quiet", "--format", "html", "a.py", "--python"]);
        command
            .arg(python)
            .arg("-o")
            .arg(&link)
            .stdout(std::process::Stdio::piped());
        let output = command.output().expect("it starts");
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        assert!(link.is_symlink(), "{device} was replaced");
        let said = String::from_utf8_lossy(&output.stdout);
        assert_eq!(
            said.contains("<!doctype html>"),
            device == "/dev/stdout",
            "{device}"
        );
    }
}

/// On a terminal it says where else it can go, before anything runs.
#[test]
#[cfg(target_os = "linux")]
fn it_is_not_for_a_terminal() {
    let (_keep, folder) = binary::project();
    std::fs::write(folder.join("a.py"), "open('ran', 'w')\n").expect("written");
    // util-linux' script runs a command on a terminal of its own.
    let mut command = binary::apart(Command::new("script"), &folder);
    let program = env!("CARGO_BIN_EXE_bytecost");
    command.args(["-qec", &format!("{program} run --format html a.py"), "/dev/null"]);
    let ended = binary::end(&mut command, None);
    assert_eq!(ended.status, 2, "{}", ended.out());
    assert!(ended.out().contains("-o report.html"), "{}", ended.out());
    assert!(!folder.join("ran").exists());
}
