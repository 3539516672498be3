//! Which of two modules learnt when, and how their losses went.

use std::path::Path;

use plotters::prelude::*;

use super::PlotError;
use super::axis::Axis;
use super::canvas::{Area, COLOURS, Drawn, FONT, LABEL_SIZE, Picture, TITLE_SIZE};
use crate::strategy::{AlternatingConfig, AlternationRow, AlternationSeries};

/// Share of the colour of the module that learns in the ground behind the lines.
const GROUND: f64 = 0.15;

/// Draws the smoothed losses of two modules over steps, 1200 x 800, as SVG where `file` ends so and as PNG otherwise; the
/// ground has the colour of the module that learnt.
///
/// # Errors
///
/// If drawing fails or the file cannot be written.
pub fn alternation(
    series: &AlternationSeries,
    config: &AlternatingConfig,
    file: &Path,
) -> Result<(), PlotError> {
    Turns { rows: &series.rows, config }.save(file)
}

struct Turns<'a> {
    rows: &'a [AlternationRow],
    config: &'a AlternatingConfig,
}

impl Picture for Turns<'_> {
    fn draw<D: DrawingBackend>(&self, root: &Area<D>) -> Drawn
    where
        D::ErrorType: 'static,
    {
        let Some(last) = self.rows.last() else { return Ok(()) };
        let areas = root.margin(8, 8, 4, 4).split_evenly((2, 1));
        let title = match last.switches {
            1 => "1 switch".to_owned(),
            n => format!("{n} switches"),
        };
        for (module, area) in areas.iter().enumerate() {
            let Some(names) = self.config.modules.get(module) else { continue };
            let title = match module {
                0 => format!("loss {}, smoothed; {title} in the last stage that alternates", names.loss),
                _ => format!("loss {}, smoothed", names.loss),
            };
            self.draw_module(area, module, &title)?;
        }
        Ok(())
    }
}

impl Turns<'_> {
    fn draw_module<D: DrawingBackend>(&self, area: &Area<D>, module: usize, title: &str) -> Drawn
    where
        D::ErrorType: 'static,
    {
        let steps: Vec<f64> = self.rows.iter().map(|row| row.step as f64).collect();
        let y = Axis::of_values(self.rows.iter().map(|row| row.smoothed[module]));
        let (low, high) = (y.range().start, y.range().end);
        let mut chart = ChartBuilder::on(area)
            .caption(title, (FONT, TITLE_SIZE))
            .margin(8)
            .margin_right(20)
            .x_label_area_size(40)
            .y_label_area_size(y.longest_label() as u32 * LABEL_SIZE * 5 / 8 + 14)
            .build_cartesian_2d(Axis::of_counts(&steps), y)?;
        for (learns, names) in self.config.modules.iter().enumerate() {
            let colour = COLOURS[learns % COLOURS.len()];
            let turns = turns(self.rows).into_iter().filter(|turn| turn.module == learns);
            let ground = turns
                .map(|turn| Rectangle::new([(turn.from, low), (turn.to, high)], colour.mix(GROUND).filled()));
            chart.draw_series(ground)?.label(format!("{} learns", names.group)).legend(move |(x, y)| {
                Rectangle::new([(x, y - 6), (x + 18, y + 6)], colour.mix(GROUND * 3.0).filled())
            });
        }
        chart
            .configure_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(BLACK.mix(0.12))
            .axis_style(BLACK.mix(0.5))
            .x_desc("step")
            .label_style((FONT, LABEL_SIZE))
            .draw()?;
        let colour = COLOURS[module % COLOURS.len()];
        let points = self.rows.iter().map(|row| (row.step as f64, row.smoothed[module]));
        chart.draw_series(LineSeries::new(points, colour.stroke_width(2)))?;
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::UpperRight)
            .border_style(BLACK.mix(0.2))
            .background_style(WHITE.mix(0.85))
            .label_font((FONT, LABEL_SIZE))
            .draw()?;
        Ok(())
    }
}

/// Steps in a row in which one module learnt.
#[derive(Debug, PartialEq)]
struct Turn {
    module: usize,
    from: f64,
    to: f64,
}

/// The turns that rows show; each lasts until the next begins.
fn turns(rows: &[AlternationRow]) -> Vec<Turn> {
    let mut turns: Vec<Turn> = vec![];
    for row in rows {
        let step = row.step as f64;
        match turns.last_mut() {
            Some(turn) if turn.module == row.module => turn.to = step,
            last => {
                if let Some(turn) = last {
                    turn.to = step;
                }
                turns.push(Turn { module: row.module, from: step, to: step });
            }
        }
    }
    turns
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_lasts_until_the_next_begins() {
        let row = |step, module| AlternationRow { stage: 0, step, module, smoothed: [1.0; 2], switches: 0 };
        let turns = turns(&[row(1, 0), row(2, 0), row(5, 1), row(9, 0)]);
        let turn = |module, from, to| Turn { module, from, to };
        assert_eq!(turns, [turn(0, 1.0, 5.0), turn(1, 5.0, 9.0), turn(0, 9.0, 9.0)]);
    }
}
