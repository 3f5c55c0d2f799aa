//! A page with one picture, which scrolls on a small screen, and the same as text below it.

use super::text::escape;

/// The style of the page around the picture. The picture brings the colours.
const STYLE: &str = "\
body.s6g{margin:0;background:var(--bg);color:var(--fg);font:15px/1.4 system-ui,sans-serif}
.s6g .s6g-scroll{overflow-x:auto}
.s6g .s6g-scroll svg{display:block;width:100%;height:auto;margin:0 auto}
.s6g .s6g-text{max-width:1100px;margin:0 auto;padding:16px}
.s6g .s6g-text h2{font-size:16px}
.s6g .s6g-text pre{font:13px/1.5 ui-monospace,Menlo,Consolas,monospace;overflow-x:auto}
@media print{.s6g .s6g-scroll{overflow:visible}.s6g .s6g-text pre{white-space:pre-wrap}.s6g .s6g-scroll svg{min-width:0!important}}
";

/// A page with a picture of the width `width`, and `text` below it.
pub fn page(svg: &str, title: &str, width: f64, text: &str) -> String {
    let title = escape(title);
    let text = match text {
        "" => String::new(),
        text => format!(
            "<section class=\"s6g-text\">\n<h2>As text</h2>\n<pre>{}</pre>\n</section>\n",
            escape(text)
        ),
    };
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{title}</title>\n<style>{STYLE}\
         .s6g .s6g-scroll svg{{min-width:{}px;max-width:{}px}}\n</style>\n</head>\n<body class=\"s6g\">\n\
         <div class=\"s6g-scroll\" role=\"region\" aria-label=\"{title}\" tabindex=\"0\">\n{svg}</div>\n{text}</body>\n</html>\n",
        (width * 0.55).round(),
        (width * 1.5).round(),
    )
}
