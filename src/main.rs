//! Arguments in, exit code out; picks the window or the command line.

use std::process::ExitCode;

use nephoscope::{cli, ui};

/// A list is millions of small pieces made on one thread and let go on another: Linux's own allocator takes a tenth longer,
/// and in a live capture of hours keeps the holes between them. Others were not measured.
#[cfg(target_os = "linux")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    cli::run(|begin, key_log, budget| {
        let begin = match begin {
            cli::Begin::Open(source) => ui::Begin::Open(source),
            cli::Begin::Several(files) => ui::Begin::Several(files),
            cli::Begin::Choose(wish) => ui::Begin::Choose(wish),
            cli::Begin::Capture(wish) => ui::Begin::Capture(wish),
            cli::Begin::Start => ui::Begin::Start,
        };
        Ok(ui::run(begin, key_log, budget)?)
    })
}
