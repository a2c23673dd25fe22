//! Files of the project that are kept packed.

use std::io::Read;

/// A packed file as it is in the project, by its path without `.gz`.
pub fn packed(path: &str) -> Vec<u8> {
    let path = format!("{}/{path}.gz", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// What is in it.
pub fn unpacked(path: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    flate2::read::GzDecoder::new(&packed(path)[..])
        .read_to_end(&mut bytes)
        .unwrap();
    bytes
}

/// What is in a dump of the fixtures.
pub fn fixture(name: &str) -> Vec<u8> {
    unpacked(&format!("tests/fixtures/dump/{name}"))
}
