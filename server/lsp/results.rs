//! Measurements, and what they say about a text on screen.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use self_cell::self_cell;

use super::settings::Settings;
use crate::attribute::{self, Costs, FileCosts};
use crate::collect::calibrate;
use crate::explain::Thresholds;
use crate::present::editor::{self, Diagnostic, DiagnosticOptions, Heat, Hint, Hover, HoverOptions, Listing};
use crate::present::html;
use crate::profile::{Position, Profile};
use crate::source::mapping::Mapping;
use crate::stats::family::Families;

self_cell!(
    /// A profile with its costs, which borrow from it.
    struct Measurement {
        owner: Profile,

        #[covariant]
        dependent: Costs,
    }
);

/// A profile, ready to be shown.
pub struct Measured {
    measurement: Measurement,
    /// Where it is saved, and the file's time and length when it was read.
    pub saved: Option<(PathBuf, Stamp)>,
    /// When it was measured.
    pub at: SystemTime,
    /// Its files by path, with the text that was measured where that is known.
    files: HashMap<PathBuf, (usize, Option<Arc<str>>)>,
    diagnostics: Mutex<Option<(DiagnosticOptions, Arc<DiagnosticsByPath>)>>,
}

type DiagnosticsByPath = BTreeMap<String, Vec<Diagnostic>>;

/// Time of the last change of a file, and its length.
pub type Stamp = (SystemTime, u64);

impl std::fmt::Debug for Measured {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Measured")
            .field("target", &self.profile().workload.target)
            .field("saved", &self.saved)
            .finish_non_exhaustive()
    }
}

impl Measured {
    /// Attributes a profile. `text` gives the candidates for the measured text of a file, to be
    /// held against its digest.
    #[must_use]
    pub fn new(
        profile: Profile,
        saved: Option<(PathBuf, Stamp)>,
        at: SystemTime,
        text: &dyn Fn(&Path) -> Vec<String>,
    ) -> Self {
        let texts: RefCell<HashMap<String, String>> = RefCell::default();
        let root = PathBuf::from(&profile.root);
        let measurement = Measurement::new(profile, |profile| {
            attribute::attribute(profile, &|path| {
                let file = profile.files.iter().find(|file| file.path == path)?;
                let found = text(&root.join(path))
                    .into_iter()
                    .find(|text| file.digest.is_empty() || attribute::digest(text) == file.digest)?;
                texts.borrow_mut().insert(path.to_owned(), found.clone());
                Some(found)
            })
        });
        let mut texts = texts.into_inner();
        let mut files = HashMap::new();
        for (index, file) in measurement.borrow_dependent().files.iter().enumerate() {
            let text = match &file.file.text {
                Some(text) => Some(Arc::from(text.as_str())),
                None => texts.remove(&file.file.path).map(Arc::from),
            };
            files.insert(super::uri::real(&root.join(&file.file.path)), (index, text));
        }
        Self {
            measurement,
            saved,
            at,
            files,
            diagnostics: Mutex::default(),
        }
    }

    /// The profile.
    #[must_use]
    pub fn profile(&self) -> &Profile {
        self.measurement.borrow_owner()
    }

    /// Its costs.
    #[must_use]
    pub fn costs(&self) -> &Costs<'_> {
        self.measurement.borrow_dependent()
    }

    /// The profile again, to attribute it anew.
    #[must_use]
    pub fn to_profile(&self) -> Profile {
        self.profile().clone()
    }

    /// The digest of a file as it was measured.
    #[must_use]
    pub fn digest(&self, path: &Path) -> Option<&str> {
        let (index, _) = self.files.get(path)?;
        Some(&self.profile().files.get(*index)?.digest)
    }

    /// Whether the text of a file is not known.
    #[must_use]
    pub fn lacks_text(&self, path: &Path) -> bool {
        self.files.get(path).is_some_and(|(_, text)| text.is_none())
    }

    /// The paths of its files.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.files.keys().map(PathBuf::as_path)
    }

    /// What is to be shown of a file, if its text is known.
    #[must_use]
    pub fn file(self: &Arc<Self>, path: &Path, settings: &Settings) -> Option<FileResults> {
        let (index, text) = self.files.get(path)?;
        let text = Arc::clone(text.as_ref()?);
        let costs = self.costs();
        let options = &settings.diagnostic_options();
        let name = &costs.files[*index].file.path;
        Some(FileResults {
            name: name.clone(),
            hints: editor::hints(&costs.files[*index], &settings.hint_options()),
            diagnostics: self.diagnostics(options).get(name).cloned().unwrap_or_default(),
            ascii: settings.ascii,
            keep_stale: settings.keep_stale,
            text,
            measured: Arc::clone(self),
        })
    }

    /// The thresholds with what remedies save on this machine, where `bytecost calibrate` was run.
    fn calibrated(&self, thresholds: &Thresholds) -> Thresholds {
        Thresholds {
            saves: calibrate::known(&self.profile().python.version),
            ..thresholds.clone()
        }
    }

    fn diagnostics(&self, options: &DiagnosticOptions) -> Arc<DiagnosticsByPath> {
        let mut cached = self.diagnostics.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, found)) = cached.as_ref().filter(|(known, _)| known == options) {
            return Arc::clone(found);
        }
        let mut calibrated = options.clone();
        calibrated.thresholds = self.calibrated(&options.thresholds);
        let found = Arc::new(editor::diagnostics(self.costs(), &calibrated));
        *cached = Some((options.clone(), Arc::clone(&found)));
        found
    }
}

/// What a measurement says about one file.
#[derive(Debug)]
pub struct FileResults {
    /// The measurement.
    pub measured: Arc<Measured>,
    /// The file's path in the profile.
    pub name: String,
    /// The text that was measured.
    pub text: Arc<str>,
    /// By line.
    pub hints: Vec<Hint>,
    /// Of the whole file.
    pub diagnostics: Vec<Diagnostic>,
    ascii: bool,
    keep_stale: bool,
}

/// Results of a file seen through the edits since.
#[derive(Debug)]
pub struct View {
    /// The results.
    pub results: Arc<FileResults>,
    mapping: Mapping,
    measured_lines: u32,
}

/// A hint where it is now.
#[derive(Debug, Clone, Copy)]
pub struct Placed<'v> {
    /// 1-based line of the text on screen.
    pub line: u32,
    /// The hint.
    pub hint: &'v Hint,
    /// The line was edited since.
    pub stale: bool,
}

impl View {
    /// Compares the measured text with the one on screen.
    #[must_use]
    pub fn new(results: Arc<FileResults>, current: &str) -> Self {
        let mapping = Mapping::new(without_mark(&results.text), without_mark(current));
        let measured_lines = u32::try_from(results.text.lines().count()).unwrap_or(u32::MAX);
        Self {
            results,
            mapping,
            measured_lines,
        }
    }

    /// The hints of lines `first..=last`, 1-based, of the text on screen.
    #[must_use]
    pub fn hints(&self, first: u32, last: u32) -> Vec<Placed<'_>> {
        let hints = &self.results.hints;
        let mut placed = Vec::new();
        if hints.is_empty() {
            return placed;
        }
        for line in first..=last {
            let (measured, stale) = match self.mapping.to_measured(line) {
                Some(measured) => (measured, false),
                None if self.results.keep_stale => match self.edited_line(line) {
                    Some(measured) => (measured, true),
                    None => continue,
                },
                None => continue,
            };
            if let Ok(at) = hints.binary_search_by_key(&measured, |hint| hint.line) {
                placed.push(Placed {
                    line,
                    hint: &hints[at],
                    stale,
                });
            }
        }
        placed
    }

    /// The measured line an edited one probably was: the same one of as many edited lines.
    fn edited_line(&self, line: u32) -> Option<u32> {
        let (mut up, mut above) = (line, None);
        while up > 1 && above.is_none() && line - up < 200 {
            up -= 1;
            above = self.mapping.to_measured(up);
        }
        let above = above.unwrap_or(0);
        let measured = above + (line - if above == 0 { 0 } else { up });
        // The gap ends where the measured text goes on; it must end there for both.
        let (mut down, mut below) = (line, None);
        while below.is_none() && down - line < 200 {
            down += 1;
            below = self.mapping.to_measured(down);
        }
        let same = match below {
            Some(below) => below.checked_sub(measured) == Some(down - line),
            None => measured <= self.measured_lines,
        };
        (same && self.mapping.to_current(measured).is_none()).then_some(measured)
    }

    /// The diagnostics whose lines are all unchanged, moved to where they are now.
    #[must_use]
    pub fn diagnostics(&self) -> Vec<Diagnostic> {
        let moved = |diagnostic: &Diagnostic| {
            let last = diagnostic.end.0.max(diagnostic.start.0);
            if !self.mapping.range_unchanged(diagnostic.start.0, last) {
                return None;
            }
            let now = self.mapping.to_current(diagnostic.start.0)?;
            let mut moved = diagnostic.clone();
            moved.end.0 = now + (last - diagnostic.start.0);
            moved.start.0 = now;
            Some(moved)
        };
        self.results.diagnostics.iter().filter_map(moved).collect()
    }

    /// A place of the measured text in the text on screen.
    #[must_use]
    pub fn place(&self, (line, column): (u32, u32)) -> Option<(u32, u32)> {
        Some((self.mapping.to_current(line)?, column))
    }

    /// What there is to say about a place of the text on screen; the range is of that, too.
    #[must_use]
    pub fn hover(&self, line: u32, column: u32, now: SystemTime, known: &[Families]) -> Option<Hover> {
        let (measured, stale) = match self.mapping.to_measured(line) {
            Some(measured) => (measured, false),
            None if self.results.keep_stale => (self.edited_line(line)?, true),
            None => return None,
        };
        let results = &self.results;
        let options = HoverOptions {
            ascii: results.ascii,
            age: now.duration_since(results.measured.at).ok(),
        };
        let column = if stale { 0 } else { column };
        let mut hover = editor::hover(
            results.measured.profile(),
            results.measured.costs(),
            &results.name,
            measured,
            column,
            &options,
        )?;
        let (costs, ascii) = (results.measured.costs(), results.ascii);
        if let Some(more) = editor::process_wide(costs, &results.name, measured, column, known, ascii) {
            hover.markdown.push_str("\n\n");
            hover.markdown.push_str(&more);
        }
        if stale {
            hover.markdown = format!("Measured before this line was edited:\n\n{}", hover.markdown);
            (hover.start, hover.end) = ((line, 0), (line, 0));
        } else if self.mapping.range_unchanged(hover.start.0, hover.end.0) {
            hover.start.0 = self.mapping.to_current(hover.start.0)?;
            hover.end.0 = self.mapping.to_current(hover.end.0)?;
        } else {
            (hover.start, hover.end) = ((line, 0), (line, 0));
        }
        Some(hover)
    }

    /// What was measured.
    #[must_use]
    pub fn target(&self) -> String {
        self.results.measured.profile().workload.target.clone()
    }

    /// The HTML report of the whole measurement.
    #[must_use]
    pub fn report(&self, thresholds: &Thresholds) -> String {
        let measured = &self.results.measured;
        html::render(
            measured.profile(),
            measured.costs(),
            &measured.calibrated(thresholds),
        )
    }

    /// The costs of the file.
    fn file(&self) -> Option<&FileCosts<'_>> {
        let results = &self.results;
        let files = &results.measured.costs().files;
        files.iter().find(|file| file.file.path == results.name)
    }

    /// What the shares of [`View::heat`] are parts of, to stand after a percentage.
    #[must_use]
    pub fn heat_of(&self) -> &'static str {
        self.file().map_or("", editor::heat_of)
    }

    /// The lines that ran and are unchanged, with their share of the whole: 1-based lines of the
    /// text on screen, in order.
    #[must_use]
    pub fn heat(&self) -> Vec<Heat> {
        let Some(file) = self.file() else {
            return Vec::new();
        };
        let moved = |heat: Heat| {
            let line = self.mapping.to_current(heat.line)?;
            Some(Heat { line, ..heat })
        };
        let mut heat: Vec<_> = editor::heat(file).into_iter().filter_map(moved).collect();
        heat.sort_by_key(|heat| heat.line);
        heat
    }

    /// An expression of the measured text, where it is now; none if a line of it was edited or its
    /// columns are not known.
    #[must_use]
    pub fn expression(&self, position: Position) -> Option<((u32, u32), (u32, u32))> {
        let (start, end) = position.columns?;
        if !self.mapping.range_unchanged(position.line, position.end_line) {
            return None;
        }
        let line = self.mapping.to_current(position.line)?;
        let end_line = line + (position.end_line - position.line);
        Some(((line, start), (end_line, end)))
    }

    /// A line of the measured text, where it is now.
    #[must_use]
    pub fn line(&self, measured: u32) -> Option<u32> {
        self.mapping.to_current(measured)
    }

    /// The bytecode of the function around a line of the text on screen, and the lines of the
    /// listing that belong to that line.
    #[must_use]
    pub fn listing(&self, line: u32) -> Option<(Listing, Option<usize>)> {
        // On an edited line the function is still the one of the nearest unchanged line above.
        let measured = (1..=line).rev().find_map(|line| self.mapping.to_measured(line))?;
        let results = &self.results;
        let listing = editor::listing(
            results.measured.profile(),
            results.measured.costs(),
            &results.name,
            measured,
            results.ascii,
        )?;
        let at = listing.lines.iter().position(|line| *line == Some(measured));
        Some((listing, at))
    }
}

fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}
