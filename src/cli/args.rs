//! What can be asked for on the command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::engine::Source;

/// Shows whose cloud an app is really talking to, and proves it.
///
/// Without a subcommand the window opens, with FILE in it where one is named. Reads pcap and pcapng, also packed with
/// gzip, zstd or lz4.
#[derive(Debug, Parser)]
#[command(name = "nephoscope", version, args_conflicts_with_subcommands = true, after_help = EXIT_CODES)]
pub(super) struct Arguments {
    /// What to do without a window.
    #[command(subcommand)]
    pub(super) task: Option<Task>,
    /// Capture to open in the window; `-` reads standard input.
    pub(super) file: Option<PathBuf>,
}

const EXIT_CODES: &str = "Exit codes:
  0  everything was read
  1  something was read, but a capture is damaged or cut (the messages say where)
  2  nothing was read: bad arguments, no such file, not a capture";

/// The subcommands.
#[derive(Debug, Subcommand)]
pub(super) enum Task {
    /// Print the exchanges of captures, one a line
    #[command(after_help = LIST_HELP)]
    List(ListArguments),
    /// Print the verdict on one exchange and the evidence for it, in words
    #[command(after_help = "The number is the one that `list` prints in its first column.")]
    Explain(ExplainArguments),
}

const LIST_HELP: &str = "Examples:
  nephoscope list trace.pcapng
  nephoscope list --filter 'icloud put' trace.pcapng
  nephoscope list --format jsonl trace.pcapng | jq 'select(.verdict.grade == \"supports\")'
  tcpdump -w - | nephoscope list -

Exit codes:
  0  everything was read
  1  something was read, but a capture is damaged or cut (the messages say where)
  2  nothing was read: bad arguments, no such file, not a capture";

/// What `list` takes.
#[derive(Debug, Args)]
pub(super) struct ListArguments {
    /// Captures to read; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    pub(super) files: Vec<PathBuf>,
    /// How to print
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub(super) format: Format,
    /// Only rows that hold every one of these words, in host, path, method, type, address, tenant, operator or product
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub(super) filter: String,
    /// TLS key log, as other tools take it. Not used yet: sealed content stays sealed, and a message says so
    #[arg(long, value_name = "FILE")]
    pub(super) keylog: Option<PathBuf>,
    /// How many shards read in parallel; 1 does all in one thread. The output is the same
    #[arg(long, value_name = "N", default_value_t = default_threads(), value_parser = clap::value_parser!(u8).range(1..=64))]
    pub(super) threads: u8,
}

/// What `explain` takes.
#[derive(Debug, Args)]
pub(super) struct ExplainArguments {
    /// The exchange's number
    #[arg(value_name = "N")]
    pub(super) number: u32,
    /// The capture; `-` is standard input
    #[arg(value_name = "FILE")]
    pub(super) file: PathBuf,
}

/// How a list is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// Columns for a terminal
    Table,
    /// One JSON object a line, the capture first
    Jsonl,
    /// Comma-separated values
    Csv,
}

/// As many shards as cores, at most four: more only wait for the disk.
fn default_threads() -> u8 {
    std::thread::available_parallelism().map_or(1, |n| n.get().min(4) as u8)
}

/// A path as the engine's source; `-` is standard input.
pub(super) fn source(path: PathBuf) -> Source {
    if path.as_os_str() == "-" { Source::Stdin } else { Source::File(path) }
}
