//! What CPython itself counted on a pystats build: failed attempts to specialize, by kind.

use crate::attribute::FileCosts;
use crate::cpython::fail_kinds;
use crate::profile::Failures;

use super::number::{count, counted};

/// Most kinds to name.
const NAMED: usize = 6;

/// What CPython calls the kind; its number where that is not known.
#[must_use]
pub fn kind(failures: &Failures, minor: &str) -> String {
    let name = fail_kinds::name(minor, &failures.opcode, failures.kind);
    name.map_or_else(|| format!("kind {}", failures.kind), str::to_owned)
}

/// The failed attempts of a code object of a file in a clause; none where there were none, or where
/// that is not known. `function` is an index into [`FileCosts::functions`].
#[must_use]
pub fn of(file: &FileCosts, function: usize) -> Option<String> {
    of_function(file.functions.get(function)?.code.failures.as_ref()?, file.minor)
}

/// The failed attempts of a function in a clause; none where there were none.
#[must_use]
pub fn of_function(failures: &[Failures], minor: &str) -> Option<String> {
    let all: u64 = failures.iter().map(|one| one.count).sum();
    let mut sorted: Vec<&Failures> = failures.iter().collect();
    sorted.sort_by_key(|one| std::cmp::Reverse(one.count));
    let mut named: Vec<String> = Vec::new();
    for one in sorted.iter().take(NAMED) {
        named.push(format!(
            "{} {} {}",
            one.opcode,
            kind(one, minor),
            count(one.count)
        ));
    }
    if sorted.len() > NAMED {
        let rest = sorted.iter().skip(NAMED).map(|one| one.count).sum();
        named.push(format!("others {}", count(rest)));
    }
    (all > 0).then(|| {
        format!(
            "pystats (exact): {} to specialize here: {}",
            counted(all, "failed attempt", "failed attempts"),
            named.join(", ")
        )
    })
}

/// The kinds of one family, to stand as a fact at one of its sites in the function.
#[must_use]
pub fn of_family(failures: &[Failures], opcode: &str, minor: &str) -> Option<String> {
    let mut kinds: Vec<&Failures> = failures.iter().filter(|one| one.opcode == opcode).collect();
    kinds.sort_by_key(|one| std::cmp::Reverse(one.count));
    let names: Vec<_> = kinds
        .iter()
        .map(|one| format!("\"{}\" {}", kind(one, minor), counted(one.count, "time", "times")))
        .collect();
    (!names.is_empty()).then(|| {
        format!(
            "CPython counted for {opcode} in this function: {} (pystats, exact)",
            names.join(", ")
        )
    })
}

#[cfg(test)]
mod tests {
    use super::{of_family, of_function};
    use crate::profile::Failures;

    fn failures() -> Vec<Failures> {
        let one = |opcode: &str, kind, count| Failures {
            opcode: opcode.to_owned(),
            kind,
            count,
        };
        vec![
            one("BINARY_OP", 21, 7),
            one("BINARY_OP", 14, 9),
            one("CALL", 999, 1),
        ]
    }

    #[test]
    fn kinds_have_the_names_of_the_version() {
        assert_eq!(
            of_function(&failures(), "3.13").as_deref(),
            Some(
                "pystats (exact): 17 failed attempts to specialize here: BINARY_OP floor divide 9, \
                 BINARY_OP remainder 7, CALL kind 999 1"
            )
        );
        assert_eq!(
            of_family(&failures(), "BINARY_OP", "3.13").as_deref(),
            Some(
                "CPython counted for BINARY_OP in this function: \"floor divide\" 9 times, \
                 \"remainder\" 7 times (pystats, exact)"
            )
        );
        assert_eq!(of_family(&failures(), "FOR_ITER", "3.13"), None);
        assert_eq!(of_function(&[], "3.13"), None);
    }
}
