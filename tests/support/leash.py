"""Runs a server for as long as its standard input is open: `python -m tests.support.leash SIGNAL COMMAND...`.

Whoever started it, however it ends, closes that pipe. Then the server gets the signal, and if it stays, SIGKILL. SIGUSR1
kills the server and all of its group at once.
"""

import os
import signal
import subprocess
import sys
import threading

STOP_S = 20.0


def main() -> int:
    name, *command = sys.argv[1:]
    for unheard in (signal.SIGINT, signal.SIGTERM):
        # The pipe says when. Handled rather than ignored: the server would inherit that it is ignored.
        signal.signal(unheard, lambda *_: None)
    user = os.environ.pop("LEASH_USER", None)
    child = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, process_group=0, user=user, group=user, extra_groups=[] if user else None
    )
    signal.signal(signal.SIGUSR1, lambda *_: os.killpg(child.pid, signal.SIGKILL))
    threading.Thread(target=_watch, args=(child, signal.Signals[name]), daemon=True).start()
    return child.wait()


def _watch(child: "subprocess.Popen[bytes]", stop: signal.Signals) -> None:
    while os.read(0, 1):
        pass
    child.send_signal(stop)
    try:
        child.wait(STOP_S)
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main())
