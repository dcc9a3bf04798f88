//! Why a capture cannot begin.

/// libpcap's words without the crate's `libpcap error: ` before them.
pub(super) fn plain(error: &pcap::Error) -> String {
    match error {
        pcap::Error::PcapError(text) => text.clone(),
        other => other.to_string(),
    }
}
