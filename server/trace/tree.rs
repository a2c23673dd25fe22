//! The events of a trace as they contain each other: frames, their lines, the steps of a line.

use std::hash::{DefaultHasher, Hash, Hasher};

use super::{Event, Leave, What};

/// A frame from its begin, or from where it went on, to where it was left.
#[derive(Debug, Clone, PartialEq)]
pub struct Frame {
    /// Index into the trace's codes.
    pub code: usize,
    /// It had been suspended.
    pub resumed: bool,
    /// Its lines in the order in which they ran.
    pub lines: Vec<Line>,
    /// How it was left; none when the trace ends before.
    pub left: Option<Leave>,
    /// Of everything but times: equal for frames that did the same.
    pub digest: u64,
}

/// What ran from one line event to the next.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// 1-based; none before the first line event, where a suspended frame goes on.
    pub line: Option<u32>,
    /// What ran.
    pub steps: Vec<Step>,
    /// As [`Frame::digest`].
    pub digest: u64,
}

/// A step of a line.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// An instruction.
    Instruction {
        /// Index into the code's instructions.
        index: usize,
        /// How many instructions of the trace ran before.
        ordinal: usize,
    },
    /// A frame that the instruction before called.
    Frame(Frame),
    /// An exception of this type came up.
    Exception(String),
}

impl Step {
    /// As [`Frame::digest`].
    #[must_use]
    pub fn digest(&self) -> u64 {
        match self {
            Self::Instruction { index, .. } => digest(|state| (0u8, index).hash(state)),
            Self::Frame(frame) => frame.digest,
            Self::Exception(name) => digest(|state| (1u8, name).hash(state)),
        }
    }

    /// Ordinal of the first instruction in it.
    #[must_use]
    pub fn first(&self) -> Option<usize> {
        match self {
            Self::Instruction { ordinal, .. } => Some(*ordinal),
            Self::Frame(frame) => frame.lines.iter().find_map(Line::first),
            Self::Exception(_) => None,
        }
    }
}

impl Line {
    /// Ordinal of the first instruction in it.
    #[must_use]
    pub fn first(&self) -> Option<usize> {
        self.steps.iter().find_map(Step::first)
    }
}

/// The outermost frames. Events without a frame around them make one of their own.
#[must_use]
pub fn build(events: &[Event]) -> Vec<Frame> {
    let mut done = Vec::new();
    let mut open: Vec<Frame> = Vec::new();
    let mut ordinal = 0;
    for event in events {
        if matches!(event.what, What::Call { .. }) || open.is_empty() {
            let resumed = !matches!(event.what, What::Call { resumed: false });
            open.push(Frame {
                code: event.code,
                resumed,
                lines: Vec::new(),
                left: None,
                digest: 0,
            });
        }
        let Some(frame) = open.last_mut() else { continue };
        match &event.what {
            What::Call { .. } => {}
            What::Line(line) => frame.lines.push(line_at(Some(*line))),
            What::Instruction { index, .. } => {
                push(
                    frame,
                    Step::Instruction {
                        index: *index,
                        ordinal,
                    },
                );
                ordinal += 1;
            }
            What::Exception(name) => push(frame, Step::Exception(name.clone())),
            What::Return(leave) => {
                frame.left = Some(*leave);
                close(&mut open, &mut done);
            }
        }
    }
    while !open.is_empty() {
        close(&mut open, &mut done);
    }
    done
}

fn close(open: &mut Vec<Frame>, done: &mut Vec<Frame>) {
    let Some(mut frame) = open.pop() else { return };
    for line in &mut frame.lines {
        line.digest = digest(|state| {
            line.line.hash(state);
            line.steps.iter().for_each(|step| step.digest().hash(state));
        });
    }
    frame.digest = digest(|state| {
        let left = frame.left.map(|left| left as u8);
        (2u8, frame.code, frame.resumed, left).hash(state);
        frame.lines.iter().for_each(|line| line.digest.hash(state));
    });
    match open.last_mut() {
        Some(outer) => push(outer, Step::Frame(frame)),
        None => done.push(frame),
    }
}

fn push(frame: &mut Frame, step: Step) {
    if frame.lines.is_empty() {
        frame.lines.push(line_at(None));
    }
    if let Some(line) = frame.lines.last_mut() {
        line.steps.push(step);
    }
}

fn line_at(line: Option<u32>) -> Line {
    Line {
        line,
        steps: Vec::new(),
        digest: 0,
    }
}

fn digest(write: impl FnOnce(&mut DefaultHasher)) -> u64 {
    let mut state = DefaultHasher::new();
    write(&mut state);
    state.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(code: usize, what: What) -> Event {
        Event { code, what }
    }

    fn instruction(index: usize) -> What {
        What::Instruction { index, ns: None }
    }

    #[test]
    fn frames_contain_the_frames_they_call() {
        let call = |code| event(code, What::Call { resumed: false });
        let back = |code| event(code, What::Return(Leave::Return));
        let events = [
            call(0),
            event(0, What::Line(2)),
            event(0, instruction(0)),
            call(1),
            event(1, instruction(0)),
            back(1),
            call(1),
            event(1, instruction(0)),
            back(1),
            event(0, instruction(1)),
            back(0),
        ];
        let frames = build(&events);
        let [frame] = &frames[..] else {
            panic!("{frames:?}")
        };
        assert_eq!(frame.left, Some(Leave::Return));
        let steps = &frame.lines[0].steps;
        assert_eq!(steps.len(), 4);
        assert_eq!(steps[1].digest(), steps[2].digest());
        assert_eq!(steps[2].first(), Some(2));
        assert!(matches!(steps[3], Step::Instruction { index: 1, ordinal: 3 }));
    }

    #[test]
    fn what_is_cut_off_stays() {
        let events = [
            event(0, What::Call { resumed: false }),
            event(0, instruction(0)),
            event(1, What::Call { resumed: true }),
            event(1, What::Exception("KeyError".to_owned())),
        ];
        let frames = build(&events);
        assert_eq!(frames.len(), 1);
        assert_eq!(frames[0].left, None);
        assert!(matches!(&frames[0].lines[0].steps[1], Step::Frame(frame) if frame.resumed));
    }
}
