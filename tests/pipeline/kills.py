"""A command that is killed at any moment, and begun again."""

import os
import signal
import subprocess
import sys
import time

from astroclip_kit.storage import read_journal


def kill_again_and_again(words, out, waits):
    """Runs a verb that writes the run `out`; kills it so many seconds after each step that it notes, but for the last.

    Gives how often it was killed, and with which code the last one ended.
    """
    command, kills, quiet = [sys.executable, "-m", "astroclip_kit", *map(str, words)], 0, subprocess.DEVNULL
    for wait in (*waits, None):
        begun = len(read_journal(out))
        with subprocess.Popen(command, stdout=quiet, stderr=quiet, start_new_session=True) as process:
            while process.poll() is None and (wait is None or len(read_journal(out)) <= begun):
                time.sleep(0.005)
            time.sleep(wait or 0)
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                kills += 1
            process.wait()
    return kills, process.returncode
