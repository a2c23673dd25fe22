//! Code objects and strings in another process.

use super::Error;
use super::attach::Runtime;
use super::memory::{Memory, word};
use crate::cpython::memory::USUAL_KIND_BIT;

/// Bytes of an object's head that hold all that is wanted of it.
const HEAD: usize = 256;
/// Size of an address.
const WORD: u64 = 8;
/// More threads than this are not real.
const MOST_COPIES: u64 = 1 << 16;
/// Longer names, tables and bytecode are not real.
const LONGEST: u64 = 16 << 20;

/// A code object as another process holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeObject {
    /// Its address, `id()` of it.
    pub address: u64,
    /// `co_filename`.
    pub filename: String,
    /// `co_qualname`.
    pub qualname: String,
    /// `co_firstlineno`.
    pub first_line: u32,
    /// Length of its bytecode.
    pub length: u64,
    /// Where its location table is.
    pub lines: u64,
    /// Its filename, name and location table: another code object at the same address has others.
    pub identity: [u64; 3],
}

/// Reads objects of one interpreter.
#[derive(Debug, Clone, Copy)]
pub struct Objects<'a> {
    /// The process.
    pub memory: Memory,
    /// Its interpreter.
    pub runtime: &'a Runtime,
}

impl Objects<'_> {
    /// The code object at an address; an error when there is none.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn code(&self, address: u64) -> Result<CodeObject, Error> {
        let offsets = &self.runtime.offsets;
        let none = || Error::Unreadable { address };
        let mut head = [0; HEAD];
        self.memory.read(address, &mut head)?;
        let field = |at: u64| word(&head, at).ok_or_else(none);
        if self.type_name(field(offsets.object_type)?)? != "code" {
            return Err(none());
        }
        let units = field(offsets.object_size)?;
        let first_line = u32::try_from(field(offsets.code_first_line)? & 0xffff_ffff).unwrap_or(0);
        let identity = self.identity(&head).ok_or_else(none)?;
        if units > LONGEST {
            return Err(none());
        }
        Ok(CodeObject {
            address,
            filename: self.text(identity[0])?,
            qualname: self.text(identity[1])?,
            first_line,
            length: units * 2,
            lines: identity[2],
            identity,
        })
    }

    /// What tells code objects at one address apart.
    fn identity(&self, head: &[u8]) -> Option<[u64; 3]> {
        let offsets = &self.runtime.offsets;
        Some([
            word(head, offsets.code_filename)?,
            word(head, offsets.code_qualname)?,
            word(head, offsets.code_linetable)?,
        ])
    }

    /// Whether the code object is still the one it was.
    #[must_use]
    pub fn is_still(&self, code: &CodeObject) -> bool {
        let mut head = [0; HEAD];
        self.memory.read(code.address, &mut head).is_ok() && self.identity(&head) == Some(code.identity)
    }

    fn type_name(&self, address: u64) -> Result<String, Error> {
        let name = self
            .memory
            .word(address.wrapping_add(self.runtime.offsets.type_name))?;
        let mut bytes = [0; 5];
        self.memory.read(name, &mut bytes)?;
        let end = bytes.iter().position(|&byte| byte == 0).unwrap_or(bytes.len());
        Ok(String::from_utf8_lossy(&bytes[..end]).into_owned())
    }

    /// The content of a string object (`Include/cpython/unicodeobject.h`, compact forms).
    ///
    /// # Errors
    /// See [`Error`].
    pub fn text(&self, address: u64) -> Result<String, Error> {
        let offsets = &self.runtime.offsets;
        let none = || Error::Unreadable { address };
        let mut head = [0; 64];
        self.memory.read(address, &mut head)?;
        let length = word(&head, offsets.unicode_length).ok_or_else(none)?;
        let state = word(&head, offsets.unicode_state).ok_or_else(none)? & 0xffff_ffff;
        let state = state
            >> if self.runtime.free_threaded {
                offsets.unicode_kind_bit_without_lock
            } else {
                USUAL_KIND_BIT
            };
        let (width, is_compact, is_ascii) = (state & 7, state >> 3 & 1 == 1, state >> 4 & 1 == 1);
        if !is_compact || !matches!(width, 1 | 2 | 4) || length > LONGEST {
            return Err(none());
        }
        let start = if is_ascii {
            offsets.unicode_ascii_size
        } else {
            // The UTF-8 form's length and address follow; until 3.11 also a length of wide characters.
            offsets.unicode_ascii_size + if offsets.unicode_ascii_size == 48 { 24 } else { 16 }
        };
        let bytes = self.bytes_at(address.wrapping_add(start), length * width)?;
        let letter = |unit: &[u8]| {
            let value = unit
                .iter()
                .rev()
                .fold(0, |value, &byte| value << 8 | u32::from(byte));
            char::from_u32(value).unwrap_or(char::REPLACEMENT_CHARACTER)
        };
        let width = usize::try_from(width).unwrap_or(1);
        Ok(bytes.chunks_exact(width).map(letter).collect())
    }

    /// The content of a bytes object.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn bytes(&self, address: u64) -> Result<Vec<u8>, Error> {
        let offsets = &self.runtime.offsets;
        let size = self.memory.word(address.wrapping_add(offsets.object_size))?;
        self.bytes_at(address.wrapping_add(offsets.bytes_content), size)
    }

    /// The live bytecode at an address, that of a code object or one of its copies; inline caches included.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn adaptive(&self, start: u64, code: &CodeObject) -> Result<Vec<u8>, Error> {
        self.bytes_at(start, code.length)
    }

    /// Addresses of the copies of its bytecode that threads have; none where all run one.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn copies(&self, code: u64) -> Result<Vec<u64>, Error> {
        let Some(offset) = self.runtime.offsets.code_copies else {
            return Ok(Vec::new());
        };
        let array = self.memory.word(code.wrapping_add(offset))?;
        let number = self.memory.word(array)?.min(MOST_COPIES);
        let bytes = self.bytes_at(array.wrapping_add(WORD), number * WORD)?;
        let copies = bytes.chunks_exact(8).filter_map(|bytes| word(bytes, 0));
        Ok(copies.filter(|&copy| copy != 0).collect())
    }

    fn bytes_at(&self, address: u64, length: u64) -> Result<Vec<u8>, Error> {
        let length = usize::try_from(length.min(LONGEST)).unwrap_or(0);
        let mut bytes = vec![0; length];
        if length > 0 {
            self.memory.read(address, &mut bytes)?;
        }
        Ok(bytes)
    }
}
