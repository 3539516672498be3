//! What every plot shares: its size, its font, its colours, and how a drawing becomes a file.

use std::error::Error;
use std::path::Path;
use std::sync::Once;

use cresset_data::files::atomic_write;
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::{FontStyle, register_font};

use super::PlotError;

pub(super) const SIZE: (u32, u32) = (1200, 800);
pub(super) const FONT: &str = "sans-serif";
// Even, both: Plotters rounds half a pixel per glyph at odd sizes, and the decimal point jumps off its line.
pub(super) const TITLE_SIZE: u32 = 18;
pub(super) const LABEL_SIZE: u32 = 14;
/// Okabe and Ito's palette: told apart by people of every colour vision, <https://jfly.uni-koeln.de/color/>.
pub(super) const COLOURS: [RGBColor; 6] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(230, 159, 0),
    RGBColor(86, 180, 233),
];

/// A drawing of any format.
pub(super) type Area<D> = DrawingArea<D, Shift>;
/// What drawing ends with.
pub(super) type Drawn = Result<(), Box<dyn Error>>;

/// Something that can be drawn.
pub(super) trait Picture {
    /// Draws it onto a white canvas.
    fn draw<D: DrawingBackend>(&self, root: &Area<D>) -> Drawn
    where
        D::ErrorType: 'static;

    /// How high the canvas is; as wide as [`SIZE`] it always is.
    fn height(&self) -> u32 {
        SIZE.1
    }

    /// Writes it to `file`, as SVG where that is its ending and as PNG otherwise.
    fn save(&self, file: &Path) -> Result<(), PlotError> {
        register_plot_font();
        let is_svg = file.extension().is_some_and(|ending| ending == "svg");
        let drawn = if is_svg { self.to_svg() } else { self.to_png() };
        let bytes =
            drawn.map_err(|e| PlotError::Draw { file: file.display().to_string(), cause: e.to_string() })?;
        Ok(atomic_write(file, &bytes)?)
    }

    fn to_svg(&self) -> Result<Vec<u8>, Box<dyn Error>> {
        let mut text = String::new();
        self.draw_onto(SVGBackend::with_string(&mut text, (SIZE.0, self.height())))?;
        Ok(text.into_bytes())
    }

    fn to_png(&self) -> Result<Vec<u8>, Box<dyn Error>> {
        let size = (SIZE.0, self.height());
        let mut pixels = vec![255u8; (size.0 * size.1 * 3) as usize];
        self.draw_onto(BitMapBackend::with_buffer(&mut pixels, size))?;
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, size.0, size.1);
        encoder.set_color(png::ColorType::Rgb);
        encoder.write_header()?.write_image_data(&pixels)?;
        Ok(bytes)
    }

    fn draw_onto<D: DrawingBackend>(&self, backend: D) -> Drawn
    where
        D::ErrorType: 'static,
    {
        let root = backend.into_drawing_area();
        root.fill(&WHITE)?;
        self.draw(&root)?;
        root.present()?;
        Ok(())
    }
}

/// The font travels with the crate, so that no system needs to have one.
pub(super) fn register_plot_font() {
    static REGISTERED: Once = Once::new();
    REGISTERED.call_once(|| {
        // An error would mean a damaged font; drawing then fails with its own message.
        let _ = register_font(FONT, FontStyle::Normal, dejavu::sans::regular());
    });
}
