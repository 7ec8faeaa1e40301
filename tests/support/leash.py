"""Runs a server for as long as its standard input is open: `python -m tests.support.leash SIGNAL COMMAND...`.

Whoever started it, however it ends, closes that pipe. Then the server gets the signal, and if it stays, SIGKILL.
"""

import os
import signal
import subprocess
import sys
import threading

STOP_S = 20.0


def main() -> int:
    name, *command = sys.argv[1:]
    user = os.environ.pop("LEASH_USER", None)
    child = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, user=user, group=user, extra_groups=[] if user else None
    )
    threading.Thread(target=_watch, args=(child, signal.Signals[name]), daemon=True).start()
    return child.wait()


def _watch(child: "subprocess.Popen[bytes]", stop: signal.Signals) -> None:
    while os.read(0, 1):
        pass
    child.send_signal(stop)
    try:
        child.wait(STOP_S)
    except subprocess.TimeoutExpired:
        child.kill()


if __name__ == "__main__":
    for ignored in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ignored, signal.SIG_IGN)  # the pipe says when; a ^C at the terminal is not for the server
    sys.exit(main())
