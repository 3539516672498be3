//! Plots of a run: loss and every validation metric over epochs.

use std::path::Path;
use std::sync::Once;

use cresset_data::files::{FileError, atomic_write};
use plotters::prelude::*;
use plotters::style::{FontStyle, register_font};

use crate::history::History;

const SIZE: (u32, u32) = (1200, 800);
const FONT: &str = "sans-serif";
const COLOURS: [RGBColor; 3] = [RGBColor(31, 119, 180), RGBColor(214, 89, 30), RGBColor(44, 140, 60)];

/// Why a plot could not be drawn.
#[derive(Debug, thiserror::Error)]
pub enum PlotError {
    /// The file could not be written.
    #[error(transparent)]
    File(#[from] FileError),
    /// The drawing failed.
    #[error("cannot draw {file} ({cause}); set output.plots: false to go without")]
    Draw {
        /// The file.
        file: String,
        /// What the drawing library said.
        cause: String,
    },
}

/// One line of a panel.
struct Line {
    name: String,
    points: Vec<(f64, f64)>,
}

/// A panel: a title, and lines over epochs.
struct Panel {
    title: String,
    lines: Vec<Line>,
}

/// Draws training losses and validation metrics over epochs as PNG, 1200 x 800.
///
/// # Errors
///
/// If drawing fails or the file cannot be written.
pub fn training_history(history: &History, file: &Path) -> Result<(), PlotError> {
    register_plot_font();
    let failed = |cause: String| PlotError::Draw { file: file.display().to_string(), cause };
    let mut pixels = vec![255u8; (SIZE.0 * SIZE.1 * 3) as usize];
    draw(&panels(history), &mut pixels).map_err(|e| failed(e.to_string()))?;
    let png = to_png(&pixels).map_err(|e| failed(e.to_string()))?;
    Ok(atomic_write(file, &png)?)
}

fn to_png(pixels: &[u8]) -> Result<Vec<u8>, png::EncodingError> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, SIZE.0, SIZE.1);
    encoder.set_color(png::ColorType::Rgb);
    encoder.write_header()?.write_image_data(pixels)?;
    Ok(bytes)
}

/// The font travels with the crate, so that no system needs to have one.
fn register_plot_font() {
    static REGISTERED: Once = Once::new();
    REGISTERED.call_once(|| {
        // An error would mean a damaged font; drawing then fails with its own message.
        let _ = register_font(FONT, FontStyle::Normal, dejavu::sans::regular());
    });
}

fn panels(history: &History) -> Vec<Panel> {
    let over_epochs = |value: &dyn Fn(usize) -> Option<f64>| -> Vec<(f64, f64)> {
        let point = |at| value(at).map(|value| (history.epochs[at].epoch as f64, value));
        (0..history.epochs.len()).filter_map(point).collect()
    };
    let Some(first) = history.epochs.first() else { return vec![] };
    let losses = first.losses.iter().enumerate().map(|(place, (name, _))| Line {
        name: name.replace('_', " "),
        points: over_epochs(&|at| history.epochs[at].losses.get(place).map(|&(_, loss)| loss)),
    });
    let mut panels = vec![Panel { title: "training loss".to_owned(), lines: losses.collect() }];
    panels.extend(first.valid.iter().map(|(name, _)| Panel {
        title: format!("validation {name}"),
        lines: vec![Line { name: name.clone(), points: over_epochs(&|at| history.epochs[at].valid(name)) }],
    }));
    panels.retain(|panel| panel.lines.iter().any(|line| !line.points.is_empty()));
    panels
}

fn draw(panels: &[Panel], pixels: &mut [u8]) -> Result<(), Box<dyn std::error::Error>> {
    let root = BitMapBackend::with_buffer(pixels, SIZE).into_drawing_area();
    root.fill(&WHITE)?;
    let columns = (panels.len() as f64).sqrt().ceil().max(1.0) as usize;
    let rows = panels.len().div_ceil(columns).max(1);
    for (area, panel) in root.split_evenly((rows, columns)).iter().zip(panels) {
        draw_panel(area, panel)?;
    }
    root.present()?;
    Ok(())
}

type Area<'a> = DrawingArea<BitMapBackend<'a>, plotters::coord::Shift>;

fn draw_panel(area: &Area<'_>, panel: &Panel) -> Result<(), Box<dyn std::error::Error>> {
    let points = || panel.lines.iter().flat_map(|line| line.points.iter());
    let (low, high) = range(points().map(|&(_, y)| y));
    let (first, last) = (points().map(|p| p.0).fold(f64::MAX, f64::min), points().map(|p| p.0).fold(1.0, f64::max));
    let mut chart = ChartBuilder::on(area)
        .caption(&panel.title, (FONT, 20))
        .margin(12)
        .x_label_area_size(36)
        .y_label_area_size(64)
        .build_cartesian_2d(first..last.max(first + 1.0), low..high)?;
    chart
        .configure_mesh()
        .light_line_style(WHITE)
        .x_desc("epoch")
        .x_label_formatter(&|epoch| format!("{epoch:.0}"))
        .y_label_formatter(&|value| format!("{value:.3}"))
        .label_style((FONT, 14))
        .draw()?;
    for (line, &colour) in panel.lines.iter().zip(COLOURS.iter().cycle()) {
        let marks = line.points.iter().map(|&point| Circle::new(point, 3, colour.filled()));
        chart
            .draw_series(LineSeries::new(line.points.iter().copied(), colour.stroke_width(2)))?
            .label(&line.name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], colour.stroke_width(2)));
        chart.draw_series(marks)?;
    }
    if panel.lines.len() > 1 {
        chart.configure_series_labels().border_style(BLACK.mix(0.2)).background_style(WHITE.mix(0.8)).label_font((FONT, 14)).draw()?;
    }
    Ok(())
}

/// The span of the values with a little air, never empty.
fn range(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let (low, high) = values.fold((f64::MAX, f64::MIN), |(low, high), y| (low.min(y), high.max(y)));
    let air = ((high - low) * 0.05).max(1e-6);
    (low - air, high + air)
}
