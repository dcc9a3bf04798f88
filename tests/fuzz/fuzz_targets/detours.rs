//! Any bytes as the handshake with a SOCKS proxy, and as datagrams of a tunnel: the first byte is where the two sides part, the
//! second how long a datagram is.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nephoscope::model::Side;
use nephoscope::protocols::socks::{Said, read};
use nephoscope::protocols::vpn::Handshake;

fuzz_target!(|bytes: &[u8]| {
    let [part, step, rest @ ..] = bytes else { return };
    let (client, proxy) = rest.split_at(rest.len() * usize::from(*part) / 256);
    if let Said::Agreed { used, .. } = read(client, proxy) {
        assert!(used[0] <= client.len() && used[1] <= proxy.len());
        // What follows changes nothing, and with less the two have not agreed.
        assert!(matches!(read(client, &[proxy, b"more"].concat()), Said::Agreed { used: again, .. } if again == used));
        assert!(!matches!(read(client, &proxy[..used[1] - 1]), Said::Agreed { .. }));
    }
    let mut handshake = Handshake::default();
    let pieces = rest.chunks(usize::from(*step).max(1)).enumerate();
    let agreed =
        pieces.filter_map(|(i, piece)| handshake.datagram(if i % 2 == 0 { Side::Client } else { Side::Server }, piece));
    assert!(agreed.count() <= 1);
});
