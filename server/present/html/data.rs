//! The data of a page: columns instead of records, and each text once.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::Serialize;

use crate::attribute::{Costs, FileCosts, LineCosts, Shape, SiteCosts, Tally};
use crate::explain::{self, Finding, Thresholds, cause, failures, jit, sentences, times, words};
use crate::present::terminal::cells::{self, Cells};
use crate::profile::{Profile, State};

use super::measure::{self, Measure};

/// Around code in a sentence; the texts around it have no control characters.
const CODE: [char; 2] = ['\u{2}', '\u{3}'];

/// Cells of an expression in a sentence.
const NAME: usize = 60;

/// What a page shows. A text is an index into `texts`, a state one into `states`.
#[derive(Debug, Serialize)]
pub(super) struct Data {
    measure: Measure,
    states: Vec<Words>,
    files: Vec<FileData>,
    /// Marked sites, heaviest first.
    ranking: Vec<Ranked>,
    /// The file of the target and the line to show first.
    start: Option<(usize, u32)>,
    texts: Vec<String>,
}

/// A state in words.
#[derive(Debug, Serialize)]
struct Words {
    word: &'static str,
    mark: Option<&'static str>,
    legend: &'static str,
    answer: &'static str,
}

#[derive(Debug, Serialize)]
struct FileData {
    path: String,
    share: Option<f64>,
    stale: bool,
    /// Lines of the measured text; none when it is not at hand.
    source: Option<Vec<String>>,
    functions: Functions,
    lines: Lines,
    sites: Sites,
}

/// One entry a code object in each column.
#[derive(Debug, Default, Serialize)]
struct Functions {
    qualname: Vec<String>,
    line: Vec<u32>,
    /// The code object it is read as a part of.
    owner: Vec<usize>,
    share: Vec<Option<f64>>,
    instructions: Vec<Option<u64>>,
    calls: Vec<Option<u64>>,
    is_function: Vec<bool>,
}

/// One entry a line with instructions in each column.
#[derive(Debug, Default, Serialize)]
struct Lines {
    number: Vec<u32>,
    share: Vec<Option<f64>>,
    /// Share of the time with what it calls.
    total: Vec<Option<f64>>,
    /// Half of the 95 % interval of `share`.
    error: Vec<Option<f64>>,
    executions: Vec<Option<u64>>,
    instructions: Vec<Option<u64>>,
    /// State of the heaviest marked site.
    mark: Vec<Option<usize>>,
    /// A site on it matters.
    matters: Vec<bool>,
    /// First of its sites; they go on to the first of the next line.
    sites: Vec<usize>,
    /// Emphasised part of the headline, and the rest.
    headline: Vec<(usize, usize)>,
    /// Further sentences, by index of the line.
    about: BTreeMap<usize, Vec<usize>>,
}

/// One entry an instruction in each column.
#[derive(Debug, Default, Serialize)]
struct Sites {
    function: Vec<usize>,
    offset: Vec<u32>,
    opcode: Vec<usize>,
    argument: Vec<usize>,
    form: Vec<Option<usize>>,
    state: Vec<usize>,
    /// Share of the time, where its line has enough samples to be split.
    share: Vec<Option<f64>>,
    /// Half of the 95 % interval of `share`.
    error: Vec<Option<f64>>,
    /// What one execution took.
    each: Vec<Option<usize>>,
    executions: Vec<Option<u64>>,
    misses: Vec<Option<u64>>,
    /// Indices of those whose misses are lower bounds.
    at_least: Vec<usize>,
    deferred: Vec<Option<u64>>,
    /// Where the expression stands in UTF-16 units: start, lines further down, end; none when
    /// not known.
    range: Vec<Option<(usize, u32, usize)>>,
    /// Sentences on marked ones, by index of the site.
    about: BTreeMap<usize, Vec<usize>>,
}

#[derive(Debug, Serialize)]
struct Ranked {
    file: usize,
    /// Index of the line.
    line: usize,
    /// Index of the site.
    site: usize,
    /// Executions that did not take the fast path.
    weight: Option<u64>,
    matters: bool,
}

/// Each text once.
#[derive(Default)]
struct Texts {
    list: Vec<String>,
    index: HashMap<String, usize>,
}

impl Texts {
    fn add(&mut self, text: String) -> usize {
        *self.index.entry(text).or_insert_with_key(|text| {
            self.list.push(text.clone());
            self.list.len() - 1
        })
    }

    fn clean(&mut self, text: &str) -> usize {
        self.add(cells::clean(text, false))
    }
}

/// A text with code in it: what [`quote`] made stays.
fn sentence(text: &str) -> String {
    text.split_inclusive(CODE)
        .map(|part| match part.strip_suffix(CODE) {
            Some(plain) => cells::clean(plain, false) + &part[plain.len()..],
            None => cells::clean(part, false),
        })
        .collect()
}

fn quote(name: &str) -> String {
    format!("{}{}{}", CODE[0], cells::clean(name, false), CODE[1])
}

/// A text of the catalogue, where code stands between backticks.
fn marked_up(text: &str) -> String {
    let mut marks = CODE.into_iter().cycle();
    text.chars()
        .map(|c| if c == '`' { marks.next().unwrap_or(c) } else { c })
        .collect()
}

/// Everything the page needs.
pub(super) fn data(profile: &Profile, costs: &Costs, thresholds: &Thresholds) -> Data {
    let mut texts = Texts::default();
    let findings = explain::findings(costs, thresholds);
    let mattering: HashSet<usize> = findings
        .iter()
        .filter(|finding| finding.pays)
        .map(|finding| address(finding.site))
        .collect();
    let mut places: HashMap<usize, (usize, usize, usize)> = HashMap::new();
    let files = costs.files.iter().enumerate().map(|(index, file)| {
        let mut builder = Builder {
            profile,
            costs,
            saves: &thresholds.saves,
            file,
            texts: &mut texts,
            mattering: &mattering,
            lines: Lines::default(),
            sites: Sites::default(),
        };
        for costed in file.lines.values() {
            let line = builder.lines.number.len();
            for (nth, site) in costed.sites.iter().enumerate() {
                if site.instruction.is_marked() {
                    places.insert(address(site), (index, line, builder.sites.offset.len() + nth));
                }
            }
            builder.line(costed);
        }
        builder.finish()
    });
    let files: Vec<_> = files.collect();
    let every = Thresholds {
        executions: 0,
        line_share: 0.0,
        ..thresholds.clone()
    };
    let ranking = explain::findings(costs, &every);
    let ranking: Vec<_> = ranking
        .iter()
        .filter_map(|finding| ranked(finding, &places, &mattering))
        .collect();
    Data {
        measure: measure::of(costs),
        states: State::ALL.map(in_words).into(),
        start: start(profile, costs, findings.iter().find(|finding| finding.pays)),
        files,
        ranking,
        texts: texts.list,
    }
}

/// Which site it is.
fn address(site: &SiteCosts) -> usize {
    std::ptr::from_ref(site).addr()
}

fn in_words(state: State) -> Words {
    Words {
        word: words::state(state),
        mark: words::mark(state),
        legend: words::legend(state),
        answer: words::answer(state),
    }
}

fn ranked(
    finding: &Finding,
    places: &HashMap<usize, (usize, usize, usize)>,
    mattering: &HashSet<usize>,
) -> Option<Ranked> {
    let site = address(finding.site);
    let &(file, line, index) = places.get(&site)?;
    Some(Ranked {
        file,
        line,
        site: index,
        weight: finding.weight,
        matters: mattering.contains(&site),
    })
}

/// The heaviest finding, else the heaviest line, else the target.
fn start(profile: &Profile, costs: &Costs, first: Option<&Finding>) -> Option<(usize, u32)> {
    let index_of = |path: &str| costs.files.iter().position(|file| file.file.path == path);
    if let Some(finding) = first {
        return Some((index_of(&finding.file.file.path)?, finding.line.line));
    }
    let lines = costs.files.iter().enumerate().flat_map(|(index, file)| {
        file.lines
            .values()
            .filter_map(move |line| Some((measure::line(line)?, index, line.line)))
    });
    let heaviest = lines
        .filter(|(_, _, line)| *line > 0)
        .max_by(|a, b| a.0.total_cmp(&b.0));
    if let Some((_, file, line)) = heaviest {
        return Some((file, line));
    }
    let file = index_of(profile.workload.file.as_deref()?)?;
    let wanted = profile.workload.qualname.as_deref();
    let named = costs.files[file]
        .functions
        .iter()
        .find(|function| Some(function.code.qualname.as_str()) == wanted);
    Some((file, named.map_or(1, |function| function.code.first_line)))
}

struct Builder<'b, 'c, 'p> {
    profile: &'b Profile,
    costs: &'b Costs<'p>,
    saves: &'b BTreeMap<String, f64>,
    file: &'c FileCosts<'p>,
    texts: &'b mut Texts,
    mattering: &'b HashSet<usize>,
    lines: Lines,
    sites: Sites,
}

impl Builder<'_, '_, '_> {
    fn line(&mut self, costs: &LineCosts) {
        let file = self.file;
        let index = self.lines.number.len();
        let lines = &mut self.lines;
        lines.number.push(costs.line);
        lines.share.push(measure::line(costs));
        lines.total.push(costs.time.and_then(|time| time.total_share));
        lines.error.push(costs.time.and_then(|time| time.error));
        lines.executions.push(costs.executions);
        lines.instructions.push(costs.tally.map(Tally::executions));
        lines.sites.push(self.sites.offset.len());
        lines.mark.push(heaviest_mark(costs).map(code));
        let matters = costs
            .sites
            .iter()
            .any(|site| self.mattering.contains(&address(site)));
        lines.matters.push(matters);
        let headline = sentences::headline(file, costs, &quote);
        let rest: String = headline.facts.iter().flat_map(|fact| [" · ", fact]).collect();
        lines.headline.push((
            self.texts.add(sentence(&headline.strong)),
            self.texts.add(sentence(&(headline.place + &rest))),
        ));
        let mut about = Vec::new();
        let begins = file
            .functions
            .iter()
            .position(|function| function.shape == Shape::Function && function.code.first_line == costs.line);
        if let Some(function) = begins {
            let name = quote(&file.functions[function].code.qualname);
            about.extend(sentences::whole(file, function, &name).map(|text| self.texts.add(sentence(&text))));
            about.extend(failures::of(file, function).map(|text| self.texts.clean(&(text + "."))));
        }
        about.extend(sentences::verdict(self.profile, costs).map(|text| self.texts.clean(text)));
        let traces = jit::sentences(file, costs);
        about.extend(
            traces
                .iter()
                .map(|text| self.texts.add(sentence(&marked_up(text)))),
        );
        if !about.is_empty() {
            self.lines.about.insert(index, about);
        }
        for site in &costs.sites {
            self.site(costs, site);
        }
    }

    fn site(&mut self, line: &LineCosts, costs: &SiteCosts) {
        let instruction = costs.instruction;
        let facts = instruction.site.as_ref();
        let is_withheld = self.file.functions[costs.function].code.withheld;
        let sites = &mut self.sites;
        let index = sites.offset.len();
        sites.function.push(costs.function);
        sites.offset.push(instruction.offset);
        sites.opcode.push(self.texts.clean(&instruction.opcode));
        sites.argument.push(self.texts.clean(&instruction.argument));
        let form = facts.and_then(|facts| facts.form.as_deref());
        let form = form.map(|form| sentences::form(&instruction.opcode, form));
        sites.form.push(form.map(|form| self.texts.clean(form)));
        sites.state.push(code(instruction.state));
        let time = costs
            .time
            .as_deref()
            .filter(|_| times::own(line, &[costs]).is_some());
        sites.share.push(time.map(|time| time.share));
        sites.error.push(time.and_then(|time| time.error));
        let has_run = costs.executions().is_some_and(|executions| executions > 0);
        let each = times::of_site(line, &[costs]).filter(|_| has_run);
        sites.each.push(each.map(|each| self.texts.add(each)));
        sites.executions.push(costs.executions());
        let misses = if facts.is_none() { Some(0) } else { costs.misses() };
        sites.misses.push(misses.filter(|_| !is_withheld));
        let is_bound = facts
            .and_then(|facts| facts.misses)
            .is_some_and(|misses| misses.at_least);
        if is_bound && !is_withheld {
            sites.at_least.push(index);
        }
        sites
            .deferred
            .push(facts.and(costs.tally).map(|tally| tally.deferred));
        sites.range.push(range(self.file, costs));
        if instruction.is_marked() {
            let name = self.file.excerpt(costs.position).map(|excerpt| {
                let text = cells::clean(excerpt.text(), false);
                let more = if excerpt.continues { " …" } else { "" };
                quote(&Cells::new(&(text + more), false).fit(NAME))
            });
            let said = match cause::best(instruction, self.file.minor) {
                Some(found) => vec![
                    format!("{}.", sentences::problem(costs, name.as_deref())),
                    marked_up(&sentences::why(instruction, &found)),
                    marked_up(&found.fix()),
                ],
                None => vec![sentences::site(self.file, costs, name.as_deref())],
            };
            let saving = explain::saving_at(self.costs, self.file, line, costs, self.saves);
            let saving = saving.and_then(|saving| Some(words::upper_bound(saving.share?)));
            let said = said
                .iter()
                .chain(&saving)
                .map(|text| self.texts.add(sentence(text)));
            self.sites.about.insert(index, said.collect());
        }
    }

    fn finish(self) -> FileData {
        let file = self.file;
        let mut functions = Functions::default();
        for (index, costs) in file.functions.iter().enumerate() {
            functions.qualname.push(cells::clean(&costs.code.qualname, false));
            functions.line.push(costs.code.first_line);
            functions.owner.push(file.owner(index));
            functions.share.push(measure::function(costs));
            functions.instructions.push(costs.instructions);
            functions
                .calls
                .push(costs.code.calls.filter(|_| !costs.code.withheld));
            functions.is_function.push(costs.shape == Shape::Function);
        }
        let shares = functions.share.iter().flatten().copied();
        FileData {
            path: cells::clean(&file.file.path, false),
            share: shares.reduce(|sum, share| sum + share),
            stale: file.stale,
            source: source(file),
            functions,
            lines: self.lines,
            sites: self.sites,
        }
    }
}

fn source(file: &FileCosts) -> Option<Vec<String>> {
    let text = file.text.as_ref()?;
    let lines = (1..).map_while(|line| text.line(line));
    let mut lines: Vec<_> = lines.map(cells::visible).collect();
    // What follows the last line's end is no line.
    if lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    Some(lines)
}

fn code(state: State) -> usize {
    State::ALL
        .iter()
        .position(|known| *known == state)
        .unwrap_or_default()
}

/// The state of the heaviest marked site, the first of equals.
fn heaviest_mark(line: &LineCosts) -> Option<State> {
    let marked = line.sites.iter().filter(|site| site.instruction.is_marked());
    let heaviest = marked.max_by_key(|site| {
        let weight = site.tally.map_or(0, |tally| match site.instruction.state {
            State::Unspecialized => tally.executions(),
            _ => tally.misses,
        });
        (weight, std::cmp::Reverse(site.instruction.offset))
    });
    heaviest.map(|site| site.instruction.state)
}

/// The place of an expression in units of the page's strings.
fn range(file: &FileCosts, site: &SiteCosts) -> Option<(usize, u32, usize)> {
    let position = site.position;
    let (start, end) = position.columns?;
    let text = file.text.as_ref()?;
    let units = |line: u32, column: u32| {
        let before = text.line(line)?.get(..usize::try_from(column).ok()?)?;
        Some(before.chars().map(char::len_utf16).sum::<usize>())
    };
    let further = position.end_line.checked_sub(position.line)?;
    Some((
        units(position.line, start)?,
        further,
        units(position.end_line, end)?,
    ))
}
