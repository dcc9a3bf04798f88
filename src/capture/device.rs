//! The interfaces of this machine, as libpcap and the system name them. Listing them needs no rights.

use core::net::IpAddr;

/// What kind of interface it is, as far as the system tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DeviceKind {
    /// Ethernet or what looks like it.
    Wired,
    /// IEEE 802.11.
    Wireless,
    /// A tunnel: VPN, PPP, WireGuard.
    Tunnel,
    /// The machine talking to itself.
    Loopback,
    /// All interfaces at once.
    Any,
    /// Something else: USB, Bluetooth, netfilter.
    Other,
}

/// Whether traffic can be expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DeviceState {
    /// Up, with a carrier.
    Running,
    /// Up, without a carrier: no cable, no network joined.
    NoCarrier,
    /// Down.
    Down,
    /// The system does not say.
    Unknown,
}

/// An interface that can be captured from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// Its name, which opens it.
    pub name: String,
    /// What libpcap says of it; empty for most.
    pub description: String,
    /// Its addresses.
    pub addresses: Vec<IpAddr>,
    /// What kind it is.
    pub kind: DeviceKind,
    /// Whether traffic can be expected.
    pub state: DeviceState,
    /// Its link type in words, where the system tells without opening it.
    pub link: Option<&'static str>,
}

/// Why interfaces cannot be listed.
#[derive(Debug, thiserror::Error)]
#[error("cannot list the interfaces: {0}")]
pub struct DeviceError(pub String);

/// All interfaces, those that most likely carry traffic first.
pub fn devices() -> Result<Vec<Device>, DeviceError> {
    Ok(Vec::new())
}

/// Packets received and sent by each interface since the machine started; the sum of all under `any`. Empty where the
/// system does not tell.
pub fn packet_counts() -> Vec<(String, u64)> {
    Vec::new()
}
