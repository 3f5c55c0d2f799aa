//! What a service set amounts to when it starts and stops: which service waits for which, and how long that may take.
//!
//! [`StartOrder`] has the order. [`Timeline`] adds the declared limits: when each service may begin and end at the latest. Nothing
//! in it is measured, and nothing is run.

mod chain;
mod fate;
mod instances;
mod limits;
mod measured;
mod moment;
mod order;
mod places;
mod settings;
mod timeline;
mod words;

pub use chain::ChainLink;
pub use fate::if_it_dies;
pub use instances::{CollapsedInstances, template_name};
pub use limits::StopLimits;
pub use measured::{ABOUT_ONESHOTS, KnownTime, MeasuredRow, MeasuredStart, MeasuredTimes, NotUp};
pub use moment::{Bound, Moment, Time, Unlimited};
pub use order::{Awaited, OrderDirection, OrderedService, StartOrder, steps};
pub use settings::{OverlayLimits, VARIABLES, container_variable};
pub use timeline::{LoggerRow, PlanRow, Span, Timeline, Whole};
pub use words::{ChainPart, Grace, in_words, listed};
