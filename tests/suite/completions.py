"""Types into a shell on a terminal: completions.py SHELL SCRIPT LINE…

Sources SCRIPT, and for each LINE types the line and the completion key, and then lets the shell print the words of the completed
line. Prints for each LINE the words in brackets.
"""

import os
import pty
import re
import select
import sys
import time

# How each shell starts, and how it then gets the completions and a prompt that nothing else prints.
START = {
    "bash": (
        ["bash", "--norc", "--noprofile", "-i"],
        "bind 'set bell-style none'; bind 'set enable-bracketed-paste off'; source {}; PS1='ne''xt>'",
    ),
    "zsh": (
        ["zsh", "-f", "-i"],
        "autoload -Uz compinit; compinit -u -D; unsetopt beep; bindkey -e; source {}; PS1='ne''xt>'",
    ),
    "fish": (["fish", "--no-config", "-i"], "source {}; function fish_prompt; echo -n 'ne''xt>'; end"),
}


class Terminal:
    """A program on a terminal of its own."""

    def __init__(self, words):
        pid, self.descriptor = pty.fork()
        if pid == 0:
            os.environ.update(TERM="xterm", PS1="> ", COLUMNS="500", LINES="50")
            os.execvp(words[0], words)
        import fcntl
        import struct
        import termios
        fcntl.ioctl(self.descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 500, 0, 0))
        self.seen = ""

    def send(self, text):
        os.write(self.descriptor, text.encode())

    def read_until(self, pattern, seconds):
        """Reads until the pattern appears; returns the match, or None."""
        end = time.time() + seconds
        while time.time() < end:
            match = re.search(pattern, self.seen)
            if match:
                self.seen = self.seen[match.end():]
                return match
            if select.select([self.descriptor], [], [], 0.1)[0]:
                try:
                    text = os.read(self.descriptor, 65536).decode(errors="replace")
                except OSError:
                    return None
                # fish asks the terminal what it can do, and waits for an answer.
                if "\x1b[c" in text or "\x1b[0c" in text:
                    self.send("\x1b[?62;22c")
                self.seen += text
        return None

def main():
    shell, script, lines = sys.argv[1], sys.argv[2], sys.argv[3:]
    words, setup = START[shell]
    terminal = Terminal(words)
    # The marks are not in what is typed, which the terminal echoes.
    terminal.send(setup.format(script) + "\r")
    for line in lines:
        if not terminal.read_until("next>", 60):
            sys.exit(f"{shell} shows no prompt: {terminal.seen!r}")
        # A shell reads no further key until the completion is there. Ctrl-A goes to the beginning of the line.
        terminal.send(line + "\t\x01printf '<%s>' be''gin \x05 e''nd\r")
        match = terminal.read_until(r"<begin>(.*?)<end>", 60)
        print(match.group(1) if match else f"nothing: {terminal.seen!r}", flush=True)


main()
