//! The lints: mistakes that `s6-rc-compile` accepts without a message, and that appear only when the container boots.
//!
//! A lint is a pair of files and a line in the list below: `NAME.rs` has its check and its data, and `NAME.md` is the page that
//! `s6gen explain` prints. Most lints look at the programs of services, which may come from a manifest or from a tree. A
//! false alarm is worse than a missed problem. So a lint reports only what is certain, and skips a script that it does not
//! understand.

mod array_syntax;
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
    other_script,
    not_executable,
    finish_left_out,
    finish_misses_crashes,
    not_exec,
    background,
    background_by_default,
    job_in_longrun,
    daemon_in_oneshot,
    s6_rc_in_up,
    su_stays,
    needs_root,
    slow_finish,
    short_timeout,
    boot_goes_on,
    trap_waits,
    with_contenv_twice,
    no_contenv,
    export_lost,
    newline_in_variable,
    home_of_root,
    edited_too_late,
    version_two,
    readiness_unused,
    readiness_check,
    readiness_unlimited,
    readiness_needed,
    errors_not_logged,
    two_loggers,
    buffered_filter,
    logutil_as_user,
    invalid_signal,
    standard_descriptor,
    death_tally,
    deprecated_place,
    not_started,
    starts_early,
}
