//! Where things stand in a picture.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::{Chart, PlotError, Series, short};

/// Narrow, so that letters stay large where a phone shows it from edge to edge.
const WIDTH: u32 = 800;
const EDGE: i32 = 16;
const LINE: i32 = 36;
const BARS: i32 = 360;
const LEFT: i32 = 76;
const BELOW: i32 = 46;

const LARGE: i32 = 32;
const SMALL: i32 = 24;

/// Letters of the large size that fit beside the notes of a legend.
const LONGEST: usize = 28;

const INK: RGBColor = RGBColor(0x22, 0x22, 0x22);
const PALE: RGBColor = RGBColor(0x55, 0x55, 0x55);
const GRID: RGBColor = RGBColor(0xdd, 0xdd, 0xdd);

/// Okabe and Ito's, which people see apart who see fewer colours.
const COLOURS: [RGBColor; 6] = [
    RGBColor(0x00, 0x72, 0xb2),
    RGBColor(0xe6, 0x9f, 0x00),
    RGBColor(0x00, 0x9e, 0x73),
    RGBColor(0xd5, 0x5e, 0x00),
    RGBColor(0x56, 0xb4, 0xe9),
    RGBColor(0xcc, 0x79, 0xa7),
];
const REST: RGBColor = RGBColor(0x99, 0x99, 0x99);

type Area<B> = DrawingArea<B, plotters::coord::Shift>;

/// Width and height, in pixels.
pub(super) fn size(chart: &Chart) -> (u32, u32) {
    let legend = chart.series.len() as i32 * LINE;
    (WIDTH, (top() + BARS + BELOW + legend + EDGE) as u32)
}

fn top() -> i32 {
    EDGE + 2 * LINE + EDGE
}

fn failed(error: impl std::fmt::Display) -> PlotError {
    PlotError(error.to_string())
}

/// Draws a whole picture.
pub(super) fn draw<B: DrawingBackend>(chart: &Chart, backend: B) -> Result<(), PlotError> {
    let area = backend.into_drawing_area();
    area.fill(&WHITE).map_err(failed)?;
    say(&area, &chart.title, (EDGE, EDGE), letters(LARGE, INK))?;
    let second = (EDGE, EDGE + LINE);
    say(&area, &chart.subtitle, second, letters(LARGE, PALE))?;
    if chart.series.is_empty() {
        let middle = (WIDTH as i32 / 2, top() + BARS / 2);
        let centred = letters(LARGE, PALE).pos(Pos::new(HPos::Center, VPos::Center));
        say(&area, &chart.nothing, middle, centred)?;
    } else {
        bars(&area, chart)?;
    }
    for (row, series) in chart.series.iter().enumerate() {
        legend(&area, row, series)?;
    }
    area.present().map_err(failed)
}

fn letters(size: i32, colour: RGBColor) -> TextStyle<'static> {
    ("sans-serif", size).into_font().color(&colour)
}

fn say<B: DrawingBackend>(
    area: &Area<B>,
    text: &str,
    at: (i32, i32),
    style: TextStyle<'_>,
) -> Result<(), PlotError> {
    // An SVG is XML, which has no control characters, not even escaped ones.
    let text: String = text.chars().filter(|c| !c.is_control()).collect();
    area.draw(&Text::new(text, at, style)).map_err(failed)
}

fn colour(row: usize, series: &Series) -> RGBColor {
    match series.rest {
        true => REST,
        false => COLOURS[row % COLOURS.len()],
    }
}

fn bars<B: DrawingBackend>(area: &Area<B>, chart: &Chart) -> Result<(), PlotError> {
    let count = chart.labels.len();
    let sum = |bar: usize| {
        let parts = chart.series.iter().map(|series| series.values[bar]);
        parts.fold(0, u64::saturating_add)
    };
    // Below ten the axis would tell parts of a token.
    let most = (0..count).map(sum).max().unwrap_or(0).max(10);
    let mut plot = ChartBuilder::on(area);
    plot.margin_top(top())
        .margin_bottom(chart.series.len() as i32 * LINE + EDGE)
        .margin_right(EDGE)
        .set_label_area_size(LabelAreaPosition::Left, LEFT)
        .set_label_area_size(LabelAreaPosition::Bottom, BELOW);
    let mut plot = plot
        .build_cartesian_2d(0.0..count as f64, 0.0..most as f64 * 1.04)
        .map_err(failed)?;
    plot.configure_mesh()
        .disable_x_mesh()
        .disable_x_axis()
        .y_labels(6)
        .y_label_formatter(&|value| short(*value as u64))
        .label_style(letters(SMALL, PALE))
        .axis_style(GRID)
        .bold_line_style(GRID)
        .light_line_style(TRANSPARENT)
        .draw()
        .map_err(failed)?;
    let gap = if count > 60 { 0.06 } else { 0.14 };
    let mut heights = vec![0.0; count];
    for (row, series) in chart.series.iter().enumerate() {
        let style = colour(row, series).filled();
        let parts = series.values.iter().zip(&mut heights).enumerate();
        let parts = parts.filter(|(_, (value, _))| **value > 0);
        let parts = parts.map(|(bar, (value, height))| {
            let from = *height;
            *height += *value as f64;
            let (left, right) = (bar as f64 + gap, bar as f64 + 1.0 - gap);
            Rectangle::new([(left, from), (right, *height)], style)
        });
        plot.draw_series(parts).map_err(failed)?;
    }
    for (bar, label) in chart.labels.iter().enumerate() {
        let (x, y) = plot.backend_coord(&(bar as f64 + 0.5, 0.0));
        let below = letters(SMALL, PALE).pos(Pos::new(HPos::Center, VPos::Top));
        say(area, label, (x, y + 6), below)?;
    }
    Ok(())
}

fn legend<B: DrawingBackend>(area: &Area<B>, row: usize, series: &Series) -> Result<(), PlotError> {
    let y = top() + BARS + BELOW + row as i32 * LINE;
    let square = [(EDGE, y + 6), (EDGE + 22, y + 28)];
    let square = Rectangle::new(square, colour(row, series).filled());
    area.draw(&square).map_err(failed)?;
    let mut name = series.name.clone();
    if name.chars().count() > LONGEST {
        name = name.chars().take(LONGEST - 2).collect();
        name.push_str("..");
    }
    // By their middles: by their tops, letters of different fonts stand differently beside the square.
    let middle = y + 17;
    let style = letters(LARGE, INK).pos(Pos::new(HPos::Left, VPos::Center));
    say(area, &name, (EDGE + 36, middle), style)?;
    let right = WIDTH as i32 - EDGE;
    for (note, x) in series.notes.iter().zip([right - 160, right]) {
        let style = letters(LARGE, PALE).pos(Pos::new(HPos::Right, VPos::Center));
        say(area, note, (x, middle), style)?;
    }
    Ok(())
}
