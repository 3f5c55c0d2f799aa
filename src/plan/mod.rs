//! What a service set amounts to when it starts and stops: which service waits for which.

mod order;

pub use order::{Awaited, OrderDirection, OrderedService, StartOrder, steps};
