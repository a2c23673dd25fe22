//! The two documents others may rely on, and their schemas.
//!
//! `BYTECOST_BLESS=1` writes the schema files from the types.

#[path = "support/profiles.rs"]
#[allow(dead_code)] // Each test binary uses its part.
mod profiles;

use std::path::Path;

use bytecost::attribute::attribute;
use bytecost::present::json;
use bytecost::profile::{Note, Outcome, saved};
use profiles::{Fixture, kern};
use serde_json::Value;

fn assert_on_disk(name: &str, schema: &Value) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas").join(name);
    let expected = serde_json::to_string_pretty(schema).unwrap() + "\n";
    if std::env::var_os("BYTECOST_BLESS").is_some() {
        std::fs::write(&path, &expected).unwrap();
    }
    let found = std::fs::read_to_string(&path)
        .unwrap_or_default()
        .replace("\r\n", "\n");
    assert!(
        found == expected,
        "{name} is not what the types say; BYTECOST_BLESS=1 rewrites it"
    );
}

fn errors(schema: &Value, document: &Value) -> Vec<String> {
    let validator = jsonschema::validator_for(schema).unwrap();
    validator
        .iter_errors(document)
        .map(|error| format!("{}: {error}", error.instance_path))
        .collect()
}

fn fixtures() -> [Fixture; 3] {
    let mut partial = kern().note(Note::Threads { threads: 2 }).note(Note::Children);
    partial.profile.passes[1].outcome = Outcome::TimedOut { seconds: 0.5 };
    partial.profile.files[0].codes[3].withheld = true;
    [kern(), kern().uncounted(), partial]
}

fn report(fixture: &Fixture) -> Value {
    let costs = attribute(&fixture.profile, &|path| fixture.text(path));
    serde_json::from_str(&json::to_string(&json::report(
        &fixture.profile,
        &costs,
        &std::collections::BTreeMap::new(),
    )))
    .unwrap()
}

#[test]
fn the_files_are_what_the_types_say() {
    assert_on_disk("report.schema.json", &json::schema());
    assert_on_disk("profile.schema.json", &saved::schema());
}

#[test]
fn documents_match_their_schemas() {
    for fixture in fixtures() {
        let none: Vec<String> = Vec::new();
        assert_eq!(errors(&json::schema(), &report(&fixture)), none);
        let document = serde_json::from_str(&saved::to_string(&fixture.profile)).unwrap();
        assert_eq!(errors(&saved::schema(), &document), none);
    }
}

#[test]
fn schemas_refuse_other_documents() {
    let mut document = report(&kern());
    document["files"][0]["lines"][0]
        .as_object_mut()
        .unwrap()
        .remove("executions");
    document["version"] = 2.into();
    assert_eq!(errors(&json::schema(), &document).len(), 2);
    let mut document: Value = serde_json::from_str(&saved::to_string(&kern().profile)).unwrap();
    document["profile"]["files"][0]["codes"][0]["instructions"][0]["state"] = "warm".into();
    assert_eq!(errors(&saved::schema(), &document).len(), 1);
}

#[test]
fn a_line_of_the_report() {
    let report = report(&kern());
    let lines = report["files"][0]["lines"].as_array().unwrap();
    let line = lines.iter().find(|line| line["line"] == 26).unwrap();
    insta::assert_snapshot!(serde_json::to_string_pretty(line).unwrap());
}

#[test]
fn the_head_of_the_report() {
    let mut report = report(&fixtures()[2]);
    let file = report["files"][0].as_object_mut().unwrap();
    file.insert("lines".to_owned(), Value::Array(Vec::new()));
    file["functions"].as_array_mut().unwrap().drain(..3);
    insta::assert_snapshot!(serde_json::to_string_pretty(&report).unwrap());
}

/// Numbers of the contract hold in the document, not only in memory.
#[test]
fn every_line_adds_up() {
    for fixture in &fixtures()[..1] {
        let report = report(fixture);
        for line in report["files"][0]["lines"].as_array().unwrap() {
            let number = |key: &str| line[key].as_u64().unwrap();
            let parts = number("basic") + number("hits") + number("misses") + number("deferred");
            assert_eq!(parts, number("instructions"));
            let sites = line["sites"].as_array().unwrap();
            let of_sites: u64 = sites
                .iter()
                .map(|site| site["executions"].as_u64().unwrap())
                .sum();
            assert_eq!(of_sites, parts);
        }
    }
}
