//! Attribution: what a line costs is what its instructions did, and nothing is lost.

#[path = "support/profiles.rs"]
#[allow(dead_code)] // Each test binary uses its part.
mod profiles;

use std::collections::BTreeMap;

use bytecost::attribute::{Costs, Shape, Tally, attribute};
use bytecost::explain::{Thresholds, findings};
use bytecost::profile::{
    Code, File, Forms, Instruction, Method, Misses, Position, Profile, Site, State, Time, Times,
};
use profiles::{Fixture, kern};

fn costs(fixture: &Fixture) -> Costs<'_> {
    attribute(&fixture.profile, &|path| fixture.text(path))
}

/// Marsaglia's xorshift: the same numbers in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }

    fn maybe<T>(&mut self, value: impl FnOnce(&mut Self) -> T) -> Option<T> {
        (self.below(3) > 0).then(|| value(self))
    }

    fn instruction(&mut self, offset: u32) -> Instruction {
        let line = u32::try_from(self.below(6)).unwrap();
        Instruction {
            offset,
            opcode: "LOAD_ATTR".to_owned(),
            argument: String::new(),
            position: self.maybe(|_| Position {
                line,
                end_line: line,
                columns: Some((0, 1)),
            }),
            starts_line: self.below(2) == 0,
            executions: self.maybe(|numbers| numbers.below(1_000)),
            state: State::ALL[usize::try_from(self.below(State::ALL.len() as u64)).unwrap()],
            time: None,
            site: self.maybe(|numbers| {
                Box::new(Site {
                    form: None,
                    forms_seen: Forms::default(),
                    // Larger than the executions too, as bounds and estimates can be.
                    misses: numbers.maybe(|numbers| Misses {
                        count: numbers.below(2_000),
                        method: Method::Inferred,
                        at_least: true,
                    }),
                    deferred: numbers.maybe(|numbers| numbers.below(2_000)),
                    failed_attempts: None,
                    types: Vec::new(),
                })
            }),
        }
    }

    fn profile(&mut self) -> Profile {
        let mut profile = Fixture::new("a.py", "f", "").profile;
        profile.files = (0..self.below(3))
            .map(|file| File {
                path: format!("{file}.py"),
                digest: String::new(),
                text: None,
                totals: Vec::new(),
                codes: (0..self.below(4))
                    .map(|code| Code {
                        qualname: ["<module>", "f", "f.<locals>.<lambda>", "C.m"]
                            [usize::try_from(code).unwrap()]
                        .to_owned(),
                        first_line: 1,
                        last_line: 5,
                        digest: String::new(),
                        calls: None,
                        withheld: self.below(6) == 0,
                        failures: None,
                        total: None,
                        jit: None,
                        instructions: (0..u32::try_from(self.below(12)).unwrap())
                            .map(|index| self.instruction(2 * index))
                            .collect(),
                    })
                    .collect(),
            })
            .collect();
        profile
    }
}

/// What the profile says, without attribution.
fn counted(profile: &Profile) -> Vec<(usize, &Instruction, u64)> {
    let mut all = Vec::new();
    for (index, file) in profile.files.iter().enumerate() {
        for code in file.codes.iter().filter(|code| !code.withheld) {
            all.extend(
                code.instructions
                    .iter()
                    .filter_map(|instruction| Some((index, instruction, instruction.executions?))),
            );
        }
    }
    all
}

#[test]
fn any_profile_adds_up() {
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    let mut lines_seen = 0;
    for _ in 0..400 {
        let profile = numbers.profile();
        let counted = counted(&profile);
        let costs = attribute(&profile, &|_| None);
        let total: u64 = counted.iter().map(|(_, _, executions)| executions).sum();
        assert_eq!(costs.instructions, (!counted.is_empty()).then_some(total));
        let mut placed = 0;
        let mut shares = 0.0;
        for (index, file) in costs.files.iter().enumerate() {
            for line in file.lines.values() {
                lines_seen += 1;
                let here = || {
                    counted.iter().filter(|(file, instruction, _)| {
                        *file == index
                            && instruction
                                .position
                                .is_some_and(|position| position.line == line.line)
                    })
                };
                let instructions: u64 = here().map(|(_, _, executions)| executions).sum();
                let tally = line.tally.unwrap_or_default();
                assert_eq!(
                    tally.basic + tally.hits + tally.misses + tally.deferred,
                    instructions
                );
                let starts = here().filter(|(_, instruction, _)| instruction.starts_line);
                assert_eq!(
                    line.executions,
                    starts.map(|(_, _, executions)| *executions).max()
                );
                let from_sites = line
                    .sites
                    .iter()
                    .filter_map(|site| site.tally)
                    .fold(Tally::default(), |a, b| a + b);
                assert_eq!(from_sites, tally);
                placed += instructions;
                shares += line.share.unwrap_or(0.0);
            }
        }
        assert_eq!(placed + costs.unplaced, total);
        if total > 0 {
            let expected = (total - costs.unplaced) as f64 / total as f64;
            assert!((shares - expected).abs() < 1e-9, "{shares} is not {expected}");
        }
    }
    assert!(lines_seen > 1_000, "the generator makes too little: {lines_seen}");
}

#[test]
fn executions_are_split_by_what_became_of_them() {
    let fixture = kern();
    let costs = costs(&fixture);
    let line = costs.files[0].line(26).unwrap();
    assert_eq!(line.executions, Some(20_000));
    assert_eq!(
        line.tally,
        Some(Tally {
            basic: 0,
            hits: 40_000,
            misses: 0,
            deferred: 20_000
        })
    );
    let line = costs.files[0].line(25).unwrap();
    assert_eq!(
        line.tally,
        Some(Tally {
            basic: 20_000,
            hits: 78_793,
            misses: 1_207,
            deferred: 0
        })
    );
    assert_eq!(costs.unplaced, 20_000);
}

#[test]
fn two_lambdas_on_one_line_keep_their_names() {
    let mut fixture = Fixture::new(
        "l.py",
        "pick",
        "def pick(): return (lambda x: x + 1), (lambda y: y * 2)\n",
    );
    fixture.code("pick", (1, 1), 1).op("RESUME", "", 1, "def", 1);
    fixture
        .code("pick.<locals>.<lambda>", (1, 1), 5)
        .op("BINARY_OP", "+", 1, "x + 1", 5);
    fixture
        .code("pick.<locals>.<lambda>", (1, 1), 7)
        .op("BINARY_OP", "*", 1, "y * 2", 7);
    let costs = costs(&fixture);
    let file = &costs.files[0];
    let line = file.line(1).unwrap();
    let sites: Vec<_> = line
        .sites
        .iter()
        .map(|site| {
            let expression = file.excerpt(site.position).unwrap().text();
            (
                site.function,
                file.functions[site.function].code.qualname.as_str(),
                expression,
            )
        })
        .collect();
    let lambda = "pick.<locals>.<lambda>";
    assert_eq!(
        sites,
        [(0, "pick", "def"), (1, lambda, "x + 1"), (2, lambda, "y * 2")]
    );
    assert_eq!((line.executions, line.tally.unwrap().basic), (Some(7), 13));
}

#[test]
fn code_is_nested_as_its_names_say() {
    let fixture = kern();
    let costs = costs(&fixture);
    let nesting: Vec<_> = costs.files[0]
        .functions
        .iter()
        .map(|function| (function.shape, function.parent))
        .collect();
    assert_eq!(
        nesting,
        [
            (Shape::Module, None),
            (Shape::Class, Some(0)),
            (Shape::Function, Some(1)),
            (Shape::Function, Some(0)),
            (Shape::Function, Some(0)),
            (Shape::Expression, Some(4)),
        ]
    );
    assert_eq!(
        costs.files[0].functions[1].end_line, 18,
        "a class ends with its last method"
    );
}

#[test]
fn a_text_that_was_not_measured_is_not_shown() {
    let fixture = kern();
    let edited = attribute(&fixture.profile, &|_| Some("# edited\n".to_owned()));
    assert!(edited.files[0].stale && edited.files[0].text.is_none());
    let gone = attribute(&fixture.profile, &|_| None);
    assert!(!gone.files[0].stale && gone.files[0].text.is_none());
    assert_eq!(gone.files[0].lines.len(), costs(&fixture).files[0].lines.len());
}

#[test]
fn without_counts_there_are_states_and_no_shares() {
    let fixture = kern().uncounted();
    let costs = costs(&fixture);
    assert_eq!(costs.instructions, None);
    assert!(
        costs.files[0]
            .lines
            .values()
            .all(|line| line.share.is_none() && line.executions.is_none())
    );
    let found = findings(&costs, &Thresholds::default());
    let lines: Vec<_> = found.iter().map(|finding| finding.line.line).collect();
    assert_eq!(lines, [25, 26, 27, 38], "marked sites, in source order");
}

#[test]
fn without_counts_the_line_that_took_most_time_comes_first() {
    let mut fixture = kern().uncounted();
    fixture.profile.times = Some(Times {
        method: Method::Sampled,
        calls: 1,
        wall_ns: 1e6,
        busy_ns: 1e6,
        outside_ns: 0.0,
        waiting_ns: 0.0,
        collecting_ns: 0.0,
        elsewhere_ns: 0.0,
        threads: 1,
        samples: Some(1000),
        torn: 0,
        processes: 1,
        dispersion: 1.0,
    });
    let mut samples = BTreeMap::from([(25, 100), (26, 300), (27, 200), (38, 400)]);
    for instruction in fixture.profile.files[0]
        .codes
        .iter_mut()
        .flat_map(|code| &mut code.instructions)
    {
        let line = instruction.position.map_or(0, |position| position.line);
        let Some(site) = &mut instruction.site else {
            continue;
        };
        // Line 26 lost most, which says less than time does.
        site.misses = (line == 26).then_some(Misses {
            count: 1000,
            method: Method::Inferred,
            at_least: false,
        });
        instruction.time = samples.remove(&line).map(|samples| {
            Box::new(Time {
                busy_ns: samples as f64 * 1e3,
                samples,
                ..Time::default()
            })
        });
    }
    let costs = costs(&fixture);
    let found = findings(&costs, &Thresholds::default());
    let lines: Vec<_> = found.iter().map(|finding| finding.line.line).collect();
    assert_eq!(lines, [38, 26, 27, 25]);
}

#[test]
fn sites_are_ranked_by_executions_off_the_fast_path() {
    let fixture = kern();
    let costs = costs(&fixture);
    let ranked = |thresholds: Thresholds| -> Vec<_> {
        findings(&costs, &thresholds)
            .iter()
            .map(|finding| (finding.line.line, finding.weight.unwrap()))
            .collect()
    };
    let all = [(26, 20_000), (27, 20_000), (25, 1_207), (38, 900)];
    assert_eq!(ranked(Thresholds::default()), all);
    assert_eq!(
        ranked(Thresholds {
            line_share: 0.05,
            ..Thresholds::default()
        }),
        all[..3]
    );
    assert_eq!(
        ranked(Thresholds {
            executions: 20_001,
            ..Thresholds::default()
        }),
        []
    );
}

#[test]
fn withheld_counts_count_nowhere() {
    let mut fixture = kern();
    fixture.profile.files[0].codes[3].withheld = true;
    let costs = costs(&fixture);
    let line = costs.files[0].line(26).unwrap();
    assert_eq!((line.executions, line.tally, line.share), (None, None, None));
    assert_eq!(line.sites.len(), 3);
    assert_eq!(costs.unplaced, 0);
}
