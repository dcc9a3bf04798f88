//! What can be asked for on the command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::engine::Source;

/// Shows whose cloud an app is really talking to, and proves it.
///
/// Without a subcommand the window opens, with FILE in it where one is named; of several it asks whether to merge
/// them by time or to compare. Reads pcap, pcapng and HAR, also packed with gzip, zstd or lz4.
#[derive(Debug, Parser)]
#[command(name = "nephoscope", version, args_conflicts_with_subcommands = true, after_help = EXIT_CODES)]
pub(super) struct Arguments {
    /// What to do without a window.
    #[command(subcommand)]
    pub(super) task: Option<Task>,
    /// Captures to open in the window, or a picture, bundle or claim to verify there; `-` reads standard input
    #[arg(value_name = "FILE")]
    pub(super) files: Vec<PathBuf>,
    /// The same as FILE, as Wireshark has it
    #[arg(short = 'r', long = "read", value_name = "FILE", conflicts_with_all = ["files", "interface"])]
    pub(super) read: Option<PathBuf>,
    /// Interface to capture from, in the window
    #[arg(short = 'i', long, value_name = "NAME", conflicts_with = "files")]
    pub(super) interface: Option<String>,
    /// Begin to capture at once; without -i from the interface used last
    #[arg(short = 'k', conflicts_with_all = ["files", "read"])]
    pub(super) start: bool,
    /// Capture filter, in the language of pcap-filter(7)
    #[arg(short = 'f', value_name = "FILTER", conflicts_with_all = ["files", "read"])]
    pub(super) filter: Option<String>,
    /// TLS key log (the file that SSLKEYLOGFILE names where the program ran) to decrypt with
    #[arg(long, value_name = "FILE")]
    pub(super) keylog: Option<PathBuf>,
    /// Print the interfaces and end, as `nephoscope interfaces` does
    #[arg(short = 'D', conflicts_with_all = ["files", "read", "interface", "start", "filter"])]
    pub(super) interfaces: bool,
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
    ///
    /// With what this capture cannot show, the ledger, the way of the name, of the answer and of the URL, the other readings
    /// (H1 to H7) that stay open, and every attempt to break the verdict.
    #[command(after_help = "The number is the one that `list` prints in its first column.")]
    Explain(ExplainArguments),
    /// Print what the exchanges together say of each site: counts and bytes by operator, product, role and grade
    #[command(after_help = FINDINGS_HELP)]
    Findings(FindingsArguments),
    /// Hold two captures side by side: what changed of each site, in operator, product, role, tenant, grade and addresses
    ///
    /// Each file is read by itself; sites are matched by their names. What is said is counted, never guessed: an answer that
    /// one capture lacks was not found there, which is no change yet, and a change of grade alone is no change of operator.
    #[command(after_help = COMPARE_HELP)]
    Compare(CompareArguments),
    /// Draw a picture of exchanges with the evidence for their verdict, as PNG that carries its own proof
    ///
    /// Needs no display and no graphics card; the same capture gives the same picture, byte for byte. Cookies, tokens, keys
    /// and signatures are replaced before anything is drawn.
    #[command(after_help = SHOT_HELP)]
    Shot(ShotArguments),
    /// Check a picture, a bundle or a claim: every callout passes or fails by itself
    #[command(after_help = VERIFY_HELP)]
    Verify(VerifyArguments),
    /// Capture live from an interface into a file or a pipe, as pcapng
    ///
    /// Opens the interface, gives away every right that is not needed any more, and copies frames; looks into none of them.
    #[cfg(unix)]
    #[command(after_help = CAPTURE_HELP)]
    Capture(Box<CaptureArguments>),
    /// List the interfaces that can be captured from, those that most likely carry traffic first
    #[command(after_help = INTERFACES_HELP)]
    Interfaces(InterfacesArguments),
    /// List, check and try the rules that point at providers, your own included
    #[command(after_help = SIGNATURES_HELP)]
    Signatures(SignaturesArguments),
    /// Write the manual pages and the completions of bash, zsh and fish below a folder
    #[command(hide = true)]
    WriteManual(ManualArguments),
}

impl Task {
    /// Whether it works with the pack as this user has it.
    pub(super) fn uses_the_pack(&self) -> bool {
        match self {
            Self::List(_)
            | Self::Explain(_)
            | Self::Findings(_)
            | Self::Compare(_)
            | Self::Shot(_)
            | Self::Verify(_) => true,
            #[cfg(unix)]
            Self::Capture(_) => false,
            Self::Interfaces(_) | Self::WriteManual(_) => false,
            Self::Signatures(arguments) => matches!(arguments.task, SignaturesTask::List(_)),
        }
    }
}

/// What `write-manual` takes.
#[derive(Debug, Args)]
pub(super) struct ManualArguments {
    /// The folder; it is made, and what it has of these files is replaced
    #[arg(value_name = "FOLDER")]
    pub(super) folder: PathBuf,
}

/// Lines of at most 78 characters: the example must not be wrapped.
const SIGNATURES_HELP: &str = "\
Your own rules are files in $XDG_CONFIG_HOME/nephoscope/signatures/ (else in
~/.config/nephoscope/signatures/) whose names end in .toml. All are read when
the program starts. A whole file:

  schema_version = 1
  written = \"2026-11-25\"            # the day you wrote it
  off = [\"apple.server-value.ats\"]  # built-in rules that shall not match

  [[provider]]
  id = \"acme\"
  name = \"Acme Cloud\"
  parent = \"none\"                   # the company that owns it
  colour = \"#44AA88\"
  glyph = \"ZQ\"                      # that no other provider has
  services = [{ id = \"store\", name = \"Store\", role = \"object-storage\" }]

  [[signature]]
  id = \"acme.server\"
  provider = \"acme\"
  service = \"store\"
  role = \"object-storage\"
  kind = \"server_value\"             # dns_suffix, header_name, ip_range_ref …
  pattern = '^AcmeStore/\\d'
  strength = 3                      # 1 hint … 5 only the operator can cause
                                    # it; one header line is at most 3
  basis = \"corpus\"                  # how well the row itself is supported
  speaks_for = \"origin\"             # responder, edge, origin, name …
  forgeable_by = [\"origin\", \"intermediary\"]
  proves = \"The server wrote this product name.\"
  suggests = \"Acme's store made the answer.\"
  sources = [\"https://docs.acme.example/headers\"]

[[service]] (provider, id, name, role) adds a service to a provider that is
there already. `signatures lint` says what else a row must or must not have;
assets/signatures.toml of the source is the longest example.";

/// What `signatures` takes.
#[derive(Debug, Args)]
pub(super) struct SignaturesArguments {
    /// What to do with them.
    #[command(subcommand)]
    pub(super) task: SignaturesTask,
}

/// What can be done with signatures.
#[derive(Debug, Subcommand)]
pub(super) enum SignaturesTask {
    /// Print the rules in use, one a line
    #[command(after_help = "Examples:
  nephoscope signatures list azure
  nephoscope signatures list --format json | jq '.[] | select(.strength >= 4) | .id'")]
    List(ListSignatures),
    /// Check signature files: the built-in pack and yours, or the named ones
    #[command(
        after_help = "Each line is `refused` or `warning`, then file:line, the signature, what is wrong and what was expected. A file
with one refused row is not used at all; warnings are only worth a look.

Exit codes:
  0  nothing is refused
  1  a file is refused
  2  a file could not be read"
    )]
    Lint(LintSignatures),
    /// Try a signature file on captures, or, without captures, on values made from its own patterns
    #[command(
        after_help = "With captures: how many exchanges each rule of the file matches, where, and which rules match nothing.
Without: for each rule, values that it must match and values that it must let go (the name as part of a stranger's
domain, the value in another field, one character changed …) go through the real matcher.

Examples:
  nephoscope signatures test mine.toml
  nephoscope signatures test mine.toml trace.pcapng

Exit codes:
  0  the file is good, and everything was read
  1  the file is refused, a case failed, or a capture is damaged or cut
  2  something could not be read"
    )]
    Test(TestSignatures),
}

/// What `signatures list` takes.
#[derive(Debug, Args)]
pub(super) struct ListSignatures {
    /// How to print
    #[arg(long, value_enum, default_value_t = SignatureFormat::Table)]
    pub(super) format: SignatureFormat,
    /// Only rules with this word in id, kind, provider, product, role, pattern or file
    #[arg(value_name = "WORD", default_value = "")]
    pub(super) word: String,
}

/// What `signatures lint` takes.
#[derive(Debug, Args)]
pub(super) struct LintSignatures {
    /// Files to check instead of the built-in pack and yours; each may build on those before it
    #[arg(value_name = "FILE")]
    pub(super) files: Vec<PathBuf>,
}

/// What `signatures test` takes.
#[derive(Debug, Args)]
pub(super) struct TestSignatures {
    /// The signature file; your folder is left out of this
    #[arg(value_name = "FILE.toml")]
    pub(super) pack: PathBuf,
    /// Captures to try it on; `-` is standard input
    #[arg(value_name = "CAPTURE")]
    pub(super) captures: Vec<PathBuf>,
}

/// How signatures are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum SignatureFormat {
    /// Columns for a terminal
    Table,
    /// One JSON array of objects
    Json,
}

const LIST_HELP: &str = "Examples:
  nephoscope list trace.pcapng
  nephoscope list --filter 'icloud put' trace.pcapng
  nephoscope list --filter 'operator:azure (status>=400 or size>1M) -method:GET' trace.pcapng
  nephoscope list --format jsonl trace.pcapng | jq 'select(.verdict.grade == \"supports\")'
  nephoscope list --keylog \"$SSLKEYLOGFILE\" trace.pcapng
  nephoscope list ring_00001.pcapng ring_00002.pcapng ring_00003.pcapng.gz
  nephoscope list --filter 'file:phone' phone.pcap router.pcapng
  nephoscope list --format parquet --out tables *.pcapng
  nephoscope list export.har
  tcpdump -U -w - | nephoscope list -

Several files are merged by time, as mergecap merges them: frames are numbered
over all of them, of two of one time that of the file named first comes first,
and a connection that goes on in the next file is one. Each row names the file
that it begins in and the number of its first frame there; file:NAME filters.
With --apart each file is read by itself and printed after the other; that is
what --format parquet does unless --merge is given.

With --keylog, TLS sessions are decrypted whose secrets the log holds, in the
format of SSLKEYLOGFILE (RFC 9850); so are those whose secrets the capture
carries itself (pcapng). What was inside stands in rows of its own, with
\"decrypted\":true. The variable SSLKEYLOGFILE is not looked at unless you name
it, as above.

Filters: key:value tests a value, a minus before it leaves out, tests side by
side must all hold, `or` and parentheses join them, /expressions/ and \"quotes\"
are understood, bare words look in host, path, method, type, address, tenant,
operator and product. Keys: host path url method status type size duration time
operator product role tenant grade conflict site sni cname ip port asn proto
header req-header resp-header frame stream rcode is marked ignored conversation
comment process file.
Wireshark's http.host, ip.addr, tcp.port and their like, and the keys of browsers'
developer tools work too. What is wrong in a filter is drawn under it.

A pipe that stays open is listed as it comes: once it pauses for 200 ms, or
brings packets of this very moment, rows are printed as their exchanges end, and
numbered in that order (else in the order of their first frames, at the end).
In jsonl the first object is then the capture as far as it is known, with
\"live\":true, and the last one, of kind capture_end, the whole. tcpdump needs -U
to pass each packet on at once. A session or connection that goes on is listed
when it ends.

Exit codes:
  0  everything was read
  1  something was read, but a capture is damaged or cut (the messages say where)
  2  nothing was read: bad arguments, no such file, not a capture";

/// Whether rows of standard input are printed as they come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Live {
    /// Where it pauses, or brings packets of this moment.
    Auto,
    /// From the start.
    Always,
    /// All at the end, in the capture's order.
    Never,
}

/// What `list` takes.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
pub(super) struct ListArguments {
    /// Captures to read, several merged by time; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    pub(super) files: Vec<PathBuf>,
    /// Read each of several files by itself
    #[arg(long)]
    pub(super) apart: bool,
    /// Merge several files, as is done without saying so except for parquet
    #[arg(long, conflicts_with = "apart")]
    pub(super) merge: bool,
    /// How to print
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub(super) format: Format,
    /// Only rows that this filter keeps, such as 'host:blob status>=400' or just words; see below
    #[arg(long, value_name = "FILTER", default_value = "", hide_default_value = true, allow_hyphen_values = true)]
    pub(super) filter: String,
    /// TLS key log (the file that SSLKEYLOGFILE names where the program ran) to decrypt with
    #[arg(long, value_name = "FILE")]
    pub(super) keylog: Option<PathBuf>,
    /// Parquet: the folder to write one file a capture into, named by its digest and name; needed, and made where it is not
    #[arg(long, value_name = "FOLDER", required_if_eq("format", "parquet"))]
    pub(super) out: Option<PathBuf>,
    /// Parquet: replace a file of that name
    #[arg(long, requires = "out")]
    pub(super) overwrite: bool,
    /// HAR: leave bodies out. For them each connection is read once more
    #[arg(long)]
    pub(super) no_bodies: bool,
    /// HAR: replace nothing. Cookies, passwords, tokens and keys stand there as they are
    #[arg(long)]
    pub(super) no_redaction: bool,
    /// List without judging: no provider, no verdict, no search for handed-out URLs; quicker
    #[arg(long)]
    pub(super) no_verdicts: bool,
    /// Print rows as they come from standard input (always, never), or where it is seen to be a live capture (auto)
    #[arg(short, long, value_name = "WHEN", value_enum, num_args = 0..=1, require_equals = true,
          default_value_t = Live::Auto, default_missing_value = "always")]
    pub(super) live: Live,
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
    /// The capture, or several to be merged by time as `list` merges them; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    pub(super) files: Vec<PathBuf>,
    /// How to print
    #[arg(long, value_enum, default_value_t = Report::Words)]
    pub(super) format: Report,
    /// TLS key log (the file that SSLKEYLOGFILE names where the program ran) to decrypt with
    #[arg(long, value_name = "FILE")]
    pub(super) keylog: Option<PathBuf>,
}

#[cfg(unix)]
const CAPTURE_HELP: &str = "\
Without -w the frames go to standard output, which must be a pipe or a file.
kB are 1,000 bytes. With -b, files are written one after another, named after
-w with a number and the time in UTC: trace_00001_20261125190000.pcapng. The
capture ends cleanly on Ctrl+C, on a limit, when the reader of the pipe is
gone, and when the disk is nearly full (64 MiB are left, or an eighth of it).

Examples:
  nephoscope capture -i eth0 -w trace.pcapng
  nephoscope capture -i any -f 'tcp port 443 or udp port 53' -a duration:60 -w trace.pcapng
  nephoscope capture -i eth0 -b filesize:100000 -b files:10 -w trace.pcapng
  nephoscope capture -i eth0 | nephoscope list -

Exit codes:
  0  it ended as it was asked to
  1  it ended early, but what was written is whole (the messages say why)
  2  nothing was captured: bad arguments, no such interface, nowhere to write
  3  nothing was captured: this user may not (the messages say how to mend it)";

/// What `capture` takes.
#[cfg(unix)]
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
pub(super) struct CaptureArguments {
    /// Interface to capture from, as `nephoscope interfaces` names it; `any` takes all
    #[arg(short = 'i', long = "interface", value_name = "IF")]
    pub(super) device: String,
    /// Capture filter in libpcap's language; names of hosts are refused, nothing is ever looked up
    #[arg(short = 'f', long, value_name = "BPF", default_value = "", hide_default_value = true)]
    pub(super) filter: String,
    /// File to write, for -b the pattern of their names; `-` is standard output
    #[arg(short = 'w', long = "write", value_name = "FILE")]
    pub(super) target: Option<PathBuf>,
    /// End after so many frames
    #[arg(short = 'c', long = "count", value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) count: Option<u64>,
    /// End at duration:SECONDS, filesize:KB, packets:N or files:N; can be given several times
    #[arg(short = 'a', long = "autostop", value_name = "LIMIT", value_parser = criterion)]
    pub(super) stop_at: Vec<Criterion>,
    /// Begin the next file at duration:SECONDS, filesize:KB or packets:N; files:N keeps only the newest N
    #[arg(short = 'b', long = "ring-buffer", value_name = "LIMIT", value_parser = criterion)]
    pub(super) next_at: Vec<Criterion>,
    /// Bytes kept of each frame
    #[arg(short = 's', long, value_name = "N", default_value_t = 262_144, value_parser = clap::value_parser!(u32).range(1..=262_144))]
    pub(super) snap_len: u32,
    /// The kernel's buffer in MiB
    #[arg(short = 'B', long = "buffer-size", value_name = "MIB", default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=2_047))]
    pub(super) buffer_mib: u32,
    /// Have the interface hand on frames for others too
    #[arg(long, conflicts_with = "not_promiscuous")]
    pub(super) promiscuous: bool,
    /// Not promiscuous; this is the default, and accepted because other programs take it
    #[arg(short = 'p')]
    pub(super) not_promiscuous: bool,
    /// Replace a file that is there
    #[arg(long)]
    pub(super) overwrite: bool,
    /// End when standard input is closed, so that the capture dies with the program that started it
    #[arg(long)]
    pub(super) until_stdin_closes: bool,
    /// No running count
    #[arg(short = 'q', long)]
    pub(super) quiet: bool,
}

/// One limit of a capture.
#[cfg(unix)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Criterion {
    /// Time.
    Duration(core::time::Duration),
    /// Size in kB.
    Kilobytes(u64),
    /// Frames.
    Frames(u64),
    /// Files.
    Files(u32),
}

#[cfg(unix)]
fn criterion(text: &str) -> Result<Criterion, String> {
    let (key, value) = text.split_once(':').ok_or("this is written KEY:VALUE, as in duration:60")?;
    let number = |most: u64| match value.parse::<u64>() {
        Ok(number) if (1..=most).contains(&number) => Ok(number),
        _ => Err(format!("{key} takes a number from 1 to {most}")),
    };
    match key {
        "duration" => {
            let seconds = value.parse::<f64>().ok().filter(|seconds| *seconds > 0.0 && *seconds <= 1e9);
            let duration = seconds.and_then(|seconds| core::time::Duration::try_from_secs_f64(seconds).ok());
            duration.map(Criterion::Duration).ok_or_else(|| "duration takes seconds, as in duration:2.5".to_owned())
        }
        "filesize" => number(1_000_000_000_000).map(Criterion::Kilobytes),
        "packets" => number(u64::MAX).map(Criterion::Frames),
        "files" => number(99_999).map(|files| Criterion::Files(u32::try_from(files).unwrap_or(u32::MAX))),
        _ => Err("there are duration, filesize, packets and files".to_owned()),
    }
}

const INTERFACES_HELP: &str = "Needs no rights; what is listed may need some to be captured from.

Examples:
  nephoscope interfaces
  nephoscope interfaces --format json | jq -r '.[] | select(.state == \"running\") | .name'";

/// What `interfaces` takes.
#[derive(Debug, Args)]
pub(super) struct InterfacesArguments {
    /// How to print
    #[arg(long, value_enum, default_value_t = InterfacesFormat::Table)]
    pub(super) format: InterfacesFormat,
}

/// How interfaces are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum InterfacesFormat {
    /// Columns for a terminal
    Table,
    /// One JSON array of objects
    Json,
}

const FINDINGS_HELP: &str = "\
A site is the first party, where an accepted signed URL shows one; else the
registrable domain of the asked name. Lookups are not counted: they show where
a name is steered, not who answered.

Examples:
  nephoscope findings trace.pcapng
  nephoscope findings --site icloud --format json trace.pcapng";

/// What `findings` takes.
#[derive(Debug, Args)]
pub(super) struct FindingsArguments {
    /// The capture, or several to be merged by time; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    pub(super) files: Vec<PathBuf>,
    /// Only sites whose name holds this
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub(super) site: String,
    /// How to print
    #[arg(long, value_enum, default_value_t = Report::Words)]
    pub(super) format: Report,
    /// How many shards read in parallel
    #[arg(long, value_name = "N", default_value_t = default_threads(), value_parser = clap::value_parser!(u8).range(1..=64))]
    pub(super) threads: u8,
    /// TLS key log (the file that SSLKEYLOGFILE names where the program ran) to decrypt with
    #[arg(long, value_name = "FILE")]
    pub(super) keylog: Option<PathBuf>,
}

const SHOT_HELP: &str = "\
Examples:
  nephoscope shot trace.pcapng --exchange 12
  nephoscope shot trace.pcapng --exchange 12 --preset story --theme dark
  nephoscope shot trace.pcapng --preset list --filter 'icloud put' --out list.png
  nephoscope shot trace.pcapng --exchange 12 --out proof.nephoscope.zip
  nephoscope verify trace-exchange-12.png trace.pcapng

The numbers are those that `list` prints in its first column.

Exit codes:
  0  the picture is written
  1  the picture is written, but the capture is damaged or cut (the messages say where)
  2  no picture is written: bad arguments, no such exchange, a file of that name is there, not a capture";

/// What `shot` takes.
#[derive(Debug, Args)]
pub(super) struct ShotArguments {
    /// The capture; one file, since its proof must be found there again
    #[arg(value_name = "FILE")]
    pub(super) file: PathBuf,
    /// Refused with the reason: a proof names one file
    #[arg(value_name = "MORE", hide = true)]
    pub(super) more: Vec<PathBuf>,
    /// The exchange's number; more than one with commas. The list shows one with its neighbours
    #[arg(long = "exchange", value_name = "N", value_delimiter = ',', required_unless_present = "filter")]
    pub(super) exchanges: Vec<u32>,
    /// What goes in
    #[arg(long, value_enum, default_value_t = ShotPreset::Evidence)]
    pub(super) preset: ShotPreset,
    /// Rows of the list: those that this filter keeps, as `list --filter` takes it
    #[arg(long, value_name = "TEXT")]
    pub(super) filter: Option<String>,
    /// Pixels a point
    #[arg(long, value_name = "1|2|3", default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=3))]
    pub(super) scale: u8,
    /// Colours
    #[arg(long, value_enum, default_value_t = ShotTheme::Light)]
    pub(super) theme: ShotTheme,
    /// Width in points; without it 1,080, for the list 1,240
    #[arg(long, value_name = "POINTS", value_parser = clap::value_parser!(u16).range(360..=3_000))]
    pub(super) width: Option<u16>,
    /// Your title; it is drawn so that nobody takes it for a finding
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub(super) title: String,
    /// Your words below
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub(super) caption: String,
    /// Leave out header lines that prove nothing
    #[arg(long)]
    pub(super) evidence_only: bool,
    /// Show cookies, tokens, keys and signatures as they are; the footer says so
    #[arg(long)]
    pub(super) no_redaction: bool,
    /// Where to write; without it NAME-exchange-N.png in the current folder. A name that ends in .zip gets the bundle:
    /// picture, claim, excerpt of the capture, and a text for people
    #[arg(long, value_name = "FILE.png")]
    pub(super) out: Option<PathBuf>,
    /// Replace a file of that name
    #[arg(long)]
    pub(super) overwrite: bool,
    /// TLS key log (the file that SSLKEYLOGFILE names where the program ran) to decrypt with
    #[arg(long, value_name = "FILE")]
    pub(super) keylog: Option<PathBuf>,
}

/// What goes into a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum ShotPreset {
    /// Verdict, evidence, request and response
    Evidence,
    /// Rows of the list
    List,
    /// Verdict, the way of name, request and URL, other readings
    Story,
}

/// A picture's colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum ShotTheme {
    /// Dark letters on white
    Light,
    /// Light letters on near-black
    Dark,
}

const COMPARE_HELP: &str = "Examples:
  nephoscope compare monday.pcapng friday.pcapng
  nephoscope compare --site icloud berlin.pcapng dublin.pcapng
  nephoscope compare --format json a.pcapng b.pcapng | jq '.sites[] | select(.differs | index(\"operator\"))'

Lines under a site give exchanges, with (bytes sent / received) and, for an
operator, the best grade, in A and in B; a dot is none.

Exit codes:
  0  both were read whole
  1  something was read, but a capture is damaged or cut (the messages say where)
  2  one could not be read: bad arguments, no such file, not a capture";

/// What `compare` takes.
#[derive(Debug, Args)]
pub(super) struct CompareArguments {
    /// The first capture
    #[arg(value_name = "A")]
    pub(super) a: PathBuf,
    /// The second capture
    #[arg(value_name = "B")]
    pub(super) b: PathBuf,
    /// Only sites whose name holds this
    #[arg(long, value_name = "WORD", default_value = "", hide_default_value = true)]
    pub(super) site: String,
    /// How to print
    #[arg(long, value_enum, default_value_t = Report::Words)]
    pub(super) format: Report,
    /// TLS key log (the file that SSLKEYLOGFILE names where the program ran) to decrypt with
    #[arg(long, value_name = "FILE")]
    pub(super) keylog: Option<PathBuf>,
    /// How many shards read in parallel; 1 does all in one thread. The output is the same
    #[arg(long, value_name = "N", default_value_t = default_threads(), value_parser = clap::value_parser!(u8).range(1..=64))]
    pub(super) threads: u8,
}

const VERIFY_HELP: &str = "\
Without CAPTURE the excerpt in the bundle is used; a picture or a claim alone
needs the capture (or the unpacked excerpt.pcapng in its place).

Examples:
  nephoscope verify icloud-42.nephoscope.zip
  nephoscope verify picture.png icloud.pcapng
  nephoscope verify --format json claim.json icloud.pcapng | jq .holds

Exit codes:
  0  every callout that can be checked passes, and at least one could be
  1  something fails: a callout, the picture's pixels, the capture's SHA-256
  2  nothing was checked: no such file, no claim in it, not readable
  3  no callout could be checked (the messages say why)";

/// What `verify` takes.
#[derive(Debug, Args)]
pub(super) struct VerifyArguments {
    /// The picture (PNG), the bundle (ZIP) or the claim (JSON)
    #[arg(value_name = "FILE")]
    pub(super) file: PathBuf,
    /// The capture that it is about
    #[arg(value_name = "CAPTURE")]
    pub(super) capture: Option<PathBuf>,
    /// How to print
    #[arg(long, value_enum, default_value_t = Report::Words)]
    pub(super) format: Report,
    /// TLS key log (the file that SSLKEYLOGFILE names where the program ran) to decrypt with
    #[arg(long, value_name = "FILE")]
    pub(super) keylog: Option<PathBuf>,
}

/// How a report is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Report {
    /// Words for a reader
    Words,
    /// JSON
    Json,
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
    /// One HAR 1.2 document of the HTTP exchanges, as browser tools read it; secrets are replaced
    Har,
    /// Apache Parquet: one file of typed columns a capture, in the folder of --out
    Parquet,
}

/// As many shards as cores, at most four: more only wait for the disk.
fn default_threads() -> u8 {
    std::thread::available_parallelism().map_or(1, |n| n.get().min(4) as u8)
}

/// Files as the engine's source, several merged; `-` is standard input, which is read alone.
pub(super) fn sources(mut files: Vec<PathBuf>) -> anyhow::Result<Source> {
    if files.len() > 1 && files.iter().any(|file| file.as_os_str() == "-") {
        anyhow::bail!("standard input cannot be merged with files: write it to a file first")
    }
    match files.pop() {
        Some(only) if files.is_empty() => Ok(source(only)),
        last => {
            files.extend(last);
            Ok(Source::of_files(files))
        }
    }
}

/// A path as the engine's source; `-` is standard input.
pub(super) fn source(path: PathBuf) -> Source {
    if path.as_os_str() == "-" { Source::Stdin } else { Source::File(path) }
}
