//! The picture as a PNG that carries its claim.
//!
//! Comes in: pixels and a claim, or a PNG. Goes out: a PNG of IHDR, pHYs, iTXt, IDAT and IEND alone, or the claim and the
//! pixels again, within limits. Never: a time, a name, a path.

use std::io::Cursor;

use sha2::{Digest as _, Sha256};

use super::claim::MOST_CLAIM_BYTES;
use crate::model::hex;

/// The keyword of the text chunk.
pub(super) const KEYWORD: &str = "nephoscope-claim";
/// Pixels of a picture that is read or written: 16,384 by 16,384 is what can be laid out.
const MOST_PIXELS: u64 = 1 << 28;
/// Bytes of a PNG that is read.
pub(super) const MOST_PNG_BYTES: usize = 512 << 20;
/// Pixels a metre of a screen with 96 pixels an inch.
const PER_METRE: u32 = 3_780;

/// Pixels from left to right, top to bottom; four bytes each: red, green, blue, opacity.
#[derive(Clone, Copy, Debug)]
pub struct Pixels<'a> {
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// Pixels a point.
    pub scale: u8,
    /// The bytes.
    pub rgba: &'a [u8],
}

impl Pixels<'_> {
    /// The digest that a claim holds.
    pub fn sha256(&self) -> String {
        let head = Sha256::new().chain_update(self.width.to_be_bytes()).chain_update(self.height.to_be_bytes());
        hex(&head.chain_update(self.rgba).finalize())
    }
}

/// Why a picture could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum PngError {
    /// The pixels do not fit their size.
    #[error("the picture has {len} bytes of pixels, not {width} × {height} × 4")]
    Size {
        /// What there is.
        len: usize,
        /// Pixels across.
        width: u32,
        /// Pixels down.
        height: u32,
    },
    /// A limit.
    #[error("the picture is too large: {0}")]
    TooLarge(&'static str),
    /// It cannot be encoded.
    #[error("cannot write the picture: {0}")]
    Write(#[from] png::EncodingError),
    /// It cannot be decoded.
    #[error("cannot read the picture: {0}")]
    Read(#[from] png::DecodingError),
}

/// Encodes a picture with its claim.
pub fn write_png(pixels: &Pixels<'_>, claim: &[u8]) -> Result<Vec<u8>, PngError> {
    let Pixels { width, height, rgba, scale } = *pixels;
    let area = u64::from(width) * u64::from(height);
    if area > MOST_PIXELS || area == 0 {
        return Err(PngError::TooLarge("more than 268 million pixels, or none"));
    }
    if rgba.len() as u64 != area * 4 {
        return Err(PngError::Size { len: rgba.len(), width, height });
    }
    let mut out = Vec::new();
    let mut encoder = png::Encoder::new(Cursor::new(&mut out), width, height);
    encoder.set_color(png::ColorType::Rgba);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::Balanced);
    let dots = PER_METRE * u32::from(scale.max(1));
    encoder.set_pixel_dims(Some(png::PixelDimensions { xppu: dots, yppu: dots, unit: png::Unit::Meter }));
    let mut writer = encoder.write_header()?;
    // JSON may hold any character: that is what iTXt is for.
    let mut text = png::text_metadata::ITXtChunk::new(KEYWORD, String::from_utf8_lossy(claim));
    text.compressed = true;
    text.compress_text()?;
    writer.write_text_chunk(&text)?;
    writer.write_image_data(rgba)?;
    writer.finish()?;
    Ok(out)
}

/// A picture as read.
#[derive(Clone, Debug)]
pub struct ReadPng {
    /// The claim's JSON, where one is there.
    pub claim: Option<Vec<u8>>,
    /// The digest over its pixels, as [`Pixels::sha256`]; `None` for a form that this program does not write.
    pub pixels: Option<String>,
    /// Pixels across and down.
    pub size: (u32, u32),
}

/// Reads claim and digest of a PNG, within limits.
pub fn read_png(bytes: &[u8]) -> Result<ReadPng, PngError> {
    if bytes.len() > MOST_PNG_BYTES {
        return Err(PngError::TooLarge("more than 512 MiB"));
    }
    let claim = claim_of(bytes)?;
    let limits = png::Limits { bytes: 64 << 20 };
    let mut decoder = png::Decoder::new_with_limits(Cursor::new(bytes), limits);
    decoder.set_ignore_text_chunk(true);
    decoder.set_transformations(png::Transformations::IDENTITY);
    let mut reader = decoder.read_info()?;
    let (width, height) = (reader.info().width, reader.info().height);
    if u64::from(width) * u64::from(height) > MOST_PIXELS {
        return Err(PngError::TooLarge("more than 268 million pixels"));
    }
    let plain = reader.info().color_type == png::ColorType::Rgba && reader.info().bit_depth == png::BitDepth::Eight;
    if !plain || reader.info().interlaced {
        return Ok(ReadPng { claim, pixels: None, size: (width, height) });
    }
    let mut digest = Sha256::new().chain_update(width.to_be_bytes()).chain_update(height.to_be_bytes());
    // Row by row: a small file can promise a gigabyte.
    let mut rows = 0_u32;
    while let Some(row) = reader.next_row()? {
        digest.update(row.data());
        rows += 1;
    }
    let whole = rows == height;
    Ok(ReadPng { claim, pixels: whole.then(|| hex(&digest.finalize())), size: (width, height) })
}

/// The claim's chunk, found by walking over the chunks: its text is unpacked under our limit, not the decoder's.
fn claim_of(bytes: &[u8]) -> Result<Option<Vec<u8>>, PngError> {
    use std::io::Read as _;
    let mut rest = bytes.get(8..).unwrap_or_default();
    while let (Some(len), Some(kind)) = (rest.first_chunk::<4>(), rest.get(4..8)) {
        let len = usize::try_from(u32::from_be_bytes(*len)).unwrap_or(usize::MAX);
        let data = rest.get(8..len.saturating_add(8)).unwrap_or_default();
        if kind == b"iTXt"
            && let Some(after) = data.strip_prefix(KEYWORD.as_bytes()).and_then(|d| d.strip_prefix(b"\0"))
            && let [packed @ (0 | 1), 0, after @ ..] = after
        {
            // Language tag and translated keyword, each ended by a zero.
            let mut parts = after.splitn(3, |b| *b == 0);
            let text = parts.nth(2).unwrap_or_default();
            let mut out = Vec::new();
            if *packed == 1 {
                let limit = MOST_CLAIM_BYTES as u64 + 1;
                let read = flate2::read::ZlibDecoder::new(text).take(limit).read_to_end(&mut out);
                if read.is_err() {
                    return Ok(None);
                }
            } else {
                out.extend_from_slice(text);
            }
            if out.len() > MOST_CLAIM_BYTES {
                return Err(PngError::TooLarge("its claim is larger than 16 MiB"));
            }
            return Ok(Some(out));
        }
        if kind == b"IEND" {
            break;
        }
        rest = rest.get(len.saturating_add(12)..).unwrap_or_default();
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comes_back() {
        let rgba: Vec<u8> = (0..7 * 5 * 4_u32).map(|i| (i * 7) as u8).collect();
        let pixels = Pixels { width: 7, height: 5, scale: 2, rgba: &rgba };
        let png = write_png(&pixels, "{\"a\":\"‹ä›\"}".as_bytes()).unwrap();
        assert_eq!(png, write_png(&pixels, "{\"a\":\"‹ä›\"}".as_bytes()).unwrap());
        let read = read_png(&png).unwrap();
        assert_eq!(read.claim.as_deref(), Some("{\"a\":\"‹ä›\"}".as_bytes()));
        assert_eq!(read.pixels, Some(pixels.sha256()));
        let mut chunks = Vec::new();
        let mut rest = &png[8..];
        while rest.len() >= 12 {
            let len = u32::from_be_bytes(rest[..4].try_into().unwrap()) as usize;
            chunks.push(String::from_utf8(rest[4..8].to_vec()).unwrap());
            rest = &rest[len + 12..];
        }
        chunks.dedup();
        assert_eq!(chunks, ["IHDR", "pHYs", "iTXt", "IDAT", "IEND"]);
        assert!(rest.is_empty());
    }

    #[test]
    fn a_wrong_size_is_refused() {
        let pixels = Pixels { width: 7, height: 5, scale: 1, rgba: &[0; 12] };
        assert!(write_png(&pixels, b"{}").is_err());
        for bytes in [&b""[..], b"\x89PNG\r\n\x1a\n", &[0xff; 100]] {
            assert!(read_png(bytes).is_err());
        }
    }
}
