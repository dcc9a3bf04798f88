//! Paints what egui laid out into pixels, without a display or a graphics card, the same on every run.
//!
//! Comes in: texture changes and tessellated shapes. Goes out: an image. The rules are those of egui's own renderers:
//! colours are premultiplied sRGB and are blended as they are; a texel times the vertex's colour; a pixel belongs to a
//! triangle by the top-left rule, so that two that share an edge never paint a pixel twice.

use ahash::AHashMap;
use egui::epaint::{ClippedPrimitive, ImageData, Mesh, Primitive, Vertex};
use egui::{Color32, ColorImage, TextureFilter, TextureId, TexturesDelta};

/// Steps of a pixel in which corners are placed.
const STEPS: f32 = 256.0;
/// Half a pixel in those steps: where a pixel's centre is.
const HALF: i64 = 128;
/// A whole pixel in those steps.
const PIXEL: i64 = 256;

/// A texture as pixels.
struct Texture {
    image: ColorImage,
    nearest: bool,
}

/// The textures of one context. Shapes are painted with what was set before.
#[derive(Default)]
pub(crate) struct Raster {
    textures: AHashMap<TextureId, Texture>,
}

/// Pixels that may be painted: from inclusive, to exclusive.
#[derive(Clone, Copy)]
struct Clip {
    left: i64,
    top: i64,
    right: i64,
    bottom: i64,
}

impl Raster {
    /// Takes over new and changed textures; those that are no longer needed stay until the raster goes.
    pub(crate) fn set(&mut self, delta: &TexturesDelta) {
        for (id, change) in delta.set.iter().flat_map(|(id, changes)| changes.iter().map(move |change| (id, change))) {
            let ImageData::Color(image) = &change.image;
            let nearest = change.options.magnification == TextureFilter::Nearest;
            match (change.pos, self.textures.get_mut(id)) {
                (Some([x, y]), Some(texture)) => patch(&mut texture.image, image, x, y),
                (None, _) => {
                    self.textures.insert(*id, Texture { image: (**image).clone(), nearest });
                }
                // A change of something that was never there.
                (Some(_), None) => {}
            }
        }
    }

    /// Paints shapes, the first ones undermost, onto a ground.
    pub(crate) fn paint(
        &self,
        shapes: &[ClippedPrimitive],
        pixels_per_point: f32,
        size: [usize; 2],
        ground: Color32,
    ) -> ColorImage {
        let mut image = ColorImage::filled(size, ground);
        let pixel = |points: f32| (points * pixels_per_point).round() as i64;
        for shape in shapes {
            let clip = Clip {
                left: pixel(shape.clip_rect.min.x).max(0),
                top: pixel(shape.clip_rect.min.y).max(0),
                right: pixel(shape.clip_rect.max.x).min(signed(size[0])),
                bottom: pixel(shape.clip_rect.max.y).min(signed(size[1])),
            };
            // Callbacks need a graphics card; none of our views has one.
            let Primitive::Mesh(mesh) = &shape.primitive else { continue };
            if let Some(texture) = self.textures.get(&mesh.texture_id) {
                paint_mesh(&mut image, mesh, texture, clip, pixels_per_point);
            }
        }
        image
    }
}

fn signed(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

fn patch(image: &mut ColorImage, part: &ColorImage, x: usize, y: usize) {
    let width = part.size[0];
    for (row, pixels) in part.pixels.chunks_exact(width.max(1)).enumerate() {
        let at = (y + row) * image.size[0] + x;
        if let Some(place) = image.pixels.get_mut(at..at + width) {
            place.copy_from_slice(pixels);
        }
    }
}

fn paint_mesh(image: &mut ColorImage, mesh: &Mesh, texture: &Texture, clip: Clip, pixels_per_point: f32) {
    for corners in mesh.indices.chunks_exact(3) {
        let corner = |n: usize| corners.get(n).and_then(|i| mesh.vertices.get(*i as usize));
        if let (Some(a), Some(b), Some(c)) = (corner(0), corner(1), corner(2)) {
            paint_triangle(image, [a, b, c], texture, clip, pixels_per_point);
        }
    }
}

/// What is the same or changes evenly over a triangle: colour and place in the texture.
#[derive(Clone, Copy)]
struct Paint([f32; 6]);

impl Paint {
    fn of(vertex: &Vertex, texture: &Texture) -> Self {
        let [red, green, blue, alpha] = vertex.color.to_array().map(f32::from);
        let [width, height] = texture.image.size.map(|n| n as f32);
        Self([red, green, blue, alpha, vertex.uv.x * width, vertex.uv.y * height])
    }

    /// The sum of three, by their weights.
    fn mix(parts: &[Self; 3], weights: [f32; 3]) -> Self {
        let mut sum = [0.0; 6];
        for (part, weight) in parts.iter().zip(weights) {
            for (sum, value) in sum.iter_mut().zip(part.0) {
                *sum += value * weight;
            }
        }
        Self(sum)
    }
}

/// One edge of a triangle: positive inside, in units of a square step.
#[derive(Clone, Copy)]
struct Edge {
    /// Change over one pixel to the right, and one down.
    across: i64,
    down: i64,
    /// Value at the centre of pixel 0, 0.
    origin: i64,
    /// Pixels on the edge itself belong to the triangle on one of its sides only.
    least: i64,
}

impl Edge {
    fn new((ax, ay): (i64, i64), (bx, by): (i64, i64)) -> Self {
        let (dx, dy) = (bx - ax, by - ay);
        let top_left = dy < 0 || (dy == 0 && dx > 0);
        Self {
            across: -dy * PIXEL,
            down: dx * PIXEL,
            origin: dx * (HALF - ay) - dy * (HALF - ax),
            least: i64::from(!top_left),
        }
    }

    /// Narrows the pixels of row `y` to those inside.
    fn narrow(&self, y: i64, from: &mut i64, to: &mut i64) {
        // At pixel x the value is `start + x * across`, and must reach `least`.
        let lacking = self.least - (self.origin + y * self.down);
        match self.across.signum() {
            1 => *from = (*from).max(div_up(lacking, self.across)),
            -1 => *to = (*to).min((-lacking).div_euclid(-self.across) + 1),
            _ if lacking > 0 => *to = *from,
            _ => {}
        }
    }
}

fn div_up(n: i64, by: i64) -> i64 {
    -(-n).div_euclid(by)
}

fn paint_triangle(image: &mut ColorImage, corners: [&Vertex; 3], texture: &Texture, clip: Clip, scale: f32) {
    let place = |vertex: &Vertex| {
        let step = |points: f32| (points * scale * STEPS).round() as i64;
        (step(vertex.pos.x), step(vertex.pos.y))
    };
    let [mut a, mut b, c] = corners;
    let (mut pa, mut pb, pc) = (place(a), place(b), place(c));
    let twice_area =
        |a: (i64, i64), b: (i64, i64), c: (i64, i64)| (b.0 - a.0) * (c.1 - a.1) - (b.1 - a.1) * (c.0 - a.0);
    let mut area = twice_area(pa, pb, pc);
    if area < 0 {
        core::mem::swap(&mut a, &mut b);
        core::mem::swap(&mut pa, &mut pb);
        area = -area;
    }
    if area == 0 {
        return;
    }
    // The weight of a corner is the edge across from it.
    let edges = [Edge::new(pb, pc), Edge::new(pc, pa), Edge::new(pa, pb)];
    let paints = [a, b, c].map(|vertex| Paint::of(vertex, texture));
    // The very same bits: what differs at all is mixed.
    let is_flat = paints.iter().all(|p| p.0.map(f32::to_bits) == paints[0].0.map(f32::to_bits));
    let over = |value: i64| value as f32 / area as f32;
    let change = Paint::mix(&paints, edges.map(|e| over(e.across)));
    let lines = [pa.1, pb.1, pc.1].map(|y| (y - HALF).div_euclid(PIXEL));
    let top = lines.iter().min().map_or(0, |y| *y).max(clip.top);
    let bottom = lines.iter().max().map_or(0, |y| *y + 2).min(clip.bottom);
    let width = signed(image.size[0]);
    for y in top..bottom {
        let (mut from, mut to) = (clip.left, clip.right);
        for edge in &edges {
            edge.narrow(y, &mut from, &mut to);
        }
        if from >= to {
            continue;
        }
        let row = (y * width + from) as usize..(y * width + to) as usize;
        let Some(pixels) = image.pixels.get_mut(row) else { continue };
        let at = |edge: &Edge| over(edge.origin + y * edge.down + from * edge.across);
        let mut paint =
            if is_flat { paints[0] } else { Paint::mix(&paints, [at(&edges[0]), at(&edges[1]), at(&edges[2])]) };
        if is_flat {
            let colour = texture.shade(&paint);
            for pixel in pixels {
                *pixel = over_ground(colour, *pixel);
            }
            continue;
        }
        for pixel in pixels {
            *pixel = over_ground(texture.shade(&paint), *pixel);
            for (value, step) in paint.0.iter_mut().zip(change.0) {
                *value += step;
            }
        }
    }
}

impl Texture {
    /// The texel at a paint's place, times its colour.
    fn shade(&self, paint: &Paint) -> [u32; 4] {
        let [red, green, blue, alpha, x, y] = paint.0;
        let texel = if self.nearest {
            self.texel(x.floor() as i64, y.floor() as i64).map(u32::from)
        } else {
            self.between(x, y)
        };
        let colour = [red, green, blue, alpha].map(|value| value.round().clamp(0.0, 255.0) as u32);
        [0, 1, 2, 3].map(|n: usize| part(texel[n] * colour[n]))
    }

    fn texel(&self, x: i64, y: i64) -> [u8; 4] {
        let [width, height] = self.image.size.map(signed);
        let (x, y) = (x.clamp(0, (width - 1).max(0)), y.clamp(0, (height - 1).max(0)));
        self.image.pixels.get((y * width + x) as usize).map_or([0; 4], Color32::to_array)
    }

    /// The four texels around a place, by their nearness; those beyond the border are the border's.
    fn between(&self, x: f32, y: f32) -> [u32; 4] {
        let (x, y) = (x - 0.5, y - 0.5);
        let (left, top) = (x.floor(), y.floor());
        // In 256ths: texels that lie on pixels, as all text does, are taken as they are.
        let across = ((x - left) * STEPS).round() as u32;
        let down = ((y - top) * STEPS).round() as u32;
        let (left, top) = (left as i64, top as i64);
        let texels = [(0, 0), (1, 0), (0, 1), (1, 1)].map(|(dx, dy)| self.texel(left + dx, top + dy));
        let weights = [(256 - across) * (256 - down), across * (256 - down), (256 - across) * down, across * down];
        let mut sum = [0_u32; 4];
        for (texel, weight) in texels.iter().zip(weights) {
            for (sum, value) in sum.iter_mut().zip(texel) {
                *sum += u32::from(*value) * weight;
            }
        }
        sum.map(|value| (value + (1 << 15)) >> 16)
    }
}

/// A product of two parts of 255, as a part of 255.
fn part(product: u32) -> u32 {
    (product + 127) / 255
}

/// Premultiplied source over destination. A colour without alpha is added: hover lights and stripes are made so.
fn over_ground(source: [u32; 4], ground: Color32) -> Color32 {
    let rest = 255 - source[3].min(255);
    let ground = ground.to_array();
    let [red, green, blue, alpha] =
        [0, 1, 2, 3].map(|n: usize| (source[n] + part(u32::from(ground[n]) * rest)).min(255) as u8);
    Color32::from_rgba_premultiplied(red, green, blue, alpha)
}

#[cfg(test)]
mod tests {
    use egui::epaint::{ClippedPrimitive, Mesh, Primitive};
    use egui::{Color32, ColorImage, Rect, TextureId, TextureOptions, TexturesDelta, pos2};

    use super::Raster;

    fn raster() -> Raster {
        let mut raster = Raster::default();
        let white = ColorImage::filled([1, 1], Color32::WHITE);
        let mut delta = TexturesDelta::default();
        let change = egui::epaint::ImageDelta::full(white, TextureOptions::LINEAR);
        delta.set.entry(TextureId::default()).or_default().push(change);
        raster.set(&delta);
        delta.clear();
        raster
    }

    fn painted(mesh: Mesh, clip: Rect, scale: f32) -> ColorImage {
        let shape = ClippedPrimitive { clip_rect: clip, primitive: Primitive::Mesh(mesh) };
        raster().paint(&[shape], scale, [16, 16], Color32::BLACK)
    }

    fn count(image: &ColorImage, colour: Color32) -> usize {
        image.pixels.iter().filter(|p| **p == colour).count()
    }

    const ALL: Rect = Rect::from_min_max(pos2(0.0, 0.0), pos2(16.0, 16.0));

    #[test]
    fn a_rectangle_covers_its_pixels() {
        let mut mesh = Mesh::default();
        mesh.add_colored_rect(Rect::from_min_max(pos2(2.0, 3.0), pos2(10.0, 7.0)), Color32::WHITE);
        assert_eq!(count(&painted(mesh.clone(), ALL, 1.0), Color32::WHITE), 32);
        assert_eq!(
            count(&painted(mesh.clone(), Rect::from_min_max(pos2(0.0, 0.0), pos2(4.0, 4.0)), 1.0), Color32::WHITE),
            2
        );
        assert_eq!(count(&painted(mesh, ALL, 2.0), Color32::WHITE), 12 * 8, "cut by the image's edge");
    }

    #[test]
    fn a_shared_edge_is_painted_once() {
        // Half transparent, so that a pixel painted twice is lighter.
        let mut mesh = Mesh::default();
        let half = Color32::from_rgba_premultiplied(100, 100, 100, 128);
        mesh.add_colored_rect(Rect::from_min_max(pos2(1.3, 1.7), pos2(13.2, 14.6)), half);
        let image = painted(mesh, ALL, 1.0);
        let once = Color32::from_rgba_premultiplied(100, 100, 100, 255);
        assert_eq!(count(&image, once) + count(&image, Color32::BLACK), 256);
        assert_eq!(count(&image, once), 12 * 13);
    }

    #[test]
    fn colours_without_alpha_are_added() {
        let mut mesh = Mesh::default();
        mesh.add_colored_rect(ALL, Color32::from_rgba_premultiplied(10, 20, 30, 0));
        assert_eq!(count(&painted(mesh, ALL, 1.0), Color32::from_rgba_premultiplied(10, 20, 30, 255)), 256);
    }

    #[test]
    fn shapes_outside_are_no_harm() {
        let mut mesh = Mesh::default();
        mesh.add_colored_rect(Rect::from_min_max(pos2(-1e6, -1e6), pos2(1e6, 1e6)), Color32::WHITE);
        mesh.add_colored_rect(Rect::from_min_max(pos2(40.0, 40.0), pos2(90.0, 90.0)), Color32::RED);
        assert_eq!(count(&painted(mesh, ALL, 1.0), Color32::WHITE), 256);
    }
}
