//! Stacks on their way to facts: most are like the one before, so they are kept as a tree, each with the
//! time it was seen, and taken apart once, at the end.

use std::collections::HashMap;

use super::located::{Doing, Grain, Located, Place};
use crate::profile::Time;

/// Different places that are kept.
const PLACES: usize = 1 << 20;
/// Different stacks that are kept before they are taken apart.
const STACKS: usize = 1 << 19;
/// The stack without frames; no stack below it.
const ROOT: u32 = 0;

/// Stacks, their frames being places by number.
#[derive(Debug)]
pub struct Stacks {
    places: Vec<Place>,
    numbers: HashMap<Place, usize>,
    kinds: Vec<Kind>,
    /// Own times, by place.
    own: Vec<Time>,
    lines: Numbered<(String, u32)>,
    codes: Numbered<(String, String, Option<u32>)>,
    tree: Vec<Node>,
    below: HashMap<(u32, u32), u32>,
    /// How often the tree was cleared.
    clearings: u64,
    all: Time,
    samples: u64,
}

/// A stack of the tree; it has a meaning until the tree is cleared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stack(u32);

impl Stack {
    /// Without frames.
    pub(super) const EMPTY: Self = Self(ROOT);
}

/// What of a place matters for sums.
#[derive(Debug, Clone, Copy)]
struct Kind {
    is_in_file: bool,
    line: u32,
    code: u32,
}

#[derive(Debug, Clone, Copy, Default)]
struct Node {
    /// The stack without the innermost frame.
    caller: u32,
    /// The innermost frame.
    place: u32,
    /// The stack that was made last of this one and a frame.
    newest: u32,
    is_seen: bool,
    time: Time,
}

/// Things by number, with their times once there is one.
#[derive(Debug)]
struct Numbered<T> {
    numbers: HashMap<T, u32>,
    times: Vec<Option<Time>>,
}

impl<T: std::hash::Hash + Eq> Numbered<T> {
    fn new() -> Self {
        Self {
            numbers: HashMap::new(),
            times: Vec::new(),
        }
    }

    fn number(&mut self, thing: T) -> u32 {
        let next = narrow(self.times.len());
        let number = *self.numbers.entry(thing).or_insert(next);
        if number == next {
            self.times.push(None);
        }
        number
    }

    fn add(&mut self, number: u32, time: Time) {
        self.times[number as usize]
            .get_or_insert_with(Time::default)
            .add(time);
    }

    fn into_times(self) -> HashMap<T, Time> {
        let all = self.numbers.into_iter();
        all.filter_map(|(thing, number)| Some((thing, self.times[number as usize]?)))
            .collect()
    }
}

/// Numbers are below `PLACES` or not far above `STACKS`.
fn narrow(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

impl Stacks {
    /// None yet.
    #[must_use]
    pub fn new() -> Self {
        Self {
            places: Vec::new(),
            numbers: HashMap::new(),
            kinds: Vec::new(),
            own: Vec::new(),
            lines: Numbered::new(),
            codes: Numbered::new(),
            tree: vec![Node::default()],
            below: HashMap::new(),
            clearings: 0,
            all: Time::default(),
            samples: 0,
        }
    }

    /// The number of a place; none when there are too many.
    pub fn place(&mut self, place: Place) -> Option<usize> {
        if let Some(&known) = self.numbers.get(&place) {
            return Some(known);
        }
        if self.places.len() >= PLACES {
            return None;
        }
        let number = self.places.len();
        let line = place.position.map_or(0, |position| position.line);
        self.kinds.push(Kind {
            is_in_file: place.is_in_file(),
            line: self.lines.number((place.path.clone(), line)),
            code: self.codes.number(place.code()),
        });
        self.numbers.insert(place.clone(), number);
        self.places.push(place);
        self.own.push(Time::default());
        Some(number)
    }

    /// A stack, outermost frame first, was seen for this long, `samples` times. Time of code that is in no
    /// file is its caller's.
    pub fn add(&mut self, stack: &[usize], ns: f64, samples: u64, doing: Doing) {
        self.clear_if_full();
        let frames = stack.iter().copied();
        let stack = frames.fold(Stack::EMPTY, |stack, frame| self.called(stack, frame));
        self.seen(stack, ns, samples, doing);
    }

    /// A stack and the frame that its innermost one called.
    pub(super) fn called(&mut self, caller: Stack, frame: usize) -> Stack {
        if frame >= self.places.len() {
            return caller;
        }
        let place = narrow(frame);
        let newest = self.tree[caller.0 as usize].newest;
        if newest != ROOT && self.tree[newest as usize].place == place {
            return Stack(newest);
        }
        let next = narrow(self.tree.len());
        let stack = *self.below.entry((caller.0, place)).or_insert(next);
        if stack == next {
            self.tree.push(Node {
                caller: caller.0,
                place,
                ..Node::default()
            });
        }
        self.tree[caller.0 as usize].newest = stack;
        Stack(stack)
    }

    /// A stack of the tree was seen.
    pub(super) fn seen(&mut self, stack: Stack, ns: f64, samples: u64, doing: Doing) {
        let mut time = Time {
            samples,
            ..Time::default()
        };
        match doing {
            Doing::Running => time.busy_ns = ns,
            Doing::Waiting => {
                time.waiting_ns = ns;
                time.samples = 0;
            }
            Doing::Collecting => {
                time.busy_ns = ns;
                time.collecting_ns = ns;
            }
        }
        self.samples = self.samples.saturating_add(samples);
        let node = &mut self.tree[stack.0 as usize];
        node.time.add(time);
        node.is_seen = true;
    }

    /// Forgets stacks when there are too many, after their times are taken; how often that was done.
    pub(super) fn clear_if_full(&mut self) -> u64 {
        if self.tree.len() > STACKS {
            self.take_apart();
        }
        self.clearings
    }

    /// Gives the times of all stacks to their places, lines and code objects.
    fn take_apart(&mut self) {
        let mut tree = std::mem::replace(&mut self.tree, vec![Node::default()]);
        self.below.clear();
        self.clearings += 1;
        // A caller is before what it called, so one way down and one way up reach all.
        let mut innermost = vec![None; tree.len()];
        for (number, node) in tree.iter().enumerate() {
            self.all.add(node.time);
            if number > 0 && self.kinds[node.place as usize].is_in_file {
                innermost[number] = Some(node.place);
            } else if number > 0 {
                innermost[number] = innermost[node.caller as usize];
            }
            if let Some(place) = innermost[number] {
                self.own[place as usize].add(node.time);
            }
        }
        let mut first = vec![ROOT; tree.len()];
        let mut after = vec![ROOT; tree.len()];
        for number in (1..tree.len()).rev() {
            let node = tree[number];
            let caller = node.caller as usize;
            tree[caller].time.add(node.time);
            tree[caller].is_seen |= node.is_seen;
            after[number] = first[caller];
            first[caller] = narrow(number);
        }
        self.totals(&tree, &first, &after);
    }

    /// The tree from stack to stack; a line or code object counts where it is outermost.
    fn totals(&mut self, tree: &[Node], first: &[u32], after: &[u32]) {
        let mut in_lines = vec![0_u32; self.lines.times.len()];
        let mut in_codes = vec![0_u32; self.codes.times.len()];
        let mut at = first[ROOT as usize];
        while at != ROOT {
            let node = &tree[at as usize];
            let kind = self.kinds[node.place as usize];
            if kind.is_in_file && node.is_seen {
                if in_lines[kind.line as usize] == 0 {
                    self.lines.add(kind.line, node.time);
                }
                if in_codes[kind.code as usize] == 0 {
                    self.codes.add(kind.code, node.time);
                }
            }
            in_lines[kind.line as usize] += 1;
            in_codes[kind.code as usize] += 1;
            if first[at as usize] != ROOT {
                at = first[at as usize];
                continue;
            }
            while at != ROOT {
                let kind = self.kinds[tree[at as usize].place as usize];
                in_lines[kind.line as usize] -= 1;
                in_codes[kind.code as usize] -= 1;
                if after[at as usize] != ROOT {
                    at = after[at as usize];
                    break;
                }
                at = tree[at as usize].caller;
            }
        }
    }

    /// As facts.
    #[must_use]
    pub fn finish(mut self, grain: Grain) -> Located {
        self.take_apart();
        let mut located = Located::new(grain);
        located.facts = Located::own(self.places.into_iter().zip(self.own));
        located.lines = self.lines.into_times();
        located.codes = self.codes.into_times();
        located.all = self.all;
        located.samples = Some(self.samples);
        located
    }
}

impl Default for Stacks {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(stacks: &mut Stacks, function: &str, line: u32) -> usize {
        stacks.place(Place::line("a.py", function, line)).unwrap()
    }

    #[test]
    fn a_recursion_counts_once_and_native_code_for_its_caller() {
        let mut stacks = Stacks::new();
        let (f, g) = (at(&mut stacks, "f", 1), at(&mut stacks, "g", 2));
        let native = stacks.place(Place::line("~", "<native>", 0)).unwrap();
        stacks.add(&[f, g, f, native], 8.0, 1, Doing::Running);
        stacks.add(&[f], 4.0, 1, Doing::Collecting);
        stacks.add(&[f, g], 2.0, 1, Doing::Waiting);
        stacks.add(&[native], 1.0, 1, Doing::Running);
        let located = stacks.finish(Grain::Line);
        let own: Vec<_> = located.facts.iter().map(|(_, fact)| fact.own).collect();
        assert_eq!(
            (own[0].busy_ns, own[0].collecting_ns, own[0].samples),
            (12.0, 4.0, 2)
        );
        assert_eq!((own[1].busy_ns, own[1].waiting_ns, own[1].samples), (0.0, 2.0, 0));
        let line = |line| located.lines[&("a.py".to_owned(), line)];
        assert_eq!((line(1).busy_ns, line(1).waiting_ns), (12.0, 2.0));
        assert_eq!((line(2).busy_ns, line(2).waiting_ns), (8.0, 2.0));
        let code = |name: &str| located.codes[&("a.py".to_owned(), name.to_owned(), None)];
        assert_eq!((code("f"), code("g")), (line(1), line(2)));
        assert_eq!((located.lines.len(), located.codes.len()), (2, 2));
        assert_eq!((located.all.busy_ns, located.samples), (13.0, Some(4)));
    }

    #[test]
    fn stacks_that_were_forgotten_keep_their_times() {
        let mut stacks = Stacks::new();
        let frames: Vec<_> = (1..=8).map(|line| at(&mut stacks, "f", line)).collect();
        let seen = |stacks: &mut Stacks| {
            for &outer in &frames {
                for &inner in &frames {
                    stacks.add(&[outer, inner], 1.0, 1, Doing::Running);
                }
            }
        };
        seen(&mut stacks);
        stacks.take_apart();
        seen(&mut stacks);
        assert_eq!(stacks.clearings, 1);
        let located = stacks.finish(Grain::Line);
        for (place, fact) in &located.facts {
            assert_eq!((fact.own.busy_ns, fact.own.samples), (16.0, 16), "{place:?}");
        }
        // A line is the caller in 16, the callee in 16, and both in 2.
        let line = located.lines[&("a.py".to_owned(), 3)];
        assert_eq!((line.busy_ns, line.samples), (30.0, 30));
        assert_eq!(located.all.samples, 128);
    }
}
