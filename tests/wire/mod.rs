//! Captures that a test writes itself: TCP connections, in classic pcap.

/// Bytes of a segment's payload.
const SEGMENT: usize = 1_200;
/// Who asks, and who answers.
const ENDS: [[u8; 4]; 2] = [[192, 168, 77, 24], [20, 60, 1, 1]];

/// A capture.
pub(crate) struct Pcap {
    /// The file so far.
    pub(crate) bytes: Vec<u8>,
    /// The second of the next frame; each frame is a second later than the one before.
    pub(crate) time: u32,
}

/// A connection: the ports, and the next sequence number of each side.
pub(crate) struct Connection {
    ports: [u16; 2],
    seq: [u32; 2],
}

impl Pcap {
    pub(crate) fn new() -> Self {
        let head = [0xa1b2_c3d4_u32, 0x0004_0002, 0, 0, 262_144, 1];
        Self { bytes: head.iter().flat_map(|word| word.to_le_bytes()).collect(), time: 1_307_988_131 }
    }

    /// Opens a connection from a port to a port.
    pub(crate) fn connect(&mut self, ports: [u16; 2]) -> Connection {
        let mut connection = Connection { ports, seq: [1_000, 5_000] };
        for (side, flags) in [(0, 0x02), (1, 0x12)] {
            self.segment(&connection, (side, flags), b"");
            connection.seq[side] += 1;
        }
        self.segment(&connection, (0, 0x10), b"");
        connection
    }

    /// Sends bytes from the client (0) or the server (1), in acknowledged segments.
    pub(crate) fn send(&mut self, connection: &mut Connection, side: usize, bytes: &[u8]) {
        for chunk in bytes.chunks(SEGMENT) {
            self.segment(connection, (side, 0x18), chunk);
            connection.seq[side] += u32::try_from(chunk.len()).unwrap();
            self.segment(connection, (1 - side, 0x10), b"");
        }
    }

    fn segment(&mut self, connection: &Connection, (side, flags): (usize, u8), payload: &[u8]) {
        let Connection { ports, seq } = connection;
        let mut frame = vec![0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0x01, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0x02, 8, 0];
        frame.extend_from_slice(&[0x45, 0]);
        frame.extend_from_slice(&u16::try_from(40 + payload.len()).unwrap().to_be_bytes());
        frame.extend_from_slice(&[0, 1, 0, 0, 64, 6, 0, 0]);
        frame.extend([ENDS[side], ENDS[1 - side]].concat());
        frame.extend([ports[side], ports[1 - side]].map(u16::to_be_bytes).concat());
        frame.extend([seq[side], seq[1 - side]].map(u32::to_be_bytes).concat());
        frame.extend_from_slice(&[0x50, flags, 0xff, 0xff, 0, 0, 0, 0]);
        frame.extend_from_slice(payload);
        self.time += 1;
        let len = u32::try_from(frame.len()).unwrap();
        self.bytes.extend([self.time, 0, len, len].map(u32::to_le_bytes).concat());
        self.bytes.extend_from_slice(&frame);
    }
}
