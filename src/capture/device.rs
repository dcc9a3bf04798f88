//! The interfaces of this machine, as libpcap and the system name them. Listing them needs no rights.
//!
//! Comes in: libpcap's list and, on Linux, what the kernel shows under `/sys/class/net`. Goes out: [`Device`]s, those that
//! most likely carry traffic first. Never: an interface opened, or a word about one from another network namespace.

use core::net::IpAddr;

use pcap::{ConnectionStatus, IfFlags};

/// What kind of interface it is, as far as the system tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DeviceKind {
    /// Ethernet or what looks like it.
    Wired,
    /// IEEE 802.11.
    Wireless,
    /// A tunnel: VPN, PPP, `WireGuard`.
    Tunnel,
    /// The machine talking to itself.
    Loopback,
    /// All interfaces at once.
    Any,
    /// Something else: USB, Bluetooth, netfilter.
    Other,
}

impl DeviceKind {
    /// The kind in one word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Wired => "wired",
            Self::Wireless => "wireless",
            Self::Tunnel => "tunnel",
            Self::Loopback => "loopback",
            Self::Any => "any",
            Self::Other => "other",
        }
    }
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

impl DeviceState {
    /// The state in a word or two.
    pub fn words(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::NoCarrier => "no carrier",
            Self::Down => "down",
            Self::Unknown => "unknown",
        }
    }
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
    let listed = pcap::Device::list().map_err(|error| DeviceError(super::record_error::plain(&error)))?;
    let mut devices: Vec<Device> = listed.into_iter().map(device).collect();
    devices.sort_by_key(rank); // stable: within a rank libpcap's order stays
    Ok(devices)
}

fn device(listed: pcap::Device) -> Device {
    let flags = Flags {
        up: listed.flags.if_flags.contains(IfFlags::UP),
        running: listed.flags.if_flags.contains(IfFlags::RUNNING),
        loopback: listed.flags.if_flags.contains(IfFlags::LOOPBACK),
        wireless: listed.flags.if_flags.contains(IfFlags::WIRELESS),
        connected: match listed.flags.connection_status {
            ConnectionStatus::Connected | ConnectionStatus::NotApplicable => Some(true),
            ConnectionStatus::Disconnected => Some(false),
            ConnectionStatus::Unknown => None,
        },
    };
    let mut addresses: Vec<IpAddr> = Vec::new();
    for address in listed.addresses {
        if !addresses.contains(&address.addr) {
            addresses.push(address.addr);
        }
    }
    let shown = system::shown(&listed.name);
    let (kind, link) = kind(&listed.name, flags, shown.as_ref());
    Device {
        kind,
        state: state(kind, flags, shown.as_ref()),
        link,
        name: listed.name,
        description: listed.desc.unwrap_or_default(),
        addresses,
    }
}

/// What libpcap says of an interface; it asks in our own network namespace.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "these are flags, as the system gives them")]
struct Flags {
    up: bool,
    running: bool,
    loopback: bool,
    wireless: bool,
    connected: Option<bool>,
}

/// What the kernel shows of an interface.
#[derive(Clone, Debug, Default)]
struct Shown {
    /// Hardware type (ARPHRD).
    hardware: Option<u32>,
    /// RFC 2863 state, in the kernel's words.
    operstate: String,
    /// Whether there is a carrier; `None` where it is down.
    carrier: Option<bool>,
    /// Whether it is IEEE 802.11.
    wireless: bool,
    /// Flags of a TUN or TAP device.
    tun_flags: Option<u32>,
}

/// Kind and link type in words.
fn kind(name: &str, flags: Flags, shown: Option<&Shown>) -> (DeviceKind, Option<&'static str>) {
    const ETHERNET: Option<&str> = Some("Ethernet");
    const RAW: Option<&str> = Some("Raw IP");
    /// A TAP device rather than a TUN one (`IFF_TAP`).
    const TAP: u32 = 2;
    if name == "any" {
        return (DeviceKind::Any, Some("Linux cooked"));
    }
    let Some(shown) = shown else {
        let tunnel = ["tun", "tap", "wg", "ppp", "utun", "ipsec", "vti", "gre", "sit", "tailscale"]
            .iter()
            .any(|start| name.strip_prefix(start).is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_digit())));
        // What libpcap lists beside network interfaces.
        let odd = name.starts_with("bluetooth")
            || name.starts_with("usbmon")
            || name.starts_with("dbus")
            || matches!(name, "nflog" | "nfqueue" | "pktap" | "iptap" | "rvi0");
        let kind = match () {
            () if flags.loopback => DeviceKind::Loopback,
            () if odd => DeviceKind::Other,
            () if flags.wireless => DeviceKind::Wireless,
            () if tunnel => DeviceKind::Tunnel,
            () => DeviceKind::Wired,
        };
        return (kind, None);
    };
    match (shown.hardware, shown.tun_flags) {
        (Some(772), _) => (DeviceKind::Loopback, ETHERNET),
        (_, Some(tun)) => (DeviceKind::Tunnel, if tun & TAP == 0 { RAW } else { ETHERNET }),
        (Some(1), None) if shown.wireless => (DeviceKind::Wireless, ETHERNET),
        (Some(1), None) => (DeviceKind::Wired, ETHERNET),
        (Some(801), None) => (DeviceKind::Wireless, Some("802.11")),
        (Some(802), None) => (DeviceKind::Wireless, Some("802.11, Prism header")),
        (Some(803), None) => (DeviceKind::Wireless, Some("802.11, radiotap header")),
        (Some(512), None) => (DeviceKind::Tunnel, Some("PPP")),
        (Some(65_534 | 768 | 769 | 776 | 519), None) => (DeviceKind::Tunnel, RAW),
        (Some(778 | 823), None) => (DeviceKind::Tunnel, Some("GRE")),
        (Some(32), None) => (DeviceKind::Wired, Some("IP over InfiniBand")),
        _ => (DeviceKind::Other, None),
    }
}

fn state(kind: DeviceKind, flags: Flags, shown: Option<&Shown>) -> DeviceState {
    if kind == DeviceKind::Other && shown.is_none() && !flags.running {
        return DeviceState::Unknown;
    }
    if !flags.up {
        return DeviceState::Down;
    }
    let operstate = shown.map_or("", |shown| shown.operstate.as_str());
    let carrier = shown.map_or(flags.connected, |shown| shown.carrier);
    match operstate {
        "up" => DeviceState::Running,
        "down" | "lowerlayerdown" | "dormant" | "notpresent" => DeviceState::NoCarrier,
        // `unknown` is what loopback and tunnels say, which keep no such state.
        _ if carrier == Some(false) => DeviceState::NoCarrier,
        _ if flags.running => DeviceState::Running,
        _ => DeviceState::NoCarrier,
    }
}

/// Where an interface stands in the list; those with addresses before those without.
fn rank(device: &Device) -> (u8, bool) {
    let place = match (device.kind, device.state) {
        (DeviceKind::Other, _) => 6,
        (_, DeviceState::Down) => 5,
        (DeviceKind::Any, _) => 2,
        (DeviceKind::Loopback, _) => 3,
        (_, DeviceState::NoCarrier | DeviceState::Unknown) => 4,
        (DeviceKind::Wired | DeviceKind::Wireless, DeviceState::Running) => 0,
        (DeviceKind::Tunnel, DeviceState::Running) => 1,
    };
    (place, device.addresses.is_empty())
}

/// Packets received and sent by each interface since the machine started; the sum of all under `any`. Empty where the
/// system does not tell.
pub fn packet_counts() -> Vec<(String, u64)> {
    system::packet_table().map_or_else(Vec::new, |text| counts_of(&text))
}

/// The lines of `/proc/net/dev`: two of headings, then `name: 8 numbers received, 8 numbers sent`, packets second in each.
fn counts_of(text: &str) -> Vec<(String, u64)> {
    let mut counts: Vec<(String, u64)> = Vec::new();
    let mut sum = 0_u64;
    for line in text.lines() {
        let Some((name, numbers)) = line.rsplit_once(':') else { continue };
        let mut numbers = numbers.split_ascii_whitespace();
        let received = numbers.nth(1).and_then(|number| number.parse::<u64>().ok());
        let sent = numbers.nth(7).and_then(|number| number.parse::<u64>().ok());
        let (Some(received), Some(sent)) = (received, sent) else { continue };
        let packets = received.saturating_add(sent);
        sum = sum.saturating_add(packets);
        counts.push((name.trim().to_owned(), packets));
    }
    if !counts.is_empty() {
        counts.push(("any".to_owned(), sum));
    }
    counts
}

/// What Linux shows.
#[cfg(target_os = "linux")]
mod system {
    use std::fs;
    use std::path::Path;

    use super::Shown;

    /// What `/sys` shows of an interface. `None` where it shows another network namespace: it keeps the one it was mounted
    /// in, so a program started with `nsenter` sees interfaces there that it does not have.
    pub(super) fn shown(name: &str) -> Option<Shown> {
        if name.contains(['/', '\0']) || name.starts_with('.') {
            return None;
        }
        let folder = Path::new("/sys/class/net").join(name);
        let read = |file: &str| fs::read_to_string(folder.join(file)).ok().map(|text| text.trim().to_owned());
        let index: u32 = read("ifindex")?.parse().ok()?;
        if nix::net::if_::if_nametoindex(name).ok()? != index || !same_names() {
            return None;
        }
        Some(Shown {
            hardware: read("type").and_then(|text| text.parse().ok()),
            operstate: read("operstate").unwrap_or_default(),
            carrier: read("carrier").map(|text| text == "1"),
            wireless: folder.join("wireless").exists() || folder.join("phy80211").exists(),
            tun_flags: read("tun_flags")
                .and_then(|text| u32::from_str_radix(text.strip_prefix("0x").unwrap_or(&text), 16).ok()),
        })
    }

    /// Whether `/sys` and `/proc` list the same interfaces: `/proc` always shows the namespace of the reader. An index alone
    /// proves nothing, every namespace begins to count at 1.
    fn same_names() -> bool {
        let Some(table) = packet_table() else { return false };
        let mut own: Vec<&str> =
            table.lines().filter_map(|line| line.rsplit_once(':')).map(|(name, _)| name.trim()).collect();
        let Ok(entries) = fs::read_dir("/sys/class/net") else { return false };
        let mut shown: Vec<String> = entries
            .filter_map(Result::ok)
            // A folder beside the interfaces, where the bonding module is loaded.
            .filter(|entry| entry.file_name() != "bonding_masters")
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect();
        own.sort_unstable();
        shown.sort_unstable();
        own == shown
    }

    pub(super) fn packet_table() -> Option<String> {
        fs::read_to_string("/proc/net/dev").ok()
    }
}

/// Other systems show nothing without being asked through libpcap.
#[cfg(not(target_os = "linux"))]
mod system {
    pub(super) fn shown(_name: &str) -> Option<super::Shown> {
        None
    }

    pub(super) fn packet_table() -> Option<String> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UP: Flags = Flags { up: true, running: true, loopback: false, wireless: false, connected: None };

    fn shown(hardware: u32, operstate: &str, carrier: &str) -> Shown {
        Shown {
            hardware: Some(hardware),
            operstate: operstate.to_owned(),
            carrier: (!carrier.is_empty()).then(|| carrier == "1"),
            ..Shown::default()
        }
    }

    #[track_caller]
    fn check(name: &str, flags: Flags, shown: Option<&Shown>, want: (DeviceKind, DeviceState, Option<&str>)) {
        let (kind, link) = kind(name, flags, shown);
        assert_eq!((kind, state(kind, flags, shown), link), want, "{name}");
    }

    #[test]
    fn what_the_kernel_shows() {
        use DeviceKind as K;
        use DeviceState as S;
        let ethernet = Some("Ethernet");
        check("eth0", UP, Some(&shown(1, "up", "1")), (K::Wired, S::Running, ethernet));
        check("eth0", UP, Some(&shown(1, "down", "0")), (K::Wired, S::NoCarrier, ethernet));
        check("eth0", Flags::default(), Some(&shown(1, "down", "")), (K::Wired, S::Down, ethernet));
        check("lo", UP, Some(&shown(772, "unknown", "1")), (K::Loopback, S::Running, ethernet));
        check("wg0", UP, Some(&shown(65_534, "unknown", "1")), (K::Tunnel, S::Running, Some("Raw IP")));
        check("ppp0", UP, Some(&shown(512, "unknown", "1")), (K::Tunnel, S::Running, Some("PPP")));
        check("can0", UP, Some(&shown(280, "up", "1")), (K::Other, S::Running, None));
        let wireless = Shown { wireless: true, ..shown(1, "dormant", "0") };
        check("wlan0", UP, Some(&wireless), (K::Wireless, S::NoCarrier, ethernet));
        let tun = Shown { tun_flags: Some(0x1001), ..shown(65_534, "unknown", "1") };
        check("tun0", UP, Some(&tun), (K::Tunnel, S::Running, Some("Raw IP")));
        let tap = Shown { tun_flags: Some(0x1002), ..shown(1, "up", "1") };
        check("tap0", UP, Some(&tap), (K::Tunnel, S::Running, ethernet));
        check("any", UP, None, (K::Any, S::Running, Some("Linux cooked")));
    }

    #[test]
    fn what_libpcap_alone_tells() {
        use DeviceKind as K;
        use DeviceState as S;
        check("lo", Flags { loopback: true, ..UP }, None, (K::Loopback, S::Running, None));
        check("v0", Flags { connected: Some(false), ..UP }, None, (K::Wired, S::NoCarrier, None));
        check("v0", Flags::default(), None, (K::Wired, S::Down, None));
        check("wg0", UP, None, (K::Tunnel, S::Running, None));
        check("wlp3s0", Flags { wireless: true, ..UP }, None, (K::Wireless, S::Running, None));
        check("bluetooth-monitor", Flags::default(), None, (K::Other, S::Unknown, None));
        check("nflog", Flags::default(), None, (K::Other, S::Unknown, None));
    }

    #[test]
    fn traffic_first() {
        let device = |name: &str, kind, state, addressed: bool| Device {
            name: name.to_owned(),
            description: String::new(),
            addresses: if addressed { vec![IpAddr::from([192, 0, 2, 1])] } else { Vec::new() },
            kind,
            state,
            link: None,
        };
        let mut devices = [
            device("nflog", DeviceKind::Other, DeviceState::Unknown, false),
            device("eth1", DeviceKind::Wired, DeviceState::Down, false),
            device("lo", DeviceKind::Loopback, DeviceState::Running, true),
            device("any", DeviceKind::Any, DeviceState::Running, false),
            device("eth2", DeviceKind::Wired, DeviceState::NoCarrier, false),
            device("tun0", DeviceKind::Tunnel, DeviceState::Running, true),
            device("br0", DeviceKind::Wired, DeviceState::Running, false),
            device("wlan0", DeviceKind::Wireless, DeviceState::Running, true),
        ];
        devices.sort_by_key(rank);
        let order: Vec<&str> = devices.iter().map(|device| device.name.as_str()).collect();
        assert_eq!(order, ["wlan0", "br0", "tun0", "any", "lo", "eth2", "eth1", "nflog"]);
    }

    #[test]
    fn packets_are_counted_from_the_kernels_table() {
        let text = "\
Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo:   12772     116    0    0    0     0          0         0    12772     116    0    0    0     0       0          0
eth0:1:683678403   27946    0    0    0     0          0         0  1670228   16824    0    0    0     0       0          0
";
        let want = [("lo", 232), ("eth0:1", 44_770), ("any", 45_002)];
        assert_eq!(counts_of(text), want.map(|(name, count)| (name.to_owned(), count)));
        assert_eq!(counts_of("what is this: 1 2"), []);
    }

    #[test]
    fn listing_needs_no_rights() {
        let devices = devices().unwrap();
        assert!(devices.iter().all(|device| !device.name.is_empty()));
    }
}
