//! What a dump says of places in code, before it meets any text.

use std::collections::{BTreeSet, HashMap};

use crate::profile::{Position, Time};

/// The finest thing a dump tells apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grain {
    /// Instructions, by offset or by position and opcode.
    Instruction,
    /// Expressions, by their columns.
    Expression,
    /// Lines.
    Line,
    /// Functions, by their first lines.
    Function,
}

/// A place that a dump names.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Place {
    /// As the interpreter saw it: relative, absolute, shortened, or no file at all.
    pub path: String,
    /// Name or qualified name; empty when the dump has none.
    pub function: String,
    /// First line of the code object, where the dump says it.
    pub first_line: Option<u32>,
    /// Where; none for code that is in no file.
    pub position: Option<Position>,
    /// Byte offset of the instruction.
    pub offset: Option<u32>,
    /// Opcode as the dump has it, perhaps a specialized one.
    pub opcode: Option<String>,
}

impl Place {
    /// A line.
    #[must_use]
    pub fn line(path: &str, function: &str, line: u32) -> Self {
        Self {
            path: path.to_owned(),
            function: function.to_owned(),
            first_line: None,
            position: (line > 0).then_some(Position {
                line,
                end_line: line,
                columns: None,
            }),
            offset: None,
            opcode: None,
        }
    }

    /// Whether it is in a file: not native, frozen or made from a string.
    #[must_use]
    pub fn is_in_file(&self) -> bool {
        self.position.is_some() && !self.path.is_empty() && self.path != "~" && !self.path.starts_with('<')
    }

    pub(super) fn code(&self) -> (String, String, Option<u32>) {
        (self.path.clone(), self.function.clone(), self.first_line)
    }
}

/// What is told of a place.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Fact {
    /// How often it ran.
    pub executions: Option<u64>,
    /// Its own time.
    pub own: Time,
}

/// Everything a dump says of places.
#[derive(Debug, Clone, PartialEq)]
pub struct Located {
    /// The finest thing it tells apart.
    pub grain: Grain,
    /// Version of the interpreter, where it says it.
    pub python: Option<String>,
    /// What was measured, own numbers by place.
    pub facts: Vec<(Place, Fact)>,
    /// Time of a line with what it called, by path and line.
    pub lines: HashMap<(String, u32), Time>,
    /// Time of a code object with what it called, by path, name and first line.
    pub codes: HashMap<(String, String, Option<u32>), Time>,
    /// Calls of a code object, by path, name and first line.
    pub calls: HashMap<(String, String, Option<u32>), u64>,
    /// Texts of lines as the dump quotes them, trimmed, by path and line: a text that differs is another.
    pub quoted: HashMap<(String, u32), String>,
    /// Whether there are times.
    pub has_times: bool,
    /// Length of what was measured, ns, where it is told.
    pub wall_ns: Option<f64>,
    /// All time, ns, that of no file included.
    pub all: Time,
    /// Samples, for samplers.
    pub samples: Option<u64>,
    /// Threads seen.
    pub threads: u64,
    /// What a reader must know of these numbers.
    pub notes: Vec<String>,
}

impl Located {
    /// Nothing yet.
    #[must_use]
    pub fn new(grain: Grain) -> Self {
        Self {
            grain,
            python: None,
            facts: Vec::new(),
            lines: HashMap::new(),
            codes: HashMap::new(),
            calls: HashMap::new(),
            quoted: HashMap::new(),
            has_times: true,
            wall_ns: None,
            all: Time::default(),
            samples: None,
            threads: 1,
            notes: Vec::new(),
        }
    }

    /// Own times by place, those of no file left out.
    pub(super) fn own(places: impl IntoIterator<Item = (Place, Time)>) -> Vec<(Place, Fact)> {
        let in_files = places.into_iter().filter(|(place, _)| place.is_in_file());
        let fact = |own| Fact {
            executions: None,
            own,
        };
        in_files.map(|(place, own)| (place, fact(own))).collect()
    }

    /// Names of the files that it is about, without folders.
    #[must_use]
    pub fn file_names(&self) -> BTreeSet<String> {
        let name = |path: &str| path.rsplit(['/', '\\']).next().unwrap_or_default().to_owned();
        self.facts.iter().map(|(place, _)| name(&place.path)).collect()
    }
}

/// What a stack was seen doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doing {
    /// On the processor, or not told apart.
    Running,
    /// Off it.
    Waiting,
    /// Collecting garbage.
    Collecting,
}
