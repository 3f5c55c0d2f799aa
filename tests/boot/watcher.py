"""The watcher of the gateway, whose whole life this is: it is a service of the tree that it changes.

It is started again by what it does itself, and by a restart of the container; how far it came is kept on the disk.
"""

import json
import os
import subprocess
import sys
import time

sys.path.insert(0, "/")
import s6gen

os.makedirs("/var/records", exist_ok=True)
RECORD = open("/var/records/life", "a", buffering=1)
STAGE = "/var/records/stage"


def check(sentence, is_so, found=None):
    RECORD.write(f"{'ok     ' if is_so else 'FAILED '} {sentence}\n")
    if not is_so and found is not None:
        RECORD.write(f"        {found}\n")


def call(*words):
    done = subprocess.run(["s6gen", *words], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if "--json" not in words:
        RECORD.write("".join(f"        {line}\n" for line in (done.stdout + done.stderr).splitlines()))
    return done


def pids():
    listed = json.loads(call("status", "--json").stdout)["services"]
    return {service["name"]: service["pid"] for service in listed if service["pid"]}


def argument(name):
    with open(f"/proc/{pids()[name]}/cmdline", "rb") as file:
        return file.read().split(b"\0")[-2]


def changed(before, after):
    return sorted(name for name in before if after.get(name) != before[name])


def refuses(call, *arguments):
    try:
        call(*arguments)
    except s6gen.Refused as why:
        return bool(str(why))
    return False


def first():
    check("while the boot waits for slow, status says so", s6gen.status_all()["slow"] == "starting")
    check("what is not ready is running, but not up", s6gen.is_running("slow") and s6gen.status("slow") == "down")
    for name in "abcde":
        call("instance", "add", "tunnel", name, f"--set=port={name}1")
    begun = time.monotonic()
    done = call("apply", "-m", "/early.toml")
    took = time.monotonic() - begun
    check(f"apply waits for the boot, which waits for slow: {took:.1f} s", done.returncode == 0 and took > 2)
    check("and says that it waits", "another s6-rc is at work" in done.stderr)
    check("what came up only meanwhile runs as it should now", argument("after") == b"new")
    tunnels = [f"tunnel-{name}" for name in "abcde"]
    check("the five are there, and down", all(s6gen.status(tunnel) == "down" for tunnel in tunnels))
    s6gen.start("tunnel")
    check("started by their bundle, they are up", all(s6gen.status(tunnel) == "up" for tunnel in tunnels))

    before = pids()
    s6gen.create_instance("tunnel", "b", port="two words; $(reboot)")
    after = pids()
    check("a changed one is restarted, and nothing else", changed(before, after) == ["tunnel-b"])
    check("with its new value, as it is", argument("tunnel-b") == b"two words; $(reboot)")

    before = after
    call("instance", "remove", "tunnel-c", "tunnel-d")
    s6gen.reload_services()
    gone = [name for name in changed(before, pids()) if not name.startswith(("tunnel-c", "tunnel-d"))]
    check("two are removed with their loggers, and nothing else stops", gone == [])
    check("who asks for them is told", refuses(s6gen.status, "tunnel-c"))

    before = pids()
    s6gen.create_dynamic_service("echo", ["sleep", "12345"])
    s6gen.start("echo")
    check("a service is made of a command", s6gen.is_running("echo"))
    one = pids()["echo"]
    s6gen.restart("echo")
    check("it restarts", s6gen.is_running("echo") and pids()["echo"] != one)
    s6gen.stop("echo")
    check("it stops", s6gen.status("echo") == "down")
    s6gen.remove_dynamic_service("echo")
    check("it goes, and all that touched nothing else", changed(before, pids()) == [])
    check("a name that is none is refused", refuses(s6gen.create_dynamic_service, "../x", ["true"]))
    check("so is a template that is none", refuses(s6gen.create_instance, "tunel", "x"))
    check("what was stopped on purpose stays down", [s6gen.stop("mihomo"), s6gen.reload_services(), s6gen.status("mihomo")][2] == "down")

    with open("/var/records/before", "w") as file:
        json.dump(pids(), file)
    go_on("second")
    # The watcher needs dbus: this stops it, and brings it back.
    s6gen.restart("dbus")
    time.sleep(60)


def second():
    with open("/var/records/before") as file:
        before = json.load(file)
    after = pids()
    for _ in range(100):
        after = pids()
        if len(after) >= len(before):
            break
        time.sleep(0.1)
    # A logger waits for what its service waits for, so that those of avahi and of the watcher need dbus as well.
    loggers = [f"{name}{suffix}" for name in ("avahi", "watcher") for suffix in ("-err-log", "-log")]
    needs_dbus = sorted(["avahi", "dbus", "watcher", *loggers])
    found = changed(before, after)
    check("a restart brings back what needs it, its caller too", found == needs_dbus, found)
    go_on("third")
    # Its own environment changes, so this restarts it.
    call("apply", "-m", "/other.toml")
    time.sleep(60)


def third():
    check("an apply that restarts its caller finishes", os.environ.get("CHANGED") == "yes")
    check("and leaves nothing to do", "nothing to do" in call("apply").stdout)
    check("with one database left", len([name for name in os.listdir("/run/s6gen") if name.startswith("db.")]) == 1)
    go_on("fourth")
    RECORD.write("done\n")


def fourth():
    listed = json.loads(call("instance", "list", "--json").stdout)["instances"]
    names = [instance["service"] for instance in listed if instance["from"] == "added"]
    check("after a restart of the container the instances are listed", names == [f"tunnel-{n}" for n in "abe"])
    check("and the boot knows them", all(s6gen.status(name) == "down" for name in names))
    check("as they were applied", "nothing to do" in call("apply").stdout)
    s6gen.start("tunnel")
    check("they start", all(s6gen.is_running(name) for name in names))
    RECORD.write("done again\n")


def go_on(stage):
    with open(STAGE, "w") as file:
        file.write(stage)


def main():
    stage = open(STAGE).read() if os.path.exists(STAGE) else "first"
    try:
        {"first": first, "second": second, "third": third, "fourth": fourth}[stage]()
    except Exception as error:
        check(f"{stage}: {error!r}", False)
        RECORD.write("done\n")
    time.sleep(100000)


main()
