//! Plots of a run: loss and every validation metric over epochs.

mod axis;

use std::path::Path;
use std::sync::Once;

use cresset_data::files::{FileError, atomic_write};
use cresset_metrics::{Direction, direction};
use plotters::prelude::*;
use plotters::style::{FontStyle, register_font};

use self::axis::Axis;
use crate::history::History;

const SIZE: (u32, u32) = (1200, 800);
const FONT: &str = "sans-serif";
// Even, both: Plotters rounds half a pixel per glyph at odd sizes, and the decimal point jumps off its line.
const TITLE_SIZE: u32 = 18;
const LABEL_SIZE: u32 = 14;
/// Okabe and Ito's palette: told apart by people of every colour vision, <https://jfly.uni-koeln.de/color/>.
const COLOURS: [RGBColor; 6] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(230, 159, 0),
    RGBColor(86, 180, 233),
];
/// With more epochs than these, marks would run into one another.
const MOST_MARKED_EPOCHS: usize = 30;

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

/// One line of a panel: a value for each epoch, where it is defined.
struct Line {
    name: String,
    values: Vec<Option<f64>>,
}

/// A panel: a title, and lines over epochs.
struct Panel {
    title: String,
    lines: Vec<Line>,
    rises: bool,
}

/// Draws training losses and validation metrics over epochs as PNG, 1200 x 800; the cut-offs of one metric share a
/// panel, and a line has a gap where its metric is undefined.
///
/// # Errors
///
/// If drawing fails or the file cannot be written.
pub fn training_history(history: &History, file: &Path) -> Result<(), PlotError> {
    register_plot_font();
    let failed = |cause: String| PlotError::Draw { file: file.display().to_string(), cause };
    let mut pixels = vec![255u8; (SIZE.0 * SIZE.1 * 3) as usize];
    draw(history, &mut pixels).map_err(|e| failed(e.to_string()))?;
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
    let Some(first) = history.epochs.first() else { return vec![] };
    let losses = first.losses.iter().enumerate().map(|(place, (name, _))| Line {
        name: name.replace('_', " "),
        values: history.epochs.iter().map(|epoch| epoch.losses.get(place).map(|&(_, loss)| loss)).collect(),
    });
    let mut panels = vec![Panel { title: "training loss".to_owned(), lines: losses.collect(), rises: false }];
    for (key, _) in &first.valid {
        let title = format!("validation {}", key.split('@').next().unwrap_or(key));
        let values = history.epochs.iter().map(|epoch| epoch.valid(key)).collect();
        let line = Line { name: key.clone(), values };
        match panels.iter_mut().find(|panel| panel.title == title) {
            Some(panel) => panel.lines.push(line),
            None => {
                let rises = direction(key) == Some(Direction::HigherIsBetter);
                panels.push(Panel { title, lines: vec![line], rises });
            }
        }
    }
    panels.retain(|panel| panel.values().next().is_some());
    for panel in panels.iter_mut().skip(1).filter(|panel| panel.lines.len() == 1) {
        panel.title = format!("validation {}", panel.lines[0].name);
    }
    panels
}

impl Panel {
    fn values(&self) -> impl Iterator<Item = f64> {
        self.lines.iter().flat_map(|line| line.values.iter().flatten().copied())
    }
}

fn draw(history: &History, pixels: &mut [u8]) -> Result<(), Box<dyn std::error::Error>> {
    let root = BitMapBackend::with_buffer(pixels, SIZE).into_drawing_area();
    root.fill(&WHITE)?;
    let panels = panels(history);
    let epochs: Vec<f64> = history.epochs.iter().map(|epoch| epoch.epoch as f64).collect();
    let columns = (panels.len() as f64).sqrt().ceil().max(1.0) as usize;
    let rows = panels.len().div_ceil(columns).max(1);
    for (area, panel) in root.margin(8, 8, 4, 4).split_evenly((rows, columns)).iter().zip(&panels) {
        draw_panel(area, panel, &epochs)?;
    }
    root.present()?;
    Ok(())
}

type Area<'a> = DrawingArea<BitMapBackend<'a>, plotters::coord::Shift>;

fn draw_panel(area: &Area<'_>, panel: &Panel, epochs: &[f64]) -> Result<(), Box<dyn std::error::Error>> {
    let x = Axis::of_epochs(epochs);
    let y = Axis::of_values(panel.values());
    let mut chart = ChartBuilder::on(area)
        .caption(&panel.title, (FONT, TITLE_SIZE))
        .margin(8)
        .margin_right(20)
        .x_label_area_size(40)
        .y_label_area_size(y.longest_label() as u32 * LABEL_SIZE * 5 / 8 + 14)
        .build_cartesian_2d(x, y)?;
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(BLACK.mix(0.12))
        .axis_style(BLACK.mix(0.5))
        .x_desc("epoch")
        .label_style((FONT, LABEL_SIZE))
        .draw()?;
    for (line, &colour) in panel.lines.iter().zip(COLOURS.iter().cycle()) {
        let points: Vec<_> = epochs.iter().copied().zip(&line.values).collect();
        for run in points.split(|(_, value)| value.is_none()) {
            let points = run.iter().filter_map(|&(epoch, value)| Some((epoch, (*value)?)));
            // A lone point shows only as a mark.
            let marked = if epochs.len() > MOST_MARKED_EPOCHS && run.len() > 1 { 0 } else { 3 };
            chart.draw_series(LineSeries::new(points, colour.filled().stroke_width(2)).point_size(marked))?;
        }
        // An empty series, so that the legend has one entry for a line of several runs.
        chart
            .draw_series(LineSeries::new(std::iter::empty(), colour))?
            .label(&line.name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], colour.stroke_width(2)));
    }
    if panel.lines.len() > 1 {
        let corner =
            if panel.rises { SeriesLabelPosition::LowerRight } else { SeriesLabelPosition::UpperRight };
        chart
            .configure_series_labels()
            .position(corner)
            .border_style(BLACK.mix(0.2))
            .background_style(WHITE.mix(0.85))
            .label_font((FONT, LABEL_SIZE))
            .draw()?;
    }
    Ok(())
}
