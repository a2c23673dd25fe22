//! A trace for a terminal: nested by depth, loops folded.

use std::collections::HashMap;
use std::rc::Rc;

use super::page::{Page, Role};
use super::{Style, cells};
use crate::explain::number::{counted, duration};
use crate::explain::traced;
use crate::trace::fold::{self, Run};
use crate::trace::tree::{self, Frame, Line, Step};
use crate::trace::{Code, Trace, What};

/// Cells that a frame stands further to the right than its caller.
const INDENT: usize = 4;

/// Frames deeper than this are not moved further: their depth is written instead.
const DEEPEST: usize = 12;

/// The trace as text. `texts` gives the text of a file by its path.
#[must_use]
pub fn render(trace: &Trace, texts: &dyn Fn(&str) -> Option<String>, style: &Style) -> String {
    let mut view = View {
        trace,
        page: Page::new(*style),
        times: times(trace),
        opcode: opcode_cells(trace),
        texts,
        sources: HashMap::new(),
    };
    view.header();
    let frames = tree::build(&trace.events);
    let digests: Vec<u64> = frames.iter().map(|frame| frame.digest).collect();
    for run in fold::runs(&digests) {
        view.page.blank();
        let place = Place::default();
        let starts = starts(run, |index| frames[index].lines.iter().find_map(Line::first));
        let inside = view.open(run, &starts, &place);
        for frame in &frames[run.start..run.start + run.period] {
            view.frame(frame, inside.as_ref().unwrap_or(&place));
        }
    }
    view.footer();
    view.page.finish()
}

/// Times of all instructions in order, if there are any.
fn times(trace: &Trace) -> Vec<Option<f64>> {
    let events = trace.events.iter();
    let times = events.filter_map(|event| match event.what {
        What::Instruction { ns, .. } => Some(ns),
        _ => None,
    });
    times.collect()
}

/// Cells of the longest opcode that ran.
fn opcode_cells(trace: &Trace) -> usize {
    let ran = trace.events.iter().filter_map(|event| match event.what {
        What::Instruction { index, .. } => Some(&trace.codes[event.code].instructions[index]),
        _ => None,
    });
    ran.map(|instruction| instruction.opcode.len()).max().unwrap_or(0)
}

struct View<'t> {
    trace: &'t Trace,
    page: Page,
    times: Vec<Option<f64>>,
    /// Cells of the opcode's column.
    opcode: usize,
    texts: &'t dyn Fn(&str) -> Option<String>,
    sources: HashMap<usize, Option<Rc<Vec<String>>>>,
}

/// Where something is shown.
#[derive(Clone)]
struct Place {
    depth: usize,
    /// Folds around it.
    folds: usize,
    /// Distance in instructions from what is shown to each of the alike things it stands for.
    alike: Rc<Vec<usize>>,
}

impl Default for Place {
    fn default() -> Self {
        Self {
            depth: 0,
            folds: 0,
            alike: Rc::new(vec![0]),
        }
    }
}

impl Place {
    /// Inside of a fold whose repetitions begin at these ordinals.
    fn folded(&self, starts: &[usize]) -> Self {
        let first = starts.first().copied().unwrap_or(0);
        let alike = self.alike.iter();
        let alike = alike.flat_map(|outer| starts.iter().map(move |start| outer + start - first));
        Self {
            depth: self.depth,
            folds: self.folds + 1,
            alike: Rc::new(alike.collect()),
        }
    }

    fn deeper(&self) -> Self {
        Self {
            depth: self.depth + 1,
            ..self.clone()
        }
    }
}

impl View<'_> {
    fn header(&mut self) {
        let trace = self.trace;
        let instructions = self.times.len() as u64;
        let mut facts = vec![
            format!("CPython {}", trace.python.version),
            counted(instructions, "instruction", "instructions"),
        ];
        if trace.times.is_some() {
            facts.push(duration(self.times.iter().flatten().sum()));
        }
        let mut spans = vec![self.page.span(Role::Strong, &trace.workload.target)];
        spans.extend(facts.iter().map(|fact| self.page.span(Role::Plain, fact)));
        self.page.flow(&spans, " · ", 0);
    }

    fn footer(&mut self) {
        let notes = traced::notes(self.trace);
        if !notes.is_empty() {
            self.page.blank();
        }
        for note in notes {
            self.page.paragraph("· ", Role::Dim, &note);
        }
    }

    fn frame(&mut self, frame: &Frame, place: &Place) {
        let code = &self.trace.codes[frame.code];
        let mut spans = vec![
            self.lead(place, ""),
            self.page
                .span(Role::Place, &format!("{}:{}", code.path, code.first_line)),
            self.page.span(Role::Strong, &format!(" {}", code.qualname)),
        ];
        let mut facts = Vec::new();
        if frame.resumed {
            facts.push("goes on".to_owned());
        }
        if place.depth > DEEPEST {
            facts.push(format!("depth {}", place.depth + 1));
        }
        if !facts.is_empty() {
            spans.push(self.page.span(Role::Dim, &format!(" ({})", facts.join(", "))));
        }
        self.page.line(&spans);
        let digests: Vec<u64> = frame.lines.iter().map(|line| line.digest).collect();
        for run in fold::runs(&digests) {
            let starts = starts(run, |index| frame.lines[index].first());
            let inside = self.open(run, &starts, place);
            for line in &frame.lines[run.start..run.start + run.period] {
                self.line(frame.code, line, inside.as_ref().unwrap_or(place));
            }
        }
        if let Some(left) = traced::left(frame.left) {
            let spans = [self.lead(place, "  "), self.page.span(Role::Dim, left)];
            self.page.line(&spans);
        }
    }

    /// Says that something is repeated; the place inside of it.
    fn open(&mut self, run: Run, starts: &[usize], place: &Place) -> Option<Place> {
        if run.times < 2 {
            return None;
        }
        let sign = if self.page.style.ascii { "*" } else { "↻" };
        let text = traced::repeated(run.times, self.trace.times.is_some());
        let text = format!("{sign} {text}");
        let spans = [self.lead(place, "  "), self.page.span(Role::Missing, &text)];
        self.page.line(&spans);
        Some(place.folded(starts))
    }

    fn line(&mut self, code: usize, line: &Line, place: &Place) {
        if let Some(number) = line.line {
            let text = self.source(code, number);
            let spans = [
                self.lead(place, &format!("{number:>6}  ")),
                self.page
                    .span(Role::Plain, text.as_deref().unwrap_or("(no source)")),
            ];
            self.page.line(&spans);
        }
        let digests: Vec<u64> = line.steps.iter().map(Step::digest).collect();
        for run in fold::runs(&digests) {
            let starts = starts(run, |index| line.steps[index].first());
            let inside = self.open(run, &starts, place);
            for step in &line.steps[run.start..run.start + run.period] {
                self.step(code, step, inside.as_ref().unwrap_or(place));
            }
        }
    }

    fn step(&mut self, code: usize, step: &Step, place: &Place) {
        match step {
            Step::Frame(frame) => self.frame(frame, &place.deeper()),
            Step::Exception(name) => {
                let spans = [
                    self.lead(place, "          "),
                    self.page.span(Role::Generic, &format!("! {name}")),
                ];
                self.page.line(&spans);
            }
            Step::Instruction { index, ordinal } => {
                let instruction = &self.trace.codes[code].instructions[*index];
                let target = match (instruction.is_target, self.page.style.ascii) {
                    (false, _) => " ",
                    (true, true) => ">",
                    (true, false) => "›",
                };
                let lead = self.lead(place, &format!("{target:>9} {:<5}", instruction.offset));
                let name = self
                    .page
                    .span(Role::Plain, &format!("{:<1$} ", instruction.opcode, self.opcode));
                let time = self.time(*ordinal, place).map(duration);
                let time = self.page.span(
                    Role::Strong,
                    &time.map(|time| format!("{time:>10}")).unwrap_or_default(),
                );
                let used = lead.width() + name.width() + time.width();
                let room = self.page.style.width.saturating_sub(used).clamp(12, 44);
                let argument = argument(&self.trace.codes[code], *index);
                let argument = cells::Cells::new(
                    &cells::clean(&argument, self.page.style.ascii),
                    self.page.style.ascii,
                );
                let argument = argument.fit(room);
                let blank = room.saturating_sub(unicode_width::UnicodeWidthStr::width(argument.as_str()));
                let argument = self
                    .page
                    .span(Role::Dim, &format!("{argument}{}", " ".repeat(blank)));
                self.page.line(&[lead, name, argument, time]);
            }
        }
    }

    /// The mean time of an instruction over what it stands for.
    fn time(&self, ordinal: usize, place: &Place) -> Option<f64> {
        let times = place
            .alike
            .iter()
            .filter_map(|shift| *self.times.get(ordinal + shift)?);
        let (sum, number) = times.fold((0.0, 0u32), |(sum, number), ns| (sum + ns, number + 1));
        (number > 0).then(|| sum / f64::from(number))
    }

    fn lead(&self, place: &Place, text: &str) -> super::page::Span {
        let bar = if self.page.style.ascii { "| " } else { "│ " };
        let indent = " ".repeat(INDENT * place.depth.min(DEEPEST));
        self.page
            .span(Role::Dim, &format!("{indent}{}{text}", bar.repeat(place.folds)))
    }

    /// A line of a code's file, without what is around it.
    fn source(&mut self, code: usize, line: u32) -> Option<String> {
        let path = &self.trace.codes[code].path;
        let texts = self.texts;
        let lines = self.sources.entry(code).or_insert_with(|| {
            let text = texts(path)?;
            Some(Rc::new(text.lines().map(str::to_owned).collect()))
        });
        let line = lines.as_ref()?.get((line as usize).checked_sub(1)?)?;
        Some(line.trim().to_owned())
    }
}

/// Ordinals at which the repetitions of a run begin.
fn starts(run: Run, first: impl Fn(usize) -> Option<usize>) -> Vec<usize> {
    if run.times < 2 {
        return Vec::new();
    }
    let begin = |time: usize| {
        let from = run.start + time * run.period;
        (from..from + run.period).find_map(&first)
    };
    (0..run.times).filter_map(begin).collect()
}

/// An instruction's argument in words, else its number.
fn argument(code: &Code, index: usize) -> String {
    let instruction = &code.instructions[index];
    match instruction.arg {
        Some(arg) if instruction.argument.is_empty() => arg.to_string(),
        _ => instruction.argument.clone(),
    }
}
