//! The headless front (joined when the floors below are in).

/// Runs the program.
pub fn run() -> std::process::ExitCode {
    std::process::ExitCode::from(2)
}
