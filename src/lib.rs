//! Nephoscope shows whose cloud an app is really talking to, and proves it to a sceptic.
//!
//! One road runs through the house: a frame enters, an exchange with graded evidence leaves, and the window and the
//! command line only look. Floors import downward only; `tests/floors.rs` holds that.
//!
//! ```text
//! 10  cli          the headless front; draws with the window's own views
//!  9  ui           the window, and pictures of what it shows
//!  8  export       snapshot in, bytes out
//!  7  case         what the user decided about a capture, and its file
//!  6  engine       frames to rows: the walk, the shards, the merge, the worker thread
//!  5  store        rows, shared text, record pages, frozen copies, row orders
//!  4  evidence     an exchange becomes ledger entries, entries become one verdict
//!  3  protocols    bytes become messages made of ranges
//!  2  streams      segments become ordered bytes per side of a flow
//!  1  capture      a file or pipe becomes frames, read in blocks
//!  1  decode       one frame becomes a segment or datagram
//!  0  model        the words that all floors share
//! ```

pub mod capture;
pub mod case;
pub mod cli;
pub mod decode;
pub mod engine;
pub mod evidence;
pub mod export;
pub mod model;
pub mod protocols;
pub mod store;
pub mod streams;
pub mod ui;
