//! Stacked bars as a picture: an SVG, or a PNG with letters of its own, for a machine without a screen has no fonts.

mod draw;
mod raster;
#[cfg(test)]
mod tests;

use std::path::Path;

/// Bars, and what is said around them. Texts are data: none of them means anything in a format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chart {
    /// The first line.
    pub title: String,
    /// The second line.
    pub subtitle: String,
    /// What stands below each bar; empty for nothing.
    pub labels: Vec<String>,
    /// The parts of the bars from the bottom up, at most [`SERIES`].
    pub series: Vec<Series>,
    /// What is said in place of bars where there are none.
    pub nothing: String,
}

/// The parts of all bars that have one colour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Series {
    /// In the legend.
    pub name: String,
    /// In the legend, to the right of the name.
    pub notes: [String; 2],
    /// One of each bar.
    pub values: Vec<u64>,
    /// It is what is left of many.
    pub rest: bool,
}

/// How many series can be told from each other, with the rest as one more.
pub const SERIES: usize = 7;

/// What a picture is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Points.
    Png,
    /// Shapes and texts, for programs that have fonts.
    Svg,
}

/// The names of formats, for people.
pub const FORMATS: &str = "a picture's name ends in .png or .svg";

/// Why there is no picture.
#[derive(Debug, thiserror::Error)]
#[error("cannot draw: {0}")]
pub struct PlotError(String);

impl Format {
    /// What the end of a file's name says.
    pub fn of(path: impl AsRef<Path>) -> Option<Format> {
        let end = path.as_ref().extension()?.to_str()?;
        match end.to_ascii_lowercase().as_str() {
            "png" => Some(Format::Png),
            "svg" => Some(Format::Svg),
            _ => None,
        }
    }
}

impl Chart {
    /// The picture's bytes. A PNG takes tens of milliseconds.
    ///
    /// # Errors
    /// It could not be drawn.
    pub fn draw(&self, format: Format) -> Result<Vec<u8>, PlotError> {
        let size = draw::size(self);
        match format {
            Format::Svg => {
                let mut text = String::new();
                let backend = plotters::backend::SVGBackend::with_string(&mut text, size);
                draw::draw(self, backend)?;
                Ok(text.into_bytes())
            }
            Format::Png => {
                let mut points = raster::blank(size);
                draw::draw(self, raster::Raster::new(&mut points, size))?;
                Ok(raster::png(&points, size)?)
            }
        }
    }
}

/// A count in two or three digits and a unit: "950", "1.2k", "35k", "4M".
pub fn short(count: u64) -> String {
    let units = [("", 1.0), ("k", 1e3), ("M", 1e6), ("G", 1e9), ("T", 1e12)];
    let fits = |(_, unit): &&(&str, f64)| (count as f64 / unit).round() < 1000.0;
    let (unit, size) = units.iter().find(fits).unwrap_or(&units[4]);
    let scaled = count as f64 / size;
    match *size > 1.0 && scaled < 9.95 {
        true => format!("{}{unit}", format!("{scaled:.1}").trim_end_matches(".0")),
        false => format!("{scaled:.0}{unit}"),
    }
}
