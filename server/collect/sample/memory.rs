//! The memory of another process.

use super::Error;
use crate::os;

/// Reads the memory of a process that goes on running.
#[derive(Debug, Clone, Copy)]
pub struct Memory {
    pid: i32,
}

impl Memory {
    /// That of this process.
    #[must_use]
    pub fn of(pid: i32) -> Self {
        Self { pid }
    }

    /// The process.
    #[must_use]
    pub fn pid(self) -> i32 {
        self.pid
    }

    /// Fills the buffer from an address.
    ///
    /// # Errors
    /// [`Error::Denied`], [`Error::NoProcess`], or [`Error::Unreadable`] for an address without
    /// memory.
    pub fn read(self, address: u64, into: &mut [u8]) -> Result<(), Error> {
        let wanted = into.len();
        match self.read_pieces(&[(address, wanted)], into) {
            Ok(read) if read == wanted => Ok(()),
            Ok(_) => Err(Error::Unreadable { address }),
            Err(error) => Err(error),
        }
    }

    /// Reads pieces, given as address and length, into one buffer; how many bytes could be read.
    ///
    /// # Errors
    /// As [`Memory::read`].
    pub fn read_pieces(self, pieces: &[(u64, usize)], into: &mut [u8]) -> Result<usize, Error> {
        let wanted = pieces.iter().map(|piece| piece.1).sum::<usize>().min(into.len());
        let address = pieces.first().map_or(0, |piece| piece.0);
        os::read_memory(self.pid, pieces, &mut into[..wanted]).map_err(|error| match error.kind() {
            std::io::ErrorKind::PermissionDenied => Error::Denied { pid: self.pid },
            std::io::ErrorKind::NotFound => Error::NoProcess { pid: self.pid },
            std::io::ErrorKind::Unsupported => Error::Platform,
            _ => Error::Unreadable { address },
        })
    }

    /// The 64-bit word at an address.
    ///
    /// # Errors
    /// As [`Memory::read`].
    pub fn word(self, address: u64) -> Result<u64, Error> {
        let mut bytes = [0; 8];
        self.read(address, &mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }
}

/// The 64-bit word at an offset of bytes that were read.
#[must_use]
pub fn word(bytes: &[u8], at: u64) -> Option<u64> {
    let at = usize::try_from(at).ok()?;
    Some(u64::from_le_bytes(
        bytes.get(at..at.checked_add(8)?)?.try_into().ok()?,
    ))
}
