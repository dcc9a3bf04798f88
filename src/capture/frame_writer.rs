//! Frames of any capture written as pcapng: what is saved of it, what is handed on with a picture.

use std::io::{self, BufWriter, Write};

use ahash::AHashMap;

use super::Interface;
use super::numbers::{narrow, wide};
use super::write::{InterfaceBlock, PacketBlock, interface, packet, section_header};
use crate::model::FrameHead;

/// Writes frames with the interfaces they came from, times in nanoseconds.
#[derive(Debug)]
pub struct FrameWriter<W: Write> {
    out: BufWriter<W>,
    blocks: Vec<u8>,
    /// Numbers in this file of the capture's interfaces.
    described: AHashMap<u32, u32>,
    written: u64,
}

impl<W: Write> FrameWriter<W> {
    /// Begins a section, with a comment on the whole where it is not empty.
    pub fn new(out: W, comment: &str) -> io::Result<Self> {
        let mut writer = Self {
            out: BufWriter::with_capacity(256 << 10, out),
            blocks: Vec::new(),
            described: AHashMap::new(),
            written: 0,
        };
        section_header(&mut writer.blocks, comment);
        writer.pass_on()?;
        Ok(writer)
    }

    /// Writes a frame, with a comment where one is given. `of` is the interface that it came from, where that is known.
    pub fn frame(
        &mut self,
        of: Option<&Interface>,
        head: &FrameHead,
        bytes: &[u8],
        comment: Option<&str>,
    ) -> io::Result<()> {
        let number = if let Some(number) = self.described.get(&head.interface) {
            *number
        } else {
            let number = narrow(self.described.len());
            let facts = InterfaceBlock {
                name: of.map(|of| String::from_utf8_lossy(&of.name).into_owned()).unwrap_or_default(),
                link: head.link,
                snap_len: of.map_or(0, |of| of.snap_len),
                nanos: true,
                filter: String::new(),
            };
            interface(&mut self.blocks, &facts);
            self.described.insert(head.interface, number);
            number
        };
        let block = PacketBlock {
            interface: number,
            // Unsigned in the format: no clock of a capture is before 1970.
            time: u64::try_from(head.time.0).unwrap_or(0),
            original_len: head.original_len,
            comment: comment.unwrap_or_default(),
        };
        packet(&mut self.blocks, &block, bytes);
        self.pass_on()
    }

    /// Bytes written so far.
    pub fn written(&self) -> u64 {
        self.written
    }

    /// Ends the file; gives its length in bytes.
    pub fn end(mut self) -> io::Result<u64> {
        self.out.flush()?;
        Ok(self.written)
    }

    fn pass_on(&mut self) -> io::Result<()> {
        self.out.write_all(&self.blocks)?;
        self.written = self.written.saturating_add(wide(self.blocks.len()));
        self.blocks.clear();
        Ok(())
    }
}
