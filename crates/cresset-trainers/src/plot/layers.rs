//! Where the nodes and links of a layered graph stand, in pixels.

use super::path_graph::{PathColumn, PathGraph};

/// Most of a column's pitch that a box is wide, and its height at most.
const BOX_SHARE: f64 = 0.7;
const BOX_WIDTH: f64 = 225.0;
const BOX_HEIGHT: f64 = 46.0;
/// Room between two boxes of a column, and their distance at most.
const GAP: f64 = 10.0;
const PITCH: f64 = 96.0;
/// Widths of links.
const THINNEST: f64 = 1.5;
const THICKEST: f64 = 16.0;
/// Points of a curve from one column to the next.
const POINTS: usize = 24;

/// A rectangle.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Rect {
    pub(super) left: f64,
    pub(super) top: f64,
    pub(super) right: f64,
    pub(super) bottom: f64,
}

impl Rect {
    pub(super) fn width(&self) -> f64 {
        self.right - self.left
    }

    pub(super) fn height(&self) -> f64 {
        self.bottom - self.top
    }

    /// Where its middle is.
    pub(super) fn centre(&self) -> (f64, f64) {
        (f64::midpoint(self.left, self.right), f64::midpoint(self.top, self.bottom))
    }

    /// Whether the two share ground.
    pub(super) fn overlaps(&self, other: &Self) -> bool {
        let apart = self.right <= other.left || other.right <= self.left;
        !(apart || self.bottom <= other.top || other.bottom <= self.top)
    }
}

/// A link: the line along its middle, and its width.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Ribbon {
    pub(super) line: Vec<(f64, f64)>,
    pub(super) width: f64,
}

/// Boxes of the nodes, by column, and ribbons of the links.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Layers {
    pub(super) boxes: Vec<Vec<Rect>>,
    pub(super) ribbons: Vec<Ribbon>,
}

impl Layers {
    /// Columns from left to right; in each, what comes from above stands above. A link that skips columns has
    /// a place of its own in each of them, so that it runs behind no box.
    pub(super) fn of(graph: &PathGraph, frame: Rect) -> Self {
        let slots = Slots::of(graph);
        let boxes = slots.boxes(frame);
        let widths = widths(graph, &slots, &boxes);
        let ribbons = slots.ribbons(&boxes, &widths);
        let mut boxes = boxes.into_iter();
        let of_column = |column: &PathColumn| boxes.by_ref().take(column.nodes.len()).collect();
        Self { boxes: graph.columns.iter().map(of_column).collect(), ribbons }
    }
}

/// The places of all columns: first those of the nodes, column after column, then those of passing links.
struct Slots {
    column_of: Vec<usize>,
    /// Places of each column from top to bottom.
    order: Vec<Vec<usize>>,
    /// The places that each link goes through.
    chains: Vec<Vec<usize>>,
}

impl Slots {
    fn of(graph: &PathGraph) -> Self {
        let mut column_of = vec![];
        let mut first = vec![];
        for (place, column) in graph.columns.iter().enumerate() {
            first.push(column_of.len());
            column_of.extend(std::iter::repeat_n(place, column.nodes.len()));
        }
        let mut chains = vec![];
        for link in &graph.links {
            let mut chain = vec![first[link.from.0] + link.from.1];
            for column in link.from.0 + 1..link.to.0 {
                chain.push(column_of.len());
                column_of.push(column);
            }
            chain.push(first[link.to.0] + link.to.1);
            chains.push(chain);
        }
        let mut slots = Self { column_of, order: vec![vec![]; graph.columns.len()], chains };
        slots.sort();
        slots
    }

    /// Puts each place at the mean height of those that lead to it, from left to right; equals keep their
    /// order.
    fn sort(&mut self) {
        let n = self.column_of.len();
        let mut before = vec![vec![]; n];
        for step in self.chains.iter().flat_map(|chain| chain.windows(2)) {
            before[step[1]].push(step[0]);
        }
        let mut height = vec![0.0; n];
        for column in 0..self.order.len() {
            let mut places: Vec<usize> = (0..n).filter(|&slot| self.column_of[slot] == column).collect();
            let last = places.len() as f64;
            let keys: Vec<f64> = places
                .iter()
                .enumerate()
                .map(|(place, &slot)| match before[slot].len() {
                    0 => (place as f64 + 0.5) / last,
                    n => before[slot].iter().map(|&from| height[from]).sum::<f64>() / n as f64,
                })
                .collect();
            let mut by_key: Vec<usize> = (0..places.len()).collect();
            by_key.sort_by(|&a, &b| keys[a].total_cmp(&keys[b]));
            places = by_key.into_iter().map(|place| places[place]).collect();
            for (place, &slot) in places.iter().enumerate() {
                height[slot] = (place as f64 + 0.5) / last;
            }
            self.order[column] = places;
        }
    }

    /// The box of each place; that of a passing link is never drawn.
    fn boxes(&self, frame: Rect) -> Vec<Rect> {
        let pitch = frame.width() / self.order.len().max(1) as f64;
        let width = (pitch * BOX_SHARE).min(BOX_WIDTH);
        let empty = Rect { left: 0.0, top: 0.0, right: 0.0, bottom: 0.0 };
        let mut boxes = vec![empty; self.column_of.len()];
        for (column, slots) in self.order.iter().enumerate() {
            let n = slots.len() as f64;
            let distance = (frame.height() / n.max(1.0)).min(PITCH);
            let height = (distance - GAP).clamp(distance * 0.5, BOX_HEIGHT.max(distance * 0.5));
            let x = frame.left + (column as f64 + 0.5) * pitch;
            let first = frame.centre().1 - (n - 1.0) / 2.0 * distance;
            for (place, &slot) in slots.iter().enumerate() {
                let y = first + place as f64 * distance;
                boxes[slot] = Rect {
                    left: x - width / 2.0,
                    top: y - height / 2.0,
                    right: x + width / 2.0,
                    bottom: y + height / 2.0,
                };
            }
        }
        boxes
    }

    fn ribbons(&self, boxes: &[Rect], widths: &[f64]) -> Vec<Ribbon> {
        let starts = self.ports(boxes, widths, |chain| (chain[0], chain[1]));
        let ends = self.ports(boxes, widths, |chain| (chain[chain.len() - 1], chain[chain.len() - 2]));
        let line = |link: usize, chain: &[usize]| {
            let (from, to) = (boxes[chain[0]], boxes[chain[chain.len() - 1]]);
            let mut line = vec![(from.right, starts[link])];
            for &way in &chain[1..chain.len() - 1] {
                let y = boxes[way].centre().1;
                curve_to(&mut line, (boxes[way].left, y));
                line.push((boxes[way].right, y));
            }
            curve_to(&mut line, (to.left, ends[link]));
            line
        };
        let chains = self.chains.iter().enumerate();
        chains.map(|(link, chain)| Ribbon { line: line(link, chain), width: widths[link] }).collect()
    }

    /// The height at which each link meets the box at one of its ends: those of a box stand in the order in
    /// which they come or go. `end_of` gives the end and the place before it.
    fn ports(&self, boxes: &[Rect], widths: &[f64], end_of: impl Fn(&[usize]) -> (usize, usize)) -> Vec<f64> {
        let mut heights = vec![0.0; self.chains.len()];
        let mut at: Vec<Vec<(f64, usize)>> = vec![vec![]; boxes.len()];
        for (link, chain) in self.chains.iter().enumerate() {
            let (end, other) = end_of(chain);
            at[end].push((boxes[other].centre().1, link));
        }
        for (end, links) in at.iter_mut().enumerate() {
            links.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
            let total: f64 = links.iter().map(|&(_, link)| widths[link]).sum();
            // Links of the least width may be more than the box is high.
            let squeeze = (boxes[end].height() / total.max(1e-9)).min(1.0);
            let mut y = boxes[end].centre().1 - total * squeeze / 2.0;
            for &(_, link) in links.iter() {
                let width = widths[link] * squeeze;
                heights[link] = y + width / 2.0;
                y += width;
            }
        }
        heights
    }
}

/// Widths in proportion to the weights, so that what meets a box fits its side.
fn widths(graph: &PathGraph, slots: &Slots, boxes: &[Rect]) -> Vec<f64> {
    let weight = |link: usize| graph.links[link].weight.max(0.0);
    let mut room: f64 = f64::MAX;
    let mut totals = vec![[0.0; 2]; boxes.len()];
    for (link, chain) in slots.chains.iter().enumerate() {
        totals[chain[0]][0] += weight(link);
        totals[chain[chain.len() - 1]][1] += weight(link);
        room = room.min(THICKEST / weight(link).max(1e-12));
    }
    for (totals, rect) in totals.iter().zip(boxes) {
        let total = totals[0].max(totals[1]);
        if total > 0.0 {
            room = room.min((rect.height() - 4.0).max(1.0) / total);
        }
    }
    (0..graph.links.len()).map(|link| (weight(link) * room).max(THINNEST)).collect()
}

/// Goes on from the end of a line to `to`, level at both ends.
fn curve_to(line: &mut Vec<(f64, f64)>, to: (f64, f64)) {
    let from = line[line.len() - 1];
    line.extend((1..=POINTS).map(|point| {
        let t = point as f64 / POINTS as f64;
        let eased = t * t * (3.0 - 2.0 * t);
        (from.0 + t * (to.0 - from.0), from.1 + eased * (to.1 - from.1))
    }));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{PathLink, PathNode};
    use super::*;

    const FRAME: Rect = Rect { left: 0.0, top: 40.0, right: 1200.0, bottom: 740.0 };

    /// Column and place of both ends, and the weight.
    type Ends = ((usize, usize), (usize, usize), f64);

    fn graph(sizes: &[usize], links: &[Ends]) -> PathGraph {
        let node = |place: usize| PathNode { label: format!("node {place}"), detail: String::new() };
        let columns =
            sizes.iter().map(|&n| PathColumn { heading: String::new(), nodes: (0..n).map(node).collect() });
        let links =
            links.iter().map(|&(from, to, weight)| PathLink { from, to, label: String::new(), weight });
        PathGraph { title: String::new(), columns: columns.collect(), links: links.collect() }
    }

    #[test]
    fn widths_keep_the_proportion_of_the_weights_and_lines_begin_and_end_at_boxes() {
        let layers = Layers::of(&graph(&[1, 2], &[((0, 0), (1, 0), 3.0), ((0, 0), (1, 1), 1.0)]), FRAME);
        let [a, b] = &layers.ribbons[..] else { panic!("two links") };
        assert!((a.width / b.width - 3.0).abs() < 1e-9);
        assert_eq!(a.line[0].0, layers.boxes[0][0].right);
        assert_eq!(a.line[a.line.len() - 1].0, layers.boxes[1][0].left);
        // The upper node takes the upper port.
        assert!(a.line[0].1 < b.line[0].1);
    }

    #[test]
    fn a_link_that_skips_a_column_passes_beside_its_boxes() {
        let links = [((0, 0), (1, 0), 1.0), ((1, 0), (2, 0), 1.0), ((0, 0), (2, 0), 1.0)];
        let layers = Layers::of(&graph(&[1, 1, 1], &links), FRAME);
        let passed = layers.boxes[1][0];
        let within = layers.ribbons[2].line.iter().filter(|(x, _)| (passed.left..=passed.right).contains(x));
        assert!(within.clone().count() > 1);
        assert!(within.clone().all(|&(_, y)| !(passed.top..=passed.bottom).contains(&y)));
    }

    proptest! {
        #[test]
        fn boxes_lie_in_the_frame_and_none_covers_another(
            sizes in prop::collection::vec(1usize..9, 1..6),
            ends in prop::collection::vec((0usize..6, 0usize..9, 0usize..6, 0usize..9, -1.0f64..5.0), 0..30),
        ) {
            let n = sizes.len();
            let link = |(a, i, b, j, weight): (usize, usize, usize, usize, f64)| {
                let (a, b) = (a % n, b % n);
                (a < b).then(|| ((a, i % sizes[a]), (b, j % sizes[b]), weight))
            };
            let links: Vec<_> = ends.into_iter().filter_map(link).collect();
            let layers = Layers::of(&graph(&sizes, &links), FRAME);
            let boxes: Vec<Rect> = layers.boxes.concat();
            for (place, a) in boxes.iter().enumerate() {
                prop_assert!(a.left >= FRAME.left && a.right <= FRAME.right);
                prop_assert!(a.top >= FRAME.top && a.bottom <= FRAME.bottom);
                prop_assert!(boxes[..place].iter().all(|b| !a.overlaps(b)));
            }
            for ribbon in &layers.ribbons {
                prop_assert!(ribbon.width >= THINNEST && ribbon.width <= THICKEST.max(THINNEST) + 1e-9);
                prop_assert!(ribbon.line.windows(2).all(|pair| pair[0].0 <= pair[1].0));
            }
        }
    }
}
