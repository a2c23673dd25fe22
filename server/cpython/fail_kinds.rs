//! What CPython calls its reasons not to specialize: numbers in a pystats build, names in its source.

use std::collections::BTreeMap;
use std::sync::LazyLock;

/// By minor version, family and number of the kind: its name, from the `SPEC_FAIL_*` of that version's
/// `Python/specialize.c`; `COMMON` has those that all families share.
type Kinds = BTreeMap<String, BTreeMap<String, BTreeMap<String, String>>>;

static KINDS: LazyLock<Kinds> = LazyLock::new(|| {
    serde_json::from_str(include_str!("spec-fail-kinds.json"))
        .expect("the embedded table is checked by a test")
});

/// The name of a failure kind of a family, on a minor version; none where it is not known.
#[must_use]
pub fn name(minor: &str, opcode: &str, kind: u32) -> Option<&'static str> {
    let families = KINDS.get(minor)?;
    let number = kind.to_string();
    let of = |family: &str| families.get(family)?.get(&number);
    of(opcode).or_else(|| of("COMMON")).map(String::as_str)
}

#[cfg(test)]
mod tests {
    use super::name;

    #[test]
    fn kinds_are_named_by_version() {
        assert_eq!(name("3.13", "BINARY_OP", 21), Some("remainder"));
        assert_eq!(name("3.11", "BINARY_OP", 20), Some("remainder"));
        assert_eq!(name("3.13", "NEW_FAMILY", 4), Some("out of range"));
        assert_eq!(name("3.13", "BINARY_OP", 60_000), None);
        assert_eq!(name("2.7", "BINARY_OP", 21), None);
    }
}
