//! The lints: mistakes that `s6-rc-compile` accepts without a message and that show when the container boots.
//!
//! A lint is a pair of files: `NAME.rs` with its check and its data, and `NAME.md`, the page that `s6gen explain` prints; and
//! a line in the list below. Most look at what services run, and do not know whether that was read from a manifest or from a
//! tree. A false alarm is worse than a miss, so a lint reports only what it can see, and says nothing of a script that does
//! something it does not understand.

mod calls;
pub(super) mod mentions;
mod unread;

use super::rule::Rule;

macro_rules! lints {
    ($($name:ident,)+) => {
        $(mod $name;)+

        /// Every lint.
        pub(super) const RULES: &[&Rule] = &[$(&$name::RULE,)+];
    };
}

lints! {
    odd_name,
    unknown_entry,
    ignored_entry,
    bundle_dependencies,
    hidden_list,
    text_after_type,
    stray_file,
    empty_bundle,
    too_many_services,
    literal_variable,
    shell_syntax,
    execline_syntax,
    joined_lines,
    failure_hidden,
    shebang,
    missing_script,
    not_executable,
    finish_left_out,
    finish_misses_crashes,
    not_exec,
    background,
    trap_waits,
    with_contenv_twice,
    home_of_root,
    edited_too_late,
    version_two,
    readiness_unused,
    readiness_check,
    readiness_unlimited,
    errors_not_logged,
    invalid_signal,
    standard_descriptor,
    death_tally,
    not_started,
    starts_early,
}
