//! Pictures of services, as files that need nothing else: SVG, HTML, Mermaid and Graphviz.
//!
//! Every picture has the frame of `frame`: its style, colours, title and description. `text` measures and escapes words, `legend`
//! draws what shapes mean, and `layout` places boxes in columns and routes lines between them.
//!
//! The time line of a plan is drawn by `plan`, with the rows of `bars` and `measured_bars` on the `scale` of time, which
//! `draw_bars` draws.
//!
//! The graph of a start order is made in steps: `scene` decides what to show, with `boxes`, `folders`, `reduce` and `cycle`;
//! `in_turn` makes it narrower if it is too wide; `draw` draws it, with `shapes`, `marks`, `lines` and `sentences`.

mod bars;
mod boxes;
mod chain_loggers;
mod cycle;
mod draw;
mod draw_bars;
mod flowchart;
mod folders;
mod formats;
mod frame;
mod graphviz;
mod in_turn;
pub mod layout;
mod legend;
mod lines;
mod marks;
mod meanings;
mod measured_bars;
mod overview;
mod page;
mod plan;
mod reduce;
mod scale;
mod scene;
mod sentences;
mod shapes;
mod text;
mod view;

pub use boxes::{BoxKind, SceneBox};
pub use cycle::CycleWait;
pub use draw::PictureSource;
pub use folders::SceneBlock;
pub use formats::{dot, html, mermaid, svg};
pub use frame::{LINE, MARGIN, PictureWords, Svg, number, page_width, words_end, wrapped};
pub use legend::{DrawMark, LegendItem, legend};
pub use plan::{PlanSource, plan_html, plan_svg};
pub use scene::{Scene, SceneWait};
pub use text::{NAME_CHARACTER, SMALL_CHARACTER, cells, counted, cut, escape, listed, wrap};
pub use view::View;
