use std::fmt;

/// How much a problem weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Nothing is built: s6-rc or the system would refuse or misread it.
    Error,
    /// It builds, but most likely does not do what was meant.
    Warning,
}

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $name:ident = $slug:literal $severity:ident,)+) => {
        /// What kind of problem a diagnostic reports. The slug says who objects and to what.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code { $($(#[doc = $doc])+ $name,)+ }

        impl Code {
            /// Every code, in the order in which `s6gen explain` lists them.
            pub const ALL: &'static [Code] = &[$(Code::$name,)+];

            /// The name that reports print and `s6gen explain` takes.
            pub fn slug(self) -> &'static str {
                match self { $(Code::$name => $slug,)+ }
            }

            /// How much a problem of this kind weighs.
            pub fn severity(self) -> Severity {
                match self { $(Code::$name => Severity::$severity,)+ }
            }

            /// What `s6gen explain` prints.
            pub fn explanation(self) -> &'static str {
                match self { $(Code::$name => concat!($($doc, "\n",)+),)+ }
            }
        }
    };
}

codes! {
    /// The manifest cannot be read: it is missing, is a directory, or may not be opened.
    ///
    /// Without `-m` s6gen looks for `services.toml` in the current directory. `s6gen init` writes a first one.
    ManifestUnreadable = "manifest::unreadable" Error,
    /// The manifest is not UTF-8 text.
    ///
    /// TOML is UTF-8 by definition. A byte order mark and CR LF line ends are accepted; anything else that is not
    /// UTF-8 usually means that a wrong file was named, or that an editor saved it in another encoding.
    ManifestNotText = "manifest::not-text" Error,
    /// The manifest is larger than 16 MiB, or what it describes is larger than 64 MiB.
    ///
    /// The largest system described so far needs less than a hundredth of that; most likely a wrong file was named, or
    /// a template has more instances than were meant.
    ManifestTooLarge = "manifest::too-large" Error,
    /// The manifest describes no service at all.
    ///
    /// A complete manifest needs three lines:
    ///
    /// ```toml
    /// [longrun.web]
    /// run = ["nginx", "-g", "daemon off;"]
    /// ```
    ManifestEmpty = "manifest::empty" Error,
    /// The manifest is not valid TOML.
    ///
    /// Every syntax error of the file is reported in one run. Each costs only its own statement: the rest of the file is
    /// still checked, but nothing is built. What is missing only because of a syntax error is not reported.
    Syntax = "manifest::syntax" Error,
    /// A value has the wrong type, for example a number where a string is expected.
    ///
    /// Durations, sizes and signals are strings: `"10s"`, `"5MB"`, `"TERM"`. A command is an array (run exactly so)
    /// or a string (run by a shell).
    WrongType = "manifest::wrong-type" Error,
    /// A key or table that the language does not have.
    ///
    /// s6-rc ignores files that it does not know, which is how a misspelt `timeout-Up` goes unnoticed for years;
    /// s6gen does not. A service whose name holds a dot needs quotes: `[longrun."php8.2"]`.
    UnknownKey = "manifest::unknown-key" Error,
    /// A key that must be there is not.
    ///
    /// A longrun needs `run`, a bundle needs `contents`.
    MissingKey = "manifest::missing-key" Error,
    /// A value that has the right type but makes no sense: a malformed duration, a relative path, a number out of
    /// range, a NUL byte.
    InvalidValue = "manifest::invalid-value" Error,
    /// A name that s6gen does not accept for a service.
    ///
    /// Names consist of letters, digits, `_`, `.`, `@` and `-`, begin with a letter or a digit, and have at most 251
    /// bytes together with every suffix that is made from them (`-log`, `-err-log`, `-pipeline`, `-INSTANCE`):
    /// s6-svscan supervises nothing with a longer name, and other characters do not survive every tool on the way.
    InvalidName = "manifest::invalid-name" Error,
    /// A signal that does not exist.
    ///
    /// s6-rc copies `down-signal` without looking at it, and s6-supervise silently falls back to TERM. s6gen checks
    /// the name.
    UnknownSignal = "manifest::unknown-signal" Error,
    /// Two keys that exclude each other, or a key that has no effect without another one.
    ConflictingKeys = "manifest::conflicting-keys" Error,
    /// An expression uses a parameter that is not given and has no default, or that was never declared.
    ///
    /// Known names are `name`, in a template `instance`, and what `parameters` declares. A parameter may be left out
    /// by an instance only where every use says `{{ port | default('1195') }}`.
    MissingParameter = "manifest::missing-parameter" Error,
    /// A parameter that the template does not declare, or that it declares and nothing uses.
    UnknownParameter = "manifest::unknown-parameter" Error,
    /// Instances were added of a template that the manifest does not have.
    ///
    /// `s6gen instance add` writes down what was added while the system runs, and every later build keeps it. If the
    /// manifest has lost the template since, either it comes back or the instances go.
    UnknownTemplate = "manifest::unknown-template" Error,
    /// An expression between `{{` and `}}` that cannot be evaluated.
    ///
    /// Expressions exist only in `[defaults.…]` and in services with `instances`; everywhere else `{{` is ordinary
    /// text. They are those of minijinja, as far as none of them can make much out of little: `*` multiplies numbers
    /// only, filters that pad or repeat are missing, and 200 words are the limit.
    Expression = "manifest::expression" Error,

    /// A file that `include` names cannot be read, or includes itself.
    ///
    /// Names are relative to the file that includes; a pattern such as `"services.d/*.toml"` may match nothing, a plain
    /// name must exist.
    Include = "manifest::include" Error,
    /// A template of the text cannot be filled.
    ///
    /// Templates come with s6gen; `--templates DIR` puts a folder of yours before them. The report names the template and
    /// the line. `s6gen init --templates DIR` writes the shipped ones to start from.
    Template = "manifest::template" Error,

    /// A service takes a name that s6-overlay itself defines.
    ///
    /// `/init` compiles your definitions together with its own (`top`, `base`, `user`, `user2`, `fix-attrs`,
    /// `legacy-cont-init`, `legacy-services`); a second definition of one of them makes `s6-rc-compile` refuse
    /// everything, and the container starts nothing.
    BuiltInName = "overlay::built-in-name" Error,
    /// The manifest names a version of s6-overlay or s6-rc that s6gen does not know.
    UnknownVersion = "overlay::unknown-version" Error,
    /// The target version cannot do this yet.
    ///
    /// Older compilers drop files they do not know without a word, so the service would start but behave differently.
    TargetTooOld = "overlay::target-too-old" Error,
    /// There is no s6-overlay in the root file system that was named, or, without `--root`, in that of this machine.
    ///
    /// `s6gen build` without `--root` is for the inside of an image. Anywhere else it would write into the machine's own
    /// `/etc`, so it refuses; `--root /` says that this is meant.
    ///
    /// Its version is read from `/init`, or from the directory `/package/admin/s6-overlay-VERSION`. Name the root of
    /// an unpacked image: the directory that holds `etc`, `init` and `package`. Where s6-overlay comes from packages of
    /// the distribution, say which version it is: `s6gen check --root DIR --overlay VERSION`.
    OverlayNotFound = "overlay::not-found" Error,
    /// Services are put into a start bundle that `/init` never reads, because `s6-rc.d/user` exists too.
    ///
    /// Since s6-overlay 3.2.3.1 the start bundles `user` and `user2` lie in `/etc/s6-overlay/user-bundles.d`. When
    /// there is a directory `/etc/s6-overlay/s6-rc.d/user`, where they lay before, `/init` takes that one and leaves
    /// out `user-bundles.d`, and `S6_RUNTIME_BUNDLEDIR` as well. The container boots, and what is named in the new place
    /// does not start; nothing is said about it.
    ///
    /// The directory may come from any layer of the image: from a base image, from a mod, or from the archive
    /// `syslogd-overlay-noarch.tar.xz`, which still brings `s6-rc.d/user/contents.d/syslogd-bundle`. Move what it holds
    /// to the new place and remove it, after the last layer that brings it:
    ///
    /// ```sh
    /// cd /etc/s6-overlay
    /// mv s6-rc.d/user/contents.d/* user-bundles.d/user/contents.d/
    /// rm -r s6-rc.d/user
    /// ```
    UserInTwoPlaces = "overlay::user-in-two-places" Error,
    /// Services are put into a start bundle in `user-bundles.d`, of which this s6-overlay knows nothing.
    ///
    /// Before 3.2.3.1 `/init` compiles `/etc/s6-overlay/s6-rc.d` only, and the start bundles are `s6-rc.d/user` and
    /// `s6-rc.d/user2`. The container boots, and what is named in `user-bundles.d` does not start. Put the image on
    /// s6-overlay 3.2.3.1 or newer, or put the markers into `s6-rc.d/user/contents.d`.
    BundlesTooNew = "overlay::bundles-too-new" Error,
    /// A start bundle of s6-overlay is missing, or lacks its `type` file.
    ///
    /// `top`, which `/init` starts, contains `user` and (since 3.1.1.1) `user2`. Both must be complete bundles where
    /// this version looks for them, even when nothing is in them; otherwise `s6-rc-compile` refuses everything, and the
    /// container starts nothing.
    ///
    /// Until 3.2.3.0 the image brings both in `s6-rc.d`, since 3.2.3.1 in `user-bundles.d`. So a `s6-rc.d/user` that
    /// holds nothing but `contents.d` was complete with an older base image; 3.2.3.1 refuses it, and 3.2.3.2 writes
    /// what is missing at boot. A directory for `S6_RUNTIME_BUNDLEDIR` or `S6_RUNTIME_PROFILE` replaces that of the
    /// image, and must bring both bundles itself.
    IncompleteStartBundle = "overlay::incomplete-start-bundle" Error,
    /// The start bundles are in `s6-rc.d`, where s6-overlay expects them no longer.
    ///
    /// Since 3.2.3.1 they lie in `/etc/s6-overlay/user-bundles.d`. As long as there is a directory `s6-rc.d/user`, that
    /// one counts: `/init` warns, and everything that another layer puts into `user-bundles.d` is left out without a
    /// word. 3.2.3.2 also writes `type` files into it at boot, so that on a read-only root file system nothing starts at
    /// all. The next major version of s6-overlay will not look there any more.
    DeprecatedPlace = "overlay::deprecated-place" Warning,
    /// A service that nothing starts.
    ///
    /// At boot `/init` starts what is in the bundles `user` and `user2`, and what that needs. This service is in neither,
    /// and nothing that is started depends on it. To start it at boot, put an empty file of its name into `contents.d` of
    /// `user`. Leave it if it is meant to be started by hand, with `s6-rc start NAME`.
    ///
    /// Nothing is said of a service that a script of the image names where it calls `s6-rc change` or edits the lists
    /// before they are compiled, of what s6gen itself made with `start = "on-demand"`, and of lower layers.
    NotStarted = "overlay::not-started" Warning,
    /// A service starts earlier than most services of a container should.
    ///
    /// What is in `user` starts beside the initialisation of the image unless it depends on `base`: scripts in
    /// `/etc/cont-init.d` may not have run yet, nor `fix-attrs`. What is in `user2` is meant to start last, but does so
    /// only if it depends on `legacy-services`. s6-rc knows no other order than dependencies. Nothing is said of loggers,
    /// which may well start first. Leave it if the service is meant to be early.
    ///
    /// A service that waits for an early one is early too, so only the first of each chain is reported, with those behind
    /// it. What lower layers (`--layer`) begin with is one line, since it cannot be changed here. Nothing is said of what
    /// s6gen made: its manifest says when that starts.
    StartsEarly = "overlay::starts-early" Warning,

    /// A source directory cannot be opened.
    SourceUnreadable = "s6rc::source-unreadable" Error,
    /// An entry of a source directory cannot be looked at: a dangling symbolic link, a loop of links, or no permission.
    ///
    /// `s6-rc-compile` looks at every entry, also at those that are no services, and stops at the first it cannot.
    BrokenEntry = "s6rc::broken-entry" Error,
    /// The name of an entry contains a newline.
    ImpossibleName = "s6rc::impossible-name" Error,
    /// A name begins with `s6rc-` or `s6-rc-`, which s6-rc keeps for itself.
    ///
    /// This holds for every entry of a source directory, also for plain files, and for every name in a list of
    /// dependencies, contents, producers or consumers.
    ReservedName = "s6rc::reserved-name" Error,
    /// A service definition directory cannot be opened.
    DefinitionUnreadable = "s6rc::definition-unreadable" Error,
    /// A directory among the definitions has no readable `type` file.
    ///
    /// Every directory of a source directory is a service definition. One with a few files may add to a definition of a
    /// base image: judge both together (`--overlay VERSION --tree DIR --layer BASE`). If `check --root` says it of an image
    /// that is fine elsewhere, a damaged layer on this host is the usual cause: remove the image and pull it again.
    TypeMissing = "s6rc::type-missing" Error,
    /// A `type` file does not say exactly `longrun`, `oneshot` or `bundle`.
    ///
    /// A CR before the newline, a blank, a capital letter and an empty file are all refused.
    InvalidType = "s6rc::invalid-type" Error,
    /// Two definitions have the same name.
    ///
    /// Longruns, oneshots, bundles and pipeline names share one name space, over all source directories. Names that
    /// s6gen makes (`NAME-log`, `NAME-err-log`, `NAME-pipeline`, `NAME-INSTANCE`) take part.
    DuplicateService = "s6rc::duplicate-service" Error,
    /// A file of a definition cannot be opened or read, or is not of the kind that it must be.
    UnreadableFile = "s6rc::unreadable-file" Error,
    /// A bundle has neither `contents.d` nor `contents`.
    ContentsMissing = "s6rc::contents-missing" Error,
    /// A time limit for starting or stopping is not a number of milliseconds from 0 to 4294967295 (about 49 days).
    InvalidTimeout = "s6rc::invalid-timeout" Error,
    /// A oneshot has no `up` file.
    ///
    /// An empty one is fine: such a oneshot only orders others.
    UpMissing = "s6rc::up-missing" Error,
    /// A longrun has no `run` file, or it is not a regular file.
    RunMissing = "s6rc::run-missing" Error,
    /// `up`, `down` or `reload` is not a valid execline command line.
    ///
    /// These files are no shell scripts. They hold one command line: words, quotes, and braces that must balance.
    ScriptSyntax = "s6rc::script-syntax" Error,
    /// `producer-for` or `pipeline-name` does not hold exactly one name.
    PipelineFileCount = "s6rc::pipeline-file-count" Error,
    /// A pipeline has more members than there are longruns: it runs in a circle, or a service feeds it twice.
    PipelineTooLong = "s6rc::pipeline-too-long" Error,
    /// A pipeline that only one side knows of.
    ///
    /// The producer must name its consumer in `producer-for`, and the consumer must name that producer in
    /// `consumer-for`.
    OneSidedPipeline = "s6rc::one-sided-pipeline" Error,
    /// A pipeline names something that is not a longrun.
    PipelineMember = "s6rc::pipeline-member" Error,
    /// A bundle that contains itself, directly or through other bundles.
    BundleCycle = "s6rc::bundle-cycle" Error,
    /// A dependency, or the contents of a bundle, names a service that is defined nowhere.
    ///
    /// Services that only another layer of the image defines are declared with `external` in `[target]`.
    UnknownService = "s6rc::unknown-service" Error,
    /// Services that wait for each other in a circle, so that none of them could ever start.
    ///
    /// The report shows the whole circle. Some of its edges may not be written anywhere: s6 makes a producer wait for
    /// its logger, a dependency on a bundle is one on each of its members, and under s6-overlay `legacy-services`
    /// waits for everything in `user`. What must start after the legacy services has `start = "late"`.
    DependencyCycle = "s6rc::dependency-cycle" Error,
    /// `notification-fd` and `lock-fd` are the same descriptor.
    SameDescriptor = "s6rc::same-descriptor" Error,
    /// A file that must hold a number from 0 to 4294967295 on its first line does not.
    InvalidNumber = "s6rc::invalid-number" Error,
    /// `data`, `env` or `template` is not a directory.
    NotADirectory = "s6rc::not-a-directory" Error,
    /// A fifo stands where `s6-rc-compile` reads a file: it would wait for a writer for ever.
    Hang = "s6rc::hang" Error,

    /// A text contains `$NAME`, `${NAME}` or `{{ name }}`, which nothing expands.
    ///
    /// A command in array form is run exactly as written, as in Docker. Write it as a string if a shell shall expand it:
    /// `run = 'exec web --port "$PORT"'`. A word that another program reads, as behind `sh -c`, is not meant. The values
    /// of all other keys are taken as written, too: those of `environment`, and `workdir`, `user`, `log.to`, `ready.http`.
    /// `{{ name }}` is an expression in `[defaults]` and in a service with `instances`, and nowhere else.
    LiteralVariable = "lint::literal-variable" Warning,
    /// A `run` with `stop-group` traps its stop signal, and then waits for a program in the foreground.
    ///
    /// A shell runs a trap only when the program in the foreground has ended. `s6` signals the shell alone, and `stop-group`
    /// reaches the program only when the shell has ended, so that such a stop lasts until `timeout-kill`, and the trap never
    /// runs. `program & wait $!` lets the trap run at once.
    TrapWaits = "lint::trap-waits" Warning,
    /// A command begins with `with-contenv`, which would clear what `environment` and `user` set.
    ///
    /// `with-contenv` empties the environment and loads that of the container. A service has that environment already, so
    /// s6gen leaves the word out of what it writes. `with-contenv = false` keeps the word: then the command loads the
    /// environment of the container itself, and what `environment` sets is lost.
    ContenvTwice = "lint::with-contenv-twice" Warning,
    /// `ready.fd` says that the program writes a line to a descriptor, but nothing in its command mentions that number.
    ///
    /// A program that never writes there never counts as up, and whatever waits for it fails after `timeout-up`.
    ///
    /// In a hand-written tree the file `notification-fd` says so. `logutil-service` cannot write there at all: a logger
    /// that shall tell when it is ready is `s6-log -d3 …` with `notification-fd` 3.
    ReadinessUnused = "lint::readiness-unused" Warning,
    /// A file of a definition that s6-rc does not know, and that nothing in the tree refers to.
    ///
    /// s6-rc reads the files that it knows by name and passes over every other one without a word: `timeout-Up`, `Run`,
    /// `notification_fd`, `finish.sh` and `dependency.d` have no effect. What a script of the tree mentions is taken for
    /// its data, and README files, texts and backups are left alone. An empty file that is called like a service belongs
    /// into `dependencies.d` or `contents.d`, not beside it.
    UnknownEntry = "lint::unknown-entry" Warning,
    /// A file that s6-rc knows, in a service of a type for which it means nothing.
    ///
    /// `up`, `down` and `reload` belong to oneshots; `run`, `finish`, readiness, signals and pipelines to longruns; bundles
    /// have nothing but contents. Two files are misunderstood most often: `down` in a longrun, which in plain s6 keeps a
    /// service from being started and which s6-rc leaves out; and `log/`, which s6-rc leaves out as well, so that the
    /// logger never runs. A `run` that the `up` of its own oneshot calls is fine.
    IgnoredEntry = "lint::ignored-entry" Warning,
    /// A bundle has a list of dependencies.
    ///
    /// A bundle is a name for several services and waits for nothing by itself. s6-rc ignores the list, even if it names
    /// services that do not exist. Give each member of the bundle the dependencies, or make what must come first a
    /// dependency of a oneshot with an empty `up` on which the members depend.
    BundleDependencies = "lint::bundle-dependencies" Warning,
    /// A definition has a list both as a directory and as a file, and the file says more.
    ///
    /// `dependencies.d` wins over `dependencies`, and `contents.d` over `contents`, even if the directory is empty. The
    /// names that stand only in the file are lost without a word. The files are the old form: make an empty file in the
    /// directory for each name, and remove the old list.
    ///
    /// What stands in a file of such a directory is not read either: only its name counts.
    HiddenList = "lint::hidden-list" Warning,
    /// A service waits for a bundle that contains nothing.
    ///
    /// It waits for nothing, and starts at once. git does not keep empty directories, and an image builder may lose empty
    /// files, so the members of such a bundle were perhaps forgotten. A bundle that nobody waits for may be empty.
    EmptyBundle = "lint::empty-bundle" Warning,
    /// Shell syntax in `up`, `down` or `reload`, which no shell reads.
    ///
    /// These files are one execline command line: the first word is the program, every other word is an argument.
    /// Variables, quotes with `'`, `&&`, `|`, `;`, redirections and patterns reach the program as they are; `if [ … ]` is
    /// execline's `if`, which wants a block in braces and stops with `if: fatal: unterminated block`. A first line
    /// `#!/bin/sh` is an ordinary comment.
    ///
    /// Put what a shell shall do into a script of its own (mode 0755, first line `#!/bin/sh -e`), and write its absolute
    /// path into `up`:
    ///
    /// ```text
    /// /etc/s6-overlay/s6-rc.d/NAME/run
    /// ```
    ShellSyntax = "lint::shell-syntax" Warning,
    /// Several commands in `up`, `down` or `reload` that become one command line.
    ///
    /// A line end is a blank here. `mkdir -p /a` and `chown app /a` on two lines run `mkdir -p /a chown app /a`, which
    /// succeeds and makes directories called `chown` and `app`. In execline, commands that follow each other are written
    /// `if { mkdir -p /a }` and so on, the last one without braces; or put them into a script of its own.
    ///
    /// The same holds in scripts for execline: in `if { test -f x } rm -f x`, followed by a line `exec daemon`, `rm` gets
    /// `exec daemon` as arguments, and the service ends at once. Write `if { … } foreground { rm -f x }`.
    JoinedLines = "lint::joined-lines" Warning,
    /// The last thing in an `up` is `foreground { … }`, which always succeeds.
    ///
    /// `foreground` runs its block and goes on with what stands behind it, whatever came of the block. With nothing
    /// behind it, the step counts as done even if the command failed, and everything that depends on it is started.
    /// Write the last command without `foreground` and braces; write `if { … }` for those before it.
    FailureHidden = "lint::failure-hidden" Warning,
    /// A script that the system cannot start, because of its first line.
    ///
    /// The first two bytes must be `#!`, followed by the absolute path of an interpreter and LF. A blank line or a comment
    /// above it, a byte order mark or CR LF at its end make it fail at each start, with `Exec format error` or
    /// `No such file or directory`, which speaks of the interpreter. s6-rc-compile does not look at it.
    Shebang = "lint::shebang" Warning,
    /// A script that is run by its path has no x bit.
    ///
    /// s6-rc installs `run` and `finish` of longruns as executable, so their mode does not matter. What `up` and `down`
    /// name, and `data/check`, is run from where it lies: without the x bit the start ends with
    /// `unable to exec …: Permission denied` and `command exited 126`. `chmod +x` it; git keeps the bit
    /// (`git update-index --chmod=+x FILE`), `COPY --chmod=755` sets it in an image.
    NotExecutable = "lint::not-executable" Warning,
    /// `up` or `down` names a script that does not exist.
    ///
    /// The start would end with `No such file or directory` and `command exited 127`. Most often the script was renamed and
    /// its mention was not. In a tree that is only a part of an image, the script may come from the Dockerfile or from
    /// another layer; there this is reported only if a file with nearly the same path exists, or one that nobody runs.
    MissingScript = "lint::missing-script" Warning,
    /// `finish` cannot be read and is left out.
    ///
    /// s6-rc-compile copies `finish` if it can open it, and says nothing if it cannot: a dangling link, a loop of links,
    /// or no permission. The service then runs without it.
    FinishLeftOut = "lint::finish-left-out" Warning,
    /// `down-signal` or `reload-signal` names no signal.
    ///
    /// s6-supervise reads the first line, at most 15 bytes: a name with or without `SIG`, or a number. Anything else means
    /// a warning at run time, and SIGTERM or SIGHUP is sent instead. Blanks and CR belong to the name.
    InvalidSignal = "lint::invalid-signal" Warning,
    /// `max-death-tally` is larger than 4096, to which s6-supervise cuts it.
    DeathTally = "lint::death-tally" Warning,
    /// A descriptor for readiness or for a lock that is standard input, output or error.
    ///
    /// Descriptors 0, 1 and 2 are taken by what the service reads and writes anyway, so that its first line of output
    /// would count as its readiness. Use 3 or more.
    StandardDescriptor = "lint::standard-descriptor" Warning,
    /// `s6-notifyoncheck` in a `run` in which it cannot work as it stands.
    ///
    /// It needs `notification-fd` in the definition and the service directory as its working directory, so it comes
    /// before any `cd` and before the rights are dropped (`s6-setuidgid`): with-contenv, variables, `fdmove -c 2 1`,
    /// `s6-notifyoncheck`, `cd`, `s6-setuidgid`, program. Without `-c` it runs `./data/check`, which must be executable.
    /// Without `-n` it gives up after 7 tries, `-w` milliseconds (1000) apart, or after `-T` milliseconds if that is
    /// sooner; the service then never counts as up. Write `-n 0`, and a limit into `timeout-up`.
    ReadinessCheck = "lint::readiness-check" Warning,
    /// Services with a readiness notification and no limit for the start.
    ///
    /// If the notification never comes, the start waits for ever, and since s6-overlay 3.2.0.0 so does the whole boot: no
    /// global limit is left unless `S6_CMD_WAIT_FOR_SERVICES_MAXTIME` sets one. Write milliseconds into `timeout-up`.
    ReadinessUnlimited = "lint::readiness-unlimited" Warning,
    /// A service name that s6-rc accepts and that makes trouble elsewhere.
    ///
    /// Blanks and a leading `-` do not survive every script and command line, and s6-svscan supervises nothing whose name
    /// is longer than 251 bytes.
    OddName = "lint::odd-name" Warning,
    /// Text behind the type in a `type` file.
    ///
    /// s6-rc-compile reads no more than 8 bytes of the file, so it does not see the rest; other programs do.
    TextAfterType = "lint::text-after-type" Warning,
    /// Something of s6-overlay 2 that version 3 does not have.
    ///
    /// `/var/run/s6/services` is now `/run/service`; `s6-svscanctl -t` on it, which stopped the container, is
    /// `/run/s6/basedir/bin/halt`; `s6-test` is `eltest`; execline's `import` is `importas -S`.
    /// `/usr/bin/with-contenv` is `/command/with-contenv`; the old path exists only where the image installs the optional
    /// archives `s6-overlay-symlinks-noarch` and `-arch`. Many base images do, so a tree that uses nothing but the old path
    /// is taken to know that.
    VersionTwo = "lint::version-two" Warning,
    /// A process runs as another user, while its script uses the home directory of root.
    ///
    /// `s6-setuidgid` changes the user and nothing else: `HOME` stays `/root`, where that user may not write. Set it
    /// before: `export HOME=/home/app` in a shell, `export HOME /home/app` in execline.
    HomeOfRoot = "lint::home-of-root" Warning,
    /// The logger of a service does not get what the service writes to standard error.
    ///
    /// A pipeline carries standard output only. Send the errors there as well, before the program is started: `exec 2>&1`
    /// in a shell, `fdmove -c 2 1` in execline. Without it they go to the container's own log.
    ErrorsNotLogged = "lint::errors-not-logged" Warning,
    /// A shell stays between s6 and the process that it starts.
    ///
    /// Signals go to the shell, which does not hand them on: a stop kills the shell, and the process stays behind, keeps
    /// its port, and meets its successor. Start the last program of `run` with `exec`.
    NotExec = "lint::not-exec" Warning,
    /// The process of a longrun goes into the background.
    ///
    /// s6 supervises what `run` becomes. Where that ends while a daemon runs on in the background, s6 takes it for dead,
    /// runs `finish` and starts it again, once a second. Start the program in the foreground: without `&`, without
    /// `--daemon`, with the option by which it stays (`crond -f`, `sshd -D`).
    Background = "lint::background" Warning,
    /// A `finish` that stops the container when the service is killed by SIGTERM, but not when it crashes.
    ///
    /// `finish` gets 256 for a death by signal and the number of that signal. A script that is copied around widely calls
    /// `halt` for signal 15 only: a crash (11, SIGSEGV) or a kill for want of memory (9, SIGKILL) is not handled, and the
    /// service is started again, once a second, for ever. Halt for every signal, or for none.
    FinishMissesCrashes = "lint::finish-misses-crashes" Warning,
    /// A script changes the service definitions while the container runs.
    ///
    /// `/init` compiles the definitions before the first of them is started. What a service adds to `contents.d`, or
    /// removes from it, has no effect in this run of the container, and may have one in the next. To decide at boot what
    /// is started, let `run` itself wait (`exec sleep infinity`, `s6-pause`), change the tree in a hook that runs before
    /// the compilation (`S6_STAGE2_HOOK`), or start services on demand with `s6-rc start`.
    EditedTooLate = "lint::edited-too-late" Warning,
    /// A file that would mean something in a definition, beside the definitions.
    ///
    /// Plain files of a source directory are passed over; a README may lie there.
    StrayFile = "lint::stray-file" Warning,
    /// There are so many services and bundles that `s6-rc-compile` most likely dies, without saying why.
    ///
    /// It keeps tables on its stack that grow with the square of the number of services. With the usual limit of 8 MiB
    /// it can take 7,894 services without dependencies, and somewhat fewer with dependencies and bundles; above that it
    /// ends by a segmentation fault (exit status 139 in a shell), and may leave a part of a database behind.
    ///
    /// `ulimit -s unlimited` in the shell that starts it lifts the limit, in Docker `--ulimit stack=-1`. s6gen itself
    /// has no such limit.
    TooManyServices = "lint::too-many-services" Warning,

    /// What `s6gen build` leaves beside the definitions for the running system is missing or damaged.
    ///
    /// `build` writes the manifest into `.s6gen.manifest.json` there, so that `instance`, `apply` and `diff` know what the
    /// image was made from. An image that an older s6gen built does not have it yet.
    CarriedUnreadable = "live::no-manifest" Error,
    /// The file `.s6gen.added.toml` beside the definitions, in which `s6gen instance add` writes, cannot be used.
    ///
    /// It is a small manifest, which may be mended by hand: `[longrun.TEMPLATE.instances.NAME]` with the parameters, or
    /// `[longrun.NAME]` with `run` and `start`.
    AdditionsUnreadable = "live::additions" Error,
    /// There is no system of s6-rc that runs here.
    ///
    /// `apply`, `status`, `start`, `stop` and `restart` speak with the s6-rc of the container in which they are called;
    /// its live directory is `/run/s6-rc`, or what `--live` names. In a Dockerfile, where nothing runs yet, `s6gen build`
    /// is what is meant.
    NotRunning = "live::not-running" Error,
    /// A program of s6 or s6-rc cannot be found.
    ///
    /// s6gen looks on PATH and in `/command`, where s6-overlay has them.
    ProgramMissing = "live::program-missing" Error,
    /// Another s6-rc has been at work for longer than s6gen was willing to wait.
    ///
    /// Only one s6-rc can change a system at a time. The usual other one is the boot itself: it ends when everything
    /// that starts at boot is up and ready. A service that calls s6gen before it is ready itself waits for a boot that
    /// waits for it: such a service says that it is ready first, or calls s6gen in the background.
    Busy = "live::busy" Error,
    /// A program of s6-rc refused, or did not get where it should.
    ///
    /// The report shows the call and everything the program said. When `s6-rc-update` fails because a service did not
    /// stop, the old database stays live; when one did not start again, the new one is live and the others run.
    ProgramFailed = "live::program-failed" Error,
    /// A name that the running system, or the list of what was added, does not have.
    UnknownName = "live::unknown-name" Error,

    /// The system did not let s6gen write its output, or read what is there already.
    ///
    /// The report names the path and the system's own reason: no permission, no space left, a read-only file system.
    /// Everything new is first written beside the old files, so that such a refusal shows before anything visible
    /// has changed; the report says so where, in spite of that, a part was already replaced. The next `s6gen build`
    /// then completes it.
    OutputRefused = "output::refused" Error,
    /// A service has the name of a definition that s6gen did not make.
    ///
    /// What s6gen makes is listed in the file `.s6gen` beside the definitions, its receipt; it replaces and removes
    /// only what is listed there. A definition of the same name that is not listed belongs to the base image, to
    /// another layer, or was written by hand. Nothing was written. Give your service another name, or remove the other
    /// definition in the image before building. If the definition is from an older build of yours whose `.s6gen` was
    /// lost, remove it as well: the build makes it anew.
    ForeignDefinition = "output::foreign-definition" Error,
    /// A file stands in the way that s6gen did not make.
    ///
    /// It exists where s6gen wants to write, differs from what would be written, and is not listed in `.s6gen`, the
    /// receipt of what s6gen made. Nothing was written, and the file is as it was. Move it away or remove it, or move
    /// its content into the manifest.
    ForeignFile = "output::foreign-file" Error,
}

macro_rules! classes {
    ($($name:ident = $slug:literal $code:ident,)+) => {
        /// A way in which `s6-rc-compile` 0.7.0.0 refuses a tree. Each is a message of its own there; several of them
        /// are one [`Code`] here, because a person mends them the same way.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[allow(missing_docs, reason = "the slugs are the documentation: they are the compiler's messages in short")]
        pub enum Class { $($name,)+ }

        impl Class {
            /// Every class.
            pub const ALL: &'static [Class] = &[$(Class::$name,)+];

            /// The name of the class in recorded verdicts and in machine formats.
            pub fn slug(self) -> &'static str {
                match self { $(Class::$name => $slug,)+ }
            }

            /// The code under which people see it.
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

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.slug())
    }
}
