//! `bytecost`: the command line.

use std::process::ExitCode;

fn main() -> ExitCode {
    bytecost::cli::main()
}
