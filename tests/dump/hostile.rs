//! Dumps that mean harm, or are just huge: one sentence, little memory, no panic.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use bytecost::dump::Format;
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::check;
use crate::packed::{fixture, unpacked};

/// Memory that the program may ask the system for, KB: less than what these files unpack to.
const ROOM: u64 = 900_000;

/// Runs `bytecost show` on a file with little memory.
fn show(path: &Path) -> (Option<i32>, String, String) {
    let done = Command::new("sh")
        .arg("-c")
        .arg(format!("ulimit -v {ROOM}; exec \"$0\" \"$@\""))
        .arg(env!("CARGO_BIN_EXE_bytecost"))
        .arg("show")
        .arg(path)
        .current_dir(path.parent().unwrap())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    (done.status.code(), text(done.stdout), text(done.stderr))
}

/// A file of a head and a part many times over, each packed for itself: archives may follow each other.
fn packed(path: &Path, head: &[u8], part: &[u8], times: usize) {
    let pack = |bytes: &[u8]| {
        let mut packer = GzEncoder::new(Vec::new(), Compression::best());
        packer.write_all(bytes).unwrap();
        packer.finish().unwrap()
    };
    let mut bytes = pack(head);
    bytes.extend(pack(part).repeat(times));
    std::fs::write(path, bytes).unwrap();
}

#[test]
#[cfg(unix)]
fn what_unpacks_to_more_than_is_read_is_refused_in_a_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bomb.gz");
    let blanks = vec![b' '; 1 << 20];
    for head in [
        &b"{\"opcode[LOAD_FAST].execution_count\": 1,"[..],
        b"{\"$schema\": \"https://www.speedscope.app/file-format-schema.json\",",
        b"MOJ\x03",
        b"{(",
        b"\x80\x05",
        b"## Execution counts\n",
    ] {
        packed(&path, head, &blanks, 300);
        let (code, _, err) = show(&path);
        assert_eq!(code, Some(2), "{err}");
        assert!(
            err.contains("larger than 256 MB, unpacked") && err.lines().count() == 1,
            "{err}"
        );
    }
}

/// A frame of blocks that repeat one byte: 4 bytes for 128 KB.
fn zstd_bomb(blocks: usize) -> Vec<u8> {
    let mut bytes = vec![0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58];
    for number in 0..blocks {
        let last = u32::from(number + 1 == blocks);
        let block = last | 1 << 1 | (128 << 10) << 3;
        bytes.extend_from_slice(&block.to_le_bytes()[..3]);
        bytes.push(0);
    }
    bytes
}

#[test]
#[cfg(unix)]
fn samples_that_unpack_to_a_gigabyte_are_refused_or_cut() {
    let samples = zstd_bomb(1 << 13);
    let mut bytes = Vec::new();
    bytes.extend_from_slice(b"HCAT");
    bytes.extend_from_slice(&1_u32.to_le_bytes());
    bytes.extend_from_slice(&[3, 15, 0, 0]);
    for number in [0_u64, 1_000, 1] {
        bytes.extend_from_slice(&number.to_le_bytes());
    }
    bytes.extend_from_slice(&1_u32.to_le_bytes());
    let end = 64 + samples.len() as u64;
    for at in [end, end] {
        bytes.extend_from_slice(&at.to_le_bytes());
    }
    for number in [1_u32, 0xc9] {
        bytes.extend_from_slice(&number.to_le_bytes());
    }
    assert_eq!(bytes.len(), 64);
    bytes.extend_from_slice(&samples);
    bytes.extend_from_slice(&[0; 8]);
    bytes.extend_from_slice(&(end + 32).to_le_bytes());
    bytes.extend_from_slice(&[0; 16]);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bomb.tach");
    std::fs::write(&path, bytes).unwrap();
    let (code, out, err) = show(&path);
    assert!(matches!(code, Some(0 | 2)), "{code:?} {err}");
    assert!(
        err.contains("MB, unpacked") || out.contains("unpack"),
        "{out}{err}"
    );
}

/// Streams are read to their end, whatever their length.
#[test]
#[cfg(unix)]
fn a_gigabyte_of_a_log_is_read_in_little_memory() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("long.gz");
    let stack = format!("    stack=[{}]\n4: LOAD_FAST 1\n", "'x', ".repeat(13_000));
    let log = "Resuming frame for 'f' in module 'nowhere'\n";
    packed(
        &path,
        log.as_bytes(),
        stack.as_bytes(),
        1 + (1 << 30) / stack.len(),
    );
    let (code, out, err) = show(&path);
    assert_eq!(code, Some(0), "{err}");
    let ran: u64 = (1 + (1 << 30) / stack.len()) as u64;
    assert!(out.contains("LOAD_FAST"), "{out}");
    let digits: String = out
        .lines()
        .find(|line| line.contains("LOAD_FAST"))
        .unwrap()
        .chars()
        .filter(char::is_ascii_digit)
        .collect();
    assert_eq!(digits, ran.to_string());

    let noise = format!("{}\nopcode[NOP].execution_count : 2\n", "n".repeat(200_000));
    let times = 1 + (300 << 20) / noise.len();
    packed(
        &path,
        b"opcode[NOP].execution_count : 1\n",
        noise.as_bytes(),
        times,
    );
    let (code, out, err) = show(&path);
    assert_eq!(code, Some(0), "{err}");
    let line = out
        .lines()
        .find(|line| line.contains("NOP"))
        .expect("it is counted");
    let count = bytecost::stats::Cell::Count(1 + 2 * times as u64).text();
    assert!(line.contains(&count), "{line}, and not {count}");
}

/// What the fuzzers found worth keeping: each input reaches something that no other does.
fn corpus(target: &str) -> Vec<Vec<u8>> {
    let bytes = unpacked(&format!("fuzz/corpus/{target}"));
    let mut inputs = Vec::new();
    let mut rest = &bytes[..];
    while let Some((length, more)) = rest.split_first_chunk::<4>() {
        let (input, more) = more.split_at(u32::from_le_bytes(*length) as usize);
        inputs.push(input.to_vec());
        rest = more;
    }
    inputs
}

fn target(format: Format) -> String {
    let mut name = String::new();
    for letter in format!("{format:?}").chars() {
        if letter.is_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.extend(letter.to_lowercase());
    }
    name
}

#[test]
fn every_input_of_the_corpora_is_read_or_refused() {
    for format in Format::ALL {
        let inputs = corpus(&target(format));
        assert!(inputs.len() > 10, "{format:?}: {}", inputs.len());
        for input in inputs {
            check::known(format, &input);
            check::any(&input);
        }
    }
    for input in corpus("any") {
        check::any(&input);
    }
}

/// Numbers without chance: the same bytes are broken in the same way each time.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % limit.max(1) as u64).unwrap()
    }
}

/// Bytes changed, cut out, doubled and spliced, as a short run of each fuzzer.
#[test]
fn broken_inputs_of_the_corpora_are_read_or_refused() {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    for format in Format::ALL {
        let inputs = corpus(&target(format));
        for _ in 0..150 {
            let mut bytes = inputs[random.below(inputs.len())].clone();
            for _ in 0..=random.below(4) {
                let at = random.below(bytes.len());
                match random.below(4) {
                    0 if !bytes.is_empty() => bytes[at] = u8::try_from(random.below(256)).unwrap(),
                    1 => bytes.truncate(at),
                    2 => {
                        let end = at + random.below(bytes.len() - at + 1);
                        let part = bytes[at..end].to_vec();
                        bytes.splice(at..at, part);
                    }
                    _ => {
                        let other = &inputs[random.below(inputs.len())];
                        bytes.truncate(at);
                        bytes.extend_from_slice(&other[random.below(other.len() + 1)..]);
                    }
                }
            }
            check::known(format, &bytes);
        }
    }
}

/// Samples that no reader is made for say why.
#[test]
fn what_cannot_be_placed_is_shown_or_refused_for_a_reason() {
    use bytecost::dump::{self, Content};
    let profile = dump::read("profile", &fixture("others/profile-3.13-tiny.pstats")[..]).unwrap();
    let Content::Located(located) = profile.content else {
        panic!("it has places");
    };
    // The entry whose name is a code object comes before all others.
    let scale = located.facts.iter().find(|(place, _)| place.function == "scale");
    assert!(scale.is_some(), "{:?}", located.facts);
    let optimizer = dump::read("log", &fixture("lltrace/3.15.0-tiny-OPT3.log")[..]).unwrap();
    let Content::JitLog(log) = optimizer.content else {
        panic!("a log");
    };
    let analysed = log
        .tables
        .iter()
        .find(|table| table.section == "Optimizer")
        .unwrap();
    let text = String::from_utf8(fixture("lltrace/3.15.0-tiny-OPT3.log")).unwrap();
    let begins = text
        .lines()
        .filter(|line| line.trim_start().starts_with("0 abs: "))
        .count();
    assert_eq!(analysed.rows[0][1].count(), Some(begins as u64));
    // Level 1 of 3.15 prints nothing: what is in the file is the program's.
    let silent = dump::read("log", &b"1999000 19794000 6.0\n"[..]);
    assert!(silent.unwrap_err().to_string().contains("none of the formats"));
}
