//! Where a program or library keeps the interpreter's state: symbols and sections of an ELF file.

/// Reads bytes of the file: offset and length; none when it has no such bytes.
pub type Read<'a> = &'a dyn Fn(u64, usize) -> Option<Vec<u8>>;

/// The section that holds `_PyRuntime` and nothing else.
const SECTION: &[u8] = b".PyRuntime";
const SYMTAB: u32 = 2;
const DYNSYM: u32 = 11;
const LOAD: u32 = 1;
/// A symbol table larger than this is none of a Python.
const MOST_SYMBOLS: usize = 64 << 20;

/// A loaded part of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Load {
    /// In the file.
    pub offset: u64,
    /// In memory, before relocation.
    pub address: u64,
}

/// What was found in an ELF file; addresses are before relocation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// Its loaded parts.
    pub loads: Vec<Load>,
    /// Address of `_PyRuntime`.
    pub runtime: u64,
    /// Address of `Py_Version`.
    pub version: Option<u64>,
}

/// Looks for the interpreter's state; none when the file is no 64-bit ELF file that defines it.
#[must_use]
pub fn find(read: Read) -> Option<Image> {
    let head = read(0, 64)?;
    if head.get(..6)? != b"\x7fELF\x02\x01" {
        return None;
    }
    let loads = loads(read, &head)?;
    let sections = sections(read, &head)?;
    let names = sections.get(usize::from(u16_at(&head, 0x3e)?))?;
    let names = read(names.offset, narrow(names.size)?)?;
    let is_runtime = |section: &&Section| text(&names, section.name as usize) == Some(SECTION);
    let mut runtime = sections.iter().find(is_runtime).map(|section| section.address);
    let mut version = None;
    for table in sections
        .iter()
        .filter(|section| matches!(section.kind, DYNSYM | SYMTAB))
    {
        let strings = sections.get(table.link as usize)?;
        if narrow(table.size)? > MOST_SYMBOLS || narrow(strings.size)? > MOST_SYMBOLS {
            continue;
        }
        let strings = read(strings.offset, narrow(strings.size)?)?;
        let symbols = read(table.offset, narrow(table.size)?)?;
        for symbol in symbols.chunks_exact(24) {
            // Undefined here: it is another file's.
            if u16_at(symbol, 6)? == 0 {
                continue;
            }
            let value = u64_at(symbol, 8)?;
            match text(&strings, u32_at(symbol, 0)? as usize) {
                Some(b"_PyRuntime") => runtime = runtime.or(Some(value)),
                Some(b"Py_Version") => version = version.or(Some(value)),
                _ => {}
            }
        }
        if runtime.is_some() && version.is_some() {
            break;
        }
    }
    Some(Image {
        loads,
        runtime: runtime?,
        version,
    })
}

struct Section {
    name: u32,
    kind: u32,
    address: u64,
    offset: u64,
    size: u64,
    link: u32,
}

fn sections(read: Read, head: &[u8]) -> Option<Vec<Section>> {
    let (offset, size, count) = (u64_at(head, 0x28)?, u16_at(head, 0x3a)?, u16_at(head, 0x3c)?);
    let table = read(offset, usize::from(size) * usize::from(count))?;
    let entry = |bytes: &[u8]| {
        Some(Section {
            name: u32_at(bytes, 0)?,
            kind: u32_at(bytes, 4)?,
            address: u64_at(bytes, 0x10)?,
            offset: u64_at(bytes, 0x18)?,
            size: u64_at(bytes, 0x20)?,
            link: u32_at(bytes, 0x28)?,
        })
    };
    table.chunks_exact(usize::from(size).max(1)).map(entry).collect()
}

fn loads(read: Read, head: &[u8]) -> Option<Vec<Load>> {
    let (offset, size, count) = (u64_at(head, 0x20)?, u16_at(head, 0x36)?, u16_at(head, 0x38)?);
    let table = read(offset, usize::from(size) * usize::from(count))?;
    let mut loads = Vec::new();
    for bytes in table.chunks_exact(usize::from(size).max(1)) {
        if u32_at(bytes, 0)? == LOAD {
            loads.push(Load {
                offset: u64_at(bytes, 8)?,
                address: u64_at(bytes, 0x10)?,
            });
        }
    }
    Some(loads)
}

/// Without the 0 that ends it.
fn text(strings: &[u8], at: usize) -> Option<&[u8]> {
    let rest = strings.get(at..)?;
    rest.split(|&byte| byte == 0).next()
}

fn narrow(value: u64) -> Option<usize> {
    usize::try_from(value).ok()
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
}
