//! Why a capture cannot begin, with the remedy where there is one.

use super::bpf::FilterFault;
use super::device::{DeviceState, devices};
use crate::model::{clean, clean_to};

/// Why a capture cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// This user may not capture.
    #[error("no permission to capture on {device}: {why}")]
    NoPermission {
        /// The interface.
        device: String,
        /// The system's words.
        why: String,
    },
    /// No interface has this name.
    #[error("there is no interface {device}; there {}", listed(there))]
    NoSuchInterface {
        /// The name asked for.
        device: String,
        /// Those that there are.
        there: Vec<String>,
    },
    /// It is down.
    #[error("that device is not up: {device}; as root, ip link set {device} up mends that")]
    Down {
        /// The interface.
        device: String,
    },
    /// The capture filter is wrong.
    #[error("the capture filter cannot be used: {fault}\n{}", marked(text, fault))]
    Filter {
        /// The filter.
        text: String,
        /// What is wrong with it.
        fault: FilterFault,
    },
    /// The interface cannot be opened.
    #[error("cannot capture on {device}: {why}")]
    Open {
        /// The interface.
        device: String,
        /// libpcap's words.
        why: String,
    },
    /// The rights that were needed to open the interface cannot be given up, so nothing is captured.
    #[error("nothing is captured with more rights than needed: {0}")]
    Confine(String),
    /// The output cannot be written.
    #[error("{0}")]
    Output(String),
}

impl RecordError {
    /// What libpcap's words mean when an interface could not be opened. There are only words, no codes.
    #[cfg_attr(not(any(unix, test)), expect(dead_code, reason = "elsewhere no process of ours opens interfaces"))]
    pub(super) fn opening(device: &str, error: &pcap::Error) -> Self {
        let why = clean_to(plain(error).as_bytes(), 300).into_owned();
        let lower = why.to_ascii_lowercase();
        let shown = clean(device.as_bytes()).into_owned();
        if lower.contains("permission") || lower.contains("not permitted") || lower.contains("cap_net_raw") {
            return Self::NoPermission { device: shown, why };
        }
        let listed = devices().unwrap_or_default();
        match listed.iter().find(|one| one.name == device) {
            None if !listed.is_empty() || lower.contains("no such device") => {
                Self::NoSuchInterface { device: shown, there: listed.into_iter().map(|one| one.name).collect() }
            }
            Some(one) if one.state == DeviceState::Down => Self::Down { device: shown },
            _ if why.is_empty() => Self::Open { device: shown, why: "libpcap does not say why".to_owned() },
            _ => Self::Open { device: shown, why },
        }
    }
}

/// The command that gives this program the right to capture, where it is the lack of that right.
pub fn permission_command() -> String {
    format!("sudo setcap cap_net_raw,cap_net_admin+ep {}", own_path())
}

/// The same for the members of a group only, as commands one a line.
pub fn permission_commands_for_group() -> Vec<String> {
    let path = own_path();
    vec![
        "sudo groupadd --force nephoscope".to_owned(),
        "sudo usermod --append --groups nephoscope \"$USER\"".to_owned(),
        format!("sudo chgrp nephoscope {path}"),
        format!("sudo chmod 750 {path}"),
        permission_command(),
    ]
}

/// The path of this program, quoted for a shell where it needs that.
fn own_path() -> String {
    let path = std::env::current_exe().map_or_else(
        |_unknown| "nephoscope".to_owned(),
        |path| clean(path.as_os_str().as_encoded_bytes()).into_owned(),
    );
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '_' | '-' | '+');
    if path.chars().all(plain) { path } else { format!("'{}'", path.replace('\'', "'\\''")) }
}

fn listed(there: &[String]) -> String {
    let names: Vec<_> = there.iter().map(|name| clean(name.as_bytes())).collect();
    match names.as_slice() {
        [] => "is none at all".to_owned(),
        [one] => format!("is {one}"),
        many => format!("are {}", many.join(", ")),
    }
}

/// The filter with a line under it that marks what is wrong.
fn marked(text: &str, fault: &FilterFault) -> String {
    let part = |range: core::ops::Range<usize>| clean_to(text.get(range).unwrap_or_default().as_bytes(), 400);
    let (before, at) = (part(0..fault.range.start), part(fault.range.clone()));
    let after = part(fault.range.end..text.len());
    let blank = " ".repeat(before.chars().count());
    format!("  {before}{at}{after}\n  {blank}{}", "^".repeat(at.chars().count().max(1)))
}

/// libpcap's words without the crate's `libpcap error: ` before them.
pub(super) fn plain(error: &pcap::Error) -> String {
    match error {
        pcap::Error::PcapError(text) => text.trim().to_owned(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_is_shown_with_its_fault() {
        let fault = FilterFault { what: "unknown port 'htttp'".to_owned(), range: 9..14 };
        let error = RecordError::Filter { text: "tcp port htttp or udp".to_owned(), fault };
        assert_eq!(
            error.to_string(),
            "the capture filter cannot be used: unknown port 'htttp'\n  tcp port htttp or udp\n           ^^^^^"
        );
    }

    #[test]
    fn words_of_libpcap_are_told_apart() {
        let of = |device: &str, text: &str| RecordError::opening(device, &pcap::Error::PcapError(text.to_owned()));
        for text in
            ["socket: Operation not permitted", "Attempt to create packet socket failed - CAP_NET_RAW may be required"]
        {
            assert!(matches!(of("eth0", text), RecordError::NoPermission { .. }), "{text}");
        }
        assert!(matches!(of("surely-not-there", "No such device exists"), RecordError::NoSuchInterface { .. }));
    }
}
