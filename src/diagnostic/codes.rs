//! The kinds of problems, and the classes in which `s6-rc-compile` refuses a tree.

use std::fmt;

use super::FixKind::{self, Safe, Unsafe, Without};
use super::{Lint, Severity};

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $name:ident = $slug:literal $severity:ident $fix:expr,)+) => {
        /// The kinds of problems. The first part of a slug names the program or language that refuses the input.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $($(#[doc = $doc])+ $name,)+
            /// The problem of a lint.
            Lint(&'static Lint),
        }

        impl Code {
            /// Every code that is not a lint, in the order in which `s6gen explain` lists them.
            pub const PLAIN: &'static [Code] = &[$(Code::$name,)+];

            /// The name that reports print and `s6gen explain` takes.
            pub fn slug(self) -> &'static str {
                match self {
                    $(Code::$name => $slug,)+
                    Code::Lint(lint) => lint.slug,
                }
            }

            /// The severity of a problem of this kind.
            pub fn severity(self) -> Severity {
                match self {
                    $(Code::$name => Severity::$severity,)+
                    Code::Lint(lint) => lint.level,
                }
            }

            /// Whether its reports may contain a fix, or why they have none.
            pub fn fix_kind(self) -> FixKind {
                match self {
                    $(Code::$name => $fix,)+
                    Code::Lint(lint) => lint.fix,
                }
            }

            /// The page that `s6gen explain` prints.
            pub fn explanation(self) -> &'static str {
                match self {
                    $(Code::$name => concat!($($doc, "\n",)+),)+
                    Code::Lint(lint) => lint.page,
                }
            }
        }
    };
}

/// The largest number of definitions of a system, whether s6gen makes them of a manifest or finds them in source directories.
pub const MOST_DEFINITIONS: usize = 40_000;

/// Why the problems of commands that write files or change the running system have no fix.
const OF_A_COMMAND: &str = "it is about what a command does, and not about a text";

codes! {
    /// The manifest cannot be read: it is missing, is a directory, or may not be opened.
    ///
    /// Without `-m` s6gen looks for `services.toml` in the current directory. `s6gen init` writes a first one.
    ManifestUnreadable = "manifest::unreadable" Error Without("there is no text to change"),
    /// The manifest is not UTF-8 text.
    ///
    /// TOML is UTF-8 by definition. A byte order mark and CR LF line ends are accepted; anything else that is not
    /// UTF-8 usually means that the wrong file was named, or that an editor saved it in another encoding.
    ManifestNotText = "manifest::not-text" Error Without("the encoding is not known"),
    /// The manifest is larger than 16 MiB, or what it describes is larger than 64 MiB, or it includes more than 1,000 files or
    /// more than 64 in a row, or all instances together have more than 300,000 expressions. Or there are more than 40,000
    /// definitions, each logger and each filter of a log counted, in source directories or of a manifest; or bundles that
    /// stand for more than 1,048,576 services.
    ///
    /// The largest known system needs less than a hundredth of that. Most likely the wrong file was named, or a template has
    /// too many instances.
    ManifestTooLarge = "manifest::too-large" Error Without("what to leave out is not known"),
    /// The manifest describes no service at all.
    ///
    /// A complete manifest needs three lines:
    ///
    /// ```toml
    /// [longrun.web]
    /// run = ["nginx", "-g", "daemon off;"]
    /// ```
    ManifestEmpty = "manifest::empty" Error Without("the services are not known"),
    /// The manifest is not valid TOML.
    ///
    /// One run reports every syntax error of the file. An error hides only its own statement: s6gen still checks the rest
    /// of the file, but builds nothing. It does not report keys that are missing only because of a syntax error.
    Syntax = "manifest::syntax" Error Without("what was meant is not known"),
    /// A value has the wrong type, for example a number where a string is expected.
    ///
    /// Durations, sizes and signals are strings: `"10s"`, `"5MB"`, `"TERM"`. A command is an array (run exactly as
    /// written) or a string (run by a shell).
    WrongType = "manifest::wrong-type" Error Unsafe,
    /// A key or table that the language does not have.
    ///
    /// s6-rc ignores files that it does not know, so a misspelt `timeout-Up` goes unnoticed for years; s6gen reports it.
    /// A service whose name holds a dot needs quotes: `[longrun."php8.2"]`.
    UnknownKey = "manifest::unknown-key" Error Safe,
    /// A required key is missing.
    ///
    /// A longrun needs `run`, a bundle needs `contents`.
    MissingKey = "manifest::missing-key" Error Without("the value is not known"),
    /// A value with the right type that is not valid: a malformed duration, a relative path, a number out of
    /// range, a NUL byte.
    InvalidValue = "manifest::invalid-value" Error Without("the value that was meant is not known"),
    /// A name that s6gen does not accept for a service.
    ///
    /// Names consist of letters, digits, `_`, `.`, `@` and `-`, begin with a letter or a digit, and have at most 251
    /// bytes together with every suffix that is made from them (`-log`, `-err-log`, `-pipeline`, `-INSTANCE`):
    /// s6-svscan does not supervise a service with a longer name, and some tools cannot handle other characters.
    InvalidName = "manifest::invalid-name" Error Without("other files may mention the name"),
    /// A signal that does not exist.
    ///
    /// s6-rc copies `down-signal` without looking at it, and s6-supervise silently falls back to TERM. s6gen checks
    /// the name.
    UnknownSignal = "manifest::unknown-signal" Error Unsafe,
    /// Two keys that exclude each other, or a key that has no effect without another one.
    ConflictingKeys = "manifest::conflicting-keys" Error Without("which of the keys is meant is not known"),
    /// An expression uses a parameter that is not given and has no default, or that was never declared.
    ///
    /// An expression can use `name`, in a template also `instance`, and the parameters that `parameters` declares. An
    /// instance may omit a parameter only if every use of it has a default: `{{ port | default('1195') }}`.
    MissingParameter = "manifest::missing-parameter" Error Without("the value is not known"),
    /// A parameter that the template does not declare, or that it declares and nothing uses.
    UnknownParameter = "manifest::unknown-parameter" Error Unsafe,
    /// A service that `external` names was made by an earlier build in the same root.
    ///
    /// `external` is for services that are defined elsewhere: in a base image, or by hand. A build
    /// replaces everything that an earlier build made in the same root, so it would remove this definition. Nothing was
    /// written. `include` the manifest that defines the service:
    ///
    /// ```toml
    /// include = ["base.toml"]
    ///
    /// [oneshot.certificates]
    /// up = ["/usr/local/bin/make-certificates"]
    /// required-by = ["nginx"]         # from base.toml
    /// ```
    NotExternal = "manifest::not-external" Error Without("which manifest defines the service is not known"),
    /// Instances were added to a template that the manifest does not have.
    ///
    /// `s6gen instance add` writes additions to a file, and every later build keeps them. If the template was removed
    /// from the manifest since then, restore the template or remove the instances.
    UnknownTemplate = "manifest::unknown-template" Error Without("the template, or its instances, may be meant"),
    /// An expression between `{{` and `}}` that cannot be evaluated.
    ///
    /// Expressions exist only in `[defaults.…]` and in services with `instances`; everywhere else `{{` is ordinary
    /// text. They are expressions of minijinja, with limits that keep the result small: `*` multiplies only numbers,
    /// filters that pad or repeat are missing, and an expression has at most 200 words.
    Expression = "manifest::expression" Error Without("what was meant is not known"),

    /// A value of a parameter would be read as code, and its pattern allows any code.
    ///
    /// The pattern of a parameter says what its values may be. If it allows more than letters, digits and `_.,:@%+=/-`, a value
    /// that is set while the system runs can become code in these places: in a command that is a string, in the word after
    /// `sh -c`, in a program of awk, and in a file that a script reads with `.`. Wrong:
    ///
    /// ```toml
    /// [oneshot.greet]
    /// parameters = { text = { pattern = '.*' } }
    /// instances = []
    /// up = "echo {{ text }}"
    /// ```
    ///
    /// Right: a variable may hold anything, and in double quotes a shell takes it for one word.
    ///
    /// ```toml
    /// [oneshot.greet]
    /// parameters = { text = { pattern = '.*' } }
    /// instances = []
    /// environment.TEXT = "{{ text }}"
    /// up = 'echo "$TEXT"'
    /// ```
    ValueAsCode = "manifest::value-as-code" Warning Without("a narrower pattern or another command is a choice"),
    /// A level is given to a rule that does not exist, or to an error that no level can change.
    ///
    /// Names of rules stand in `[lints]` of a manifest, in `.s6gen-lints.toml` beside a tree, and in comments such as
    /// `# s6gen: allow not-exec: reason`. `s6gen rules` lists every rule and group. What s6-rc refuses, and what cannot be
    /// built, is always an error.
    UnknownRule = "levels::unknown-rule" Warning Unsafe,
    /// A silencer silences nothing.
    ///
    /// The problem was solved, or the comment is not beside its line: it belongs at the end of that line, or above it. Remove
    /// it, so that it hides no later problem. s6gen does not report this while there are errors, because then some rules do not
    /// run.
    UnusedAllow = "levels::unused-allow" Warning Safe,
    /// A finding of shellcheck in a shell script.
    ///
    /// `check --shellcheck`, or `shellcheck = "warn"` in `[lints]`, asks shellcheck about each shell script, in a manifest and in a
    /// tree. The message begins with its own code, and the help has the address of its page. In the script, a comment
    /// `# shellcheck disable=SC2086` silences one of its codes. The group `all` does not ask it, because that starts another
    /// program, and `build` never asks it. If shellcheck is not installed, that is an error with `--shellcheck`, and a warning
    /// with `[lints]`.
    ShellCheck = "script::shellcheck" Advice Without("`shellcheck --format diff` shows the changes that it knows"),
    /// A file that `include` names cannot be read, or includes itself.
    ///
    /// Names are relative to the file that includes, and end in `.toml`, also behind a link. A pattern such as
    /// `"services.d/*.toml"` may match nothing, a plain name must exist. A file that is included twice is read once.
    Include = "manifest::include" Error Without("the file that was meant is not known"),
    /// A script that a key names as a file cannot be used.
    ///
    /// `run.file = "scripts/web.sh"` takes the script from a file, relative to the manifest in which it stands. The manifest may
    /// come from anyone, and reports print lines of a script. So the file begins with `#!`, or its name ends in `.sh`, also behind a
    /// link; and it is below the folder of that manifest, or in the git repository (or else the directory) in which s6gen
    /// runs. It is a regular file of UTF-8 text. A script that the image has anyway needs no such key: run it by its path,
    /// `run = ["/usr/local/bin/web"]`.
    ScriptFile = "manifest::script-file" Error Without("the file that was meant is not known"),
    /// A template cannot be filled.
    ///
    /// s6gen ships templates for all files; with `--templates DIR` the templates in your folder replace them. The report
    /// names the template and the line. `s6gen init --templates DIR` writes the shipped ones to start from.
    Template = "manifest::template" Error Without("what the template should write is not known"),

    /// A service takes a name that s6-overlay itself defines.
    ///
    /// `/init` compiles your definitions together with its own (`top`, `base`, `user`, `user2`, `fix-attrs`,
    /// `legacy-cont-init`, `legacy-services`); a second definition of one of them makes `s6-rc-compile` refuse
    /// everything, and the container starts nothing.
    BuiltInName = "overlay::built-in-name" Error Without("other files may mention the name"),
    /// The manifest names a version of s6-overlay or s6-rc that s6gen does not know.
    UnknownVersion = "overlay::unknown-version" Error Safe,
    /// The target version cannot do this yet.
    ///
    /// Older compilers ignore files that they do not know, without a message. The service would start but behave
    /// differently.
    TargetTooOld = "overlay::target-too-old" Error Without("the target or the key may be changed"),
    /// The root has another s6-overlay than the manifest is for, and what would be built does not work there.
    ///
    /// Without `[target] s6-overlay` a manifest is for the newest version that s6gen knows. Versions differ in the place
    /// of the start bundles and in the files that a definition may have. Since 3.2.3.1 `/init` reads `user-bundles.d`; an
    /// older version ignores it, so the container would boot and start nothing. Nothing was written. Name the version of
    /// the image:
    ///
    /// ```toml
    /// [target]
    /// s6-overlay = "3.2.3.0"
    /// ```
    ///
    /// This is an error only if the files do not work with the version in the root.
    OtherVersion = "overlay::other-version" Error Without("the manifest or the image may be changed"),
    /// There is no s6-overlay in the root file system that you named or, without `--root`, in that of this machine.
    ///
    /// `s6gen build` without `--root` is for use inside an image. Anywhere else it would write into the machine's own
    /// `/etc`, so it refuses. If you want that, use `--root /`.
    ///
    /// s6gen reads the version from `/init` or from the directory `/package/admin/s6-overlay-VERSION`. Name the root of
    /// an unpacked image: the directory that holds `etc`, `init` and `package`. If s6-overlay comes from packages of
    /// the distribution, name its version: `s6gen check --root DIR --overlay VERSION`.
    OverlayNotFound = "overlay::not-found" Error Without("there is no text to change"),
    /// Services are put into a start bundle that `/init` never reads, because `s6-rc.d/user` exists too.
    ///
    /// Since s6-overlay 3.2.3.1 the start bundles `user` and `user2` lie in `/etc/s6-overlay/user-bundles.d`. If the old
    /// directory `/etc/s6-overlay/s6-rc.d/user` exists, `/init` reads that one and ignores `user-bundles.d`, and
    /// `S6_RUNTIME_BUNDLEDIR` as well. The container boots, but the services in the new place do not start, and there is
    /// no message.
    ///
    /// The directory may come from any layer of the image: from a base image, from a mod, or from the archive
    /// `syslogd-overlay-noarch.tar.xz`, which still has `s6-rc.d/user/contents.d/syslogd-bundle`. Move its contents to
    /// the new place and remove it, after the last layer that has it:
    ///
    /// ```sh
    /// cd /etc/s6-overlay
    /// mv s6-rc.d/user/contents.d/* user-bundles.d/user/contents.d/
    /// rm -r s6-rc.d/user
    /// ```
    UserInTwoPlaces = "overlay::user-in-two-places" Error Without("a layer that s6gen does not see may have the old place"),
    /// Services are put into a start bundle in `user-bundles.d`, but this version of s6-overlay does not read it.
    ///
    /// Before 3.2.3.1 `/init` compiles only `/etc/s6-overlay/s6-rc.d`, and the start bundles are `s6-rc.d/user` and
    /// `s6-rc.d/user2`. The container boots, but the services in `user-bundles.d` do not start. Update the image to
    /// s6-overlay 3.2.3.1 or newer, or put the markers into `s6-rc.d/user/contents.d`.
    BundlesTooNew = "overlay::bundles-too-new" Error Without("the image or the place may be changed"),
    /// A start bundle of s6-overlay is missing, or lacks its `type` file.
    ///
    /// `/init` starts `top`, which contains `user` and (since 3.1.1.1) `user2`. Both must be complete bundles in the place
    /// where this version reads them, even if they have no members. Otherwise `s6-rc-compile` refuses everything, and the
    /// container starts nothing.
    ///
    /// Until 3.2.3.0 the image has both in `s6-rc.d`, since 3.2.3.1 in `user-bundles.d`. So a `s6-rc.d/user` that
    /// only holds `contents.d` was complete with an older base image. 3.2.3.1 refuses it, and 3.2.3.2 writes
    /// the missing files at boot. A directory for `S6_RUNTIME_BUNDLEDIR` or `S6_RUNTIME_PROFILE` replaces that of the
    /// image, and must have both bundles itself.
    IncompleteStartBundle = "overlay::incomplete-start-bundle" Error Without("the base image may have the rest"),

    /// A source directory cannot be opened.
    SourceUnreadable = "s6rc::source-unreadable" Error Without("the reason is not in a text"),
    /// An entry of a source directory cannot be looked at: a dangling symbolic link, a loop of links, or no permission.
    ///
    /// `s6-rc-compile` looks at every entry, also at entries that are not services, and stops at the first one that it
    /// cannot look at.
    BrokenEntry = "s6rc::broken-entry" Error Without("the reason is not in a text"),
    /// The name of an entry contains a newline.
    ImpossibleName = "s6rc::impossible-name" Error Without("the name that was meant is not known"),
    /// A name begins with `s6rc-` or `s6-rc-`, which s6-rc keeps for itself.
    ///
    /// This holds for every entry of a source directory, also for plain files, and for every name in a list of
    /// dependencies, contents, producers or consumers.
    ReservedName = "s6rc::reserved-name" Error Without("other files may mention the name"),
    /// A service definition directory cannot be opened.
    DefinitionUnreadable = "s6rc::definition-unreadable" Error Without("the reason is not in a text"),
    /// A directory among the definitions has no readable `type` file.
    ///
    /// Every directory of a source directory is a service definition. One with a few files may add to a definition of a
    /// base image: check both together (`--overlay VERSION --tree DIR --layer BASE`). If `check --root` reports this for an
    /// image that works elsewhere, the usual cause is a damaged layer on this host: remove the image and pull it again.
    TypeMissing = "s6rc::type-missing" Error Without("a layer may have the type"),
    /// The content of a `type` file is not exactly `longrun`, `oneshot` or `bundle`.
    ///
    /// A CR before the newline, a blank, a capital letter and an empty file are all refused.
    InvalidType = "s6rc::invalid-type" Error Safe,
    /// Two definitions have the same name.
    ///
    /// Longruns, oneshots, bundles and pipeline names share one name space, over all source directories. Names that
    /// s6gen makes (`NAME-log`, `NAME-err-log`, `NAME-pipeline`, `NAME-INSTANCE`) belong to it too.
    DuplicateService = "s6rc::duplicate-service" Error Without("which of the two definitions is right is not known"),
    /// A file of a definition cannot be opened or read, or is not of the kind that it must be.
    UnreadableFile = "s6rc::unreadable-file" Error Without("the reason is not in the text of the file"),
    /// A bundle has neither `contents.d` nor `contents`.
    ContentsMissing = "s6rc::contents-missing" Error Without("what the bundle contains is not known"),
    /// A time limit for starting or stopping is not a number of milliseconds from 0 to 4294967295 (about 49 days).
    InvalidTimeout = "s6rc::invalid-timeout" Error Safe,
    /// A oneshot has no `up` file.
    ///
    /// The file may be empty: such a oneshot only sets the order of others.
    UpMissing = "s6rc::up-missing" Error Without("what the service does is not known"),
    /// A longrun has no `run` file, or it is not a regular file.
    RunMissing = "s6rc::run-missing" Error Without("what the service runs is not known"),
    /// `up`, `down` or `reload` is not a valid execline command line.
    ///
    /// These files are not shell scripts. They hold one command line: words, quotes, and braces that must balance.
    ScriptSyntax = "s6rc::script-syntax" Error Without("where the quote or block should end is not known"),
    /// `producer-for` or `pipeline-name` does not hold exactly one name.
    PipelineFileCount = "s6rc::pipeline-file-count" Error Without("which name is right is not known"),
    /// A pipeline has more members than there are longruns: it has a cycle, or a service is in it twice.
    PipelineTooLong = "s6rc::pipeline-too-long" Error Without("which place in the pipeline is right is not known"),
    /// A pipeline that only one of its two sides names.
    ///
    /// The producer must name its consumer in `producer-for`, and the consumer must name that producer in
    /// `consumer-for`.
    OneSidedPipeline = "s6rc::one-sided-pipeline" Error Without("the side that names the other may be wrong"),
    /// A pipeline names something that is not a longrun.
    PipelineMember = "s6rc::pipeline-member" Error Without("the longrun that was meant is not known"),
    /// A bundle that contains itself, directly or through other bundles.
    BundleCycle = "s6rc::bundle-cycle" Error Without("which of the names is wrong is not known"),
    /// A dependency, or the contents of a bundle, names a service that is defined nowhere.
    ///
    /// Services that only another layer of the image defines are declared with `external` in `[target]`.
    UnknownService = "s6rc::unknown-service" Error Unsafe,
    /// Services that wait for each other in a cycle, so that none of them can start.
    ///
    /// The report shows the whole cycle. Some of its edges may be in no file: s6 makes a producer wait for
    /// its logger, a dependency on a bundle is a dependency on each of its members, and under s6-overlay
    /// `legacy-services` waits for everything in `user`. A service that must start after the legacy services needs
    /// `start = "late"`.
    DependencyCycle = "s6rc::dependency-cycle" Error Without("which of the edges is wrong is not known"),
    /// `notification-fd` and `lock-fd` are the same descriptor.
    SameDescriptor = "s6rc::same-descriptor" Error Without("which number the program uses is not known"),
    /// The first line of a file is not a number from 0 to 4294967295, although it must be one.
    InvalidNumber = "s6rc::invalid-number" Error Safe,
    /// `data`, `env` or `template` is not a directory.
    NotADirectory = "s6rc::not-a-directory" Error Without("what should be in the directory is not known"),
    /// A fifo is in the place of a file that `s6-rc-compile` reads: it would wait for a writer for ever.
    Hang = "s6rc::hang" Error Without("what should be in the file is not known"),


    /// The file that `s6gen build` writes beside the definitions for the running system is missing or damaged.
    ///
    /// `build` writes the manifest into `.s6gen.manifest.json` there, so that `instance`, `apply` and `diff` know what the
    /// image was made from. An image that an older s6gen built does not have this file.
    CarriedUnreadable = "live::no-manifest" Error Without(OF_A_COMMAND),
    /// The file `.s6gen.added.toml` beside the definitions, in which `s6gen instance add` writes, cannot be used.
    ///
    /// It is a small manifest that you can repair by hand: `[longrun.TEMPLATE.instances.NAME]` with the parameters, or
    /// `[longrun.NAME]` with `run` and `start`.
    AdditionsUnreadable = "live::additions" Error Without(OF_A_COMMAND),
    /// No s6-rc runs here.
    ///
    /// `apply`, `status`, `start`, `stop` and `restart` use the s6-rc of the container in which you call them. Its live
    /// directory is `/run/s6-rc`, or the one that `--live` names. In a Dockerfile nothing runs yet; use `s6gen build`
    /// there.
    NotRunning = "live::not-running" Error Without(OF_A_COMMAND),
    /// A program of s6 or s6-rc cannot be found.
    ///
    /// s6gen looks on PATH and in `/command`, where s6-overlay has them.
    ProgramMissing = "live::program-missing" Error Without(OF_A_COMMAND),
    /// Another s6-rc has been at work for longer than s6gen was willing to wait.
    ///
    /// Only one s6-rc can change a system at a time. Usually the other one is the boot itself: it ends when everything
    /// that starts at boot is up and ready. If a service calls s6gen before it is ready itself, it waits for the boot, and
    /// the boot waits for it. Such a service must report first that it is ready, or call s6gen in the background.
    Busy = "live::busy" Error Without(OF_A_COMMAND),
    /// A program of s6-rc failed.
    ///
    /// The report shows the call and all output of the program. If `s6-rc-update` fails because a service did not stop,
    /// the old database stays live. If a service did not start again, the new database is live and the others run.
    ProgramFailed = "live::program-failed" Error Without(OF_A_COMMAND),
    /// A name that the running system, or the list of additions, does not have.
    UnknownName = "live::unknown-name" Error Without(OF_A_COMMAND),

    /// A file that `s6gen plan --measured=FILE` reads has no measured times.
    ///
    /// It must be the answer of a running system: `s6gen plan --measured --json > FILE` writes it there.
    NotMeasured = "plan::not-measured" Error Without(OF_A_COMMAND),
    /// The start may take longer than `s6gen plan --max-start` allows.
    ///
    /// s6-rc waits for each oneshot until it has succeeded, and for each longrun that reports its readiness until it is ready.
    /// The report marks the services of the longest chain with their `timeout-up`, or those that have none. `s6gen plan` shows
    /// the whole of it, and `s6gen plan --why NAME` what one service waits for. Lower the limits, or let fewer services wait
    /// for each other.
    StartTooLong = "plan::start-too-long" Error Without("which limit may be less is not known"),
    /// The stop may take longer than `s6gen plan --max-stop` allows.
    ///
    /// Services stop in the reverse order. Each has `timeout-kill` between the stop signal and SIGKILL, and then
    /// `timeout-finish` for its `finish`; a oneshot has `timeout-down` for its `down`. At the end s6-overlay waits for
    /// `S6_KILL_GRACETIME`. The report marks the longest chain. `docker stop` kills everything after 10 seconds, also what still
    /// saves its data.
    StopTooLong = "plan::stop-too-long" Error Without("which limit may be less is not known"),

    /// The system did not let s6gen write its output, or read the existing files.
    ///
    /// The report names the path and the reason that the system gives: no permission, no space left, a read-only file
    /// system. s6gen first writes everything new beside the old files, so such a refusal usually comes before anything
    /// visible has changed. If a part was already replaced, the report says so, and the next `s6gen build` completes it.
    OutputRefused = "output::refused" Error Without(OF_A_COMMAND),
    /// A service has the name of a definition that s6gen did not make.
    ///
    /// s6gen lists the files that it makes in its receipt, the file `.s6gen` beside the definitions. It replaces and
    /// removes only the files in this list. A definition of the same name that is not listed belongs to the base image, to
    /// another layer, or was written by hand. Nothing was written. Give your service another name, or remove the other
    /// definition in the image before building. If the definition is from an older build of yours whose `.s6gen` was
    /// lost, remove it as well: the build makes it again.
    ForeignDefinition = "output::foreign-definition" Error Without(OF_A_COMMAND),
    /// A file that s6gen did not make is in the way.
    ///
    /// s6gen wants to write a file with other content at this path, and the existing file is not listed in the receipt
    /// `.s6gen`. Nothing was written, and the file is unchanged. Move it away or remove it, or move its content into the
    /// manifest.
    ForeignFile = "output::foreign-file" Error Without(OF_A_COMMAND),
}

macro_rules! classes {
    ($($name:ident = $slug:literal $code:ident,)+) => {
        /// A way in which `s6-rc-compile` 0.7.0.0 refuses a tree. Each has its own message there. Several of them may be one
        /// [`Code`] here, because the remedy is the same.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[allow(missing_docs, reason = "the names are short forms of the compiler's messages")]
        pub enum Class { $($name,)+ }

        impl Class {
            /// Every class.
            pub const ALL: &'static [Class] = &[$(Class::$name,)+];

            /// The name of the class in recorded verdicts and in machine output.
            pub fn slug(self) -> &'static str {
                match self { $(Class::$name => $slug,)+ }
            }

            /// The code for this class.
            pub fn code(self) -> Code {
                match self { $(Class::$name => Code::$code,)+ }
            }
        }
    };
}

classes! {
    SrcOpendir = "src-opendir" SourceUnreadable,
    SrcStat = "src-stat" BrokenEntry,
    NameNewline = "name-newline" ImpossibleName,
    NameReserved = "name-reserved" ReservedName,
    NameReservedInList = "name-reserved-in-list" ReservedName,
    SvcOpen = "svc-open" DefinitionUnreadable,
    TypeRead = "type-read" TypeMissing,
    TypeInvalid = "type-invalid" InvalidType,
    DupService = "dup-service" DuplicateService,
    DupPipeline = "dup-pipeline" DuplicateService,
    ListdOpen = "listd-open" UnreadableFile,
    ListOpen = "list-open" UnreadableFile,
    ListRead = "list-read" UnreadableFile,
    ContentsMissing = "contents-missing" ContentsMissing,
    TimeoutRead = "timeout-read" UnreadableFile,
    TimeoutInvalid = "timeout-invalid" InvalidTimeout,
    FlagAccess = "flag-access" UnreadableFile,
    UpMissing = "up-missing" UpMissing,
    ScriptOpen = "script-open" UnreadableFile,
    ScriptRead = "script-read" UnreadableFile,
    ScriptUnmatchedClose = "script-unmatched-close" ScriptSyntax,
    ScriptUnmatchedOpen = "script-unmatched-open" ScriptSyntax,
    ScriptSyntax = "script-syntax" ScriptSyntax,
    RunMissing = "run-missing" RunMissing,
    RunOpen = "run-open" UnreadableFile,
    RunNotreg = "run-notreg" RunMissing,
    ProducerForCount = "producer-for-count" PipelineFileCount,
    PipelineNameCount = "pipeline-name-count" PipelineFileCount,
    PipelineNameAccess = "pipeline-name-access" UnreadableFile,
    PipelineLoop = "pipeline-loop" PipelineTooLong,
    PipelineProducerType = "pipeline-producer-type" PipelineMember,
    BundleUndefined = "bundle-undefined" UnknownService,
    BundleCycle = "bundle-cycle" BundleCycle,
    ProdConsumerType = "prod-consumer-type" PipelineMember,
    ConsListType = "cons-list-type" PipelineMember,
    ProdNotBack = "prod-not-back" OneSidedPipeline,
    ConsProducerType = "cons-producer-type" PipelineMember,
    ProdDeclType = "prod-decl-type" PipelineMember,
    ConsNotBack = "cons-not-back" OneSidedPipeline,
    DepUndefined = "dep-undefined" UnknownService,
    DepCycle = "dep-cycle" DependencyCycle,
    FinishCopy = "finish-copy" UnreadableFile,
    UintInvalid = "uint-invalid" InvalidNumber,
    UintRead = "uint-read" UnreadableFile,
    FdSame = "fd-same" SameDescriptor,
    EmptyflagAccess = "emptyflag-access" UnreadableFile,
    SubdirStat = "subdir-stat" UnreadableFile,
    SubdirNotdir = "subdir-notdir" NotADirectory,
    SubdirCopy = "subdir-copy" UnreadableFile,
    Hang = "hang" Hang,
}

impl Code {
    /// The link to its heading in `docs/codes.md`, in the form that GitHub and others use.
    pub fn page(self) -> String {
        format!("docs/codes.md#{}", self.slug().replace(':', ""))
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.slug())
    }
}
