//! Shows that programs behave under s6 as they did under supervisord: each difference is one that the report of the import names.

use crate::require::{needs, say, this_test};
use crate::supervise::{available, tells_group};
use crate::supervisord_pairs::{Pair, compare};

#[test]
fn words_environment_and_directory_are_the_same() {
    const PAIR: Pair = Pair {
        configuration: r#"
[supervisord]
environment=SHARED="s",OVER="shared"

[program:web]
command=dummy web --port 80 "two words" 'a;b' it\'s \
    "\"quoted\"" ;comment
directory=/tmp
environment=A="1,2",OVER="own",HOME='/elsewhere',PLAIN=/a/b:c
stopsignal=USR1

[program:plain]
command=dummy plain %% %(program_name)s %(group_name)s
umask=027

[program:later]
command=dummy later
autostart=false
"#,
        starts: &[],
        ended: &[],
        differences: &[],
    };
    compare(this_test!(), &PAIR);
}

#[test]
fn an_account_has_its_rights_and_not_only_them() {
    const PAIR: Pair = Pair {
        configuration: "[supervisord]\n[program:web]\ncommand=dummy web\nuser=nobody\numask=077\ndirectory=/\n",
        starts: &[],
        ended: &[],
        differences: &["web: environment HOME", "web: environment LOGNAME", "web: environment USER"],
    };
    needs!("root");
    compare(this_test!(), &PAIR);
}

#[test]
fn numbers_and_variables_have_their_values() {
    const PAIR: Pair = Pair {
        configuration: r#"
[supervisord]
[program:worker]
command=dummy worker-%(process_num)02d %(numprocs)d
process_name=%(program_name)s-%(process_num)02d
numprocs=2
environment=PORT="80%(process_num)02d",HERE=%(ENV_NUMBER)s

[program:open]
command=dummy open %(ENV_TWO)s "%(ENV_TWO)s" x%(ENV_ONE)s:%(ENV_NUMBER)s %(ENV_EMPTY)s "%(ENV_EMPTY)s" $HOME
environment=A="%(ENV_TWO)s",B="%(ENV_ONE)s/x"

[program:shell]
command=sh -c "exec dummy shell \"$ONE\" '$ONE' %(ENV_NUMBER)s"

[program:inner]
command=bash -c 'echo start; dummy inner "$@" a && true'

[group:all]
programs=worker,open
"#,
        starts: &[],
        ended: &[],
        differences: &[],
    };
    compare(this_test!(), &PAIR);
}

#[test]
fn deaths_are_answered_in_the_same_way() {
    const PAIR: Pair = Pair {
        configuration: r"
[supervisord]
[program:always]
command=dummy always once=0
autorestart=true
startsecs=0

[program:expected]
command=dummy expected late=0

[program:unexpected]
command=dummy unexpected late=3

[program:never]
command=dummy never exit=1
autorestart=false
startsecs=0

[program:early]
command=dummy early exit=1
startretries=1
",
        starts: &[("always", 2, 2), ("unexpected", 2, 2), ("early", 2, 2)],
        ended: &["expected", "never", "early"],
        differences: &[],
    };
    compare(this_test!(), &PAIR);
}

#[test]
fn a_stop_sends_the_same_signals() {
    // INT and QUIT may be ignored where the tests run, and then a shell cannot trap them.
    const PAIR: Pair = Pair {
        configuration: r"
[supervisord]
[program:term]
command=dummy term child

[program:quit]
command=dummy quit
stopsignal=SIGUSR2

[program:number]
command=dummy number
stopsignal=10

[program:stubborn]
command=dummy stubborn ignore
stopwaitsecs=1

[program:family]
command=dummy family child
stopasgroup=true
",
        starts: &[],
        ended: &[],
        differences: &[],
    };
    // s6 before 2.13 does not tell `finish` the process group, so that it stops only the main process.
    let newer = !available(this_test!()) || tells_group();
    if !newer {
        say(&format!("note: {}: this s6 does not tell `finish` the process group", this_test!()));
    }
    let differences: &[&str] = if newer { &[] } else { &["family: child"] };
    compare(this_test!(), &Pair { differences, ..PAIR });
}
