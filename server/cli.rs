//! The command line: arguments in, exit code out.

mod calibrate;
mod explain;
mod lsp;
mod pager;
mod progress;
mod run;
mod screen;
mod show;
mod stats;
mod trace;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// The target failed.
const TARGET_FAILED: u8 = 1;
/// Usage, or input that cannot be read.
const UNUSABLE: u8 = 2;
/// As a shell reports a program that Ctrl-C ended.
const CANCELLED: u8 = 130;

/// What each line of Python costs in bytecode, and why.
#[derive(Debug, Parser)]
#[command(version, propagate_version = true, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a function, script, module or test and show what each line costs
    Run(Run),
    /// Show saved profiles
    Show(Show),
    /// Time the catalogue's examples with an interpreter, for better bounds on what a remedy saves
    Calibrate(Calibrate),
    /// Show the process-wide statistics of pystats dumps and reports
    Stats(Stats),
    /// Say why a site is slow and what to write instead; without a name, list all causes
    Explain(Explain),
    /// Show what one call does, instruction by instruction, in order
    Trace(Trace),
    /// Serve an editor: the language server, on standard input and output
    Lsp,
}

#[derive(Debug, Args)]
#[allow(clippy::doc_markdown, reason = "the comments are the help text")]
#[command(after_help = "\
Targets:
  file.py::function        a function or method, called as --call, a comment `# bytecost: f(...)`
                           above it, pyproject.toml or its doctest says
  file.py                  a script
  -m package.module        a module, as `python -m` runs it
  pytest:tests/test_x.py   a pytest selection

Exit status: 0 measured, also when its time was up; 1 the target failed (what was measured is
shown) or went away without a result; 2 nothing could be run; 130 cancelled.")]
struct Run {
    /// What to run: file.py::function, file.py or pytest:SELECTION
    #[arg(required_unless_present_any = ["module", "pid"], conflicts_with_all = ["module", "pid"])]
    target: Option<String>,
    /// Run this module, as `python -m` does
    #[arg(short, value_name = "MODULE", conflicts_with = "pid")]
    module: Option<String>,
    /// Look at this running process for --time seconds, 2 if not said, instead of running anything
    #[arg(long, value_name = "PID", conflicts_with_all = ["call", "setup", "once", "calls", "arguments"])]
    pid: Option<i32>,
    /// Interpreter: a path, a name on PATH or a version such as 3.14; several are compared
    #[arg(long, value_name = "PYTHON")]
    python: Vec<String>,
    /// Expression that calls the function, evaluated in its module
    #[arg(long, value_name = "EXPR")]
    call: Option<String>,
    /// Code to run once before the calls, in the same namespace
    #[arg(long, value_name = "CODE")]
    setup: Option<String>,
    /// How long calls are repeated, 0.4 if not said and 2 while sampled; a pass that does not end by
    /// itself is stopped
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    time: Option<f64>,
    /// Samples a second
    #[arg(long, value_name = "HZ", default_value_t = crate::collect::sample::RATE, value_parser = clap::value_parser!(u32).range(1..=20_000))]
    rate: u32,
    /// Stop each pass after this long; 0 means never
    #[arg(long, value_name = "SECONDS", value_parser = seconds, default_value = "600")]
    deadline: f64,
    /// Run the workload a single time: states and forms, but neither times nor counts
    #[arg(long)]
    once: bool,
    /// Calls to make in every pass, instead of as many as the time allows
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    calls: Option<u64>,
    /// Passes to make; the natural one always is; trace takes times by tracing; pystats and jit are
    /// made on builds that have them
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_values = ["natural", "sample", "count", "pystats", "types", "jit"])]
    passes: Vec<PassName>,
    /// Measure files that match this glob instead of the workspace's; may be given several times
    #[arg(long, value_name = "GLOB")]
    include: Vec<String>,
    /// Keep the profile in .bytecost/ of the workspace, where editors find it
    #[arg(long)]
    save: bool,
    /// Print nothing but the report
    #[arg(short, long)]
    quiet: bool,
    #[command(flatten)]
    output: Output,
    /// Arguments of the script, module or pytest
    #[arg(last = true)]
    arguments: Vec<String>,
}

#[derive(Debug, Args)]
#[allow(clippy::doc_markdown, reason = "the comments are the help text")]
struct Calibrate {
    /// Interpreter: a path, a name on PATH or a version such as 3.14
    #[arg(long, value_name = "PYTHON")]
    python: Option<String>,
}

#[derive(Debug, Args)]
struct Explain {
    /// Name of a cause, as a report gives it
    #[arg(value_name = "ID")]
    id: Option<String>,
}

#[derive(Debug, Args)]
struct Show {
    /// Saved profiles
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Folder that the profile's paths are relative to, instead of where it was measured
    #[arg(long, value_name = "DIR")]
    source: Option<PathBuf>,
    #[command(flatten)]
    output: Output,
}

#[derive(Debug, Args)]
struct Stats {
    /// Raw dumps, folders of them, their JSON, or printed reports
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Compare with these
    #[arg(long, value_name = "BASE")]
    compare: Vec<PathBuf>,
    /// Form of the tables
    #[arg(long, value_enum, default_value_t = StatsFormat::Text)]
    format: StatsFormat,
    /// Write the tables to this file
    #[arg(short = 'o', long = "output", value_name = "FILE")]
    file: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum StatsFormat {
    Text,
    Json,
    Markdown,
}

#[derive(Debug, Args)]
#[allow(clippy::doc_markdown, reason = "the comments are the help text")]
struct Trace {
    /// What to run: file.py::function, file.py or pytest:SELECTION
    #[arg(required_unless_present = "module", conflicts_with = "module")]
    target: Option<String>,
    /// Run this module, as `python -m` does
    #[arg(short, value_name = "MODULE")]
    module: Option<String>,
    /// Interpreter: a path, a name on PATH or a version such as 3.14
    #[arg(long, value_name = "PYTHON")]
    python: Option<String>,
    /// Expression that calls the function, evaluated in its module
    #[arg(long, value_name = "EXPR")]
    call: Option<String>,
    /// Code to run once before the calls, in the same namespace
    #[arg(long, value_name = "CODE")]
    setup: Option<String>,
    /// Record at most this many instructions; the call goes on unrecorded
    #[arg(long, value_name = "N", default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    limit: u64,
    /// Record frames down to this depth; 1 is the outermost alone
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    depth: Option<u32>,
    /// Whose frames to record; all if not said, for scripts, modules and tests the project's
    #[arg(long, value_enum)]
    scope: Option<Scope>,
    /// How long calls are repeated for their times; 0 for one call, without times
    #[arg(long, value_name = "SECONDS", value_parser = seconds, default_value = "1")]
    time: f64,
    /// Stop after this long; 0 means never
    #[arg(long, value_name = "SECONDS", value_parser = seconds, default_value = "600")]
    deadline: f64,
    /// Print nothing but the trace
    #[arg(short, long)]
    quiet: bool,
    /// Form of the trace
    #[arg(long, value_enum, default_value_t = TraceFormat::Text)]
    format: TraceFormat,
    /// Write the trace to this file
    #[arg(short = 'o', long = "output", value_name = "FILE")]
    file: Option<PathBuf>,
    /// When to use colour; NO_COLOR is honoured
    #[arg(long, value_enum, default_value_t = When::Auto)]
    color: When,
    /// Use ASCII only
    #[arg(long)]
    ascii: bool,
    /// Cells of a line, instead of the terminal's
    #[arg(long, value_name = "CELLS", value_parser = clap::value_parser!(u16).range(40..=1000))]
    width: Option<u16>,
    /// Do not page what is longer than the terminal
    #[arg(long)]
    no_pager: bool,
    /// Arguments of the script, module or pytest
    #[arg(last = true)]
    arguments: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Scope {
    All,
    Project,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum TraceFormat {
    Text,
    /// JSON lines: what was traced, then one event a line
    Jsonl,
}

#[derive(Debug, Args)]
#[allow(clippy::doc_markdown, reason = "the comments are the help text")]
struct Output {
    /// Form of the report
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Write the report to this file
    #[arg(short = 'o', long = "output", value_name = "FILE")]
    file: Option<PathBuf>,
    /// When to use colour; NO_COLOR is honoured
    #[arg(long, value_enum, default_value_t = When::Auto)]
    color: When,
    /// Use ASCII marks only
    #[arg(long)]
    ascii: bool,
    /// Cells of a line, instead of the terminal's
    #[arg(long, value_name = "CELLS", value_parser = clap::value_parser!(u16).range(40..=1000))]
    width: Option<u16>,
    /// Share of the time (of the executed instructions without times) a line must have to be named
    /// below, in percent
    #[arg(long, value_name = "PERCENT", default_value_t = 1.0)]
    min_share: f64,
    /// Executions a site must have to be named below
    #[arg(long, value_name = "N", default_value_t = 100)]
    min_executions: u64,
    /// Share of the time that a remedy must save at most to be advised, in percent
    #[arg(long, value_name = "PERCENT", default_value_t = 0.1)]
    min_saving: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
    Html,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum When {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum PassName {
    Natural,
    Sample,
    Trace,
    Count,
    Types,
    Jit,
    Pystats,
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() && (0.0..=1e9).contains(&value) => Ok(value),
        _ => Err("not a number of seconds".to_owned()),
    }
}

/// Parses the arguments of this process and does what they say.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let done = match &cli.command {
        Command::Run(arguments) => run::run(arguments),
        Command::Show(arguments) => show::show(arguments),
        Command::Calibrate(arguments) => calibrate::calibrate(arguments),
        Command::Stats(arguments) => stats::stats(arguments),
        Command::Explain(arguments) => explain::explain(arguments),
        Command::Trace(arguments) => trace::trace(arguments),
        Command::Lsp => lsp::lsp(),
    };
    match done {
        Ok(code) => ExitCode::from(code),
        Err(error) if broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            screen::say(&sentence(&error));
            ExitCode::from(UNUSABLE)
        }
    }
}

/// An error with its causes; those that it has quoted itself are not said again.
fn sentence(error: &anyhow::Error) -> String {
    error
        .chain()
        .map(ToString::to_string)
        .fold(String::new(), |said, cause| {
            if said.is_empty() {
                cause
            } else if said.contains(&cause) {
                said
            } else {
                format!("{said}: {cause}")
            }
        })
}

/// Whoever read our output has seen enough.
fn broken_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<std::io::Error>())
        .any(|cause| cause.kind() == std::io::ErrorKind::BrokenPipe)
}
