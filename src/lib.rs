//! s6gen compiles one declarative `services.toml` into a complete s6-rc source directory for images that run
//! s6-overlay.
//!
//! Three nouns: the [`manifest`] as written, the [`model`] as meant, the source [`tree`] as s6-rc reads it. Verbs go
//! between them: [`resolve`], [`import`], [`validate`], [`render`]; [`report`] turns problems into text and [`disk`]
//! turns trees into directories. A room imports only rooms on a lower floor:
//!
//! | floor | rooms |
//! |---|---|
//! | 3, people | [`cli`] |
//! | 2, verbs | [`resolve`], [`import`], [`validate`], [`render`], [`report`], [`disk`] |
//! | 1, nouns | [`manifest`], [`model`], [`tree`] |
//! | 0 | [`diagnostic`], [`templates`] |

pub mod diagnostic;

pub mod disk;
pub mod model;
pub mod tree;
