//! Opcode numbers, names and families of each minor version, and the reasons for failed attempts.

use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

use serde::Deserialize;

/// Opcodes of one minor version, by `Lib/opcode.py` and the opcode metadata of its sources.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Opcodes {
    /// Names by number: base, specialized and instrumented ones.
    numbers: HashMap<u16, String>,
    /// Specialized forms by base opcode.
    families: BTreeMap<String, Vec<String>>,
}

type Kinds = HashMap<String, HashMap<String, HashMap<u32, String>>>;

static OPCODES: LazyLock<BTreeMap<String, Opcodes>> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../cpython/opcodes.json"))
        .expect("embedded tables are checked by a test")
});

static KINDS: LazyLock<Kinds> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../cpython/spec-fail-kinds.json"))
        .expect("embedded tables are checked by a test")
});

impl Opcodes {
    /// Those of a minor version such as `3.14`; none when they are not known.
    #[must_use]
    pub fn of(minor: &str) -> Option<&'static Self> {
        OPCODES.get(minor)
    }

    /// The name of a number.
    #[must_use]
    pub fn name(&self, number: u16) -> Option<&str> {
        self.numbers.get(&number).map(String::as_str)
    }

    /// The base opcode of a specialized form; none for base opcodes.
    #[must_use]
    pub fn base(&self, form: &str) -> Option<&str> {
        self.families
            .iter()
            .find(|(_, forms)| forms.iter().any(|known| known == form))
            .map(|(base, _)| base.as_str())
    }

    /// Whether an opcode has specialized forms.
    #[must_use]
    pub fn has_family(&self, base: &str) -> bool {
        self.families.contains_key(base)
    }

    /// Whether a name is of a specialized form, compiler-made superinstructions left out.
    #[must_use]
    pub fn is_specialized(&self, name: &str) -> bool {
        self.base(name).is_some() && !name.contains("__")
    }

    /// Specialized forms, compiler-made superinstructions left out.
    pub fn specialized(&self) -> impl Iterator<Item = &str> {
        self.families
            .values()
            .flatten()
            .map(String::as_str)
            .filter(|name| !name.contains("__"))
    }
}

/// Why an attempt failed, in words, by its number.
#[must_use]
pub fn failure_kind(minor: &str, family: &str, number: u32) -> Option<&'static str> {
    let version = KINDS.get(minor)?;
    [family, "COMMON"]
        .into_iter()
        .find_map(|family| version.get(family)?.get(&number))
        .map(String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn embedded_tables_are_read() {
        for minor in ["3.11", "3.12", "3.13", "3.14", "3.15"] {
            let opcodes = Opcodes::of(minor).unwrap();
            assert_eq!(opcodes.name(0), Some("CACHE"), "{minor}");
            assert!(opcodes.specialized().count() > 40, "{minor}");
            assert!(failure_kind(minor, "BINARY_OP", 0).is_some(), "{minor}");
        }
        assert_eq!(
            Opcodes::of("3.14").unwrap().base("LOAD_ATTR_SLOT"),
            Some("LOAD_ATTR")
        );
    }
}
