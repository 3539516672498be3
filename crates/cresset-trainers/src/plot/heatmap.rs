//! A table of numbers as colours.

use std::path::Path;

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use super::PlotError;
use super::axis::Axis;
use super::canvas::{Area, Drawn, LABEL_SIZE, Picture, SIZE, TITLE_SIZE};
use super::text;

/// Size of the values in the cells.
const VALUE_SIZE: u32 = 12;
/// Most room for labels of rows and of columns that stand upright, and below the title.
const ROW_LABELS: f64 = 300.0;
const COLUMN_LABELS: f64 = 190.0;
const TOP: f64 = 54.0;
/// Room around, between the grid and the scale, and for the scale with its numbers.
const MARGIN: f64 = 20.0;
const SCALE_GAP: f64 = 24.0;
const SCALE: f64 = 90.0;
const SCALE_WIDTH: i32 = 20;
/// Largest cell, and the smallest that shows its value.
const CELL: (f64, f64) = (140.0, 72.0);
const VALUE_ROOM: f64 = 6.0;
/// The colours of the largest values and of the smallest below 0: both from Okabe and Ito's palette,
/// darkened.
const POSITIVE: RGBColor = RGBColor(0, 78, 128);
const NEGATIVE: RGBColor = RGBColor(170, 70, 0);
const UNDEFINED: RGBColor = RGBColor(225, 225, 225);

/// Values under labels.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Heatmap {
    /// What stands above.
    pub title: String,
    /// Labels of the rows.
    pub rows: Vec<String>,
    /// Labels of the columns.
    pub columns: Vec<String>,
    /// A row of values for each label; what is not finite is a grey cell without a number.
    pub values: Vec<Vec<f64>>,
}

/// Draws the values as shades, 1200 wide and at most 800 high, as SVG where `file` ends so and as PNG otherwise.
///
/// The scale begins at 0, and where values lie below it, has a second colour for them. Cells that have room
/// show their values; labels of narrow columns stand upright, and what is too long is cut.
///
/// # Errors
///
/// If drawing fails or the file cannot be written.
///
/// # Panics
///
/// If there is not a row of values for each label, or a row has not a value for each column.
pub fn heatmap(map: &Heatmap, file: &Path) -> Result<(), PlotError> {
    assert_eq!(map.values.len(), map.rows.len(), "a row of values for each label");
    assert!(map.values.iter().all(|row| row.len() == map.columns.len()), "a value for each column");
    Cells { map, scale: Shades::of(map) }.save(file)
}

/// Which colour a value has.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Shades {
    low: f64,
    high: f64,
}

impl Shades {
    fn of(map: &Heatmap) -> Self {
        let values = map.values.iter().flatten().copied().filter(|value| value.is_finite());
        let (low, high) = values.fold((0.0, 0.0), |(low, high): (f64, f64), v| (low.min(v), high.max(v)));
        if low == high { Self { low: 0.0, high: 1.0 } } else { Self { low, high } }
    }

    /// Between white and the colour of its sign; both signs share one scale.
    fn share(self, value: f64) -> f64 {
        (value.abs() / self.high.max(-self.low)).min(1.0)
    }

    fn colour(self, value: f64) -> RGBColor {
        if !value.is_finite() {
            return UNDEFINED;
        }
        let end = if value < 0.0 { NEGATIVE } else { POSITIVE };
        let mix = |of: u8| (255.0 + (f64::from(of) - 255.0) * self.share(value)).round() as u8;
        RGBColor(mix(end.0), mix(end.1), mix(end.2))
    }

    /// As many decimals as show the largest value with two digits.
    fn decimals(self) -> usize {
        let largest = self.high.max(-self.low);
        (1.0 - largest.log10().floor()).clamp(0.0, 6.0) as usize
    }
}

struct Cells<'a> {
    map: &'a Heatmap,
    scale: Shades,
}

/// Where the cells lie.
struct Grid {
    left: f64,
    top: f64,
    cell: (f64, f64),
    columns_stand: bool,
}

impl Picture for Cells<'_> {
    /// No higher than the rows ask for.
    fn height(&self) -> u32 {
        let rows = self.map.rows.len() as f64 * CELL.1;
        (TOP + COLUMN_LABELS + 10.0 + rows + MARGIN).min(f64::from(SIZE.1)) as u32
    }

    fn draw<D: DrawingBackend>(&self, root: &Area<D>) -> Drawn
    where
        D::ErrorType: 'static,
    {
        let style = text::style(TITLE_SIZE, 1.0, HPos::Center, VPos::Top);
        let title = text::cut(root, &self.map.title, &style, f64::from(SIZE.0) - 2.0 * MARGIN)?;
        root.draw(&Text::new(title, (SIZE.0 as i32 / 2, 14), style))?;
        if self.map.rows.is_empty() || self.map.columns.is_empty() {
            return Ok(());
        }
        let grid = self.grid(root)?;
        self.draw_row_labels(root, &grid)?;
        self.draw_column_labels(root, &grid)?;
        self.draw_cells(root, &grid)?;
        self.draw_scale(root, &grid)
    }
}

impl Cells<'_> {
    fn grid<D: DrawingBackend>(&self, root: &Area<D>) -> Result<Grid, Box<dyn std::error::Error>>
    where
        D::ErrorType: 'static,
    {
        let style = text::style(LABEL_SIZE, 1.0, HPos::Left, VPos::Center);
        let longest = |labels: &[String]| {
            let widths = labels.iter().map(|label| text::width(root, label, &style));
            widths.collect::<Result<Vec<f64>, _>>().map(|all| all.into_iter().fold(0.0, f64::max))
        };
        let left = MARGIN + longest(&self.map.rows)?.min(ROW_LABELS) + 10.0;
        let room = f64::from(SIZE.0) - left - SCALE_GAP - SCALE;
        let width = (room / self.map.columns.len() as f64).min(CELL.0);
        let column_label = longest(&self.map.columns)?;
        let columns_stand = column_label > width - 6.0;
        let labels = if columns_stand { column_label.min(COLUMN_LABELS) } else { f64::from(LABEL_SIZE) };
        let top = TOP + labels + 10.0;
        let room = f64::from(self.height()) - top - MARGIN;
        let height = (room / self.map.rows.len() as f64).min(CELL.1);
        Ok(Grid { left, top, cell: (width, height), columns_stand })
    }

    fn draw_row_labels<D: DrawingBackend>(&self, root: &Area<D>, grid: &Grid) -> Drawn
    where
        D::ErrorType: 'static,
    {
        let style = text::style(label_size(grid.cell.1), 1.0, HPos::Right, VPos::Center);
        for (row, label) in self.map.rows.iter().enumerate() {
            let label = text::cut(root, label, &style, ROW_LABELS)?;
            let at = ((grid.left - 10.0) as i32, (grid.y(row) + grid.cell.1 / 2.0) as i32);
            root.draw(&Text::new(label, at, style.clone()))?;
        }
        Ok(())
    }

    fn draw_column_labels<D: DrawingBackend>(&self, root: &Area<D>, grid: &Grid) -> Drawn
    where
        D::ErrorType: 'static,
    {
        let stands = grid.columns_stand;
        let size = if stands { label_size(grid.cell.0) } else { LABEL_SIZE };
        let (h_pos, v_pos) = if stands { (HPos::Left, VPos::Center) } else { (HPos::Center, VPos::Bottom) };
        let plain = text::style(size, 1.0, h_pos, v_pos);
        let turned = if stands { plain.transform(FontTransform::Rotate270) } else { plain.clone() };
        for (column, label) in self.map.columns.iter().enumerate() {
            let label = text::cut(root, label, &plain, if stands { COLUMN_LABELS } else { grid.cell.0 })?;
            let at = ((grid.x(column) + grid.cell.0 / 2.0) as i32, (grid.top - 8.0) as i32);
            root.draw(&Text::new(label, at, turned.clone()))?;
        }
        Ok(())
    }

    fn draw_cells<D: DrawingBackend>(&self, root: &Area<D>, grid: &Grid) -> Drawn
    where
        D::ErrorType: 'static,
    {
        let decimals = self.scale.decimals();
        let style = text::style(VALUE_SIZE, 1.0, HPos::Center, VPos::Center);
        let cells = self.map.values.iter().enumerate();
        let cells =
            cells.flat_map(|(row, values)| values.iter().enumerate().map(move |(at, v)| (row, at, *v)));
        for (row, column, value) in cells {
            let (x, y) = (grid.x(column), grid.y(row));
            let corners = [(x as i32, y as i32), (grid.x(column + 1) as i32, grid.y(row + 1) as i32)];
            root.draw(&Rectangle::new(corners, self.scale.colour(value).filled()))?;
            root.draw(&Rectangle::new(corners, WHITE))?;
            let number = format!("{value:.decimals$}");
            let fits = text::width(root, &number, &style)? + VALUE_ROOM <= grid.cell.0
                && f64::from(VALUE_SIZE) + 2.0 <= grid.cell.1;
            if value.is_finite() && fits {
                let shade = if self.scale.share(value) > 0.55 { &WHITE } else { &BLACK };
                let at = ((x + grid.cell.0 / 2.0) as i32, (y + grid.cell.1 / 2.0) as i32);
                root.draw(&Text::new(number, at, style.color(shade)))?;
            }
        }
        Ok(())
    }

    /// A bar from the highest value to the lowest, beside the grid.
    fn draw_scale<D: DrawingBackend>(&self, root: &Area<D>, grid: &Grid) -> Drawn
    where
        D::ErrorType: 'static,
    {
        let left = (grid.x(self.map.columns.len()) + SCALE_GAP) as i32;
        let (top, bottom) =
            (grid.top as i32, (grid.y(self.map.rows.len()) as i32).max(grid.top as i32 + 200));
        let Shades { low, high } = self.scale;
        for y in top..bottom {
            let value = high - (high - low) * f64::from(y - top) / f64::from(bottom - top);
            let line = [(left, y), (left + SCALE_WIDTH, y)];
            root.draw(&PathElement::new(line, self.scale.colour(value)))?;
        }
        root.draw(&Rectangle::new([(left, top), (left + SCALE_WIDTH, bottom)], BLACK.mix(0.5)))?;
        let style = text::style(VALUE_SIZE, 1.0, HPos::Left, VPos::Center);
        for (value, label) in Axis::of_values([low, high].into_iter()).labels_within(low, high) {
            let y = top + (f64::from(bottom - top) * (high - value) / (high - low)).round() as i32;
            root.draw(&Text::new(label, (left + SCALE_WIDTH + 6, y), style.clone()))?;
        }
        Ok(())
    }
}

impl Grid {
    fn x(&self, column: usize) -> f64 {
        self.left + column as f64 * self.cell.0
    }

    fn y(&self, row: usize) -> f64 {
        self.top + row as f64 * self.cell.1
    }
}

/// The largest even size of a label that fits its row or column.
fn label_size(room: f64) -> u32 {
    LABEL_SIZE.min(room as u32 / 2 * 2).max(6)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(values: &[f64]) -> Heatmap {
        Heatmap {
            title: String::new(),
            rows: vec!["row".to_owned()],
            columns: values.iter().map(f64::to_string).collect(),
            values: vec![values.to_vec()],
        }
    }

    #[test]
    fn zero_is_white_and_the_largest_value_of_either_sign_is_darkest() {
        let shades = Shades::of(&map(&[0.0, 0.2, 0.4]));
        assert_eq!((shades.low, shades.high, shades.decimals()), (0.0, 0.4, 2));
        assert_eq!((shades.colour(0.0), shades.colour(0.4)), (WHITE, POSITIVE));
        assert_eq!(shades.colour(f64::NAN), UNDEFINED);
        let both = Shades::of(&map(&[-0.5, 0.25]));
        assert_eq!((both.colour(-0.5), both.share(0.25)), (NEGATIVE, 0.5));
        assert_eq!(Shades::of(&map(&[0.0, f64::NAN])), Shades { low: 0.0, high: 1.0 });
    }

    #[test]
    fn the_largest_value_has_two_digits() {
        let decimals = |value: f64| Shades::of(&map(&[value])).decimals();
        assert_eq!([decimals(0.37), decimals(0.037), decimals(3.7), decimals(370.0)], [2, 3, 1, 0]);
    }
}
