//! Numbers and texts out of bytes, without trust in what they say.

/// Bytes with a place in them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bytes<'b> {
    all: &'b [u8],
    at: usize,
    big_endian: bool,
}

impl<'b> Bytes<'b> {
    /// Little-endian, from the first byte.
    pub(super) fn new(all: &'b [u8]) -> Self {
        Self::at(all, 0, false)
    }

    /// From an offset.
    pub(super) fn at(all: &'b [u8], at: usize, big_endian: bool) -> Self {
        Self { all, at, big_endian }
    }

    /// Offset of the next byte.
    pub(super) fn offset(&self) -> u64 {
        self.at as u64
    }

    /// Bytes that are left.
    pub(super) fn left(&self) -> usize {
        self.all.len().saturating_sub(self.at)
    }

    /// So many bytes; none when there are fewer.
    pub(super) fn take(&mut self, count: usize) -> Option<&'b [u8]> {
        let end = self.at.checked_add(count)?;
        let found = self.all.get(self.at..end)?;
        self.at = end;
        Some(found)
    }

    /// A byte.
    pub(super) fn byte(&mut self) -> Option<u8> {
        self.take(1).map(|byte| byte[0])
    }

    /// Two bytes.
    pub(super) fn u16(&mut self) -> Option<u16> {
        let bytes = self.take(2)?.try_into().ok()?;
        Some(if self.big_endian {
            u16::from_be_bytes(bytes)
        } else {
            u16::from_le_bytes(bytes)
        })
    }

    /// Four bytes.
    pub(super) fn u32(&mut self) -> Option<u32> {
        let bytes = self.take(4)?.try_into().ok()?;
        Some(if self.big_endian {
            u32::from_be_bytes(bytes)
        } else {
            u32::from_le_bytes(bytes)
        })
    }

    /// Eight bytes.
    pub(super) fn u64(&mut self) -> Option<u64> {
        let bytes = self.take(8)?.try_into().ok()?;
        Some(if self.big_endian {
            u64::from_be_bytes(bytes)
        } else {
            u64::from_le_bytes(bytes)
        })
    }

    /// Seven bits a byte, the least first (LEB128); none when it has more than 64 bits.
    pub(super) fn varint(&mut self) -> Option<u64> {
        let mut value = 0_u64;
        for shift in (0..70).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                return None;
            }
            value |= bits << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    /// A signed one: the sign in the lowest bit.
    pub(super) fn zigzag(&mut self) -> Option<i64> {
        let value = self.varint()?;
        let half = i64::try_from(value >> 1).ok()?;
        Some(if value & 1 == 1 { !half } else { half })
    }

    /// A text up to a zero byte.
    pub(super) fn zero_ended(&mut self) -> Option<String> {
        let rest = self.all.get(self.at..)?;
        let length = rest.iter().position(|&byte| byte == 0)?;
        self.at += length + 1;
        Some(String::from_utf8_lossy(&rest[..length]).into_owned())
    }
}
