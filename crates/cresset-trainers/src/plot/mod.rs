//! Plots, 1200 x 800, as PNG and SVG: what happened over the epochs of a run, which module learnt when, and for
//! explanations of any model, paths through a graph and tables of numbers as colours.

mod alternation;
mod axis;
mod canvas;
mod formats;
mod heatmap;
mod history;
mod layers;
mod path_graph;
mod text;

use cresset_data::files::FileError;

pub use self::alternation::alternation;
pub use self::formats::PlotFormats;
pub use self::heatmap::{Heatmap, heatmap};
pub use self::history::training_history;
pub use self::path_graph::{PathColumn, PathGraph, PathLink, PathNode, path_graph};

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
