//! Everything is tested in one binary, one module per room or promise.

mod disk;
