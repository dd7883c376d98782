"""A program whose tasks change descriptors, signals and directories of their process.

The cases run one after the other, see `cases`; their functions are the program's own.
"""

import errno
import os
import shutil
import signal
import sys
import tempfile
import time

from cases import PATIENCE, case, failure_of, main, result_of

from scoopmpi import futures


def closes(what):
    if what == "object":
        sys.stdin.close()
        sys.stdout.close()
        sys.stderr.close()
        print("printed by a task after one that closed stdout")
    elif what == "none":
        sys.stdout = sys.stderr = sys.stdin = None
    elif what == "detached":
        sys.stdout.detach()
    else:
        os.close(int(what))
    return os.getpid()


def handles(name, handler):
    signal.signal(getattr(signal, name), getattr(signal, handler))
    os.kill(os.getpid(), getattr(signal, name))
    for _ in range(100):
        time.sleep(0.001)
    return name


def handles_by_itself(name):
    caught = []
    before = signal.signal(getattr(signal, name), lambda *_: caught.append(name))
    os.kill(os.getpid(), getattr(signal, name))
    while not caught:
        time.sleep(0.001)
    assert before is not None
    return name


def interrupts_itself(name):
    os.kill(os.getpid(), getattr(signal, name))
    time.sleep(0.05)
    return "not interrupted"


def wanders(place):
    os.chdir(place)
    shutil.rmtree(place)
    try:
        return os.getcwd()
    except OSError as error:
        return error.errno


def masks(_):
    signal.pthread_sigmask(signal.SIG_BLOCK, set(signal.Signals))
    os.umask(0o777)
    os.environ.clear()
    sys.path.clear()
    sys.setrecursionlimit(200)


@case()
def interrupted_tasks():
    for name in ("SIGINT", "SIGTERM", "SIGUSR1", "SIGUSR2"):  # what they mean rank 0 decides
        assert result_of(interrupts_itself, name) == "not interrupted"
    assert type(failure_of(handles, "SIGINT", "default_int_handler")) is KeyboardInterrupt


@case()
def signal_handlers():
    for name in ("SIGTERM", "SIGINT", "SIGCHLD", "SIGUSR1", "SIGALRM", "SIGHUP"):
        assert result_of(handles_by_itself, name) == name
        assert result_of(handles, name, "SIG_IGN") == name
    assert result_of(handles, "SIGCHLD", "SIG_DFL") == "SIGCHLD"


@case()
def directories_that_are_gone():
    places = [tempfile.mkdtemp() for _ in range(4)]
    assert list(futures.map(wanders, places)) == [errno.ENOENT] * 4


@case()
def streams_that_are_closed():
    for what in ("object", "detached", "none"):
        error = futures.submit(closes, what).exception(timeout=PATIENCE)
        assert error is None or what == "detached"


@case()
def descriptors_that_are_closed():
    for _ in range(3):
        for what in ("0", "1", "2"):
            call = futures.submit(closes, what)
            error = call.exception(timeout=PATIENCE)
            assert error is None or error.errno == errno.EBADF


@case()
def masks_and_limits():
    list(futures.map(masks, range(4)))


if __name__ == "__main__":
    main()
