//! Plots of a run, 1200 x 800, as PNG and SVG: what happened over its epochs, and which module learnt when.

mod alternation;
mod axis;
mod canvas;
mod formats;
mod history;

use cresset_data::files::FileError;

pub use self::alternation::alternation;
pub use self::formats::PlotFormats;
pub use self::history::training_history;

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
