//! Losses, metrics and the learning rate over epochs, as small multiples.

use std::ops::Range;
use std::path::Path;

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::PlotError;
use super::axis::Axis;
use super::canvas::{Area, COLOURS, Drawn, FONT, LABEL_SIZE, Picture, TITLE_SIZE};
use crate::history::{EpochRecord, History};

/// With more epochs than these, marks would run into one another.
const MOST_MARKED_EPOCHS: usize = 30;
/// Height of the line that names the stages.
const STAGES_HEIGHT: i32 = 26;

/// Draws losses, validation metrics and the learning rate over epochs, 1200 x 800, as SVG where `file` ends so and as PNG
/// otherwise. The cut-offs of one metric share a panel, a validation loss lies beside that of the training part, a line
/// has a gap where its metric is undefined, and dashed lines part the stages of a strategy.
///
/// # Errors
///
/// If drawing fails or the file cannot be written.
pub fn training_history(history: &History, file: &Path) -> Result<(), PlotError> {
    Epochs { numbers: history.epochs.iter().map(|epoch| epoch.epoch as f64).collect(), history }.save(file)
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
}

struct Epochs<'a> {
    history: &'a History,
    numbers: Vec<f64>,
}

impl Picture for Epochs<'_> {
    fn draw<D: DrawingBackend>(&self, root: &Area<D>) -> Drawn
    where
        D::ErrorType: 'static,
    {
        let panels = panels(&self.history.epochs);
        let columns = (panels.len() as f64).sqrt().ceil().max(1.0) as usize;
        let rows = panels.len().div_ceil(columns).max(1);
        let root = root.margin(8, 8, 4, 4);
        let stages = stages(&self.history.epochs);
        let root = if stages.is_empty() {
            root
        } else {
            let (panels, legend) = root.split_vertically(root.dim_in_pixel().1 as i32 - STAGES_HEIGHT);
            name_stages(&legend, &stages)?;
            panels
        };
        for (area, panel) in root.split_evenly((rows, columns)).iter().zip(&panels) {
            self.draw_panel(area, panel, &stages)?;
        }
        Ok(())
    }
}

impl Epochs<'_> {
    fn draw_panel<D: DrawingBackend>(&self, area: &Area<D>, panel: &Panel, stages: &[Stage]) -> Drawn
    where
        D::ErrorType: 'static,
    {
        let epochs = &self.numbers;
        let y = Axis::of_values(panel.values());
        let (low, high) = (y.range().start, y.range().end);
        let mut chart = ChartBuilder::on(area)
            .caption(&panel.title, (FONT, TITLE_SIZE))
            .margin(8)
            .margin_right(20)
            .x_label_area_size(40)
            .y_label_area_size(y.longest_label() as u32 * LABEL_SIZE * 5 / 8 + 14)
            .build_cartesian_2d(Axis::of_counts(epochs), y)?;
        chart
            .configure_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(BLACK.mix(0.12))
            .axis_style(BLACK.mix(0.5))
            .x_desc("epoch")
            .label_style((FONT, LABEL_SIZE))
            .draw()?;
        for (place, stage) in stages.iter().enumerate() {
            let from = stage.first - 0.5;
            if place > 0 {
                let ends = [(from, low), (from, high)];
                chart.draw_series(DashedLineSeries::new(ends, 5, 4, BLACK.mix(0.55).into()))?;
            }
            let style = (FONT, LABEL_SIZE).into_font().color(&BLACK.mix(0.6));
            let style = style.pos(Pos::new(HPos::Left, VPos::Top));
            let at = if place > 0 { from } else { stage.first };
            chart.draw_series([Text::new(format!(" {}", place + 1), (at, high), style)])?;
        }
        for (line, &colour) in panel.lines.iter().zip(COLOURS.iter().cycle()) {
            let points: Vec<_> = epochs.iter().copied().zip(&line.values).collect();
            for run in points.split(|(_, value)| value.is_none()) {
                let points = run.iter().filter_map(|&(epoch, value)| Some((epoch, (*value)?)));
                // A lone point shows only as a mark.
                let marked = if epochs.len() > MOST_MARKED_EPOCHS && run.len() > 1 { 0 } else { 3 };
                chart.draw_series(
                    LineSeries::new(points, colour.filled().stroke_width(2)).point_size(marked),
                )?;
            }
            // An empty series, so that the legend has one entry for a line of several runs.
            chart
                .draw_series(LineSeries::new(std::iter::empty(), colour))?
                .label(&line.name)
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], colour.stroke_width(2)));
        }
        if panel.lines.len() > 1 {
            chart
                .configure_series_labels()
                .position(panel.emptiest_corner(epochs, low..high))
                .border_style(BLACK.mix(0.2))
                .background_style(WHITE.mix(0.85))
                .label_font((FONT, LABEL_SIZE))
                .draw()?;
        }
        Ok(())
    }
}

/// A stage and the epoch in which it began.
struct Stage {
    name: String,
    first: f64,
}

/// The stages in order; none where they have no names or there is only one.
fn stages(epochs: &[EpochRecord]) -> Vec<Stage> {
    let mut stages: Vec<Stage> = vec![];
    for epoch in epochs {
        let Some(name) = &epoch.stage else { continue };
        if stages.last().is_none_or(|stage| stage.name != *name) {
            stages.push(Stage { name: name.clone(), first: epoch.epoch as f64 });
        }
    }
    if stages.len() < 2 { vec![] } else { stages }
}

fn name_stages<D: DrawingBackend>(area: &Area<D>, stages: &[Stage]) -> Drawn
where
    D::ErrorType: 'static,
{
    let names = stages.iter().enumerate().map(|(place, stage)| format!("{} {}", place + 1, stage.name));
    let text = format!("stages:  {}", names.collect::<Vec<_>>().join("    "));
    area.draw(&Text::new(text, (12, 4), (FONT, LABEL_SIZE).into_font()))?;
    Ok(())
}

fn panels(epochs: &[EpochRecord]) -> Vec<Panel> {
    let Some(first) = epochs.first() else { return vec![] };
    let losses = first.losses.iter().enumerate().map(|(place, (name, _))| Line {
        name: name.replace('_', " "),
        values: epochs.iter().map(|epoch| epoch.losses.get(place).map(|&(_, loss)| loss)).collect(),
    });
    let mut panels = vec![Panel { title: "training loss".to_owned(), lines: losses.collect() }];
    for (key, _) in &first.valid {
        let values = epochs.iter().map(|epoch| epoch.valid(key)).collect();
        if key == "loss" {
            panels[0].title = "training and validation loss".to_owned();
            panels[0].lines.push(Line { name: "validation loss".to_owned(), values });
            continue;
        }
        let title = format!("validation {}", key.split('@').next().unwrap_or(key));
        let line = Line { name: key.clone(), values };
        match panels.iter_mut().find(|panel| panel.title == title) {
            Some(panel) => panel.lines.push(line),
            None => panels.push(Panel { title, lines: vec![line] }),
        }
    }
    for panel in panels.iter_mut().skip(1).filter(|panel| panel.lines.len() == 1) {
        panel.title = format!("validation {}", panel.lines[0].name);
    }
    let rates = epochs.iter().map(|epoch| Some(epoch.learning_rate)).collect();
    let rates = Line { name: "learning rate".to_owned(), values: rates };
    panels.push(Panel { title: "learning rate".to_owned(), lines: vec![rates] });
    panels.retain(|panel| panel.values().next().is_some());
    panels
}

impl Panel {
    fn values(&self) -> impl Iterator<Item = f64> {
        self.lines.iter().flat_map(|line| line.values.iter().flatten().copied())
    }

    /// Where a legend hides the fewest points.
    fn emptiest_corner(&self, epochs: &[f64], y: Range<f64>) -> SeriesLabelPosition {
        let (first, last) = (epochs.first().copied().unwrap_or(0.0), epochs.last().copied().unwrap_or(1.0));
        let height = (LEGEND_LINE * (self.lines.len() as f64 + 0.8)).min(0.9);
        let hidden = |(_, left, bottom): &(SeriesLabelPosition, f64, f64)| {
            let (left, bottom) = (left * (1.0 - LEGEND_WIDTH), bottom * (1.0 - height));
            let points = self.lines.iter().flat_map(|line| epochs.iter().zip(&line.values));
            let points = points.filter_map(|(epoch, value)| Some((epoch, (*value)?)));
            let inside = points.filter(|(epoch, value)| {
                let at_x = (*epoch - first) / (last - first).max(1.0);
                let at_y = (value - y.start) / (y.end - y.start);
                (left..=left + LEGEND_WIDTH).contains(&at_x) && (bottom..=bottom + height).contains(&at_y)
            });
            inside.count()
        };
        let corner = CORNERS.into_iter().min_by_key(hidden);
        corner.map_or(SeriesLabelPosition::UpperRight, |(corner, ..)| corner)
    }
}

/// Corners with their place from left to right and from bottom to top; of equals the first is taken.
const CORNERS: [(SeriesLabelPosition, f64, f64); 6] = [
    (SeriesLabelPosition::UpperRight, 1.0, 1.0),
    (SeriesLabelPosition::LowerRight, 1.0, 0.0),
    (SeriesLabelPosition::MiddleRight, 1.0, 0.5),
    (SeriesLabelPosition::UpperLeft, 0.0, 1.0),
    (SeriesLabelPosition::LowerLeft, 0.0, 0.0),
    (SeriesLabelPosition::MiddleLeft, 0.0, 0.5),
];
/// Shares of the smallest panel that a legend is wide and each of its lines high.
const LEGEND_WIDTH: f64 = 0.45;
const LEGEND_LINE: f64 = 0.11;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_legend_stands_where_no_line_runs() {
        let epochs: Vec<f64> = (1..=20).map(f64::from).collect();
        let line = |of: &dyn Fn(f64) -> f64| Line {
            name: String::new(),
            values: epochs.iter().map(|&epoch| Some(of(epoch))).collect(),
        };
        let corner = |lines: Vec<Line>| {
            format!("{:?}", Panel { title: String::new(), lines }.emptiest_corner(&epochs, 0.0..1.0))
        };
        let falling = line(&|epoch| 1.0 / epoch);
        let rising = line(&|epoch| 1.0 - 1.0 / epoch);
        assert_eq!(corner(vec![falling]), "UpperRight");
        assert_eq!(corner(vec![rising]), "LowerRight");
        assert_eq!(corner(vec![line(&|_| 0.9), line(&|_| 0.05)]), "MiddleRight");
    }
}
