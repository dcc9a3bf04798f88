//! Evidence, grades, and the four answers of a verdict.

use smallvec::SmallVec;

use super::{ByteRange, FrameNo, Timestamp};

/// How sure an answer is: always for this exchange, at this time, from this network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Grade {
    /// Evidence of the same kind of witness disagrees.
    Contradicted,
    /// Somebody wrote a name; nothing else speaks for it.
    NameOnly,
    /// One witness that others could imitate.
    Suggests,
    /// Independent witnesses, or one that is hard to fake.
    Supports,
    /// Independent witnesses agree and nothing necessary is missing.
    Conclusive,
}

impl Grade {
    /// The word on screen and in exports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Contradicted => "contradicted",
            Self::NameOnly => "name only",
            Self::Suggests => "suggests",
            Self::Supports => "supports",
            Self::Conclusive => "conclusive",
        }
    }
}

impl Grade {
    /// What the next grade would take; `None` where there is none, or where witnesses disagree.
    pub fn lacks(self) -> Option<&'static str> {
        match self {
            Self::NameOnly => Some("More would take a witness beside the name"),
            Self::Suggests => Some("Supported would take an address in the operator's range, or its certificate"),
            Self::Supports => Some("Conclusive would take an upload by this client that the server accepted"),
            Self::Conclusive | Self::Contradicted => None,
        }
    }
}

/// Independence group: lines of one group are one witness, however many they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Group {
    /// URL host, Host, `:authority`, SNI, DNS question: whoever wrote the URL.
    NameChoice,
    /// The CNAME chain in the capture.
    DnsAuthority,
    /// Address ranges and origin AS.
    Routing,
    /// Certificate names and issuer.
    KeyHolder,
    /// Server and product headers, error bodies, edge headers.
    AnsweringSoftware,
    /// The client's own accepted upload.
    Writer,
    /// An accepted signed URL.
    Custody,
    /// Relations that a look-alike does not know to keep.
    Arithmetic,
    /// Age, cache verdicts, status, redirects.
    Behaviour,
}

impl Group {
    /// All groups in the order of the ledger.
    pub const ALL: [Self; 9] = [
        Self::NameChoice,
        Self::DnsAuthority,
        Self::Routing,
        Self::KeyHolder,
        Self::AnsweringSoftware,
        Self::Writer,
        Self::Custody,
        Self::Arithmetic,
        Self::Behaviour,
    ];

    /// The words on screen and in exports.
    pub fn words(self) -> &'static str {
        match self {
            Self::NameChoice => "name choice",
            Self::DnsAuthority => "DNS authority",
            Self::Routing => "routing",
            Self::KeyHolder => "key holder",
            Self::AnsweringSoftware => "answering software",
            Self::Writer => "writer",
            Self::Custody => "custody",
            Self::Arithmetic => "arithmetic",
            Self::Behaviour => "behaviour",
        }
    }
}

/// Which of the four answers a piece of evidence speaks to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Supports(pub u8);

impl Supports {
    /// Whose machine answered.
    pub const OPERATOR: Self = Self(1);
    /// Which service of the operator.
    pub const PRODUCT: Self = Self(2);
    /// Edge, store, compute and so on.
    pub const ROLE: Self = Self(4);
    /// Whose account, bucket or distribution.
    pub const TENANT: Self = Self(8);

    /// Both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether it speaks to all of `other`.
    pub fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// The words, in the order operator, product, role, tenant.
    pub fn words(self) -> impl Iterator<Item = &'static str> {
        [(Self::OPERATOR, "operator"), (Self::PRODUCT, "product"), (Self::ROLE, "role"), (Self::TENANT, "tenant")]
            .into_iter()
            .filter(move |(bit, _)| self.has(*bit))
            .map(|(_, word)| word)
    }
}

/// A provider of the signature pack, by its place in the compiled pack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProviderId(pub u16);

/// The part of an exchange that a piece of evidence stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// The request's head.
    Request,
    /// The response's head.
    Response,
    /// The client's first handshake message.
    ClientHello,
    /// The n-th certificate of the server's chain.
    Certificate(u8),
    /// A DNS answer, of this exchange or of an earlier lookup.
    Dns,
    /// The address in the packet headers.
    Address,
    /// The address that a HAR file tells.
    ToldAddress,
    /// The response's body, as decoded.
    Body,
}

impl Part {
    /// The words on screen and in exports.
    pub fn words(self) -> String {
        match self {
            Self::Request => "request head".to_owned(),
            Self::Response => "response head".to_owned(),
            Self::ClientHello => "ClientHello".to_owned(),
            Self::Certificate(n) => format!("certificate {} of the server's chain", u32::from(n) + 1),
            Self::Dns => "DNS answer".to_owned(),
            Self::Address => "packet header".to_owned(),
            Self::ToldAddress => "serverIPAddress".to_owned(),
            Self::Body => "response body".to_owned(),
        }
    }
}

/// Where the verbatim bytes of a piece of evidence stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// In which part of the exchange.
    pub part: Part,
    /// Range in that part's block; empty where the part has none (an address).
    pub range: ByteRange,
    /// The frames that carry these bytes, ascending; one or two with the very most.
    pub frames: SmallVec<[FrameNo; 2]>,
    /// Offset of the first byte in its stream; in the packet's payload where there is no stream, in the decoded head where
    /// that is none of the stream's bytes (HTTP/2, HTTP/3).
    pub offset: u64,
}

/// One signature matched at one place: an entry of the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// Index of the signature in the compiled pack (`evidence::signatures`).
    pub signature: u16,
    /// Whom it points at.
    pub provider: ProviderId,
    /// Which witness it is part of.
    pub group: Group,
    /// What it speaks to.
    pub supports: Supports,
    /// Where it stands.
    pub place: Place,
    /// The bytes as they stand there, not cleaned for display.
    pub text: Vec<u8>,
}

/// All evidence of one exchange, in the order in which it is numbered on screen, in pictures and in JSON (from 1).
pub type Ledger = Vec<Evidence>;

/// One graded answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer<T> {
    /// The answer.
    pub value: T,
    /// How sure.
    pub grade: Grade,
}

/// Whose account, bucket or distribution it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tenant {
    /// The account, bucket, distribution or customer name as it stands in a name.
    pub name: String,
    /// The registrable domain of the first party that it serves, where one is known.
    pub first_party: Option<String>,
}

/// One hop of the serving path, from the client's side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hop {
    /// `edge`, `origin` and so on.
    pub kind: &'static str,
    /// Whose machine.
    pub provider: ProviderId,
    /// Which service, index into the pack's services of that provider.
    pub service: Option<u16>,
    /// The ledger entries that show it, as indexes from 0, at most 255 of them.
    pub lines: Vec<u8>,
}

/// What one kind of witness says of the operator that the verdict names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stance {
    /// It could be seen, and names nobody.
    #[default]
    Silent,
    /// It points at the same operator.
    Agrees,
    /// It points at another.
    Conflicts,
    /// This capture cannot show it.
    NotObservable,
}

impl Stance {
    /// The words on screen and in exports.
    pub fn words(self) -> &'static str {
        match self {
            Self::Silent => "silent",
            Self::Agrees => "agrees",
            Self::Conflicts => "conflicts",
            Self::NotObservable => "not observable",
        }
    }
}

/// The kinds of witness of the agreement strip, in its order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WitnessKind {
    /// The asked name.
    Name,
    /// The CNAME chain of the lookup before the connection.
    Cname,
    /// The server's address.
    Address,
    /// The server's certificate.
    Certificate,
    /// The names that the client gave, compared with each other: server name with certificate, target with Host.
    Names,
    /// The response's header lines.
    Headers,
}

impl WitnessKind {
    /// All six.
    pub const ALL: [Self; 6] = [Self::Name, Self::Cname, Self::Address, Self::Certificate, Self::Names, Self::Headers];

    /// The word on screen and in exports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Cname => "CNAME",
            Self::Address => "address",
            Self::Certificate => "certificate",
            Self::Names => "SNI and Host",
            Self::Headers => "headers",
        }
    }
}

/// The six cells of the agreement strip, two bits each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Agreement(pub u16);

impl Agreement {
    /// What a witness says.
    pub fn of(self, witness: WitnessKind) -> Stance {
        match self.0 >> (2 * witness as u16) & 3 {
            0 => Stance::Silent,
            1 => Stance::Agrees,
            2 => Stance::Conflicts,
            _ => Stance::NotObservable,
        }
    }

    /// The strip with that cell set.
    #[must_use]
    pub fn with(self, witness: WitnessKind, stance: Stance) -> Self {
        let shift = 2 * witness as u16;
        Self(self.0 & !(3 << shift) | (stance as u16) << shift)
    }
}

/// An exchange by its place in the order of arrival: the row's place in the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExchangeNo(pub u32);

/// An exchange that may not have arrived yet; the table knows its place once it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GiverNo(pub u32);

/// How an asked URL was found in an earlier response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LinkMatch {
    /// The same URL.
    Exact,
    /// The same host and path; the query differs, or the scheme.
    HostAndPath,
    /// A long token of the path stands there; the host was put before it by the client.
    PathToken,
    /// Only the host: what was asked there is sealed.
    Host,
}

impl LinkMatch {
    /// All of them, the surest first.
    pub const ALL: [Self; 4] = [Self::Exact, Self::HostAndPath, Self::PathToken, Self::Host];

    /// The words on screen and in exports.
    pub fn words(self) -> &'static str {
        match self {
            Self::Exact => "the same URL",
            Self::HostAndPath => "the same host and path",
            Self::PathToken => "a token of the path",
            Self::Host => "the host only",
        }
    }
}

/// The earlier response that gave the client the URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandOut {
    /// The exchange whose response it is.
    pub giver: GiverNo,
    /// The host that answered it.
    pub host: String,
    /// The registrable domain of that host, where it has one.
    pub site: Option<String>,
    /// The frame that brought the URL's first byte.
    pub frame: FrameNo,
    /// When that frame was captured.
    pub time: Timestamp,
    /// The field it stands in: a header's name, a JSON key, an HTML attribute.
    pub field: String,
    /// What carries it: a word of `evidence::words`.
    pub form: &'static str,
    /// The URL as it stands there, not cleaned for display.
    pub text: Vec<u8>,
    /// Offset of its first byte in the decoded body, or in the field's value.
    pub offset: u64,
    /// How it was matched.
    pub how: LinkMatch,
}

/// An earlier upload of this client that explains where the bytes came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FirstWrite {
    /// The upload.
    pub upload: ExchangeNo,
    /// The frame of its first byte.
    pub frame: FrameNo,
    /// What ties the two together.
    pub how: WriteMatch,
}

/// What ties an exchange to an earlier upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WriteMatch {
    /// The body that came back has the SHA-256 of the one that was sent.
    SameBytes,
    /// The answer names the MD5 of the body that was sent (Content-MD5, or an entity tag of that form).
    SameHash,
    /// Host and path are the same; whether the bytes are is not shown.
    SamePlace,
}

impl WriteMatch {
    /// All of them, the surest first.
    pub const ALL: [Self; 3] = [Self::SameBytes, Self::SameHash, Self::SamePlace];

    /// The words on screen and in exports.
    pub fn words(self) -> &'static str {
        match self {
            Self::SameBytes => "the same bytes left this client",
            Self::SameHash => "the answer names the MD5 of bytes that left this client",
            Self::SamePlace => "this client wrote to the same place; whether these are its bytes is not shown",
        }
    }
}

/// The lookup that led to the connection, and what else that address was given for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LookedUp {
    /// The lookup.
    pub lookup: ExchangeNo,
    /// Other lookups before the connection whose answer was the same address; at most 8.
    pub others: Vec<ExchangeNo>,
}

/// The four answers for one exchange.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Whose machine answered.
    pub operator: Option<Answer<ProviderId>>,
    /// Which service, as an index into the compiled pack's services.
    pub product: Option<Answer<u16>>,
    /// What the answering machine does, a word of the pack's roles.
    pub role: Option<Answer<&'static str>>,
    /// Whose account, bucket or distribution it is.
    pub tenant: Option<Answer<Tenant>>,
    /// The grade of the whole: that of the operator, lowered by conflicts.
    pub grade: Option<Grade>,
    /// Whether witnesses of one kind disagree.
    pub conflict: bool,
    /// The hops as far as lines show them.
    pub path: Vec<Hop>,
    /// What this capture cannot show of this exchange, in whole sentences.
    pub cannot_show: Vec<&'static str>,
    /// What each kind of witness says of the operator.
    pub agreement: Agreement,
    /// The earlier response that gave the client the URL.
    pub handed_out: Option<HandOut>,
    /// Without one: why it can be missing, in whole sentences.
    pub no_hand_out: Vec<&'static str>,
    /// The earlier upload of the same bytes, or to the same place.
    pub first_write: Option<FirstWrite>,
    /// The lookup that the connection followed.
    pub looked_up: Option<LookedUp>,
}

/// The seven other readings of one verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Alternative {
    /// The first party's own account in that store.
    H1,
    /// A CDN in front of the first party's own origin.
    H2,
    /// A CDN in front of rented storage.
    H3,
    /// Merely linked: put there earlier by somebody else.
    H4,
    /// An unrelated third party.
    H5,
    /// A middlebox answered.
    H6,
    /// The capture was edited or mis-dated.
    H7,
}

impl Alternative {
    /// All seven.
    pub const ALL: [Self; 7] = [Self::H1, Self::H2, Self::H3, Self::H4, Self::H5, Self::H6, Self::H7];

    /// `H1` to `H7`.
    pub fn id(self) -> &'static str {
        match self {
            Self::H1 => "H1",
            Self::H2 => "H2",
            Self::H3 => "H3",
            Self::H4 => "H4",
            Self::H5 => "H5",
            Self::H6 => "H6",
            Self::H7 => "H7",
        }
    }

    /// The reading in words.
    pub fn words(self) -> &'static str {
        match self {
            Self::H1 => "The first party's own account in that store",
            Self::H2 => "A CDN in front of the first party's own servers",
            Self::H3 => "A CDN in front of rented storage",
            Self::H4 => "Merely linked: put there earlier by somebody else",
            Self::H5 => "An unrelated third party, such as an SDK or an advert",
            Self::H6 => "A middlebox answered: a proxy, a VPN, a portal",
            Self::H7 => "The capture was edited, or its clock was wrong",
        }
    }
}

/// What the capture leaves of a reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Standing {
    /// Something seen cannot be so under this reading.
    RuledOut,
    /// Something seen is unlikely under it.
    Weakened,
    /// Nothing seen speaks against it.
    Open,
}

impl Standing {
    /// The words on screen and in exports.
    pub fn words(self) -> &'static str {
        match self {
            Self::RuledOut => "ruled out",
            Self::Weakened => "weakened",
            Self::Open => "open",
        }
    }
}

/// One reading of a verdict, judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hypothesis {
    /// Which.
    pub alternative: Alternative,
    /// What is left of it.
    pub standing: Standing,
    /// Why, in one sentence.
    pub why: String,
    /// The ledger entries that decide it, as indexes from 0.
    pub entries: Vec<u8>,
    /// The test that would settle it; `None` where it is settled.
    pub settled_by: Option<&'static str>,
}

/// How an attempt to break a verdict ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Attempt {
    /// The check was made, and the verdict stands.
    Held,
    /// The check speaks against the verdict.
    Broke,
    /// Nothing in the capture lets the check be made.
    NotPossible,
}

impl Attempt {
    /// The words on screen and in exports.
    pub fn words(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Broke => "broke",
            Self::NotPossible => "cannot be tried",
        }
    }
}

/// One attempt to break a verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    /// What was tried, as a question.
    pub question: &'static str,
    /// How it ended.
    pub outcome: Attempt,
    /// What was seen.
    pub seen: String,
}
