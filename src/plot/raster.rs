//! Points in memory that plotters draws on, and their PNG.

use std::convert::Infallible;
use std::io::{self, Write};

use flate2::{Compression, Crc, write::ZlibEncoder};
use noto_sans_mono_bitmap::{
    FontWeight, RasterHeight, RasterizedChar, get_raster, get_raster_width,
};
use plotters_backend::text_anchor::{HPos, VPos};
use plotters_backend::{
    BackendColor, BackendCoord, BackendTextStyle, DrawingBackend, DrawingErrorKind,
};

use super::PlotError;

type Drawn = Result<(), DrawingErrorKind<Infallible>>;

/// Red, green and blue, a byte each.
const DEPTH: usize = 3;

/// White points.
pub(super) fn blank((width, height): (u32, u32)) -> Vec<u8> {
    vec![0xff; width as usize * height as usize * DEPTH]
}

/// What is drawn on.
pub(super) struct Raster<'a> {
    points: &'a mut [u8],
    size: (u32, u32),
}

impl<'a> Raster<'a> {
    pub(super) fn new(points: &'a mut [u8], size: (u32, u32)) -> Self {
        Raster { points, size }
    }
}

/// The letters of a size that is near the one asked for; what has none is a question mark.
fn letter(letter: char, size: f64) -> Option<RasterizedChar> {
    let raster = |letter| match size < 28.0 {
        true => get_raster(letter, FontWeight::Regular, RasterHeight::Size24),
        false => get_raster(letter, FontWeight::Regular, RasterHeight::Size32),
    };
    raster(letter).or_else(|| raster('?'))
}

/// Width and height of a text.
fn extent(text: &str, size: f64) -> (u32, u32) {
    let height = match size < 28.0 {
        true => RasterHeight::Size24,
        false => RasterHeight::Size32,
    };
    let width = text.chars().count() * get_raster_width(FontWeight::Regular, height);
    (width as u32, height.val() as u32)
}

impl DrawingBackend for Raster<'_> {
    type ErrorType = Infallible;

    fn get_size(&self) -> (u32, u32) {
        self.size
    }

    fn ensure_prepared(&mut self) -> Drawn {
        Ok(())
    }

    fn present(&mut self) -> Drawn {
        Ok(())
    }

    fn draw_pixel(&mut self, (x, y): BackendCoord, colour: BackendColor) -> Drawn {
        let inside = |at: i32, end: u32| u32::try_from(at).ok().filter(|at| *at < end);
        let (Some(x), Some(y)) = (inside(x, self.size.0), inside(y, self.size.1)) else {
            return Ok(());
        };
        let at = (y as usize * self.size.0 as usize + x as usize) * DEPTH;
        let (r, g, b) = colour.rgb;
        for (old, new) in self.points[at..at + DEPTH].iter_mut().zip([r, g, b]) {
            let mixed = f64::from(*old) * (1.0 - colour.alpha) + f64::from(new) * colour.alpha;
            *old = mixed.round() as u8;
        }
        Ok(())
    }

    fn draw_text<S: BackendTextStyle>(
        &mut self,
        text: &str,
        style: &S,
        (x, y): BackendCoord,
    ) -> Drawn {
        let (width, height) = extent(text, style.size());
        let mut left = match style.anchor().h_pos {
            HPos::Left => x,
            HPos::Center => x - width as i32 / 2,
            HPos::Right => x - width as i32,
        };
        let top = match style.anchor().v_pos {
            VPos::Top => y,
            VPos::Center => y - height as i32 / 2,
            VPos::Bottom => y - height as i32,
        };
        let colour = style.color();
        for letter in text.chars().filter_map(|c| letter(c, style.size())) {
            for (down, row) in letter.rows().enumerate() {
                let inked = row.iter().enumerate().filter(|(_, ink)| **ink > 0);
                for (right, ink) in inked {
                    let at = (left + right as i32, top + down as i32);
                    let alpha = colour.alpha * f64::from(*ink) / 255.0;
                    self.draw_pixel(at, BackendColor { alpha, ..colour })?;
                }
            }
            left += letter.width() as i32;
        }
        Ok(())
    }

    fn estimate_text_size<S: BackendTextStyle>(
        &self,
        text: &str,
        style: &S,
    ) -> Result<(u32, u32), DrawingErrorKind<Infallible>> {
        Ok(extent(text, style.size()))
    }
}

/// The points as a PNG (<https://www.w3.org/TR/png-3/>): 8 bits, true colour, each row less the one above it.
pub(super) fn png(points: &[u8], (width, height): (u32, u32)) -> Result<Vec<u8>, PlotError> {
    const EIGHT_BITS_TRUE_COLOUR: [u8; 5] = [8, 2, 0, 0, 0];
    let mut head = Vec::new();
    head.extend(width.to_be_bytes());
    head.extend(height.to_be_bytes());
    head.extend(EIGHT_BITS_TRUE_COLOUR);
    let body = packed(points, width as usize * DEPTH);
    let body = body.map_err(|error| PlotError(error.to_string()))?;
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    for (name, data) in [(b"IHDR", head), (b"IDAT", body), (b"IEND", Vec::new())] {
        chunk(&mut file, name, &data);
    }
    Ok(file)
}

fn packed(points: &[u8], row: usize) -> io::Result<Vec<u8>> {
    const UP: u8 = 2;
    let mut packed = ZlibEncoder::new(Vec::new(), Compression::default());
    let mut above = vec![0; row];
    for row in points.chunks_exact(row) {
        let less = row
            .iter()
            .zip(&above)
            .map(|(now, above)| now.wrapping_sub(*above));
        let line: Vec<u8> = std::iter::once(UP).chain(less).collect();
        packed.write_all(&line)?;
        above.copy_from_slice(row);
    }
    packed.finish()
}

/// Length, name, data, and the checksum of the last two.
fn chunk(file: &mut Vec<u8>, name: &[u8; 4], data: &[u8]) {
    let mut sum = Crc::new();
    sum.update(name);
    sum.update(data);
    file.extend((data.len() as u32).to_be_bytes());
    file.extend(name);
    file.extend(data);
    file.extend(sum.sum().to_be_bytes());
}
