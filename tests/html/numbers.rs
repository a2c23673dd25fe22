//! The numbers of a page are those of the JSON report on the same run.

use std::collections::BTreeMap;
use std::path::Path;

use bytecost::attribute::attribute;
use bytecost::explain::{Thresholds, findings, sentences, words};
use bytecost::present::{html, json};
use bytecost::profile::{Profile, State};
use serde_json::{Value, json};

use crate::embedded;
use crate::support::{self, pythons};

/// The shipped examples and the calls in their comments.
const EXAMPLES: [&str; 5] = [
    "nbody.py",
    "jsonish.py",
    "pipeline.py",
    "simulation.py",
    "tokenizer.py",
];

/// What both forms of a report say, out of the JSON report.
fn said(report: &Value) -> Value {
    let pick = |value: &Value, fields: &[&str]| -> serde_json::Map<String, Value> {
        fields
            .iter()
            .map(|field| ((*field).to_owned(), value[*field].clone()))
            .collect()
    };
    let site = |site: &Value| {
        let fields = [
            "function",
            "function_line",
            "offset",
            "opcode",
            "argument",
            "executions",
            "misses",
            "misses_at_least",
            "deferred",
        ];
        let mut picked = pick(site, &fields);
        let opcode = site["opcode"].as_str().expect("a name");
        let form = site["specialized"]
            .as_str()
            .map(|form| sentences::form(opcode, form));
        let state: State = serde_json::from_value(site["state"].clone()).expect("a state");
        picked.insert("form".to_owned(), json!(form));
        picked.insert("state".to_owned(), json!(words::state(state)));
        Value::Object(picked)
    };
    let line = |line: &Value| {
        let mut picked = pick(line, &["line", "executions", "instructions", "instruction_share"]);
        let sites = line["sites"].as_array().expect("sites");
        picked.insert("sites".to_owned(), sites.iter().map(site).collect());
        Value::Object(picked)
    };
    let files = report["files"].as_array().expect("files").iter().map(|file| {
        let functions = file["functions"].as_array().expect("functions");
        let fields = ["qualname", "line", "calls", "instructions", "instruction_share"];
        json!({
            "path": file["path"],
            "functions": functions.iter().map(|one| Value::Object(pick(one, &fields))).collect::<Value>(),
            "lines": file["lines"].as_array().expect("lines").iter().map(line).collect::<Value>(),
        })
    });
    files.collect()
}

fn check(profile: &Profile, what: &str) {
    let text = |path: &str| std::fs::read_to_string(Path::new(&profile.root).join(path)).ok();
    let costs = attribute(profile, &text);
    let report = json::to_string(&json::report(profile, &costs, &BTreeMap::new()));
    let report: Value = serde_json::from_str(&report).expect("the report is JSON");
    let page = html::render(profile, &costs, &Thresholds::default());
    let data = embedded::data(&page);
    let (shown, wanted) = (embedded::files(&data), said(&report));
    // Compared a line at a time: whole files do not read well.
    for (shown, wanted) in shown.as_array().unwrap().iter().zip(wanted.as_array().unwrap()) {
        assert_eq!(shown["functions"], wanted["functions"], "{what}");
        let lines = |file: &Value| file["lines"].as_array().unwrap().clone();
        for (shown, wanted) in lines(shown).iter().zip(&lines(wanted)) {
            assert_eq!(shown, wanted, "{what}");
        }
    }
    assert_eq!(shown, wanted, "{what}");

    let ranking = data["ranking"].as_array().unwrap();
    let found: Vec<_> = findings(&costs, &Thresholds::default())
        .into_iter()
        .filter(|finding| finding.pays)
        .collect();
    let mattering: Vec<_> = ranking.iter().filter(|site| site["matters"] == true).collect();
    assert_eq!(mattering.len(), found.len(), "{what}");
    for (ranked, finding) in mattering.iter().zip(&found) {
        let file = usize::try_from(ranked["file"].as_u64().unwrap()).unwrap();
        let site = usize::try_from(ranked["site"].as_u64().unwrap()).unwrap();
        let offset = &data["files"][file]["sites"]["offset"][site];
        assert_eq!(*offset, json!(finding.site.instruction.offset), "{what}");
        assert_eq!(ranked["weight"], json!(finding.weight), "{what}");
    }
    let source = &data["files"][0]["source"];
    let text = text(&costs.files[0].file.path).expect("the example");
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(*source, json!(lines), "{what}");
}

#[test]
fn they_are_those_of_the_json_report() {
    for (minor, python) in pythons::native_pythons("the examples") {
        for example in EXAMPLES {
            let file = Path::new(env!("CARGO_MANIFEST_DIR"))
                .join("examples")
                .join(example);
            let text = std::fs::read_to_string(&file).expect("the example");
            let (_, rest) = text.split_once("# bytecost: ").expect("how to call it");
            let mut request = support::call(minor, &python, &file, rest.lines().next().unwrap_or_default());
            request.calls = Some(1);
            let profile = support::run(&request);
            assert!(
                profile.failure().is_none(),
                "{example} on {minor}: {:?}",
                profile.failure()
            );
            check(&profile, &format!("{example} on {minor}"));
        }
    }
}

#[test]
fn expressions_are_where_the_text_has_them() {
    // Characters before it have two and three bytes, and one has two UTF-16 units.
    let source = "größe🐟 = 数 % 7\n";
    let mut fixture = crate::Fixture::script("a.py", source);
    fixture
        .code("<module>", (1, 1), 1)
        .op("BINARY_OP", "%", 1, "数 % 7", 1)
        .generic();
    let data = embedded::data(&crate::render(&fixture));
    let range = &data["files"][0]["sites"]["range"][0];
    let units: Vec<u16> = source.encode_utf16().collect();
    let at = |index: usize| usize::try_from(range[index].as_u64().unwrap()).unwrap();
    assert_eq!(String::from_utf16(&units[at(0)..at(2)]).unwrap(), "数 % 7");
    assert_eq!(at(1), 0);
}
