//! The catalogue of causes: every entry's example is run on every version it names, and must be
//! diagnosed as that entry; its remedy must lead to the form the entry says.

mod support;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use bytecost::collect::Request;
use bytecost::cpython::causes::{Advice, Cause, Example, catalogue};
use bytecost::cpython::fail_kinds;
use bytecost::explain::cause;
use bytecost::profile::{Code, Instruction, Profile, State, WorkloadKind};
use support::{call, pythons, run};

/// Runs each call of its modules often enough for every version to have tried a few times.
const DRIVER: &str = "
import importlib, sys
for name, call in CALLS:
    module = importlib.import_module(name)
    code = compile(call, '<call>', 'eval')
    for _ in range(400):
        eval(code, module.__dict__)
";

fn request(minor: &str, python: &Path, folder: &Path, calls: &[(String, &str)]) -> Request {
    let list = calls.iter().fold(String::new(), |mut list, (name, call)| {
        let _ = write!(list, "({name:?}, {call:?}), ");
        list
    });
    let file = folder.join("driver.py");
    std::fs::write(&file, DRIVER.replace("CALLS", &format!("[{list}]"))).expect("written");
    let mut request = call(minor, python, &file, "");
    request.workload.kind = WorkloadKind::Script;
    request.workload.call = None;
    request.module = None;
    request.import_root = None;
    request.argv0 = Some(file.display().to_string());
    request
}

/// Module names of an entry's examples.
fn names(cause: &Cause) -> (String, String) {
    let id = cause.id.replace('-', "_");
    (format!("{id}_before"), format!("{id}_after"))
}

/// Runs the examples of these causes in one process a pass.
fn measure(minor: &str, python: &Path, causes: &[&Cause]) -> Profile {
    let folder = tempfile::tempdir().expect("a folder");
    let folder: PathBuf = folder.path().canonicalize().expect("it exists");
    std::fs::create_dir_all(&folder).expect("it exists");
    let mut calls = Vec::new();
    for cause in causes {
        let (before, after) = names(cause);
        let mut add = |name: String, example: &'static Example| {
            std::fs::write(folder.join(format!("{name}.py")), &example.source).expect("written");
            calls.push((name, example.call.as_str()));
        };
        let entry = bytecost::cpython::causes::cause(&cause.id).expect("it is there");
        add(before, &entry.before);
        if let Some(example) = &entry.after {
            add(after, example);
        }
    }
    run(&request(minor, python, &folder, &calls))
}

fn code<'p>(profile: &'p Profile, module: &str, example: &Example) -> Option<&'p Code> {
    let file = profile
        .files
        .iter()
        .find(|file| file.path == format!("{module}.py"))?;
    let function = example.function.as_deref().unwrap_or("f");
    file.codes.iter().find(|code| code.qualname == function)
}

fn is_site(cause: &Cause, example: &Example, one: &Instruction) -> bool {
    let opcode = match &example.opcode {
        Some(opcode) => *opcode == one.opcode,
        None => cause.families.contains(&one.opcode),
    };
    opcode
        && example
            .argument
            .as_ref()
            .is_none_or(|argument| one.argument.contains(argument.as_str()))
}

/// The opcode as it stands at the end; one whose guard fails is none to lead to.
fn live(one: &Instruction) -> &str {
    match one.site.as_ref().and_then(|site| site.form.as_deref()) {
        Some(form) if one.state == State::Specialized => form,
        Some(_) => "(missing)",
        None => &one.opcode,
    }
}

/// What is wrong with an entry on a version.
fn check(minor: &str, cause: &Cause, profile: &Profile) -> Vec<String> {
    let (before, after) = names(cause);
    let mut wrong = Vec::new();
    let Some(found) = code(profile, &before, &cause.before) else {
        return vec![format!("{minor} {}: its example did not run", cause.id)];
    };
    let sites: Vec<_> = found
        .instructions
        .iter()
        .filter(|one| is_site(cause, &cause.before, one))
        .collect();
    let named = |one: &&Instruction| cause::best(one, minor).is_some_and(|found| found.cause.id == cause.id);
    if !sites.iter().any(named) {
        let seen: Vec<_> = sites
            .iter()
            .map(|one| {
                let ids: Vec<_> = cause::diagnose(one, minor)
                    .iter()
                    .map(|found| found.cause.id.clone())
                    .collect();
                let types = one.site.as_ref().map(|site| &site.types);
                format!(
                    "{} {} {:?} {ids:?} {types:?}",
                    one.opcode, one.argument, one.state
                )
            })
            .collect();
        wrong.push(format!(
            "{minor} {}: not diagnosed: {}",
            cause.id,
            seen.join("; ")
        ));
    }
    let Some(example) = &cause.after else {
        return wrong;
    };
    let Some(code) = code(profile, &after, example) else {
        wrong.push(format!("{minor} {}: its remedy did not run", cause.id));
        return wrong;
    };
    let live: Vec<&str> = code.instructions.iter().map(live).collect();
    match cause.leads_to.get(minor) {
        None => wrong.push(format!("{minor} {}: leads_to is missing: {live:?}", cause.id)),
        Some(expected) if !live.contains(&expected.as_str()) => wrong.push(format!(
            "{minor} {}: the remedy does not lead to {expected}, but to {live:?}",
            cause.id
        )),
        Some(_) => {}
    }
    wrong
}

#[test]
fn every_cause_is_found_where_it_is_and_its_remedy_leads_where_it_says() {
    let mut wrong = Vec::new();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for (minor, python) in pythons::native_pythons("the catalogue's examples") {
        let causes: Vec<_> = catalogue()
            .causes
            .iter()
            .filter(|cause| cause.holds_on(minor))
            .collect();
        counts.insert(minor, causes.len());
        let (alone, together): (Vec<&Cause>, Vec<&Cause>) = causes.into_iter().partition(|cause| cause.alone);
        let profile = measure(minor, &python, &together);
        assert!(profile.failure().is_none(), "{minor}: {:?}", profile.passes);
        wrong.extend(together.iter().flat_map(|cause| check(minor, cause, &profile)));
        for cause in alone {
            let profile = measure(minor, &python, &[cause]);
            wrong.extend(check(minor, cause, &profile));
        }
    }
    println!("entries by version: {counts:?}");
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.join("\n"));
}

/// The page that diagnostics link to. `BYTECOST_BLESS=1` writes it.
#[test]
fn the_documentation_is_what_explain_prints() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/causes.md");
    let expected = bytecost::explain::entry::document();
    if std::env::var_os("BYTECOST_BLESS").is_some() {
        std::fs::write(&path, &expected).expect("written");
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == expected,
        "docs/causes.md is not what the catalogue says; BYTECOST_BLESS=1 rewrites it"
    );
}

/// Roles and words that conditions and sentences of a cause may speak of.
fn roles(cause: &Cause) -> Vec<&'static str> {
    let mut opcodes: Vec<&str> = cause.families.iter().map(String::as_str).collect();
    if opcodes.contains(&"BINARY_OP") {
        opcodes.push("BINARY_SUBSCR");
    }
    let roles = opcodes.iter().filter_map(|opcode| catalogue().roles.get(*opcode));
    roles.flatten().map(String::as_str).collect()
}

/// What is wrong with an entry by itself.
fn flaws(cause: &Cause) -> Vec<String> {
    let mut wrong = Vec::new();
    let kebab = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if !cause.id.chars().all(kebab) {
        wrong.push("its name is not in kebab-case".to_owned());
    }
    for version in &cause.versions {
        if bytecost::cpython::version(version).is_none() {
            wrong.push(format!("{version} is no version with tables"));
        }
        if cause.after.is_some() && !cause.leads_to.contains_key(version) {
            wrong.push(format!("where it leads on {version} is missing"));
        }
    }
    for (version, kinds) in &cause.fail_kinds {
        let known = |kind: &String| {
            let families = cause.families.iter();
            families.clone().any(|family| {
                (0..256).any(|number| fail_kinds::name(version, family, number) == Some(kind.as_str()))
            })
        };
        if let Some(kind) = kinds.iter().find(|kind| !known(kind)) {
            wrong.push(format!(
                "CPython {version} knows no failure {kind:?} of its opcodes"
            ));
        }
    }
    if cause.versions.is_empty() || cause.when.is_empty() || cause.families.is_empty() {
        wrong.push("it can never hold".to_owned());
    }
    let roles = roles(cause);
    let words = ["op", "pair", "kind", "site", "globals", "call", "super", "result"];
    for fact in cause.when.iter().flat_map(|when| when.split_whitespace()) {
        let fact = fact.trim_start_matches('!');
        let about = fact.split([':', '#']).next().unwrap_or_default();
        let version = fact
            .strip_prefix('v')
            .is_some_and(|minor| bytecost::cpython::version(minor).is_some());
        if !version && !words.contains(&about) && !roles.contains(&about) {
            wrong.push(format!("{fact} is about nothing that its opcodes have"));
        }
        if fact
            .strip_prefix("kind:")
            .is_some_and(|kind| !catalogue().kinds.contains_key(kind))
        {
            wrong.push(format!("{fact} is no kind"));
        }
    }
    for text in [&cause.headline, &cause.explanation] {
        for part in text.split('{').skip(1) {
            let name = part.split('}').next().unwrap_or_default();
            if !["op", "attribute"].contains(&name) && !roles.contains(&name) {
                wrong.push(format!("{{{name}}} cannot be filled in"));
            }
        }
    }
    for text in [&cause.explanation, &cause.remedy.text] {
        let mut said: Vec<&str> = text.split_inclusive(". ").map(str::trim).collect();
        said.sort_unstable();
        if said.windows(2).any(|pair| pair[0] == pair[1]) {
            wrong.push(format!("it says something twice: {text}"));
        }
    }
    let leaves = cause.remedy.text.starts_with("Leave it");
    if leaves != (cause.advice == Advice::Leave) || leaves && !cause.saves_ns.is_empty() {
        wrong.push("a remedy to leave it saves nothing, and only such a one is of that advice".to_owned());
    }
    let sentences = cause.explanation.ends_with('.') && cause.remedy.text.ends_with('.');
    if cause.headline.ends_with('.') || !sentences {
        wrong.push("a clause has no full stop, sentences have one".to_owned());
    }
    wrong
}

#[test]
fn the_catalogue_is_well_formed() {
    let mut ids: Vec<&str> = catalogue().causes.iter().map(|cause| cause.id.as_str()).collect();
    ids.sort_unstable();
    let twice = ids.windows(2).find(|pair| pair[0] == pair[1]);
    assert_eq!(twice, None, "a name comes twice");
    let wrong: Vec<_> = catalogue()
        .causes
        .iter()
        .flat_map(|cause| {
            let flaws = flaws(cause).into_iter();
            flaws.map(|flaw| format!("{}: {flaw}", cause.id))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A function and what a pystats build said of it when it ran alone; see `causes/record.py`.
#[derive(serde::Deserialize)]
struct Recorded {
    family: String,
    source: String,
    call: String,
    /// Failed attempts by number of the failure kind.
    kinds: BTreeMap<String, u64>,
}

/// The causes of a family's sites in a file.
fn found_in<'p>(profile: &'p Profile, path: &str, family: &str, minor: &str) -> Vec<&'static Cause> {
    let file: Option<&'p _> = profile.files.iter().find(|file| file.path == path);
    let codes = file.into_iter().flat_map(|file| &file.codes);
    codes
        .filter(|code| code.qualname != "<module>")
        .flat_map(|code| &code.instructions)
        .filter(|one| one.opcode == family)
        .filter_map(|one| Some(cause::best(one, minor)?.cause))
        .collect()
}

/// Versions with functions recorded on a pystats build of theirs. The mapping for 3.13 was made with its
/// results at hand; those for 3.11, 3.12 and 3.14 from CPython's source alone, before theirs were recorded.
/// 3.15 has none.
const RECORDED: [&str; 4] = ["3.11", "3.12", "3.13", "3.14"];

/// The reason given must be the one CPython itself counts.
#[test]
fn causes_agree_with_what_cpython_counts() {
    for (minor, python) in pythons::native_pythons("agreement with pystats") {
        if RECORDED.contains(&minor) {
            agree(minor, &python);
        }
    }
}

fn agree(minor: &str, python: &Path) {
    let fixture = format!("causes/pystats-{minor}.json");
    let text = std::fs::read(support::fixture(&fixture)).expect("the fixture");
    let cases: Vec<Recorded> = serde_json::from_slice(&text).expect("valid");
    assert!(cases.len() >= 100, "only {} functions were recorded", cases.len());
    let folder = tempfile::tempdir().expect("a folder");
    let folder: PathBuf = folder.path().canonicalize().expect("it exists");
    std::fs::create_dir_all(&folder).expect("it exists");
    let mut calls = Vec::new();
    for (index, case) in cases.iter().enumerate() {
        std::fs::write(folder.join(format!("case_{index}.py")), &case.source).expect("written");
        calls.push((format!("case_{index}"), case.call.as_str()));
    }
    let profile = run(&request(minor, python, &folder, &calls));
    let mut disagree = Vec::new();
    for (index, case) in cases.iter().enumerate() {
        let most = case.kinds.values().max().expect("some failed");
        let kinds = case.kinds.iter().filter(|(_, count)| *count == most);
        let said: Vec<&str> = kinds
            .map(|(number, _)| {
                let number = number.parse().expect("a number");
                fail_kinds::name(minor, &case.family, number).unwrap_or("unknown")
            })
            .collect();
        let found = found_in(&profile, &format!("case_{index}.py"), &case.family, minor);
        let agrees = |cause: &&Cause| {
            let kinds = cause.fail_kinds.get(minor);
            kinds.is_some_and(|kinds| kinds.iter().any(|kind| said.contains(&kind.as_str())))
        };
        if !found.iter().any(agrees) {
            let ids: Vec<_> = found.iter().map(|cause| &cause.id).collect();
            disagree.push(format!(
                "{} says {said:?}, we {ids:?}:\n{}",
                case.family, case.source
            ));
        }
    }
    let share = 100.0 * (1.0 - disagree.len() as f64 / cases.len() as f64);
    println!(
        "{minor}: {share:.1}% of {} functions agree with CPython's own count",
        cases.len()
    );
    println!("{}", disagree.join("\n"));
    assert!(share >= 95.0, "{minor}: {share:.1}%\n{}", disagree.join("\n"));
}
