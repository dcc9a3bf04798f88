//! One object for every limit. Reaching one is a finding that the user can see, never silence.

use super::Pool;

/// Every limit of the program, with its unit. The figures are the default budgets of the threat model: far above what
/// real traffic needs, far below what hurts the machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Headers in one frame, tunnels included.
    pub packet_layers: u32,
    /// IP datagrams waiting for fragments, and the bytes they may hold.
    pub fragment_datagrams: usize,
    /// Bytes held by waiting fragments.
    pub fragment_bytes: usize,
    /// Seconds of capture time after which waiting fragments are given up (RFC 8200 section 4.5 says 60).
    pub fragment_seconds: i64,
    /// One record or block of a capture file, in bytes.
    pub block_bytes: usize,
    /// One captured frame, in bytes.
    pub frame_bytes: usize,
    /// One entry of a HAR file, in bytes: its bodies are in it.
    pub entry_bytes: usize,
    /// Interfaces in one capture.
    pub interfaces: usize,
    /// Out-of-order pieces held per direction of a flow.
    pub pieces_per_side: usize,
    /// Bytes that wait behind a hole per direction before the hole is given up.
    pub waiting_bytes_per_side: usize,
    /// Bytes that wait behind holes in all flows together.
    pub waiting_bytes: usize,
    /// Flows followed at once (per shard).
    pub flows: usize,
    /// Seconds of capture time after which a silent flow is closed.
    pub idle_flow_seconds: i64,
    /// One HTTP/1 head in bytes.
    pub head_bytes: usize,
    /// Fields of one HTTP/1 head.
    pub head_fields: usize,
    /// Requests on one connection that wait for an answer.
    pub waiting_requests: usize,
    /// One decoded field section of HTTP/2 or HTTP/3 in bytes, by the measure of RFC 9113 section 6.5.2.
    pub section_bytes: usize,
    /// One header block of HTTP/2 or HTTP/3 before it is decoded, in bytes.
    pub header_block_bytes: usize,
    /// One dynamic table of field compression in bytes, by the measure of RFC 7541 section 4.1.
    pub table_bytes: usize,
    /// Streams of one HTTP/2 or HTTP/3 connection that go on.
    pub live_streams: usize,
    /// Bytes that clients send behind an upgrade to WebSocket before its answer is seen: of one connection.
    pub ahead_bytes_per_flow: usize,
    /// The same of all connections together.
    pub ahead_bytes: Pool,
    /// Messages listed of one WebSocket.
    pub websocket_messages: usize,
    /// Content codings on one body (as curl).
    pub coding_layers: usize,
    /// Decoded bytes for each coded byte, once `coding_free_bytes` came out.
    pub coding_ratio: u64,
    /// Decoded bytes that the ratio does not judge.
    pub coding_free_bytes: u64,
    /// Decoded bytes of one body that are read for its hash.
    pub body_bytes: u64,
    /// Bytes that the decoders of all bodies that are being read may hold together.
    pub decoder_bytes: Pool,
    /// Bytes that the decoded heads of all open streams may hold together.
    pub open_heads_bytes: Pool,
    /// Window of a zstd body in bytes (RFC 9659 names 8 MiB).
    pub zstd_window_bytes: u64,
    /// One TLS handshake message in bytes.
    pub handshake_bytes: usize,
    /// Certificates in one chain.
    pub chain_certificates: usize,
    /// Distinct chains whose signatures are checked (per shard); one may take a hundred checks.
    pub verified_chains: usize,
    /// How far ahead bytes of a QUIC CRYPTO stream may stand that wait for earlier ones.
    pub crypto_bytes: usize,
    /// Connection ids kept of each end of a QUIC connection.
    pub connection_ids: usize,
    /// Compression pointers followed in one DNS name.
    pub dns_jumps: usize,
    /// Records of one DNS message.
    pub dns_records: usize,
    /// Body bytes shown in a pane.
    pub preview_bytes: usize,
    /// Bytes shown of one conversation; what its pieces cost beside their bytes counts too.
    pub conversation_bytes: usize,
    /// Decoded bodies of one archive, in bytes; they wait in a temporary file until all secrets are known.
    pub archive_bytes: u64,
    /// Pixels of an image preview.
    pub preview_pixels: u64,
    /// Bytes of exchange records kept in memory; what is over goes to an unlinked temporary file.
    pub record_bytes: usize,
    /// The same while a capture goes on, which may be for days: few old records are looked at again.
    pub live_record_bytes: usize,
    /// Rows of a live capture that goes on; past them the oldest are forgotten, the capture file has them.
    pub live_rows: usize,
    /// What filters need of records, kept beside the rows once one has asked for it, in bytes; what has no room is read from
    /// the records each time.
    pub filter_bytes: usize,
    /// Distinct texts in the interner.
    pub interned_texts: usize,
    /// Secrets kept from a capture file, in bytes.
    pub secret_bytes: usize,
    /// TLS records or QUIC packets of one connection that are held until its secret comes, in bytes.
    pub sealed_bytes_per_flow: usize,
    /// The same for all connections together.
    pub sealed_bytes: Pool,
    /// Bytes of QUIC streams that may wait behind holes in all connections together.
    pub stream_bytes: Pool,
    /// Comments kept from a capture file, in bytes.
    pub comment_bytes: usize,
    /// Memory for URLs that responses handed out, in bytes; the oldest go first.
    pub hand_out_bytes: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            packet_layers: 16,
            fragment_datagrams: 4_096,
            fragment_bytes: 32 << 20,
            fragment_seconds: 60,
            block_bytes: 16 << 20,
            frame_bytes: 256 << 10,
            entry_bytes: 64 << 20,
            interfaces: 65_536,
            pieces_per_side: 65_536,
            waiting_bytes_per_side: 16 << 20,
            waiting_bytes: 64 << 20,
            flows: 1 << 20,
            idle_flow_seconds: 3_600,
            head_bytes: 512 << 10,
            head_fields: 5_000,
            waiting_requests: 4_096,
            section_bytes: 256 << 10,
            header_block_bytes: 100 << 10,
            table_bytes: 64 << 10,
            live_streams: 4_096,
            ahead_bytes_per_flow: 64 << 10,
            ahead_bytes: Pool::new(16 << 20),
            websocket_messages: 100_000,
            coding_layers: 5,
            coding_ratio: 2_048,
            coding_free_bytes: 1 << 20,
            body_bytes: 1 << 30,
            decoder_bytes: Pool::new(256 << 20),
            open_heads_bytes: Pool::new(16 << 20),
            zstd_window_bytes: 8 << 20,
            handshake_bytes: 256 << 10,
            chain_certificates: 16,
            verified_chains: 20_000,
            crypto_bytes: 64 << 10,
            connection_ids: 64,
            dns_jumps: 20,
            dns_records: 4_096,
            preview_bytes: 16 << 20,
            conversation_bytes: 4 << 20,
            archive_bytes: 4 << 30,
            preview_pixels: 16_000_000,
            record_bytes: 80 << 20,
            live_record_bytes: 8 << 20,
            live_rows: 100_000,
            filter_bytes: 256 << 20,
            interned_texts: 4 << 20,
            secret_bytes: 16 << 20,
            sealed_bytes_per_flow: 1 << 20,
            sealed_bytes: Pool::new(64 << 20),
            stream_bytes: Pool::new(64 << 20),
            comment_bytes: 16 << 20,
            hand_out_bytes: 16 << 20,
        }
    }
}

/// Which limit was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Limit {
    /// More headers in a frame than are followed.
    PacketLayers,
    /// Fragments given up: too many, too large or too old.
    Fragments,
    /// A frame longer than is read whole.
    FrameBytes,
    /// An entry of a HAR file too long to be read.
    EntryBytes,
    /// Interfaces not kept.
    Interfaces,
    /// Bytes behind a hole given up waiting for it.
    WaitingBytes,
    /// Flows closed to make room.
    Flows,
    /// An HTTP head too long.
    HeadBytes,
    /// Too many fields in an HTTP head.
    HeadFields,
    /// Requests without answer given up.
    WaitingRequests,
    /// Bytes sent ahead of the answer to an upgrade not kept.
    AheadBytes,
    /// A decoded field section too long.
    SectionBytes,
    /// A header block of HTTP/2 or HTTP/3 too long.
    HeaderBlockBytes,
    /// Streams given up to make room.
    LiveStreams,
    /// A body's decoding stopped.
    BodyDecoding,
    /// A TLS handshake message too long.
    HandshakeBytes,
    /// A certificate chain too long.
    ChainCertificates,
    /// Chains whose signatures were not checked.
    VerifiedChains,
    /// QUIC handshake bytes too far out of order.
    CryptoBytes,
    /// QUIC connection ids, or connections of one flow, not followed.
    ConnectionIds,
    /// Texts no longer interned.
    InternedTexts,
    /// Secrets not kept.
    SecretBytes,
    /// TLS records or QUIC packets no longer held for a secret that may come.
    SealedBytes,
    /// TLS connections not decompressed.
    TlsWindows,
    /// Comments not kept.
    CommentBytes,
    /// A body with more links than are kept.
    BodyLinks,
    /// Handed-out URLs forgotten.
    HandOuts,
    /// Rows of a live capture forgotten.
    LiveRows,
}

impl Limit {
    /// All of them.
    pub const ALL: [Self; 28] = [
        Self::PacketLayers,
        Self::Fragments,
        Self::FrameBytes,
        Self::EntryBytes,
        Self::Interfaces,
        Self::WaitingBytes,
        Self::Flows,
        Self::HeadBytes,
        Self::HeadFields,
        Self::WaitingRequests,
        Self::AheadBytes,
        Self::SectionBytes,
        Self::HeaderBlockBytes,
        Self::LiveStreams,
        Self::BodyDecoding,
        Self::HandshakeBytes,
        Self::ChainCertificates,
        Self::VerifiedChains,
        Self::CryptoBytes,
        Self::ConnectionIds,
        Self::InternedTexts,
        Self::SecretBytes,
        Self::SealedBytes,
        Self::TlsWindows,
        Self::CommentBytes,
        Self::BodyLinks,
        Self::HandOuts,
        Self::LiveRows,
    ];

    /// The finding in words.
    pub fn words(self) -> &'static str {
        match self {
            Self::PacketLayers => "frames with more headers than are followed",
            Self::Fragments => "IP datagrams given up before all fragments came",
            Self::FrameBytes => "frames longer than the limit, read in part",
            Self::EntryBytes => "HAR entries over the size limit, not read",
            Self::Interfaces => "interfaces over the limit",
            Self::WaitingBytes => "holes given up because too much waited behind them",
            Self::Flows => "flows closed early to make room",
            Self::HeadBytes => "HTTP heads over the size limit",
            Self::HeadFields => "HTTP heads with too many fields",
            Self::WaitingRequests => "requests given up waiting for an answer",
            Self::AheadBytes => "bytes sent before an upgrade was answered, not kept",
            Self::SectionBytes => "decoded HTTP heads over the size limit",
            Self::HeaderBlockBytes => "header blocks of HTTP/2 or HTTP/3 over the size limit",
            Self::LiveStreams => "streams given up to make room",
            Self::BodyDecoding => "bodies whose decoding was stopped at a limit",
            Self::HandshakeBytes => "TLS handshake messages over the size limit",
            Self::ChainCertificates => "certificate chains cut at the limit",
            Self::VerifiedChains => "certificate chains not checked, for too many came",
            Self::CryptoBytes => "QUIC handshake bytes too far out of order, not kept",
            Self::ConnectionIds => "QUIC connection ids not followed to make room",
            Self::InternedTexts => "names no longer shared in memory",
            Self::SecretBytes => "secrets over the limit, not kept",
            Self::SealedBytes => "TLS sessions whose secret was no longer waited for",
            Self::TlsWindows => "compressed TLS connections not read to make room",
            Self::CommentBytes => "comments over the limit, not kept",
            Self::BodyLinks => "bodies with more links than are kept",
            Self::HandOuts => "handed-out URLs forgotten to make room",
            Self::LiveRows => "oldest exchanges left the list of this live capture; its file has them",
        }
    }
}

/// A limit that was reached, how often, and where first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LimitHit {
    /// Which.
    pub limit: Limit,
    /// How often.
    pub count: u64,
    /// The first frame it happened at; 0 where no frame can be named.
    pub first_frame: super::FrameNo,
}
