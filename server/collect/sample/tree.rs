//! Samples by where they were taken and how the thread got there.

use std::collections::HashMap;

/// No caller: the outermost frame.
pub const ROOT: u32 = u32::MAX;
/// More places than this are not kept apart by their callers.
const MOST_NODES: usize = 2_000_000;

/// Samples by what the thread was doing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// On the processor, or ready for it.
    pub running: u64,
    /// Off the processor: asleep, waiting for input, for a lock.
    pub waiting: u64,
    /// Collecting garbage.
    pub collecting: u64,
}

impl Counts {
    /// All of them.
    #[must_use]
    pub fn all(self) -> u64 {
        self.running + self.waiting + self.collecting
    }

    /// Those on the processor.
    #[must_use]
    pub fn busy(self) -> u64 {
        self.running + self.collecting
    }

    /// Adds others.
    pub fn add(&mut self, other: Self) {
        self.running += other.running;
        self.waiting += other.waiting;
        self.collecting += other.collecting;
    }
}

/// An instruction, called from the instruction of its parent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Node {
    /// Index of the caller's node, or [`ROOT`].
    pub parent: u32,
    /// Index of the code object.
    pub code: u32,
    /// Byte offset in its bytecode.
    pub offset: u32,
    /// Samples that were taken right here.
    pub counts: Counts,
}

/// A tree of calls.
#[derive(Debug, Clone, Default)]
pub struct Tree {
    /// Callers stand before those they call.
    pub nodes: Vec<Node>,
    index: HashMap<(u32, u32, u32), u32>,
}

impl Tree {
    /// Counts a sample taken in frames given as code and offset, outermost first.
    pub fn add(&mut self, frames: impl Iterator<Item = (u32, u32)>, counts: Counts) {
        let mut at = ROOT;
        for (code, offset) in frames {
            let parent = if self.nodes.len() < MOST_NODES { at } else { ROOT };
            let nodes = &mut self.nodes;
            at = *self.index.entry((parent, code, offset)).or_insert_with(|| {
                nodes.push(Node {
                    parent,
                    code,
                    offset,
                    counts: Counts::default(),
                });
                u32::try_from(nodes.len() - 1).unwrap_or(ROOT)
            });
        }
        if let Some(node) = self.nodes.get_mut(at as usize) {
            node.counts.add(counts);
        }
    }
}
