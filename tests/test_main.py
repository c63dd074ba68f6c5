"""The process of a command, and its end."""

import subprocess
import sys

ENDS = """
import atexit, threading, time
from astroclip_kit import __main__, cli
from astroclip_kit.explorer.lanes import Lanes

def main():
    lanes, begun = Lanes(), threading.Event()
    {job}
    lanes.put("lane", lambda: begun.set() or job())
    begun.wait()
    lanes.close()
    lanes.join(time.monotonic() + {seconds})
    print("told")
    return 3

atexit.register(print, "the interpreter ended")
__main__.main = main
__main__.run()
"""
WAITS = "job = threading.Event().wait"
COMPUTES = """
    import torch
    values = torch.randn(200_000)
    def job():
        while True:
            values.sort()
"""


def ended(job, seconds=0.1):
    done = subprocess.run([sys.executable, "-c", ENDS.format(job=job, seconds=seconds)], capture_output=True, text=True)
    return done.returncode, done.stdout.splitlines(), done.stderr


def test_a_command_ends_with_its_code_though_a_thread_of_a_page_goes_on():
    assert ended(WAITS) == (3, ["told"], "")


def test_a_command_ends_as_every_program_where_nothing_goes_on():
    assert ended("job = int", seconds=60) == (3, ["told", "the interpreter ended"], "")


def test_a_command_that_ends_within_torch_is_not_aborted():
    assert ended(COMPUTES) == (3, ["told"], "")
