"""The watcher of the gateway: a service that uses s6gen to change the tree that it belongs to.

Its own changes restart it, and so does a restart of the container. A file on the disk says with which stage it continues.
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


def check(sentence, is_true, found=None):
    RECORD.write(f"{'ok     ' if is_true else 'FAILED '} {sentence}\n")
    if not is_true and found is not None:
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
    check("while the boot waits for slow, its status is starting", s6gen.status_all()["slow"] == "starting")
    check("a service that is not ready is running, but not up", s6gen.is_running("slow") and s6gen.status("slow") == "down")
    for name in "abcde":
        call("instance", "add", "tunnel", name, f"--set=port={name}1")
    begun = time.monotonic()
    done = call("apply", "-m", "/early.toml")
    took = time.monotonic() - begun
    check(f"apply waits for the boot, which waits for slow: {took:.1f} s", done.returncode == 0 and took > 2)
    check("and says that it waits", "another s6-rc is at work" in done.stderr)
    check("a service that started during the wait runs its new command", argument("after") == b"new")
    tunnels = [f"tunnel-{name}" for name in "abcde"]
    check("the five new instances exist, and are down", all(s6gen.status(tunnel) == "down" for tunnel in tunnels))
    s6gen.start("tunnel")
    check("their bundle starts all five", all(s6gen.status(tunnel) == "up" for tunnel in tunnels))

    before = pids()
    s6gen.create_instance("tunnel", "b", port="two words; $(reboot)")
    after = pids()
    check("apply restarts only the changed instance", changed(before, after) == ["tunnel-b"])
    check("the instance gets its new value unchanged", argument("tunnel-b") == b"two words; $(reboot)")

    before = after
    call("instance", "remove", "tunnel-c", "tunnel-d")
    s6gen.reload_services()
    gone = [name for name in changed(before, pids()) if not name.startswith(("tunnel-c", "tunnel-d"))]
    check("apply removes two instances with their loggers, and stops nothing else", gone == [])
    check("the status of a removed instance is an error", refuses(s6gen.status, "tunnel-c"))

    before = pids()
    s6gen.create_dynamic_service("echo", ["sleep", "12345"])
    s6gen.start("echo")
    check("a command becomes a service", s6gen.is_running("echo"))
    one = pids()["echo"]
    s6gen.restart("echo")
    check("it restarts", s6gen.is_running("echo") and pids()["echo"] != one)
    s6gen.stop("echo")
    check("it stops", s6gen.status("echo") == "down")
    s6gen.remove_dynamic_service("echo")
    check("after its removal, all other services are still the same processes", changed(before, pids()) == [])
    check("an invalid name is refused", refuses(s6gen.create_dynamic_service, "../x", ["true"]))
    check("an unknown template is refused", refuses(s6gen.create_instance, "tunel", "x"))
    check("a service that was stopped on purpose stays down", [s6gen.stop("mihomo"), s6gen.reload_services(), s6gen.status("mihomo")][2] == "down")

    with open("/var/records/before", "w") as file:
        json.dump(pids(), file)
    continue_with("second")
    # The watcher depends on dbus, so this stops and starts the watcher too.
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
    # A logger has the dependencies of its service, so the loggers of avahi and of the watcher depend on dbus too.
    loggers = [f"{name}{suffix}" for name in ("avahi", "watcher") for suffix in ("-err-log", "-log")]
    needs_dbus = sorted(["avahi", "dbus", "watcher", *loggers])
    found = changed(before, after)
    check("a restart also restarts the dependents, including its caller", found == needs_dbus, found)
    continue_with("third")
    # The environment of the watcher changes, so this restarts it.
    call("apply", "-m", "/other.toml")
    time.sleep(60)


def third():
    check("an apply that restarts its caller finishes", os.environ.get("CHANGED") == "yes")
    check("and leaves nothing to do", "nothing to do" in call("apply").stdout)
    check("and leaves one database", len([name for name in os.listdir("/run/s6gen") if name.startswith("db.")]) == 1)
    continue_with("fourth")
    RECORD.write("done\n")


def fourth():
    listed = json.loads(call("instance", "list", "--json").stdout)["instances"]
    names = [instance["service"] for instance in listed if instance["from"] == "added"]
    check("after a restart of the container the instances are listed", names == [f"tunnel-{n}" for n in "abe"])
    check("and the boot has compiled them", all(s6gen.status(name) == "down" for name in names))
    check("and there is nothing to apply", "nothing to do" in call("apply").stdout)
    s6gen.start("tunnel")
    check("they start", all(s6gen.is_running(name) for name in names))
    RECORD.write("done again\n")


def continue_with(stage):
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
