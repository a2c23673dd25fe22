//! Messages on a byte stream: `Content-Length` headers, as the base protocol has them.

use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt};

/// A larger message is read past, bytes. The largest file an editor opens fits.
pub const LARGEST: u64 = 256 << 20;

/// Above this a length is taken for garbage, and not even read past.
const ABSURD: u64 = 1 << 32;

/// Bytes of a header line that are kept.
const LONGEST_LINE: u64 = 4096;

/// What came.
#[derive(Debug, PartialEq, Eq)]
pub enum Frame {
    /// The body of a message.
    Message(Vec<u8>),
    /// Bytes that are no message; they were skipped.
    Malformed(&'static str),
    /// A message of this many bytes; it was skipped.
    TooLarge(u64),
    /// Nothing more will come.
    End,
}

/// Reads up to the end of the next message, or of what is in the way of it.
///
/// Bytes before a header are skipped, so that one broken message costs only itself.
pub async fn read(input: &mut (impl AsyncBufRead + Unpin)) -> Frame {
    let mut length = None;
    let mut headers = false;
    let mut line = Vec::new();
    loop {
        line.clear();
        match input.take(LONGEST_LINE).read_until(b'\n', &mut line).await {
            Ok(1..) => {}
            Ok(0) | Err(_) => return Frame::End,
        }
        let text = line.trim_ascii();
        if text.is_empty() {
            match length {
                Some(length) => return body(input, length).await,
                None if headers => return Frame::Malformed("a message without Content-Length"),
                None => continue,
            }
        }
        headers = true;
        if let Some(value) = value_of(text, b"content-length:") {
            let number = std::str::from_utf8(value)
                .ok()
                .and_then(|text| text.trim().parse::<u64>().ok());
            match number.filter(|&number| number < ABSURD) {
                Some(number) => length = Some(number),
                None => return Frame::Malformed("a Content-Length that is no length"),
            }
        }
    }
}

/// What follows the name of a header, wherever in the line it begins.
fn value_of<'l>(line: &'l [u8], name: &[u8]) -> Option<&'l [u8]> {
    let at = line
        .windows(name.len())
        .position(|window| window.eq_ignore_ascii_case(name))?;
    Some(&line[at + name.len()..])
}

async fn body(input: &mut (impl AsyncBufRead + Unpin), length: u64) -> Frame {
    if length > LARGEST {
        let mut rest = input.take(length);
        return match tokio::io::copy_buf(&mut rest, &mut tokio::io::sink()).await {
            Ok(read) if read == length => Frame::TooLarge(length),
            _ => Frame::End,
        };
    }
    // Grows as bytes come: a length alone takes no memory.
    let mut bytes = Vec::new();
    match input.take(length).read_to_end(&mut bytes).await {
        Ok(read) if read as u64 == length => Frame::Message(bytes),
        _ => Frame::End,
    }
}

/// Puts a body into a frame.
#[must_use]
pub fn framed(body: &[u8]) -> Vec<u8> {
    let mut frame = format!("Content-Length: {}\r\n\r\n", body.len()).into_bytes();
    frame.extend_from_slice(body);
    frame
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn frames(bytes: &[u8]) -> Vec<Frame> {
        let mut input = bytes;
        let mut frames = Vec::new();
        loop {
            let frame = read(&mut input).await;
            let end = frame == Frame::End;
            frames.push(frame);
            if end {
                return frames;
            }
        }
    }

    fn message(text: &str) -> Frame {
        Frame::Message(text.as_bytes().to_vec())
    }

    #[tokio::test]
    async fn messages_follow_one_another() {
        let bytes = b"Content-Length: 2\r\n\r\n{}content-length:3\r\nContent-Type: x\r\n\r\n[1]";
        assert_eq!(frames(bytes).await, [message("{}"), message("[1]"), Frame::End]);
    }

    #[tokio::test]
    async fn what_is_broken_costs_only_itself() {
        let good = "Content-Length: 2\r\n\r\n{}";
        for broken in [
            "Content-Type: x\r\n\r\n",
            "Content-Length: two\r\n\r\n",
            "Content-Length: -1\r\n\r\n",
            "Content-Length: 99999999999999999999\r\n\r\n",
            "{\"no\": \"header\"}",
            "\r\n\r\n",
        ] {
            let found = frames(format!("{broken}{good}").as_bytes()).await;
            assert!(found.contains(&message("{}")), "{broken:?}: {found:?}");
        }
    }

    #[tokio::test]
    async fn a_cut_message_is_the_end() {
        assert_eq!(frames(b"Content-Length: 3\r\n\r\n{}").await, [Frame::End]);
        assert_eq!(frames(b"Content-Len").await, [Frame::End]);
    }
}
