"""Services of s6-rc from a Python program that runs as one of them, by way of s6gen.

Copy this file beside the program. If s6gen fails, every function raises Refused with its message.
"""

import json
import subprocess


class Refused(Exception):
    """The message of an s6gen that failed."""


def _s6gen(*arguments, accepted=(0,)):
    done = subprocess.run(["s6gen", *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode not in accepted:
        raise Refused(done.stderr.strip())
    return done.stdout


def _answer(*arguments, accepted=(0,)):
    answer = json.loads(_s6gen(*arguments, "--json", accepted=accepted))
    if answer["version"] != 1:
        raise Refused(f"this module reads version 1 of s6gen's answers, and not {answer['version']}")
    return answer


def _states(*names):
    # The exit code 1 means that one of them is not up or, without a list, that there is no such service.
    listed = _answer("status", *names, accepted=(0, 1))
    if "services" not in listed:
        raise Refused(f"there is no service {' '.join(names)}")
    return {service["name"]: service["state"] for service in listed["services"]}


def status(name):
    """Returns "up" or "down". A bundle is "up" if all its members are. A service that is not ready yet is not up."""
    return "up" if all(state == "up" for state in _states(name).values()) else "down"


def status_all():
    """Returns the state of every service by name: "up", "starting", "restarting", "stopping", "idle", "down" or "unsupervised"."""
    return _states()


def is_running(name):
    """Whether its process runs, ready or not."""
    return all(state in ("up", "starting") for state in _states(name).values())


def start(name):
    """Starts the service and everything that it depends on. Returns when it is ready."""
    _s6gen("start", name)


def stop(name):
    """Stops everything that depends on the service, and then the service."""
    _s6gen("stop", name)


def restart(name):
    """Stops and starts the service and everything that depends on it."""
    _s6gen("restart", name)


def create_dynamic_service(name, command):
    """Adds a service that runs `command`, a list of words, exactly as it is: no shell, no expansion."""
    _s6gen("instance", "add", "--apply", "--name", name, "--", *command)


def create_instance(template, instance, **parameters):
    """Adds the service TEMPLATE-INSTANCE, or changes the parameters of the existing one."""
    values = [f"--set={key}={value}" for key, value in parameters.items()]
    _s6gen("instance", "add", "--apply", template, instance, *values)


def remove_dynamic_service(name):
    """Stops an added service and removes it."""
    _s6gen("instance", "remove", "--apply", name)


def reload_services():
    """Applies what was added and removed since the last call. Services that did not change keep running."""
    _s6gen("apply")
