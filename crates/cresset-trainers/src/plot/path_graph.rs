//! Paths through a graph, from left to right.

use std::path::Path;

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use super::PlotError;
use super::canvas::{Area, COLOURS, Drawn, LABEL_SIZE, Picture, SIZE, TITLE_SIZE};
use super::layers::{Layers, Rect, Ribbon};
use super::text;

/// Size of what is said beside labels.
const DETAIL_SIZE: u32 = 12;
/// Where headings stand, where the boxes begin and end, and where the legend stands.
const HEADINGS: i32 = 52;
const FRAME: Rect = Rect { left: 4.0, top: 76.0, right: SIZE.0 as f64 - 4.0, bottom: SIZE.1 as f64 - 52.0 };
const LEGEND: i32 = SIZE.1 as i32 - 22;
/// For the labels after those that have one of `COLOURS`.
const MORE_COLOURS: [RGBColor; 4] =
    [RGBColor(120, 120, 120), RGBColor(120, 80, 20), RGBColor(110, 70, 160), RGBColor(190, 180, 30)];
/// Share of its colour in a link.
const LINK: f64 = 0.55;
/// The least height of a box for its second line, and room beside the text of a box.
const TWO_LINES: f64 = 36.0;
const PADDING: f64 = 8.0;

/// Nodes in columns, and weighted links from left to right between them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PathGraph {
    /// What stands above.
    pub title: String,
    /// The columns from left to right; up to eight nodes in each are easily read.
    pub columns: Vec<PathColumn>,
    /// The links.
    pub links: Vec<PathLink>,
}

/// A column of a [`PathGraph`].
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PathColumn {
    /// What its nodes have in common.
    pub heading: String,
    /// The nodes.
    pub nodes: Vec<PathNode>,
}

/// A node of a [`PathGraph`]; what is too long for its box is cut.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PathNode {
    /// Its name.
    pub label: String,
    /// A second line; empty for none.
    pub detail: String,
}

/// A link of a [`PathGraph`].
#[derive(Debug, Clone, PartialEq)]
pub struct PathLink {
    /// Column and place of the node that it comes from.
    pub from: (usize, usize),
    /// Column and place of the node that it leads to, in a later column.
    pub to: (usize, usize),
    /// What links them; links of one label have one colour.
    pub label: String,
    /// How wide it is beside the others; less than 0 is 0.
    pub weight: f64,
}

/// Draws the graph, 1200 x 800, as SVG where `file` ends so and as PNG otherwise.
///
/// A node stands as high as those that lead to it, a link's width is its weight's share of the heaviest, and
/// a label is left out where it would cover another; the colours are explained below.
///
/// # Errors
///
/// If drawing fails or the file cannot be written.
///
/// # Panics
///
/// If a link names a node that is not there, or does not lead to a later column.
pub fn path_graph(graph: &PathGraph, file: &Path) -> Result<(), PlotError> {
    for link in &graph.links {
        let is_there = |(column, place): (usize, usize)| {
            graph.columns.get(column).is_some_and(|column| place < column.nodes.len())
        };
        assert!(is_there(link.from) && is_there(link.to), "a link joins nodes of the graph");
        assert!(link.from.0 < link.to.0, "a link leads to a later column");
    }
    Paths { graph, layers: Layers::of(graph, FRAME), labels: labels(graph) }.save(file)
}

/// The distinct labels of links, by first sight.
fn labels(graph: &PathGraph) -> Vec<&str> {
    let mut labels: Vec<&str> = vec![];
    for link in &graph.links {
        if !labels.contains(&link.label.as_str()) {
            labels.push(&link.label);
        }
    }
    labels
}

struct Paths<'a> {
    graph: &'a PathGraph,
    layers: Layers,
    labels: Vec<&'a str>,
}

impl Picture for Paths<'_> {
    fn draw<D: DrawingBackend>(&self, root: &Area<D>) -> Drawn
    where
        D::ErrorType: 'static,
    {
        self.draw_title(root)?;
        for (link, ribbon) in self.graph.links.iter().zip(&self.layers.ribbons) {
            draw_ribbon(root, ribbon, self.colour(&link.label))?;
        }
        for (column, boxes) in self.graph.columns.iter().zip(&self.layers.boxes) {
            for (node, rect) in column.nodes.iter().zip(boxes) {
                draw_node(root, node, rect)?;
            }
        }
        self.draw_labels(root)?;
        self.draw_legend(root)
    }
}

impl Paths<'_> {
    fn colour(&self, label: &str) -> RGBColor {
        let place = self.labels.iter().position(|known| *known == label).unwrap_or(0);
        let colours = COLOURS.iter().chain(&MORE_COLOURS);
        colours.copied().cycle().nth(place).unwrap_or(BLACK)
    }

    fn draw_title<D: DrawingBackend>(&self, root: &Area<D>) -> Drawn
    where
        D::ErrorType: 'static,
    {
        let style = text::style(TITLE_SIZE, 1.0, HPos::Center, VPos::Top);
        let title = text::cut(root, &self.graph.title, &style, FRAME.width() - 20.0)?;
        root.draw(&Text::new(title, (SIZE.0 as i32 / 2, 14), style))?;
        let style = text::style(LABEL_SIZE, 0.6, HPos::Center, VPos::Top);
        let pitch = FRAME.width() / self.graph.columns.len().max(1) as f64;
        for (place, column) in self.graph.columns.iter().enumerate() {
            let heading = text::cut(root, &column.heading, &style, pitch - PADDING)?;
            let x = FRAME.left + (place as f64 + 0.5) * pitch;
            root.draw(&Text::new(heading, (x as i32, HEADINGS), style.clone()))?;
        }
        Ok(())
    }

    /// Names the links where there is room, the heaviest first.
    fn draw_labels<D: DrawingBackend>(&self, root: &Area<D>) -> Drawn
    where
        D::ErrorType: 'static,
    {
        let style = text::style(DETAIL_SIZE, 0.85, HPos::Center, VPos::Center);
        let mut taken: Vec<Rect> = self.layers.boxes.concat();
        let mut by_weight: Vec<usize> = (0..self.graph.links.len()).collect();
        by_weight.sort_by(|&a, &b| self.layers.ribbons[b].width.total_cmp(&self.layers.ribbons[a].width));
        for link in by_weight {
            let label = &self.graph.links[link].label;
            let width = text::width(root, label, &style)?;
            let height = f64::from(DETAIL_SIZE) + 4.0;
            let around = |&(x, y): &(f64, f64)| Rect {
                left: x - width / 2.0 - 3.0,
                top: y - height / 2.0,
                right: x + width / 2.0 + 3.0,
                bottom: y + height / 2.0,
            };
            let free = |rect: &Rect| taken.iter().all(|other| !rect.overlaps(other));
            let Some(rect) = label_points(&self.layers.ribbons[link].line).map(around).find(free) else {
                continue;
            };
            let (x, y) = rect.centre();
            root.draw(&Rectangle::new(corners(&rect), WHITE.mix(0.8).filled()))?;
            root.draw(&Text::new(label.as_str(), (x as i32, y as i32), style.clone()))?;
            taken.push(rect);
        }
        Ok(())
    }

    /// Which colour means what, as far as it fits on one line.
    fn draw_legend<D: DrawingBackend>(&self, root: &Area<D>) -> Drawn
    where
        D::ErrorType: 'static,
    {
        let style = text::style(DETAIL_SIZE, 0.85, HPos::Left, VPos::Center);
        let mut x = FRAME.left + 10.0;
        for label in self.labels.iter().filter(|label| !label.is_empty()) {
            let width = text::width(root, label, &style)?;
            if x + width + 24.0 > FRAME.right {
                break;
            }
            let at = x as i32;
            let swatch = [(at, LEGEND - 5), (at + 18, LEGEND + 5)];
            root.draw(&Rectangle::new(swatch, self.colour(label).mix(LINK).filled()))?;
            root.draw(&Text::new(*label, (at + 24, LEGEND), style.clone()))?;
            x += width + 48.0;
        }
        Ok(())
    }
}

/// Points at which a label may stand: the middle of the line first, then ever farther from it.
fn label_points(line: &[(f64, f64)]) -> impl Iterator<Item = &(f64, f64)> {
    let middle = line.len() / 2;
    let before = (0..middle).rev();
    let after = middle..line.len();
    after.zip(before).flat_map(move |(after, before)| [&line[after], &line[before]])
}

fn draw_ribbon<D: DrawingBackend>(root: &Area<D>, ribbon: &Ribbon, colour: RGBColor) -> Drawn
where
    D::ErrorType: 'static,
{
    let half = ribbon.width / 2.0;
    let side = |shift: f64| {
        let points = ribbon.line.iter();
        points.map(move |&(x, y)| (x.round() as i32, (y + shift).round() as i32)).collect::<Vec<_>>()
    };
    if ribbon.width < 3.0 {
        root.draw(&PathElement::new(side(0.0), colour.mix(LINK).stroke_width(ribbon.width.round() as u32)))?;
        return Ok(());
    }
    let mut outline = side(-half);
    outline.extend(side(half).into_iter().rev());
    root.draw(&Polygon::new(outline, colour.mix(LINK)))?;
    Ok(())
}

fn draw_node<D: DrawingBackend>(root: &Area<D>, node: &PathNode, rect: &Rect) -> Drawn
where
    D::ErrorType: 'static,
{
    root.draw(&Rectangle::new(corners(rect), RGBColor(246, 247, 249).filled()))?;
    root.draw(&Rectangle::new(corners(rect), BLACK.mix(0.45)))?;
    let (x, y) = rect.centre();
    let has_detail = !node.detail.is_empty() && rect.height() >= TWO_LINES;
    // Even sizes: see `canvas`.
    let size = LABEL_SIZE.min((rect.height() as u32).saturating_sub(2) / 2 * 2).max(6);
    let lines = [(&node.label, size, 1.0), (&node.detail, DETAIL_SIZE, 0.6)];
    let heights = if has_detail { &[-9.0, 10.0][..] } else { &[0.0] };
    for ((line, size, shade), height) in lines.into_iter().zip(heights) {
        let style = text::style(size, shade, HPos::Center, VPos::Center);
        let line = text::cut(root, line, &style, rect.width() - PADDING)?;
        root.draw(&Text::new(line, (x as i32, (y + height) as i32), style))?;
    }
    Ok(())
}

fn corners(rect: &Rect) -> [(i32, i32); 2] {
    [
        (rect.left.round() as i32, rect.top.round() as i32),
        (rect.right.round() as i32, rect.bottom.round() as i32),
    ]
}
