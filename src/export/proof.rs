//! One export: what goes into picture, claim, excerpt and bundle, all of it redacted already.
//!
//! Comes in: a snapshot, its capture, the chosen rows, the plan and the case's key. Goes out: redacted records for whoever
//! draws, the claim, and bytes. Never: a secret beyond this door.

use std::collections::BTreeSet;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::bundle::{BundleError, Parts, write_bundle};
use super::claim::{
    CLAIM_SCHEMA, CaptureClaim, Claim, HiddenClaim, NoteClaim, PackClaim, PictureClaim, RedactionClaim, Seal,
    exchange_claim, number_of, time,
};
use super::excerpt::{Excerpt, excerpt};
use super::png::{Pixels, PngError, write_png};
use super::readme::readme;
use super::redact::{Redacted, Redactor, Replaced};
use super::report::Outcome;
use super::subject::Subject;
use super::verify::check;
use super::{Listing, Numbers};
use crate::capture::{Format, digest_file};
use crate::case::{Key, Plan, Shape};
use crate::engine::{DetailError, RowDetail, Source};
use crate::evidence::pack;
use crate::model::{Budget, MessageList, WebSocketMessage, hex};
use crate::store::{RowId, Snapshot};

/// Exchanges of one picture.
const MOST_EXCHANGES: usize = 1_000;

/// What verification does not show; it stands in every claim, in the bundle's text and below every report.
pub const NOT_SHOWN: [&str; 4] = [
    "It does not show who made the picture or the claim: anybody can make both anew from the same capture, or from an edited one.",
    "It does not show that the capture is genuine or its clock right: it shows that the claim and these bytes belong together.",
    "It does not show more than the grade says: for this exchange, at this time, from this network.",
    "Titles, captions, arrows and texts of the author's are not checked.",
];

/// Why an export could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ProofError {
    /// The capture came from a stream, or is still being captured.
    #[error("save the capture first: a proof needs a file that stays as it is")]
    NoFile,
    /// The capture is a HAR file.
    #[error(
        "a picture carries a proof of packets, and a HAR file holds none: list, explain or export its rows instead"
    )]
    Report,
    /// The capture is several files.
    #[error(
        "a proof names one capture file, and this is several merged by time: join them with mergecap -w ONE FILE…, and \
         make the picture of that"
    )]
    Merged,
    /// Nothing was chosen, or too much.
    #[error("choose between 1 and 1,000 exchanges")]
    Exchanges,
    /// A limit.
    #[error("{0}")]
    TooLarge(&'static str),
    /// The capture cannot be read again.
    #[error(transparent)]
    Capture(#[from] crate::capture::CaptureError),
    /// An exchange's bytes cannot be read again.
    #[error(transparent)]
    Detail(#[from] DetailError),
    /// The store cannot give a record.
    #[error(transparent)]
    Store(#[from] crate::store::StoreError),
    /// The capture cannot be read for its digest.
    #[error("cannot read the capture: {0}")]
    Io(#[from] std::io::Error),
    /// The picture cannot be encoded.
    #[error(transparent)]
    Png(#[from] PngError),
    /// The bundle cannot be packed.
    #[error(transparent)]
    Bundle(#[from] BundleError),
}

/// One export.
#[derive(Debug)]
pub struct Proof {
    /// The chosen exchanges, redacted, in the plan's order. Draw these and nothing else.
    pub shown: Vec<Redacted>,
    /// Their numbers in the list.
    pub numbers: Vec<u32>,
    /// What was replaced, for the preview.
    pub replaced: Vec<Replaced>,
    /// The claim; its picture is missing until [`Proof::picture`].
    pub claim: Claim,
    /// The excerpt.
    pub excerpt: Excerpt,
    redactor: Redactor,
    path: PathBuf,
    png: Option<Vec<u8>>,
}

impl Proof {
    /// Redacts the rows, makes claim and excerpt, and tries the excerpt out. Reads the capture: call it from a job.
    pub fn new(
        snapshot: &Snapshot,
        source: &Source,
        rows: &[RowId],
        plan: &Plan,
        key: &Key,
    ) -> Result<Self, ProofError> {
        let budget = Budget::default();
        if rows.is_empty() || rows.len() > MOST_EXCHANGES {
            return Err(ProofError::Exchanges);
        }
        if snapshot.facts().capture.format == Format::Har {
            return Err(ProofError::Report);
        }
        if !snapshot.facts().capture.merged.is_empty() {
            return Err(ProofError::Merged);
        }
        let path = match source {
            Source::Live(_) if !snapshot.progress().done => return Err(ProofError::NoFile),
            source => source.file().ok_or(ProofError::NoFile)?,
        };
        let mut redactor = Redactor::new(key, &plan.redaction);
        let records = rows.iter().map(|row| snapshot.record(*row)).collect::<Result<Vec<_>, _>>()?;
        for record in &records {
            redactor.learn(record);
        }
        let listing = Listing::all(snapshot);
        let numbers: Vec<u32> = rows.iter().map(|row| number_of(listing.numbers(), *row)).collect();
        let shown: Vec<Redacted> = records.iter().map(|record| redactor.record(record)).collect();
        let hides = shown.iter().any(|s| s.lines.iter().any(|l| *l != super::LineState::Whole));
        let secret = if hides { capture_secret(&path)? } else { [0; 32] };
        let salt = hex(key.digest("salt", b"").get(..16).unwrap_or_default());
        let seal = Seal { salt: &salt, secret: &secret };
        let mut claim = claim_head(snapshot, &path, plan, &mut redactor)?;
        let shown_anyway: BTreeSet<RowId> = rows.iter().copied().filter(|row| snapshot.is_ignored(*row)).collect();
        claim.ignored = u32::try_from(snapshot.ignored() - shown_anyway.len()).unwrap_or(u32::MAX);
        for ((record, redacted), number) in records.iter().zip(&shown).zip(&numbers) {
            let place: (u32, &Numbers) = (*number, listing.numbers());
            claim.exchanges.push(exchange_claim(record, redacted, place, &redactor, &seal));
        }
        let excerpt = excerpt(&path, snapshot, &records, &mut redactor, &budget)?;
        let replaced = redactor.replaced().to_vec();
        claim.redaction = RedactionClaim {
            on: plan.redaction.on,
            private_addresses: plan.redaction.on && plan.redaction.private_addresses,
            count: redactor.count(),
            salt,
            hidden: replaced
                .iter()
                .map(|r| HiddenClaim { placeholder: r.placeholder.clone(), place: r.place.clone(), count: r.count })
                .collect(),
        };
        try_out(&mut claim, &excerpt, &budget);
        Ok(Self { shown, numbers, replaced, claim, excerpt, redactor, path, png: None })
    }

    /// The key of a capture without a case: the same on every run, known only to who has the capture.
    pub fn key_of(path: &Path) -> Result<Key, ProofError> {
        Ok(Key::of_capture(&capture_secret(path)?))
    }

    /// A body or other detail for display, redacted. Frames are left out: with redaction on, only heads are shown of them.
    pub fn detail(&mut self, detail: &RowDetail) -> RowDetail {
        let redactor = &mut self.redactor;
        if !redactor.is_on() {
            return detail.clone();
        }
        let sent = || detail.messages.messages.iter();
        for body in detail.request_body.iter().chain(&detail.response_body).chain(sent().map(|m| &m.payload)) {
            redactor.learn_text(body);
        }
        let hide = |message: &WebSocketMessage, redactor: &mut Redactor| {
            let payload = redactor.text(&message.payload, "message");
            WebSocketMessage { payload, ..message.clone() }
        };
        let messages = MessageList {
            messages: sent().map(|message| hide(message, redactor)).collect(),
            unlisted: detail.messages.unlisted,
        };
        let mut body = |bytes: &Option<Vec<u8>>| bytes.as_ref().map(|b| redactor.text(b, "body"));
        RowDetail {
            request_body: body(&detail.request_body),
            response_body: body(&detail.response_body),
            messages,
            frames: Vec::new(),
        }
    }

    /// A text of the author's or of the window's, with known secrets replaced.
    pub fn words(&mut self, text: &str) -> String {
        String::from_utf8(self.redactor.text(text.as_bytes(), "text")).unwrap_or_default()
    }

    /// Takes the drawn pixels into the claim and gives the PNG.
    pub fn picture(&mut self, pixels: &Pixels<'_>) -> Result<&[u8], ProofError> {
        self.claim.redaction.count = self.redactor.count();
        self.claim.picture = Some(PictureClaim {
            width: pixels.width,
            height: pixels.height,
            scale: pixels.scale,
            sha256: pixels.sha256(),
        });
        let png = write_png(pixels, &self.claim.json())?;
        Ok(self.png.insert(png))
    }

    /// The bundle, with the picture where one was drawn. `name` is that of the picture, without folders.
    pub fn bundle(&self, name: &str) -> Result<Vec<u8>, ProofError> {
        let picture = self.png.clone().map(|png| (format!("{}.png", file_stem(name)), png));
        let readme = readme(&self.claim, picture.as_ref().map(|(name, _)| name.as_str()));
        let excerpt = Some(self.excerpt.bytes.clone());
        Ok(write_bundle(&Parts { picture, claim: self.claim.json(), excerpt, readme })?)
    }

    /// The text for people that goes into the bundle.
    pub fn readme(&self) -> String {
        readme(&self.claim, None)
    }

    /// A name for files of this export: the capture's, redacted, with the exchange's number.
    pub fn file_stem(&self) -> String {
        stem_of(&self.claim.capture.name, self.numbers.first().copied())
    }

    /// The capture's path.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// A name for an export's files from the capture's name, which must be redacted already.
pub fn stem_of(capture: &str, number: Option<u32>) -> String {
    let capture = capture.trim_end_matches(".gz").trim_end_matches(".zst");
    let stem = file_stem(&Path::new(capture).file_stem().unwrap_or_default().to_string_lossy());
    number.map_or_else(|| stem.clone(), |number| format!("{stem}-{number}"))
}

/// A name that is a name everywhere: letters, digits, `.`, `-`, `_`; at most 80.
fn file_stem(name: &str) -> String {
    let clean = name.chars().map(|c| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.') { c } else { '_' });
    let clean: String = clean.take(80).collect();
    let clean = clean.trim_matches(['.', '_']).to_owned();
    if clean.is_empty() { "picture".to_owned() } else { clean }
}

/// A digest over the whole capture that no export holds: it lets its holder, and nobody else, compute salted digests.
pub(super) fn capture_secret(path: &Path) -> Result<[u8; 32], std::io::Error> {
    let mut file = std::fs::File::open(path)?;
    let mut digest = Sha256::new().chain_update(b"nephoscope capture secret\0");
    let mut buffer = vec![0; 1 << 20];
    loop {
        let len = file.read(&mut buffer)?;
        if len == 0 {
            return Ok(digest.finalize().into());
        }
        digest.update(buffer.get(..len).unwrap_or_default());
    }
}

fn claim_head(snapshot: &Snapshot, path: &Path, plan: &Plan, redactor: &mut Redactor) -> Result<Claim, ProofError> {
    let facts = snapshot.facts();
    let sha256 = match facts.sha256 {
        Some(sha256) => sha256,
        None => digest_file(path)?,
    };
    let mut words =
        |text: &str, place: &str| String::from_utf8(redactor.text(text.as_bytes(), place)).unwrap_or_default();
    let texts = plan.annotations.iter().filter_map(|a| match &a.shape {
        Shape::Text { words, .. } => Some(words),
        _ => None,
    });
    let notes = [&plan.title, &plan.caption].into_iter().chain(texts).filter(|t| !t.trim().is_empty());
    Ok(Claim {
        schema: CLAIM_SCHEMA.to_owned(),
        program: concat!("nephoscope ", env!("CARGO_PKG_VERSION")).to_owned(),
        notes: notes.map(|t| NoteClaim { text: words(t, "author's text"), checked: false }).collect(),
        capture: CaptureClaim {
            name: words(&facts.capture.name, "capture name"),
            sha256: hex(&sha256),
            frames: facts.capture.frames,
            first_time: time(facts.capture.first_time),
            last_time: time(facts.capture.last_time),
        },
        pack: PackClaim {
            version: pack().version.to_owned(),
            written: pack().written.to_owned(),
            files: pack().files.iter().map(|f| f.name.to_owned()).collect(),
        },
        filter: words(&plan.filter, "filter"),
        ignored: 0,
        exchanges: Vec::new(),
        redaction: RedactionClaim {
            on: plan.redaction.on,
            private_addresses: false,
            count: 0,
            salt: String::new(),
            hidden: Vec::new(),
        },
        picture: None,
        not_shown: NOT_SHOWN.map(str::to_owned).to_vec(),
    })
}

/// Checks the claim against its own excerpt; a callout that does not pass there is said to need the capture.
fn try_out(claim: &mut Claim, excerpt: &Excerpt, budget: &Budget) {
    let subject = Subject { claim: claim.clone(), pixels: None, excerpt: Some(excerpt.bytes.clone()) };
    let report = check(&subject, None, None, budget);
    for item in report.items.iter().filter(|i| !matches!(i.outcome, Outcome::Passes(_))) {
        let exchange = item.exchange.and_then(|e| claim.exchanges.get_mut(e));
        let callout = exchange.zip(item.callout).and_then(|(e, c)| e.callouts.iter_mut().find(|o| o.number == c));
        if let Some(callout) = callout {
            callout.needs_capture = true;
        }
    }
}
