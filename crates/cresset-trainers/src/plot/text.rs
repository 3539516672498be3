//! Text that stays where it belongs.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::canvas::{Area, FONT};

/// What a text ends in where its end is cut.
const ELLIPSIS: char = '…';
/// Who views an SVG may have a wider font than the one that is measured here.
const SLACK: f64 = 1.06;

/// Text of one size and shade, set from an anchor.
pub(super) fn style(size: u32, shade: f64, h_pos: HPos, v_pos: VPos) -> TextStyle<'static> {
    (FONT, size).into_font().color(&BLACK.mix(shade)).pos(Pos::new(h_pos, v_pos))
}

/// The width of a text, in pixels.
pub(super) fn width<D: DrawingBackend>(
    area: &Area<D>,
    text: &str,
    style: &TextStyle,
) -> Result<f64, DrawingAreaErrorKind<D::ErrorType>> {
    let (width, _) = area.estimate_text_size(text, style)?;
    Ok(f64::from(width) * SLACK)
}

/// The text, or as much of it and an ellipsis as fits into `room` pixels; nothing where not even that does.
pub(super) fn cut<D: DrawingBackend>(
    area: &Area<D>,
    text: &str,
    style: &TextStyle,
    room: f64,
) -> Result<String, DrawingAreaErrorKind<D::ErrorType>> {
    let text = text.trim();
    if width(area, text, style)? <= room {
        return Ok(text.to_owned());
    }
    let letters: Vec<char> = text.chars().collect();
    let shortened = |n: usize| {
        let kept: String = letters[..n].iter().collect();
        format!("{}{ELLIPSIS}", kept.trim_end())
    };
    // Widths grow with the number of letters, so the longest that fits is found by halving.
    let (mut fits, mut too_long) = (0, letters.len());
    while fits + 1 < too_long {
        let middle = usize::midpoint(fits, too_long);
        if width(area, &shortened(middle), style)? <= room { fits = middle } else { too_long = middle }
    }
    Ok(if fits == 0 { String::new() } else { shortened(fits) })
}

#[cfg(test)]
mod tests {
    use plotters::drawing::IntoDrawingArea;

    use super::*;
    use crate::plot::canvas::register_plot_font;

    #[test]
    fn a_long_text_ends_in_an_ellipsis_and_a_short_one_stays() {
        register_plot_font();
        let mut svg = String::new();
        let area = SVGBackend::with_string(&mut svg, (400, 100)).into_drawing_area();
        let style = style(14, 1.0, HPos::Left, VPos::Top);
        assert_eq!(cut(&area, "Toy Story", &style, 200.0).unwrap(), "Toy Story");
        let title = "Dr. Strangelove or: How I Learned to Stop Worrying";
        let short = cut(&area, title, &style, 120.0).unwrap();
        assert!(short.starts_with("Dr. Strange") && short.ends_with('…'), "{short}");
        assert!(width(&area, &short, &style).unwrap() <= 120.0);
        assert_eq!(cut(&area, title, &style, 3.0).unwrap(), "");
    }
}
