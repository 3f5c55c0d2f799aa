//! The frame of every picture: one SVG document without scripts, fonts, images and links, whose style and names cannot meet
//! those of a page that contains it.

use std::fmt::Write;

use super::text::{SMALL_CHARACTER, cells, escape, wrap};

/// The space around a picture.
pub const MARGIN: f64 = 16.0;

/// The width that the words above a picture may take, if the picture itself is narrower.
const LEAST_WIDTH: f64 = 560.0;

/// The height of a line of small text.
pub const LINE: f64 = 18.0;

const STYLE: &str = include_str!("style.css");

/// A length with at most one decimal.
pub fn number(length: f64) -> String {
    let text = format!("{length:.1}");
    let text = text.strip_suffix(".0").unwrap_or(&text);
    if text == "-0" { "0".into() } else { text.to_owned() }
}

/// What a picture says in words.
#[derive(Debug, Clone, Default)]
pub struct PictureWords {
    /// What kind of picture it is, for readers of a screen: `service start graph`.
    pub role: &'static str,
    /// Its title.
    pub title: String,
    /// The sentences below the title.
    pub subtitle: Vec<String>,
    /// The whole content in words, for readers of a screen.
    pub description: String,
}

/// An SVG document that is being written. Its elements are in the order in which they are painted.
#[derive(Debug, Default)]
pub struct Svg {
    body: String,
}

impl Svg {
    /// Adds an element or a part of one, which is valid XML.
    pub fn raw(&mut self, xml: &str) {
        self.body.push_str(xml);
    }

    /// Begins a group. `title` is shown where a pointer rests on it, and read aloud.
    pub fn begin(&mut self, class: &str, title: &str) {
        let class = if class.is_empty() { String::new() } else { format!(" class=\"{class}\"") };
        let _ = write!(self.body, "<g{class} role=\"graphics-symbol\"><title>{}</title>", escape(title));
    }

    /// Ends a group.
    pub fn end(&mut self) {
        self.body.push_str("</g>\n");
    }

    /// Adds a path.
    pub fn path(&mut self, class: &str, path: &str) {
        let _ = write!(self.body, "<path class=\"{class}\" d=\"{path}\"/>");
    }

    /// Adds a rectangle with round corners.
    pub fn rectangle(&mut self, class: &str, [x, y, width, height]: [f64; 4], radius: f64) {
        let [x, y, width, height, radius] = [x, y, width, height, radius].map(number);
        let _ = write!(
            self.body,
            "<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"{radius}\"/>"
        );
    }

    /// Adds a circle.
    pub fn circle(&mut self, class: &str, x: f64, y: f64, radius: f64) {
        let [x, y, radius] = [x, y, radius].map(number);
        let _ = write!(self.body, "<circle class=\"{class}\" cx=\"{x}\" cy=\"{y}\" r=\"{radius}\"/>");
    }

    /// Adds a line of text. `y` is its base line.
    pub fn text(&mut self, class: &str, x: f64, y: f64, text: &str) {
        let [x, y] = [x, y].map(number);
        let _ = write!(self.body, "<text class=\"{class}\" x=\"{x}\" y=\"{y}\">{}</text>", escape(text));
    }

    /// Ends a line of the document.
    pub fn line(&mut self) {
        self.body.push('\n');
    }

    /// The document: what was added, below the title and the sentences of `words`.
    pub fn finish(self, words: &PictureWords, width: f64, height: f64) -> String {
        let mut out = String::with_capacity(self.body.len() + STYLE.len() + 1000);
        let (title, about) = (escape(&words.title), escape(&words.description));
        let [w, h] = [width, height].map(number);
        let _ = writeln!(
            out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"s6g\" viewBox=\"0 0 {w} {h}\" lang=\"en\" \
             role=\"graphics-document\" aria-roledescription=\"{}\" aria-labelledby=\"s6g-t s6g-d\">\n\
             <title id=\"s6g-t\">{title}</title>\n<desc id=\"s6g-d\">{about}</desc>\n<style>{STYLE}\
             svg.s6g:root{{display:block;width:100%;height:auto;min-width:{}px;max-width:{}px;margin:0 \
             auto;background:var(--bg)}}\n</style>\n<rect class=\"page\" width=\"{w}\" height=\"{h}\"/>",
            words.role,
            (width * 0.55).round(),
            (width * 1.5).round(),
        );
        let mut top = Svg::default();
        top.text("h", MARGIN, 32.0, &words.title);
        top.line();
        for (number, line) in subtitle_lines(words, width).iter().enumerate() {
            top.text("s", MARGIN, 54.0 + number as f64 * 17.0, line);
            top.line();
        }
        out.push_str(&top.body);
        out.push_str(&self.body);
        out.push_str("</svg>\n");
        out
    }
}

/// The width of a picture whose own part is `width` wide: wide enough for its title.
pub fn page_width(words: &PictureWords, width: f64) -> f64 {
    let title = cells(&words.title) as f64 * 11.5 + 2.0 * MARGIN;
    width.max(LEAST_WIDTH).max(title)
}

/// Where the part of a picture below its words begins.
pub fn words_end(words: &PictureWords, width: f64) -> f64 {
    48.0 + 17.0 * subtitle_lines(words, width).len() as f64
}

fn subtitle_lines(words: &PictureWords, width: f64) -> Vec<String> {
    words.subtitle.iter().flat_map(|sentence| wrapped(sentence, width)).collect()
}

/// A sentence of small text, broken into lines that fit a picture.
pub fn wrapped(sentence: &str, width: f64) -> Vec<String> {
    wrap(sentence, ((width - 2.0 * MARGIN) / SMALL_CHARACTER) as usize)
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn a_length_has_at_most_one_decimal() {
        assert_eq!([0.04, -0.04, 1.25, 3.0].map(number), ["0", "0", "1.2", "3"]);
    }
}
