//! Every test of s6gen.

mod architecture;
mod case;
mod disk;
mod golden;
mod supervise;
mod truth;
