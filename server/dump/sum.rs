//! Statistics of several files, added up while they are read.

use std::io::{BufRead, BufReader, Read};

use super::tally::Tally;
use super::{BUFFER, Content, Damage, Error, Format, JitLog, sniff};
use crate::stats::Statistics;

/// Why a file is not added.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// It cannot be read: without it the sum is as good as it can be.
    #[error(transparent)]
    Unread(#[from] Error),
    /// It can be read, but a sum with it would be wrong.
    #[error("{0}")]
    Unfit(String),
}

/// Statistics of files, in their order.
#[derive(Debug)]
pub struct Sum {
    total: Option<Statistics>,
    /// Raw dumps that are not in the total yet.
    tally: Tally,
    is_open: bool,
    minor: Option<String>,
    /// What could not be used, in sentences with the name of the file.
    pub notes: Vec<String>,
    /// Whether a counter was held at 64 bits between files.
    pub is_over: bool,
}

impl Sum {
    /// Of no file.
    #[must_use]
    pub fn new() -> Self {
        Self {
            total: None,
            tally: Tally::new(),
            is_open: false,
            minor: None,
            notes: Vec::new(),
            is_over: false,
        }
    }

    /// Reads a file and adds it. `name` is for messages alone.
    pub fn add(&mut self, name: &str, input: impl Read) -> Result<(), Refused> {
        let unread = |problem| Error {
            file: name.to_owned(),
            problem,
        };
        let mut input = BufReader::with_capacity(BUFFER, input);
        if sniff::is_raw(input.fill_buf().map_err(|error| unread(error.into()))?) {
            return self.raw(name, input);
        }
        let (format, input) = super::unpacked(Box::new(input), 1).map_err(unread)?;
        let input = BufReader::with_capacity(BUFFER, input);
        if format == Format::PystatsRaw {
            return self.raw(name, input);
        }
        let mut damage = Damage::default();
        let content = super::read_as(format, input, &mut damage).map_err(unread)?;
        self.told(name, damage.sentences());
        self.other(name, format, content)
    }

    fn told(&mut self, name: &str, problems: Vec<String>) {
        let told = problems.into_iter();
        self.notes
            .extend(told.map(|problem| format!("{name}: {problem}")));
    }

    fn raw(&mut self, name: &str, input: impl BufRead) -> Result<(), Refused> {
        let mut damage = Damage::default();
        let minor = self.tally.read(input, &mut damage).map_err(|problem| Error {
            file: name.to_owned(),
            problem,
        })?;
        self.told(name, damage.sentences());
        self.same_version(name, minor)?;
        if !matches!(self.total, None | Some(Statistics::Counters(_))) {
            return Err(unfit_report(name));
        }
        let fits = self.tally.keep(minor);
        self.is_open = true;
        self.fits(name, fits);
        Ok(())
    }

    fn other(&mut self, name: &str, format: Format, content: Content) -> Result<(), Refused> {
        let found = match content {
            Content::Statistics(found) => *found,
            Content::JitLog(log) => {
                self.notes.push(JitLog::OFFSETS.to_owned());
                Statistics::Report(log.tables)
            }
            Content::Located(_) => {
                return Err(Refused::Unfit(format!(
                    "{name} is {}: it has no statistics of a process",
                    format.name()
                )));
            }
        };
        if let Statistics::Counters(counters) = &found {
            self.same_version(name, counters.minor.as_deref())?;
        }
        self.close(name);
        self.total = Some(match (self.total.take(), found) {
            (None, found) => found,
            (Some(Statistics::Counters(mut sum)), Statistics::Counters(next)) => {
                let fits = sum.merge(*next);
                self.fits(name, fits);
                Statistics::Counters(sum)
            }
            _ => return Err(unfit_report(name)),
        });
        Ok(())
    }

    fn same_version(&mut self, name: &str, minor: Option<&str>) -> Result<(), Refused> {
        let Some(minor) = minor else {
            return Ok(());
        };
        if self.minor.as_deref().is_some_and(|known| known != minor) {
            return Err(Refused::Unfit(format!(
                "{name} is of another version of CPython than the files before it"
            )));
        }
        self.minor = Some(minor.to_owned());
        Ok(())
    }

    fn fits(&mut self, name: &str, fits: bool) {
        if !fits {
            self.is_over = true;
            self.notes
                .push(format!("{name}: the sum of a counter has more than 64 bits"));
        }
    }

    /// Puts raw dumps into the total.
    fn close(&mut self, name: &str) {
        if !std::mem::take(&mut self.is_open) {
            return;
        }
        let counters = self.tally.take();
        match &mut self.total {
            Some(Statistics::Counters(sum)) => {
                let fits = sum.merge(counters);
                self.fits(name, fits);
            }
            _ => self.total = Some(Statistics::Counters(Box::new(counters))),
        }
    }

    /// Adds what was read of later files; `name` is the first of them.
    pub fn join(&mut self, name: &str, mut later: Self) -> Result<(), Refused> {
        self.same_version(name, later.minor.as_deref())?;
        self.notes.append(&mut later.notes);
        self.is_over |= later.is_over;
        if self.is_open && later.is_open && later.total.is_none() {
            let fits = self.tally.join(&later.tally);
            self.fits(name, fits);
            return Ok(());
        }
        self.close(name);
        later.close(name);
        self.total = match (self.total.take(), later.total) {
            (Some(Statistics::Counters(mut sum)), Some(Statistics::Counters(next))) => {
                let fits = sum.merge(*next);
                self.fits(name, fits);
                Some(Statistics::Counters(sum))
            }
            (Some(_), Some(_)) => return Err(unfit_report(name)),
            (known, found) => known.or(found),
        };
        Ok(())
    }

    /// The sum and what could not be used; no sum when no file could be read.
    #[must_use]
    pub fn finish(mut self) -> (Option<Statistics>, Vec<String>) {
        self.close("");
        (self.total, self.notes)
    }
}

impl Default for Sum {
    fn default() -> Self {
        Self::new()
    }
}

fn unfit_report(name: &str) -> Refused {
    Refused::Unfit(format!(
        "{name} cannot be added to the others: a printed report has lost what a sum needs"
    ))
}
