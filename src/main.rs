//! Arguments in, exit code out; picks the window or the command line.

use std::process::ExitCode;

fn main() -> ExitCode {
    nephoscope::cli::run(|begin, budget| Ok(nephoscope::ui::run(begin.open, budget)?))
}
