//! Saved profiles: what is written is read back, what is not ours is refused with a reason.

#[path = "support/profiles.rs"]
#[allow(dead_code)] // Each test binary uses its part.
mod profiles;

use std::fs;
use std::path::Path;

use bytecost::profile::saved::{self, Error};
use bytecost::store;
use profiles::kern;

#[test]
fn a_saved_profile_comes_back_whole() {
    let mut profile = kern().profile;
    profile.files[0].text = Some("é\u{0}\u{1b}\u{2028}".to_owned());
    let folder = tempfile::tempdir().unwrap();
    let path = store::save(folder.path(), &profile).unwrap();
    assert_eq!(store::load(&path).unwrap(), profile);
    assert_eq!(
        fs::read_to_string(folder.path().join(".bytecost/.gitignore")).unwrap(),
        "*\n"
    );
}

#[test]
fn saving_replaces_and_leaves_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let mut profile = kern().profile;
    store::save(folder.path(), &profile).unwrap();
    fs::write(folder.path().join(".bytecost/.gitignore"), "mine\n").unwrap();
    profile.passes.clear();
    let path = store::save(folder.path(), &profile).unwrap();
    assert_eq!(store::load(&path).unwrap(), profile);
    let mut names: Vec<_> = fs::read_dir(folder.path().join(".bytecost"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, [".gitignore", path.file_name().unwrap().to_str().unwrap()]);
    assert_eq!(
        fs::read_to_string(folder.path().join(".bytecost/.gitignore")).unwrap(),
        "mine\n"
    );
}

#[test]
fn a_failed_write_leaves_the_old_file() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("taken")).unwrap();
    fs::write(folder.path().join("taken/file"), "old").unwrap();
    let error = store::write_atomically(&folder.path().join("taken"), b"new").unwrap_err();
    assert!(error.to_string().starts_with("cannot write "), "{error}");
    assert_eq!(
        fs::read_to_string(folder.path().join("taken/file")).unwrap(),
        "old"
    );
    assert_eq!(
        fs::read_dir(folder.path()).unwrap().count(),
        1,
        "no temporary file stays"
    );
}

#[test]
fn each_target_has_its_own_file_inside_the_folder() {
    let targets = [
        "kern.py::advance",
        "kern.py::Advance",
        "kern.py:advance",
        "../../etc/passwd",
        "/abs/kern.py",
        "pytest:tests/test_x.py::test_y[a/b]",
        "",
        "..",
        "数",
        &"long/".repeat(200),
    ];
    let mut names: Vec<String> = Vec::new();
    for target in targets {
        let path = store::path(Path::new("root"), target);
        assert_eq!(path.parent(), Some(Path::new("root/.bytecost")), "{target}");
        let name = path.file_name().unwrap().to_str().unwrap().to_lowercase();
        assert!(name.len() <= 100 && !name.starts_with('.'), "{name}");
        assert!(
            name.chars()
                .all(|c| c.is_ascii_alphanumeric() || "._~-".contains(c)),
            "{name}"
        );
        assert!(!names.contains(&name), "{name} twice");
        names.push(name);
    }
    assert!(names[0].starts_with("kern.py-advance~"), "{}", names[0]);
}

#[test]
fn what_is_not_a_saved_profile_is_refused_with_the_reason() {
    let good = saved::to_string(&kern().profile);
    let refused = |text: &str| saved::from_slice(text.as_bytes()).unwrap_err();
    for text in ["", "nonsense", &good[..good.len() / 2], "\u{0}"] {
        assert!(
            matches!(refused(text), Error::NotJson { .. }),
            "{text:.20}: {:?}",
            refused(text)
        );
    }
    for text in [
        "{}",
        "[]",
        "3",
        "null",
        r#"{"format": "other", "version": 1}"#,
        r#"{"format": 1}"#,
    ] {
        assert!(
            matches!(refused(text), Error::NotOurs),
            "{text}: {:?}",
            refused(text)
        );
    }
    let newer = good.replacen("\"version\":1", "\"version\":7,\"else\":1", 1);
    assert_eq!(
        refused(&newer).to_string(),
        "this profile has format version 7; this bytecost reads up to 1"
    );
    for (old, new) in [
        ("\"version\":1", "\"version\":0"),
        ("\"version\":1", "\"version\":\"1\""),
        ("\"state\":\"basic\"", "\"state\":\"warm\""),
        ("\"executions\":1", "\"executions\":-1"),
        ("\"profile\":{", "\"profile\":[],\"else\":{"),
    ] {
        let text = good.replacen(old, new, 1);
        assert_ne!(text, good);
        assert!(
            matches!(refused(&text), Error::Damaged(_)),
            "{new}: {:?}",
            refused(&text)
        );
    }
    assert!(saved::from_slice(b"\xff\xfe{").is_err());
}

#[test]
fn fields_of_a_later_build_are_passed_over() {
    let text = saved::to_string(&kern().profile).replacen(
        "\"profile\":{",
        "\"more\":[1],\"profile\":{\"new\":2,",
        1,
    );
    assert_eq!(saved::from_slice(text.as_bytes()).unwrap(), kern().profile);
}

#[test]
fn what_is_no_file_is_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    assert!(matches!(
        store::load(folder.path()),
        Err(store::Error::NotAFile { .. })
    ));
    assert!(matches!(
        store::load(&folder.path().join("none")),
        Err(store::Error::Io { what: "read", .. })
    ));
    fs::write(folder.path().join("x"), "{}").unwrap();
    let error = store::load(&folder.path().join("x")).unwrap_err().to_string();
    assert!(
        error.ends_with("x: this is not a profile that bytecost saved"),
        "{error}"
    );
}
