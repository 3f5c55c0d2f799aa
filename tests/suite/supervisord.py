"""Reads configurations with the real supervisor package, and prints what it makes of each.

Standard input has one configuration a line, as JSON: "files" is a list of names with the bytes in hexadecimal digits, the first of
which is the main file; "environment" has the variables. For each line one line of JSON is printed: {"refused": reason},
{"machine": reason} if the answer would depend on this machine, or the resolved options of every process of every group.
The argument is the directory in which the files are written. No account and no directory of the machine is looked at.
"""

import json
import os
import shlex
import sys

from supervisor import datatypes, options

HOST = "box"
WORDS = {datatypes.RestartUnconditionally: "always", datatypes.RestartWhenExitUnexpected: "unexpected", False: "never"}
STREAM = ["capture_maxbytes", "events_enabled", "logfile_backups", "logfile_maxbytes", "syslog"]
PLAIN = ["name", "command", "directory", "autostart", "redirect_stderr", "stopasgroup", "killasgroup", "serverurl"]
NUMBERS = ["priority", "startsecs", "startretries", "stopwaitsecs"]
OF_SUPERVISORD = ["minfds", "minprocs", "logfile_maxbytes", "logfile_backups"]
TEXTS_OF_SUPERVISORD = ["user", "directory", "logfile", "pidfile", "identifier", "nodaemon", "silent", "nocleanup", "strip_ansi"]


class Machine(BaseException):
    """The answer depends on the machine."""


class Expansions(dict):
    """All names as one text: that of the environment of supervisord."""

    def __str__(self):
        raise Machine("all names as one text")

    __repr__ = __str__


class NoPoller:
    def __init__(self, options):
        pass


def patch(expand):
    options.expand = lambda text, expansions, name: expand(text, Expansions(expansions), name)
    options.poller.Poller = NoPoller
    options.platform.node = lambda: HOST
    for name in ["existing_directory", "existing_dirpath", "name_to_uid", "colon_separated_user_group"]:
        setattr(options, name, lambda text: text)
        setattr(datatypes, name, lambda text: text)
    options.gid_for_uid = lambda uid: 0
    options.ServerOptions.import_spec = lambda self, spec: spec
    options.tempfile.gettempdir = lambda: None


def clamp(number):
    return max(-(1 << 63), min((1 << 63) - 1, number))


def stream(process, name):
    result = {key: getattr(process, name + "_" + key) for key in STREAM}
    for key in ["capture_maxbytes", "logfile_backups", "logfile_maxbytes"]:
        result[key] = clamp(result[key])
    logfile = getattr(process, name + "_logfile")
    result["logfile"] = "AUTO" if logfile is datatypes.Automatic else logfile or None
    return result


def words(command):
    """What supervisord starts; None if it cannot."""
    try:
        return shlex.split(command) or None
    except ValueError:
        return None


def resolved(process):
    result = {key: getattr(process, key) for key in PLAIN}
    result["words"] = words(process.command)
    result.update({key: clamp(getattr(process, key)) for key in NUMBERS})
    result["umask"] = None if process.umask is None else process.umask & 0o777
    result["user"] = process.uid
    result["autorestart"] = WORDS[process.autorestart]
    result["stopsignal"] = int(process.stopsignal)
    result["exitcodes"] = process.exitcodes
    result["environment"] = list(process.environment.items())
    result["stdout"] = stream(process, "stdout")
    result["stderr"] = stream(process, "stderr")
    return result


def group(config):
    return {
        "name": config.name,
        "priority": clamp(config.priority),
        "processes": [resolved(process) for process in config.process_configs],
        "is_fcgi": isinstance(config, options.FastCGIGroupConfig),
        "is_listener": isinstance(config, options.EventListenerPoolConfig),
    }


def supervisord(section):
    result = {key: clamp(getattr(section, key)) for key in OF_SUPERVISORD}
    result.update({key: getattr(section, key) for key in TEXTS_OF_SUPERVISORD})
    result["umask"] = section.umask & 0o777
    result["childlogdir"] = section.childlogdir
    result["environment"] = list(section.environment.items())
    return result


def answer(server, directory, case):
    written = []
    for name, text in case["files"]:
        path = os.path.join(directory, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(bytes.fromhex(text))
        written.append(path)
    server.configfile = written[0]
    server.here = directory
    server.environ_expansions = {"ENV_" + name: value for name, value in case["environment"].items()}
    try:
        section = server.read_config(written[0])
        groups = [group(config) for config in section.process_group_configs]
        return {"groups": groups, "supervisord": supervisord(section)}
    except Machine as why:
        return {"machine": str(why)}
    except Exception as why:
        return {"refused": "%s: %s" % (type(why).__name__, why)}
    finally:
        for path in written:
            os.unlink(path)


def main():
    patch(options.expand)
    server = options.ServerOptions()
    for line in sys.stdin:
        print(json.dumps(answer(server, sys.argv[1], json.loads(line))))


main()
