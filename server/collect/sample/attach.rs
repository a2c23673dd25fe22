//! From a process to its interpreter: which file holds it, where it is loaded, which version it is.

use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

use super::Error;
use super::elf::{self, Image};
use super::memory::Memory;
use crate::cpython::{self, memory::Form};

/// Bytes of the table of offsets that are looked at; every version's is shorter.
const TABLE: usize = 1024;
const COOKIE: &[u8] = b"xdebugpy";
const PAGE: u64 = 4096;

/// An interpreter in another process.
#[derive(Debug, Clone)]
pub struct Runtime {
    /// Address of `_PyRuntime`.
    pub address: u64,
    /// `PY_VERSION_HEX`.
    pub hex: u32,
    /// A build without the global interpreter lock.
    pub free_threaded: bool,
    /// Offsets within its structures.
    pub offsets: cpython::Memory,
}

impl Runtime {
    /// `major.minor`.
    #[must_use]
    pub fn minor(&self) -> String {
        format!("{}.{}", self.hex >> 24, self.hex >> 16 & 0xff)
    }

    /// `major.minor.micro` with a release-level suffix.
    #[must_use]
    pub fn version(&self) -> String {
        let level = match self.hex >> 4 & 0xf {
            0xa => format!("a{}", self.hex & 0xf),
            0xb => format!("b{}", self.hex & 0xf),
            0xc => format!("rc{}", self.hex & 0xf),
            _ => String::new(),
        };
        format!("{}.{}{level}", self.minor(), self.hex >> 8 & 0xff)
    }
}

/// Finds the interpreter of a process.
///
/// # Errors
/// See [`Error`].
pub fn attach(memory: Memory) -> Result<Runtime, Error> {
    let pid = memory.pid();
    let maps = std::fs::read_to_string(format!("/proc/{pid}/maps")).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => Error::NoProcess { pid },
        _ => Error::Denied { pid },
    })?;
    let mappings: Vec<Mapping> = maps.lines().filter_map(Mapping::parse).collect();
    if mappings.is_empty() {
        return Err(Error::NoProcess { pid });
    }
    let mut paths: Vec<&str> = Vec::new();
    let mut seen = BTreeSet::new();
    for mapping in mappings.iter().filter(|mapping| mapping.path.starts_with('/')) {
        if seen.insert(mapping.path) {
            paths.push(mapping.path);
        }
    }
    // The program itself and what is named after Python come first: the others are many.
    let program = std::fs::read_link(format!("/proc/{pid}/exe")).unwrap_or_default();
    paths.sort_by_key(|path| (*path != program.to_string_lossy(), !path.contains("python")));
    for path in paths {
        let own: Vec<_> = mappings.iter().filter(|mapping| mapping.path == path).collect();
        let Some(image) = image(pid, path, *path == *program.to_string_lossy(), &own) else {
            continue;
        };
        let Some(bias) = bias(&image, &own) else { continue };
        let version = image.version.map(|version| version.wrapping_add(bias));
        return describe(memory, image.runtime.wrapping_add(bias), version);
    }
    Err(Error::NoPython { pid })
}

/// A line of `/proc/PID/maps`.
struct Mapping<'a> {
    start: u64,
    end: u64,
    offset: u64,
    path: &'a str,
}

impl<'a> Mapping<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let mut rest = line;
        let mut word = || {
            let (word, after) = rest.trim_start().split_once(' ')?;
            rest = after;
            Some(word)
        };
        let (start, end) = word()?.split_once('-')?;
        word()?;
        let offset = word()?;
        word()?;
        word()?;
        Some(Self {
            start: u64::from_str_radix(start, 16).ok()?,
            end: u64::from_str_radix(end, 16).ok()?,
            offset: u64::from_str_radix(offset, 16).ok()?,
            path: rest.trim_start(),
        })
    }
}

/// The file as the process sees it: it may live in a container, or be deleted by now.
fn image(pid: i32, path: &str, is_program: bool, own: &[&Mapping]) -> Option<Image> {
    let mut candidates = vec![PathBuf::from(format!("/proc/{pid}/root{path}"))];
    if is_program {
        candidates.insert(0, PathBuf::from(format!("/proc/{pid}/exe")));
    }
    if let Some(first) = own.first() {
        let name = format!("/proc/{pid}/map_files/{:x}-{:x}", first.start, first.end);
        candidates.push(PathBuf::from(name));
    }
    candidates.push(PathBuf::from(path));
    let file = candidates.iter().find_map(|path| File::open(path).ok())?;
    let length = file.metadata().ok()?.len();
    elf::find(&|offset, size| {
        // What a damaged file asks for may be larger than memory.
        let fits =
            u64::try_from(size).is_ok_and(|size| offset.checked_add(size).is_some_and(|end| end <= length));
        let mut bytes = vec![0; if fits { size } else { return None }];
        file.read_exact_at(&mut bytes, offset).ok()?;
        Some(bytes)
    })
}

/// How far from its own addresses a file was loaded.
fn bias(image: &Image, own: &[&Mapping]) -> Option<u64> {
    image.loads.iter().find_map(|load| {
        let start = load.offset & !(PAGE - 1);
        let mapping = own.iter().find(|mapping| mapping.offset == start)?;
        Some(mapping.start.wrapping_sub(load.address & !(PAGE - 1)))
    })
}

fn describe(memory: Memory, address: u64, version: Option<u64>) -> Result<Runtime, Error> {
    let pid = memory.pid();
    let mut table = vec![0; TABLE];
    memory.read(address, &mut table)?;
    let word = |at: u64| {
        let at = usize::try_from(at).ok()?;
        Some(u64::from_le_bytes(table.get(at..at + 8)?.try_into().ok()?))
    };
    let told = (table.starts_with(COOKIE)).then(|| (word(8).unwrap_or(0), word(16) == Some(1)));
    let (hex, free_threaded) = match (told, version) {
        (Some(told), _) => told,
        (None, Some(version)) => (memory.word(version)?, false),
        (None, None) => return Err(Error::NoPython { pid }),
    };
    let hex = u32::try_from(hex).unwrap_or(0);
    let minor = format!("{}.{}", hex >> 24, hex >> 16 & 0xff);
    let unknown = || Error::UnknownVersion { minor: minor.clone() };
    let offsets = &cpython::version(&minor).ok_or_else(unknown)?.memory;
    let offsets = match (offsets.form, told) {
        (Form::Fixed, None) => offsets.clone(),
        (Form::DebugOffsets, Some(_)) => offsets.resolve(&word).ok_or_else(unknown)?,
        _ => return Err(unknown()),
    };
    Ok(Runtime {
        address,
        hex,
        free_threaded,
        offsets,
    })
}
