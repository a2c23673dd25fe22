//! What a remedy saves at most, and what a site took on each of several interpreters.

#[path = "support/profiles.rs"]
#[allow(dead_code)] // Each test binary uses its part.
mod profiles;

use std::collections::BTreeMap;

use bytecost::attribute::attribute;
use bytecost::cpython::causes;
use bytecost::explain::Thresholds;
use bytecost::explain::versions::{Measured, Took, rows};
use bytecost::present::{html, json, terminal};
use bytecost::profile::{Instruction, Method, PassKind, Profile, Shape, Time, Times};
use profiles::{Fixture, kern};
use serde_json::Value;

/// The site `b.x % 7`, which ran 20,000 times on line 26.
fn remainder(profile: &mut Profile) -> &mut Instruction {
    let instructions = profile.files[0]
        .codes
        .iter_mut()
        .flat_map(|code| &mut code.instructions);
    let mut found = instructions.filter(|one| one.opcode == "BINARY_OP" && one.argument == "%");
    found.next().expect("it is there")
}

/// With the operands of that site read.
fn explained() -> Fixture {
    let mut fixture = kern();
    let site = remainder(&mut fixture.profile).site.as_mut().expect("a site");
    site.types = vec![Shape {
        operands: vec!["float".to_owned(), "int".to_owned()],
        count: 250,
        ..Shape::default()
    }];
    fixture
}

/// Line 26 takes `busy_ns` of a second, seen in so many samples, half of it at the site.
fn timed(mut fixture: Fixture, busy_ns: f64, samples: u64) -> Fixture {
    fixture.profile.times = Some(Times {
        method: Method::Sampled,
        calls: 1,
        wall_ns: 1e9,
        busy_ns: 1e9,
        outside_ns: 0.0,
        waiting_ns: 0.0,
        collecting_ns: 0.0,
        elsewhere_ns: 0.0,
        threads: 1,
        samples: Some(10_000),
        torn: 0,
        processes: 1,
        dispersion: 1.0,
    });
    let time = |part: f64| {
        Some(Box::new(Time {
            busy_ns: busy_ns * part,
            samples: samples / 2,
            ..Time::default()
        }))
    };
    remainder(&mut fixture.profile).time = time(0.5);
    let code = fixture.profile.files[0].codes.iter_mut();
    let mut on_line = code
        .flat_map(|code| &mut code.instructions)
        .filter(|one| one.position.is_some_and(|position| position.line == 26) && one.argument != "%");
    on_line.next().expect("another instruction of the line").time = time(0.5);
    fixture
}

fn site(report: &Value) -> Value {
    let lines = report["files"][0]["lines"].as_array().expect("lines");
    let sites = lines
        .iter()
        .flat_map(|line| line["sites"].as_array().expect("sites"));
    let mut found = sites.filter(|site| site["argument"] == "%");
    found.next().expect("the site").clone()
}

fn report(fixture: &Fixture, calibrated: &BTreeMap<String, f64>) -> Value {
    let costs = attribute(&fixture.profile, &|path| fixture.text(path));
    let report = json::report(&fixture.profile, &costs, calibrated);
    serde_json::from_str(&json::to_string(&report)).expect("JSON")
}

#[test]
fn the_upper_bound_is_what_an_execution_saves_times_those_without_a_fast_path() {
    let fixture = explained();
    let each = causes::cause("binary-op-remainder")
        .expect("it is there")
        .saves_ns["3.14"];
    let found = site(&report(&fixture, &BTreeMap::new()));
    assert_eq!(found["cause"], "binary-op-remainder");
    let ns = found["saving_upper_bound_ns"].as_f64().expect("a number");
    assert!((ns - 20_000.0 * each).abs() < 1e-6, "{ns}");
    let share = found["saving_upper_bound_share"].as_f64().expect("a number");
    assert!((share - 20_000.0 * each / 6_310_000.0).abs() < 1e-9, "{share}");
    assert_eq!(found["saving_calibrated"], false);
    let calibrated = BTreeMap::from([("binary-op-remainder".to_owned(), 31.0)]);
    let found = site(&report(&fixture, &calibrated));
    assert_eq!(found["saving_upper_bound_ns"], 620_000.0);
    assert_eq!(found["saving_calibrated"], true);
    // No more than the whole.
    let calibrated = BTreeMap::from([("binary-op-remainder".to_owned(), 1e6)]);
    assert_eq!(
        site(&report(&fixture, &calibrated))["saving_upper_bound_share"],
        1.0
    );
    // What is not explained has none.
    assert_eq!(
        site(&report(&kern(), &BTreeMap::new()))["saving_upper_bound_ns"],
        Value::Null
    );
}

#[test]
fn the_page_names_it_an_upper_bound() {
    let fixture = explained();
    let costs = attribute(&fixture.profile, &|path| fixture.text(path));
    let thresholds = Thresholds {
        saves: BTreeMap::from([("binary-op-remainder".to_owned(), 31.55)]),
        ..Thresholds::default()
    };
    let page = html::render(&fixture.profile, &costs, &thresholds);
    assert!(page.contains("Upper bound of what this saves: 10.0% of the time."));
}

/// What the terminal prints of the explained site when its remedy saves this, ns an execution.
fn printed(fixture: &Fixture, each: f64) -> String {
    let costs = attribute(&fixture.profile, &|path| fixture.text(path));
    let thresholds = Thresholds {
        saves: BTreeMap::from([("binary-op-remainder".to_owned(), each)]),
        ..Thresholds::default()
    };
    terminal::render(&fixture.profile, &costs, &thresholds, &terminal::Style::default())
}

#[test]
fn the_bound_is_a_share_of_the_time_that_lines_have_theirs_of() {
    // 20,000 executions of 25 ns are 0.5 ms: of a second on the processor, not of the 6.31 ms on the wall.
    let fixture = timed(explained(), 4e7, 1_000);
    let calibrated = BTreeMap::from([("binary-op-remainder".to_owned(), 25.0)]);
    let found = site(&report(&fixture, &calibrated));
    let share = found["saving_upper_bound_share"].as_f64().expect("a number");
    assert!((share - 0.0005).abs() < 1e-9, "{share}");
}

#[test]
fn what_grows_with_the_operands_is_bounded_by_its_line_alone() {
    let mut fixture = timed(explained(), 3e8, 3_000);
    // The same site, as a search in a list.
    let searched = remainder(&mut fixture.profile);
    searched.opcode = "CONTAINS_OP".to_owned();
    searched.argument = "in".to_owned();
    searched.site.as_mut().expect("a site").types[0].operands = vec!["str".to_owned(), "list".to_owned()];
    let costs = attribute(&fixture.profile, &|path| fixture.text(path));
    let findings = bytecost::explain::findings(&costs, &Thresholds::default());
    let finding = &findings[0];
    assert_eq!(finding.site.instruction.opcode, "CONTAINS_OP");
    let line = finding.line.time.expect("measured");
    let share = finding.saving.and_then(|saving| saving.share).expect("a bound");
    let bound = line.share + line.error.unwrap_or(0.0);
    assert!((share - bound).abs() < 1e-9 && bound >= 0.3, "{share} {bound}");
}

#[test]
fn what_saves_next_to_nothing_is_listed_and_not_advised() {
    let remedy = causes::cause("binary-op-remainder")
        .expect("it is there")
        .remedy
        .text
        .split(' ')
        .next()
        .expect("a word");
    // 0.1 % of a second are 1 ms, of 20,000 executions 50 ns.
    let fixture = || timed(explained(), 4e7, 1_000);
    let (advised, listed) = (printed(&fixture(), 50.5), printed(&fixture(), 49.5));
    assert!(advised.contains(&format!(" {remedy} ")), "{advised}");
    assert!(
        advised.contains("bytecost explain binary-op-remainder"),
        "{advised}"
    );
    assert!(
        !listed.contains("bytecost explain binary-op-remainder"),
        "{listed}"
    );
    assert!(listed.contains("  binary-op-remainder  kern.py:26\n"), "{listed}");
    assert!(listed.contains("less than 0.1% of the time to save"), "{listed}");
    // Without times there is no such part.
    let untimed = printed(&explained(), 0.01);
    assert!(
        untimed.contains("bytecost explain binary-op-remainder"),
        "{untimed}"
    );
}

#[test]
fn a_line_of_a_run_with_few_samples_must_also_execute_enough() {
    let is_found = |samples: u64| {
        let mut fixture = timed(explained(), 9e8, 10);
        fixture.profile.times.as_mut().expect("times").samples = Some(samples);
        let thresholds = Thresholds {
            line_share: 0.8, // Its line has 90 % of the time.
            ..Thresholds::default()
        };
        let costs = attribute(&fixture.profile, &|path| fixture.text(path));
        let executed = costs.files[0].line(26).and_then(|line| line.share);
        assert!(executed.is_some_and(|share| share < 0.8), "{executed:?}");
        let found = bytecost::explain::findings(&costs, &thresholds);
        found.iter().any(|finding| finding.line.line == 26)
    };
    assert!(is_found(10_000));
    assert!(!is_found(100));
}

#[test]
fn several_interpreters_tell_the_time_of_each_site() {
    let mut fixtures = [
        timed(explained(), 4e7, 1_000),
        timed(explained(), 2e7, 100),
        explained(),
    ];
    for (fixture, minor) in fixtures.iter_mut().zip(["3.14", "3.13", "3.12"]) {
        fixture.profile.python.minor = minor.to_owned();
        assert!(fixture.profile.pass(PassKind::Count).is_some());
    }
    let costs = fixtures
        .each_ref()
        .map(|fixture| attribute(&fixture.profile, &|path| fixture.text(path)));
    let measured: Vec<_> = fixtures
        .iter()
        .zip(&costs)
        .map(|(fixture, costs)| Measured {
            profile: &fixture.profile,
            costs,
        })
        .collect();
    let rows = rows(&measured, &Thresholds::default());
    let row = rows
        .iter()
        .find(|row| row.operation == "BINARY_OP %")
        .expect("the site matters");
    let times: Vec<_> = row.outcomes.iter().map(|outcome| outcome.time).collect();
    // Half of the line is the site's; with few samples only the line is known; without times nothing.
    assert_eq!(
        times,
        [Some(Took::Site(1_000.0)), Some(Took::Line(1_000.0)), None]
    );
    let page = terminal::versions::render(&measured, &Thresholds::default(), &terminal::Style::default());
    let lines: Vec<_> = page
        .lines()
        .filter(|line| line.contains("binary-op-remainder"))
        .collect();
    assert!(
        lines[0].contains("  1.00 µs ") && lines[1].contains(" line 1.00 µs "),
        "{page}"
    );
    assert!(page.contains("\"line\""), "{page}");
}
