//! Tests `ready.tcp` and `ready.http` with a name server that is down or never answers, in a separate network with its own
//! `/etc/hosts` and `/etc/resolv.conf`.

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::require::{needs, unshare};
use crate::supervise::build;

/// A server for each form of an address. They answer like a web server, except `mute`, which never answers.
const MANIFEST: &str = r##"
    [defaults.longrun]
    start = "on-demand"
    ready = { interval = "100ms", timeout = "4s" }

    [longrun.tcp-address]
    run = ["s6-tcpserver", "127.0.0.1", "8001", "SCRATCH/answer"]
    ready.tcp = "127.0.0.1:8001"

    [longrun.tcp-address-6]
    run = ["s6-tcpserver", "::1", "8001", "SCRATCH/answer"]
    ready.tcp = "[::1]:8001"

    [longrun.tcp-name]
    run = ["s6-tcpserver", "127.0.0.1", "8002", "SCRATCH/answer"]
    ready.tcp = "service:8002"

    [longrun.tcp-name-6]
    run = ["s6-tcpserver", "::1", "8003", "SCRATCH/answer"]
    ready.tcp = "service6:8003"

    [longrun.tcp-localhost]
    run = ["s6-tcpserver", "127.0.0.1", "8004", "SCRATCH/answer"]
    ready.tcp = "localhost:8004"

    [longrun.http-address]
    run = ["s6-tcpserver", "127.0.0.1", "8005", "SCRATCH/answer"]
    ready.http = "http://127.0.0.1:8005/a${addresses}?b=$1"

    [longrun.http-address-6]
    run = ["s6-tcpserver", "::1", "8005", "SCRATCH/answer"]
    ready.http = "http://[::1]:8005"

    [longrun.http-name]
    run = ["s6-tcpserver", "127.0.0.1", "8006", "SCRATCH/answer"]
    ready.http = "http://service:8006/a${addresses}?b=$1"

    [longrun.http-name-6]
    run = ["s6-tcpserver", "::1", "80", "SCRATCH/answer"]
    ready.http = "http://service6/"

    [longrun.mute]
    run = ["s6-tcpserver", "127.0.0.1", "8007", "sleep", "1000"]
    ready = { http = "http://127.0.0.1:8007/", timeout = "500ms" }

    [longrun.unknown]
    run = ["s6-tcpserver", "127.0.0.1", "8008", "SCRATCH/answer"]
    ready = { tcp = "nobody.example:8008", timeout = "500ms" }
    "##;

/// Answers a request for `/` or for the path in the manifest, keeps the connection open, and records the request.
const ANSWER: &str = r#"#!/bin/sh
read -r line
read -r host
case $line in
  'GET / HTTP/1.0'*|'GET /a${addresses}?b=$1 HTTP/1.0'*) printf 'HTTP/1.0 204 No Content\r\n' ;;
  *) printf 'HTTP/1.0 404 Not Found\r\n' ;;
esac
exec sleep 2
"#;

/// Supervises every service, waits for those that can become ready, and prints the state of each.
const SCRIPT: &str = r#"
mount --make-rprivate /
ip link set lo up
ip route add 192.0.2.0/24 dev lo
mount --bind hosts /etc/hosts
mount --bind resolv.conf /etc/resolv.conf
s6-svscan scan >/dev/null 2>errors &
until s6-svscanctl -a scan 2>/dev/null; do sleep 0.1; done
for service in scan/*; do
  until s6-svok "$service"; do sleep 0.1; done
  s6-svc -u "$service"
done
for service in scan/*; do
  case $service in */mute|*/unknown) continue ;; esac
  s6-svwait -t 30000 -U "$service" 2>/dev/null || echo "not ready: $service"
done
# By now these two have been asked a few times. Whatever asks must end by itself: s6-notifyoncheck only stops waiting.
sleep 3
for service in mute unknown; do
  test "$(s6-svstat -o up,ready "scan/$service")" = "true false" || echo "odd: $service"
  s6-svc -wD -d "scan/$service"
done
for try in $(seq 300); do
  left=$(ps -eo pgid=,comm= | grep -E ' (getent|s6-tcpclient|s6-ioconnect|backtick|pipeline)' || :)
  test -n "$left" || break
  sleep 0.1
done
test -z "$left" || echo "left over: $left"
s6-svscanctl -t scan
wait
"#;

/// The output of the script in a network whose name server is at `address`.
fn addresses_of(address: &str) -> String {
    let folder = scratch();
    let place = |name: &str| folder.path().join(name);
    fs::write(place("hosts"), "127.0.0.1 localhost\n127.0.0.1 host.example service\n::1 service6\n").unwrap();
    fs::write(place("resolv.conf"), format!("nameserver {address}\n")).unwrap();
    let command = [unshare(), &["--net", "--pid", "--fork", "--mount-proc", "sh", "-c", SCRIPT]].concat();
    let output = Command::new(command[0]).args(&command[1..]).current_dir(&folder).output().unwrap();
    String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
}

/// A scratch folder with the service directories of the manifest.
fn scratch() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    let answer = folder.path().join("answer");
    fs::write(&answer, ANSWER).unwrap();
    fs::set_permissions(&answer, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    build(
        &format!("[target]\ns6-rc = \"0.7.0.0\"\ntree = \"{path}/source\"\n{MANIFEST}")
            .replace("SCRATCH", path),
    );
    let scan = folder.path().join("scan");
    fs::create_dir(&scan).unwrap();
    let has_ipv6 = Path::new("/proc/net/if_inet6").exists();
    for entry in fs::read_dir(folder.path().join("source")).unwrap() {
        let definition = entry.unwrap().path();
        let name = definition.file_name().unwrap().to_str().unwrap();
        if definition.join("run").exists() && (has_ipv6 || !name.ends_with('6')) {
            fs::write(definition.join("down"), "").unwrap();
            fs::rename(&definition, scan.join(name)).unwrap();
        }
    }
    folder
}

#[test]
fn a_service_becomes_ready_although_its_name_server_is_down() {
    needs!("s6", "execline", "s6-networking", "network");
    assert_eq!(addresses_of("127.0.0.1"), "");
}

#[test]
fn a_service_becomes_ready_although_its_name_server_is_silent() {
    needs!("s6", "execline", "s6-networking", "network");
    assert_eq!(addresses_of("192.0.2.53"), "");
}
