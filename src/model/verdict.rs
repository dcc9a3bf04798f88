//! Evidence, grades, and the four answers of a verdict.

use super::{ByteRange, FrameNo};

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
}

/// Where the verbatim bytes of a piece of evidence stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// In which part of the exchange.
    pub part: Part,
    /// Range in that part's block; empty where the part has none (an address).
    pub range: ByteRange,
    /// The frames that carry these bytes, ascending.
    pub frames: Vec<FrameNo>,
    /// Offset of the first byte in its stream; in the packet's payload where there is no stream.
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
}
