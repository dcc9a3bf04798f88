//! Arguments in, exit code out; picks the window or the command line.

use std::process::ExitCode;

fn main() -> ExitCode {
    nephoscope::cli::run(|open, budget, _left_out| Ok(nephoscope::ui::run(open, budget)?))
}
