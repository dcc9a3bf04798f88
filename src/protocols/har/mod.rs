//! An entry of a HAR file (HTTP Archive 1.2, <http://www.softwareishard.com/blog/har-12-spec/>) becomes an exchange.
//!
//! Comes in: the bytes of one entry, as browsers and proxies write them. Goes out: request and response with their bodies
//! read, and what else the entry tells. Never: a claim of the file's that is not marked as one: what is missing or makes no
//! sense is an anomaly with its place.
//!
//! Heads are made of what stands there: the URL as the target, then a line a header. Each header keeps its place in the file.

mod entry;
mod head;
mod json;
mod socket;
#[cfg(test)]
mod tests;

pub use entry::{Entry, EntryPlace, LeftOut, entry};
