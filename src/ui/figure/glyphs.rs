//! What stands for characters that none of the program's fonts has: a small frame with the code point's digits, never an
//! empty box. The same on every machine, since a picture must not depend on the fonts that are installed there.

use crossbeam_channel::Sender;
use egui::epaint::text::{GlyphBitmap, GlyphRasterizer, GlyphRasterizerRequest, RasterizedGlyph};
use egui::{Color32, ColorImage, vec2};

/// Three by five pixels a digit, row by row from the top, the left pixel the highest bit.
const DIGITS: [[u8; 5]; 16] = [
    [0b111, 0b101, 0b101, 0b101, 0b111],
    [0b010, 0b110, 0b010, 0b010, 0b111],
    [0b111, 0b001, 0b111, 0b100, 0b111],
    [0b111, 0b001, 0b011, 0b001, 0b111],
    [0b101, 0b101, 0b111, 0b001, 0b001],
    [0b111, 0b100, 0b111, 0b001, 0b111],
    [0b111, 0b100, 0b111, 0b101, 0b111],
    [0b111, 0b001, 0b010, 0b010, 0b010],
    [0b111, 0b101, 0b111, 0b101, 0b111],
    [0b111, 0b101, 0b111, 0b001, 0b111],
    [0b111, 0b101, 0b111, 0b101, 0b101],
    [0b110, 0b101, 0b110, 0b101, 0b110],
    [0b111, 0b100, 0b100, 0b100, 0b111],
    [0b110, 0b101, 0b101, 0b101, 0b110],
    [0b111, 0b100, 0b111, 0b100, 0b111],
    [0b111, 0b100, 0b111, 0b100, 0b100],
];
/// Scalars of one cluster that are shown; `clean` lets two marks a base through.
const SCALARS: usize = 8;

/// Draws a frame with digits for every character that no font has, and tells over `used` that it had to.
pub(super) fn code_points(used: Sender<()>) -> GlyphRasterizer {
    GlyphRasterizer::new("nephoscope code points", move |request| {
        // Full: it was told already.
        let _told = used.try_send(());
        Some(framed(request))
    })
}

fn framed(request: &GlyphRasterizerRequest<'_>) -> RasterizedGlyph {
    // Pixels of the image that a pixel of a digit takes.
    let unit = ((request.font_size_px / 13.0).round() as usize).max(1);
    let boxes: Vec<String> = request.cluster.chars().take(SCALARS).map(|c| format!("{:04X}", u32::from(c))).collect();
    let width_of = |digits: &String| 4 * digits.len().div_ceil(2) + 3;
    // A frame of one, one of air, two rows of five with one between; one more of air beside each frame.
    let (width, height) = (boxes.iter().map(|b| width_of(b) + 1).sum::<usize>() + 1, 15);
    let mut image = ColorImage::filled([width * unit, height * unit], Color32::TRANSPARENT);
    let mut set = |x: usize, y: usize| {
        for dy in 0..unit {
            let row = (y * unit + dy) * width * unit + x * unit;
            if let Some(pixels) = image.pixels.get_mut(row..row + unit) {
                pixels.fill(Color32::WHITE);
            }
        }
    };
    let mut left = 1;
    for digits in &boxes {
        let wide = width_of(digits);
        for x in 0..wide {
            set(left + x, 0);
            set(left + x, height - 1);
        }
        for y in 0..height {
            set(left, y);
            set(left + wide - 1, y);
        }
        let in_row = digits.len().div_ceil(2);
        for (i, digit) in digits.chars().enumerate() {
            let (column, row) = (i % in_row, i / in_row);
            let shape = digit.to_digit(16).and_then(|d| DIGITS.get(d as usize)).copied().unwrap_or_default();
            for (y, bits) in shape.into_iter().enumerate() {
                for x in (0..3).filter(|x| bits & (0b100 >> x) != 0) {
                    set(left + 2 + column * 4 + x, 2 + row * 6 + y);
                }
            }
        }
        left += wide + 1;
    }
    // Its middle where that of a capital letter is.
    let up = (request.font_size_px * 0.36 + (height * unit) as f32 / 2.0).round();
    RasterizedGlyph {
        bitmap: GlyphBitmap { image, offset_px: vec2(0.0, -up), is_color: false },
        advance_px: (width * unit) as f32,
    }
}

#[cfg(test)]
mod tests {
    use egui::epaint::text::GlyphRasterizerRequest;
    use egui::{Color32, FontFamily};

    use super::framed;

    #[track_caller]
    fn check(cluster: &str, size: f32, want: &[&str]) {
        let glyph = framed(&GlyphRasterizerRequest {
            cluster,
            family: &FontFamily::Monospace,
            font_size_px: size,
            subpixel_offset_px: 0.0,
        });
        let image = &glyph.bitmap.image;
        let rows: Vec<String> = image
            .pixels
            .chunks(image.size[0])
            .map(|row| row.iter().map(|p| if *p == Color32::WHITE { '#' } else { '.' }).collect())
            .collect();
        assert_eq!(rows.get(..want.len()).unwrap(), want);
        assert_eq!(rows.len() % 15, 0);
    }

    #[test]
    fn digits_stand_in_a_frame() {
        check(
            "世",
            12.0,
            &[
                ".###########.",
                ".#.........#.",
                ".#.#.#.###.#.",
                ".#.#.#.#...#.",
                ".#.###.###.#.",
                ".#...#.#...#.",
                ".#...#.###.#.",
                ".#.........#.",
                ".#..#..###.#.",
            ],
        );
        check("a", 24.0, &["..######################..", "..######################.."]);
    }
}
