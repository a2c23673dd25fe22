//! A log as tables, by its own names and offsets.

use super::{At, Log};
use crate::stats::{Cell, Table};

impl Log {
    /// Everything in it; without empty tables.
    pub(super) fn tables(&self) -> Vec<Table> {
        const SECTION: &str = "JIT traces";
        let place = |at: &At| {
            if at.file.is_empty() {
                format!("code at {} at {}", at.function, at.offset)
            } else {
                format!("{} ({}:{}) at {}", at.function, at.file, at.first_line, at.offset)
            }
        };
        let heads = [
            "Place",
            "Attempts",
            "Traces",
            "Refused",
            "Uops",
            "Optimized",
            "Instructions",
            "Ended by",
        ];
        let mut traces = Table::new(SECTION, "", &heads);
        let known = |count: u64| {
            if count > 0 {
                Cell::Count(count)
            } else {
                Cell::Empty
            }
        };
        for (at, site) in &self.sites {
            let mut reasons: Vec<_> = site.reasons.iter().collect();
            reasons.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
            let reasons: Vec<_> = reasons.into_iter().map(|(reason, _)| reason.as_str()).collect();
            traces.rows.push(vec![
                Cell::Label(place(at)),
                Cell::Count(site.attempts),
                Cell::Count(site.created),
                Cell::Count(site.refused),
                known(site.uops),
                known(site.optimized),
                known(site.instructions.len() as u64),
                Cell::Label(reasons.join("; ")),
            ]);
        }
        let mut unsupported = Table::new(SECTION, "Unsupported opcodes", &["Opcode", "Place", "Count"]);
        for ((opcode, at), count) in &self.unsupported {
            let at = at.as_ref().map_or(Cell::Empty, |at| Cell::Label(place(at)));
            unsupported
                .rows
                .push(vec![Cell::Label(opcode.clone()), at, Cell::Count(*count)]);
        }
        let mut exits = Table::new(SECTION, "Exits", &["Goes to", "Kind", "Count", "Place"]);
        let mut by_count: Vec<_> = self.exits.iter().collect();
        by_count.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        let owners = self.owners();
        for ((index, opcode, kind), count) in by_count {
            // A log does not name the function: it is told where only one has that opcode there.
            let owners = owners.get(&(*index, opcode.as_str()));
            let owner = owners
                .filter(|owners| owners.len() == 1)
                .and_then(|owners| owners.first().copied());
            exits.rows.push(vec![
                Cell::Label(format!("{opcode} at {}", 2 * index)),
                Cell::Label((*kind).to_owned()),
                Cell::Count(*count),
                owner.map_or(Cell::Empty, |at| Cell::Label(place(at))),
            ]);
        }
        let mut optimizer = Table::new("Optimizer", "", &["Name", "Count"]);
        for (name, count) in [
            ("Traces analysed", self.analysed),
            ("Missing function", self.missing),
        ] {
            if count > 0 {
                optimizer
                    .rows
                    .push(vec![Cell::Label(name.to_owned()), Cell::Count(count)]);
            }
        }
        let mut uops = Table::new("Optimizer", "Uops", &["Name", "Analysed", "Put out"]);
        for (name, (analysed, out)) in &self.uops {
            uops.rows.push(vec![
                Cell::Label(name.clone()),
                Cell::Count(*analysed),
                if *out > 0 { Cell::Count(*out) } else { Cell::Empty },
            ]);
        }
        let mut ran = Table::new("Executed instructions", "", &["Name", "Count"]);
        let executed = self.frames.by_opcode();
        let mut by_count: Vec<_> = executed.iter().filter(|(_, count)| **count > 0).collect();
        by_count.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        for (opcode, count) in by_count {
            ran.rows
                .push(vec![Cell::Label(opcode.clone()), Cell::Count(*count)]);
        }
        let mut tables = vec![traces, unsupported, exits, optimizer, uops, ran];
        tables.retain(|table| !table.rows.is_empty());
        tables
    }
}
