"""Services of s6-rc from a Python program that runs as one of them, by way of s6gen.

Copy this file beside the program. Every function raises Refused, with s6gen's own words, when the system says no.
"""

import json
import subprocess


class Refused(Exception):
    """What s6gen said."""


def _s6gen(*arguments, fine=(0,)):
    done = subprocess.run(["s6gen", *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode not in fine:
        raise Refused(done.stderr.strip())
    return done.stdout


def _answer(*arguments, fine=(0,)):
    answer = json.loads(_s6gen(*arguments, "--json", fine=fine))
    if answer["version"] != 1:
        raise Refused(f"this module reads version 1 of s6gen's answers, and not {answer['version']}")
    return answer


def _states(*names):
    # The exit code 1 means that one of them is not up or, without a list, that there is no such service.
    listed = _answer("status", *names, fine=(0, 1))
    if "services" not in listed:
        raise Refused(f"there is no service {' '.join(names)}")
    return {service["name"]: service["state"] for service in listed["services"]}


def status(name):
    """Says "up" or "down"; of a bundle "up" if all of it is. What is not ready yet is not up."""
    return "up" if all(state == "up" for state in _states(name).values()) else "down"


def status_all():
    """Says of every service by name whether it is "up", "starting", "restarting", "stopping" or "down"."""
    return _states()


def is_running(name):
    """Whether its process runs, ready or not."""
    return all(state in ("up", "starting") for state in _states(name).values())


def start(name):
    """Starts it with what it needs; returns when it is ready."""
    _s6gen("start", name)


def stop(name):
    """Stops it, and before that what needs it."""
    _s6gen("stop", name)


def restart(name):
    """Stops and starts it, and with it what needs it."""
    _s6gen("restart", name)


def create_dynamic_service(name, command):
    """Makes a service that runs `command`, a list of words, exactly so: no shell, no expansion."""
    _s6gen("instance", "add", "--apply", "--name", name, "--", *command)


def create_instance(template, instance, **parameters):
    """Makes the service TEMPLATE-INSTANCE, or gives the one that is there other parameters."""
    values = [f"--set={key}={value}" for key, value in parameters.items()]
    _s6gen("instance", "add", "--apply", template, instance, *values)


def remove_dynamic_service(name):
    """Stops a service that was created, and forgets it."""
    _s6gen("instance", "remove", "--apply", name)


def reload_services():
    """Makes the system what was added and removed meanwhile; what did not change keeps running."""
    _s6gen("apply")
