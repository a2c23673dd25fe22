//! Guard failures, site by site and form by form, against numbers known by construction and by a
//! poll at every boundary event (`misses/reference.py`).

mod support;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytecost::profile::{Method, Profile};
use serde::Deserialize;
use support::{call, fixture, pythons, run};

/// Misses from one attempt to the next.
const COOLDOWN_MISSES: u64 = 53;

/// Version → program → its missing sites.
type Known = BTreeMap<String, BTreeMap<String, Vec<Missing>>>;
/// Function, opcode, argument (`BINARY_OP` only), how many alike come before it in the function.
type Place = (String, String, Option<String>, usize);

#[derive(Deserialize)]
struct Missing {
    function: String,
    op: String,
    argument: Option<String>,
    nth: usize,
    misses: BTreeMap<String, u64>,
}

/// Every site with misses; the forms that did not miss are left out.
fn missing(profile: &Profile) -> BTreeMap<Place, BTreeMap<String, u64>> {
    let mut out = BTreeMap::new();
    for code in profile.files.iter().flat_map(|file| &file.codes) {
        let mut seen: BTreeMap<(&str, Option<&str>), usize> = BTreeMap::new();
        for one in &code.instructions {
            let argument = (one.opcode == "BINARY_OP").then_some(one.argument.as_str());
            let nth = seen.entry((&one.opcode, argument)).or_default();
            let place = (
                code.qualname.clone(),
                one.opcode.clone(),
                argument.map(str::to_owned),
                *nth,
            );
            *nth += 1;
            let Some(site) = &one.site else { continue };
            let forms: BTreeMap<String, u64> = site
                .forms_seen
                .iter()
                .filter(|(_, misses)| *misses > 0)
                .map(|(form, misses)| (form.to_owned(), misses))
                .collect();
            if !forms.is_empty() {
                out.insert(place, forms);
            }
        }
    }
    out
}

/// What each site's numbers must satisfy whatever the program is.
fn implausible(profile: &Profile) -> Vec<String> {
    let mut out = Vec::new();
    for code in profile.files.iter().flat_map(|file| &file.codes) {
        for one in &code.instructions {
            let Some(site) = &one.site else { continue };
            let executions = one.executions.expect("counted");
            let misses = site.misses.filter(|misses| misses.method == Method::Counted);
            let (misses, forms) = (
                misses.map_or(0, |misses| misses.count),
                site.forms_seen.iter().map(|(_, misses)| misses).sum::<u64>(),
            );
            // The miss that empties the cooldown tries again in the same execution, and can miss again.
            let retries = misses / COOLDOWN_MISSES;
            let labelled = site.misses.is_some_and(|misses| misses.at_least);
            if labelled || misses != forms || misses - retries + site.deferred.unwrap_or(0) > executions {
                out.push(format!(
                    "{} {} {}: {site:?} of {executions}",
                    code.qualname, one.offset, one.opcode
                ));
            }
        }
    }
    out
}

fn check(minor: &str, python: &Path, program: &str, known: &[Missing]) -> Vec<String> {
    let file = fixture("misses/programs.py");
    let mut request = call(minor, python, &file, &format!("{program}(1000)"));
    request.calls = Some(1);
    let profile = run(&request);
    assert!(
        profile.failure().is_none(),
        "{minor} {program}: {:?}",
        profile.passes
    );
    let mut wrong: Vec<String> = implausible(&profile);
    let mut found = missing(&profile);
    for one in known {
        let place = (
            one.function.clone(),
            one.op.clone(),
            one.argument.clone(),
            one.nth,
        );
        let got = found.remove(&place).unwrap_or_default();
        let (some, all) = (got.values().sum::<u64>(), one.misses.values().sum::<u64>());
        let right = if one.op == "FOR_ITER" && ["3.12", "3.13"].contains(&minor) {
            // Branch events stand on a loop's first execution, which its site therefore does not see:
            // all that follows is one execution later.
            some.abs_diff(all) <= 2
        } else {
            got == one.misses
        };
        if !right {
            wrong.push(format!("{place:?}: {got:?}, known {:?}", one.misses));
        }
    }
    wrong.extend(
        found
            .iter()
            .map(|(place, forms)| format!("{place:?}: {forms:?}, known none")),
    );
    wrong
        .iter()
        .map(|what| format!("{minor} {program} {what}"))
        .collect()
}

/// Exact on 3.12 and later. On 3.11 as well where no more than 20 frames of a function are alive
/// at once and its source can take polls, as here; else lower bounds.
#[test]
fn misses_by_site_and_form_are_the_known_ones() {
    let known: Known =
        serde_json::from_slice(&std::fs::read(fixture("misses/known.json")).expect("the numbers"))
            .expect("valid");
    let pythons = pythons::pythons();
    let jobs: Vec<_> = pythons
        .iter()
        .flat_map(|(minor, python)| {
            known[*minor]
                .iter()
                .map(move |(name, sites)| (*minor, python, name, sites))
        })
        .collect();
    let (next, wrong) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some((minor, python, program, sites)) =
                    jobs.get(next.fetch_add(1, Ordering::Relaxed))
                {
                    wrong
                        .lock()
                        .expect("no panic")
                        .extend(check(minor, python, program, sites));
                }
            });
        }
    });
    let sites: usize = jobs.iter().map(|(.., sites)| sites.len()).sum();
    println!("{} programs, {sites} missing sites", jobs.len());
    let wrong = wrong.into_inner().expect("no panic");
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn a_site_that_goes_generic_for_good_is_generic_however_long_it_runs() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().canonicalize().expect("it exists").join("late.py");
    let text = "def f(n):\n    total = 0\n    for i in range(n):\n        if i == 20:\n            total = 0.5\n        total += i\n";
    std::fs::write(&file, text).expect("written");
    for (minor, python) in pythons::pythons() {
        // 3.15 goes on with another form. 3.11 specializes after eight rounds, later versions with the second execution.
        let generic = match minor {
            "3.11" => 99_927..=99_928,
            "3.12" | "3.13" | "3.14" => 99_928..=99_928,
            _ => continue,
        };
        let mut request = call(minor, &python, &file, "f(100000)");
        request.calls = Some(1);
        let profile = run(&request);
        let codes = profile.files.iter().flat_map(|file| &file.codes);
        let sums = codes
            .flat_map(|code| &code.instructions)
            .filter(|one| one.argument == "+=");
        let sites: Vec<_> = sums
            .filter_map(|one| Some((one.executions, one.site.as_ref()?)))
            .collect();
        let [(Some(100_000), site)] = sites[..] else {
            panic!("{minor}: {sites:?}")
        };
        assert_eq!(site.misses.map(|misses| misses.count), Some(53), "{minor}");
        let deferred = site.deferred.expect("counted");
        assert!(generic.contains(&deferred), "{minor}: {deferred}");
    }
}
