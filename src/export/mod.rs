//! A snapshot in, bytes out.
//!
//! Comes in: a frozen copy of the store. Goes out: JSON lines, CSV, HAR, Parquet, a table, words. Never: a change to what it reads.

mod bundle;
mod claim;
mod columns;
mod compare;
mod csv;
mod differences;
mod excerpt;
mod explain;
mod explain_trace;
mod findings;
mod har;
mod har_bodies;
mod json;
mod json_explain;
mod json_verdict;
mod literals;
mod order;
mod parquet;
mod png;
mod proof;
mod readme;
mod redact;
mod report;
mod request;
mod rows;
mod said;
mod save;
mod secrets;
mod sides;
mod subject;
mod table;
mod verify;

pub use bundle::{BundleError, Parts, read_bundle, write_bundle};
pub use claim::{CLAIM_SCHEMA, Callout, Claim, ExchangeClaim, PieceClaim, SCOPE};
pub use columns::{ROWS_SCHEMA, columns_text};
pub use csv::{write_csv, write_csv_head, write_csv_rows};
pub use differences::{CaptureCaption, Compared, write_comparison, write_comparison_json};
pub use excerpt::Excerpt;
pub use explain::write_explanation;
pub use findings::{write_findings, write_findings_json};
pub use har::{BodySource, HarCounts, write_har};
pub use json::{Moment, SCHEMA, write_capture, write_jsonl, write_jsonl_rows};
pub use json_explain::write_explanation_json;
pub use order::{Listing, Numbers};
pub use parquet::{TableFacts, write_parquet};
pub use png::{Pixels, PngError, read_png, write_png};
pub use proof::{NOT_SHOWN, Proof, ProofError, stem_of};
pub use redact::{LineState, Redacted, Redactor, Replaced};
pub use report::{Item, NO_PICTURE, NOT_REDACTED, Outcome, Report, Whole, write_report};
pub use request::{curl_command, raw_request, url_of};
pub use rows::{RowsForm, RowsWish, rows_text, save_rows, table_path};
pub use save::{Existing, SaveError, SaveWhat, save, save_bytes, save_conversation};
pub use secrets::{Context, Hit, SecretKind};
pub use subject::Subject;
pub use table::{write_table, write_table_head, write_table_rows};
pub use verify::check as verify;

/// Why a list could not be written.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The receiver of the bytes failed.
    #[error("cannot write: {0}")]
    Write(#[from] std::io::Error),
    /// A value has no form in JSON.
    #[error("cannot write JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// A line of CSV could not be written.
    #[error("cannot write CSV: {0}")]
    Csv(#[from] ::csv::Error),
    /// A table could not be written.
    #[error("cannot write Parquet: {0}")]
    Parquet(#[from] ::parquet::errors::ParquetError),
    /// The store could not give a record back.
    #[error(transparent)]
    Store(#[from] crate::store::StoreError),
}
