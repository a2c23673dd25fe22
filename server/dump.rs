//! Dumps that other programs wrote: recognized by content, read without trust.
//!
//! A reader takes bytes and yields statistics or costs; it opens nothing and runs nothing. What is
//! damaged costs itself only: it is counted and told, and the rest is kept.

use std::io::{BufRead, BufReader, Cursor, Read};

use crate::stats::Statistics;

mod add;
mod austin;
mod bytes;
mod bytesight;
mod chrome;
mod folded;
mod gecko;
mod jsonl;
mod line_profiler;
mod lines;
mod lltrace;
pub mod located;
mod lprof;
mod marshal;
pub mod place;
mod pstats_text;
mod pyinstrument;
mod pystats;
mod report;
mod scalene;
mod sniff;
mod speedscope;
mod stacks;
mod sum;
mod tachyon;
mod tally;
mod webcopy;

pub use add::add;
pub use lltrace::{JitLog, Logged};
pub use sniff::Format;
pub use sum::{Refused, Sum};

use located::Located;
use tally::Tally;

/// Bytes that are looked at to tell a format.
const HEAD: u64 = 1 << 16;
/// Formats that are read as one piece may have this many bytes, unpacked.
const LARGEST: u64 = 1 << 28;
/// Bytes read at a time.
const BUFFER: usize = 1 << 18;
/// Problems of one file that are told one by one.
const TOLD: usize = 5;

/// Why a dump was not read.
#[derive(Debug, thiserror::Error)]
#[error("{file}: {problem}")]
pub struct Error {
    /// The file, as it was named.
    pub file: String,
    /// What is wrong.
    pub problem: Problem,
}

/// What is wrong with a dump.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// The bytes could not be had.
    #[error("cannot be read: {0}")]
    Io(#[from] std::io::Error),
    /// There are none.
    #[error("the file is empty")]
    Empty,
    /// No known format.
    #[error("this is none of the formats that bytecost reads")]
    Unknown,
    /// No known format, but text, as all of a log may be when nothing was logged.
    #[error(
        "this text is none of the formats that bytecost reads; if PYTHON_LLTRACE was 1: CPython 3.15 logs nothing at level 1, so set it to 2"
    )]
    UnknownText,
    /// A format that cannot be read safely or usefully.
    #[error("{0}")]
    Refused(String),
    /// More than is read as one piece.
    #[error("it is larger than {} MB, unpacked", LARGEST >> 20)]
    TooLarge,
    /// Nothing of it can be used.
    #[error("{}{what}", place_of(*.place))]
    Damaged {
        /// Where, if that is known.
        place: Option<Place>,
        /// What is there.
        what: String,
    },
}

/// Where in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// 1-based line of a text.
    Line(u64),
    /// Byte offset, 0-based.
    Offset(u64),
}

impl std::fmt::Display for Place {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Line(line) => write!(formatter, "line {line}"),
            Self::Offset(offset) => write!(formatter, "offset {offset}"),
        }
    }
}

fn place_of(place: Option<Place>) -> String {
    place.map_or_else(String::new, |place| format!("{place}: "))
}

/// A dump that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Dump {
    /// The file, as it was named.
    pub name: String,
    /// What it was recognized as.
    pub format: Format,
    /// What it says.
    pub content: Content,
    /// What could not be used, in sentences without the file's name.
    pub problems: Vec<String>,
}

/// What a dump says.
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    /// Counters or tables of a whole process.
    Statistics(Box<Statistics>),
    /// Numbers of places in code.
    Located(Box<Located>),
    /// What became of the JIT's traces, by code object and offset.
    JitLog(Box<JitLog>),
}

/// What could not be used, as it is found.
#[derive(Debug, Default)]
pub(crate) struct Damage {
    told: Vec<String>,
    more: u64,
}

impl Damage {
    /// Something at a place.
    pub(crate) fn at(&mut self, place: Place, what: &str) {
        if self.told.len() < TOLD {
            self.told.push(format!("{place}: {what}"));
        } else {
            self.more += 1;
        }
    }

    /// Something about the whole.
    pub(crate) fn about(&mut self, what: impl Into<String>) {
        self.told.insert(0, what.into());
    }

    fn sentences(mut self) -> Vec<String> {
        if self.more > 0 {
            self.told
                .push(format!("and {} more places like these", self.more));
        }
        self.told
    }
}

/// Reads a dump. `name` is for messages alone.
pub fn read(name: &str, input: impl Read) -> Result<Dump, Error> {
    let named = |problem| Error {
        file: name.to_owned(),
        problem,
    };
    let mut damage = Damage::default();
    let (format, input) = unpacked(Box::new(input), 1).map_err(named)?;
    let input = BufReader::with_capacity(BUFFER, input);
    let content = read_as(format, input, &mut damage).map_err(named)?;
    Ok(Dump {
        name: name.to_owned(),
        format,
        content,
        problems: damage.sentences(),
    })
}

/// Reads bytes, unpacked, that are known to be of a format: what they are is not looked for.
pub fn read_known(name: &str, format: Format, input: impl Read) -> Result<Dump, Error> {
    let mut damage = Damage::default();
    let content =
        read_as(format, BufReader::with_capacity(BUFFER, input), &mut damage).map_err(|problem| Error {
            file: name.to_owned(),
            problem,
        })?;
    Ok(Dump {
        name: name.to_owned(),
        format,
        content,
        problems: damage.sentences(),
    })
}

/// What bytes are, and they themselves from the first, unpacked.
fn unpacked<'i>(mut input: Box<dyn Read + 'i>, layers: u32) -> Result<(Format, Box<dyn Read + 'i>), Problem> {
    let mut head = Vec::new();
    input.by_ref().take(HEAD).read_to_end(&mut head)?;
    if head.is_empty() {
        return Err(Problem::Empty);
    }
    if layers > 0 && head.starts_with(&[0x1f, 0x8b]) {
        let whole = Cursor::new(head).chain(input);
        return unpacked(Box::new(flate2::read::MultiGzDecoder::new(whole)), layers - 1);
    }
    let format = sniff::sniff(&head)?;
    Ok((format, Box::new(Cursor::new(head).chain(input))))
}

fn read_as(format: Format, input: impl BufRead, damage: &mut Damage) -> Result<Content, Problem> {
    let located = match format {
        Format::PystatsRaw => {
            let mut tally = Tally::new();
            let minor = tally.read(input, damage)?;
            tally.keep(minor);
            let counters = tally.take();
            return Ok(statistics(Statistics::Counters(Box::new(counters))));
        }
        Format::PystatsJson => {
            let counters = pystats::json(&in_one_piece(input)?, damage)?;
            return Ok(statistics(Statistics::Counters(Box::new(counters))));
        }
        Format::PystatsReport => return Ok(statistics(report::read(&text(input, damage)?, damage)?)),
        Format::JitLog => return Ok(Content::JitLog(Box::new(lltrace::read(input)?))),
        Format::PystatsPage => return Ok(statistics(webcopy::read(&text(input, damage)?, damage)?)),
        Format::Tachyon => tachyon::read(&in_one_piece(input)?, damage)?,
        Format::TachyonLines => jsonl::read(input, damage)?,
        Format::TachyonCollapsed => folded::read(folded::Dialect::Tachyon, input, damage)?,
        Format::Gecko => gecko::read(&in_one_piece(input)?, damage)?,
        Format::PstatsText => pstats_text::read(input, damage)?,
        Format::ChromeTrace => chrome::read(&in_one_piece(input)?, damage)?,
        Format::Pstats => marshal::read(&in_one_piece(input)?, damage)?,
        Format::Bytesight => bytesight::read(input, damage)?,
        Format::PySpy => folded::read(folded::Dialect::PySpy, input, damage)?,
        Format::Speedscope => speedscope::read(&in_one_piece(input)?, damage)?,
        Format::LineProfiler => line_profiler::read(input, damage)?,
        Format::LineProfilerPickle => lprof::read(&in_one_piece(input)?, damage)?,
        Format::Scalene => scalene::read(&in_one_piece(input)?, damage)?,
        Format::Austin => austin::read(&in_one_piece(input)?, damage)?,
        Format::AustinText => folded::read(folded::Dialect::Austin, input, damage)?,
        Format::Pyinstrument => pyinstrument::tree(&in_one_piece(input)?, damage)?,
        Format::PyinstrumentSession => pyinstrument::session(&in_one_piece(input)?, damage)?,
    };
    Ok(Content::Located(Box::new(located)))
}

fn statistics(statistics: Statistics) -> Content {
    Content::Statistics(Box::new(statistics))
}

/// A whole document.
fn json<T: serde::de::DeserializeOwned>(bytes: &[u8], what: &str) -> Result<T, Problem> {
    serde_json::from_slice(bytes).map_err(|error| Problem::Damaged {
        place: Some(Place::Line(error.line() as u64)),
        what: if error.is_eof() {
            format!("column {}: the JSON ends too early", error.column())
        } else {
            format!("column {}: this is not {what}", error.column())
        },
    })
}

/// All bytes, if they are not too many.
fn in_one_piece(input: impl Read) -> Result<Vec<u8>, Problem> {
    let mut bytes = Vec::new();
    input.take(LARGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST {
        return Err(Problem::TooLarge);
    }
    Ok(bytes)
}

/// All text; bytes that are no UTF-8 are replaced and told.
fn text(input: impl Read, damage: &mut Damage) -> Result<String, Problem> {
    let bytes = in_one_piece(input)?;
    Ok(String::from_utf8(bytes).unwrap_or_else(|error| {
        damage.at(
            Place::Offset(error.utf8_error().valid_up_to() as u64),
            "this is not UTF-8",
        );
        String::from_utf8_lossy(error.as_bytes()).into_owned()
    }))
}
