//! Recognizes files in an encoding or with line ends that s6-rc cannot read.

/// The help for CR LF line ends.
pub(super) const LINE_ENDS: &str =
    "save it with LF line ends; in git, a line `* text eol=lf` in .gitattributes keeps them";
/// The help for a byte order mark.
pub(super) const NO_MARK: &str = "save it as UTF-8 without byte order mark";

/// A note on the encoding of a text, if s6-rc cannot read it.
pub(super) fn encoding(text: &[u8]) -> Option<&'static str> {
    match text {
        [0xef, 0xbb, 0xbf, ..] => Some("this file begins with a byte order mark, which s6-rc takes for text"),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => {
            Some("this file is saved as UTF-16, which s6-rc does not read")
        }
        _ => None,
    }
}
