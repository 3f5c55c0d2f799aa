"""Calls once what the first user's watcher called, and a few refusals."""

import sys

sys.path.insert(0, sys.argv[1])
import s6gen


def show(sentence, value):
    print(f"{sentence}: {'done' if value is None else value}")


def refusal(call, *arguments):
    try:
        return call(*arguments)
    except s6gen.Refused as why:
        return "refused, " + next(line.strip() for line in str(why).splitlines() if "×" in line or "no service" in line)


show("status", s6gen.status("web"))
show("status_all", s6gen.status_all())
show("is_running", s6gen.is_running("slow"))
show("create_dynamic_service", s6gen.create_dynamic_service("echo", ["sh", "-c", "exec sleep 1000", "$(reboot) {{ x }}"]))
show("start", s6gen.start("echo"))
show("is_running", s6gen.is_running("echo"))
show("restart", s6gen.restart("echo"))
show("stop", s6gen.stop("echo"))
show("status", s6gen.status("echo"))
show("remove_dynamic_service", s6gen.remove_dynamic_service("echo"))
show("create_instance", s6gen.create_instance("tunnel", "office", port="two words"))
show("reload_services", s6gen.reload_services())
show("a bundle", s6gen.status("tunnel"))
show("status of none", refusal(s6gen.status, "ehco"))
show("start of none", refusal(s6gen.start, "wbe"))
show("a name that is none", refusal(s6gen.create_dynamic_service, "../x", ["true"]))
show("a template that is none", refusal(s6gen.create_instance, "tunel", "x"))
