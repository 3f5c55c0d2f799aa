//! The program: arguments and streams go to [`s6gen::cli`].

use std::process::ExitCode;

fn main() -> ExitCode {
    s6gen::cli::main()
}
