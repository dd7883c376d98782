"""A program whose tasks do what tasks should not: `hostile_tasks.py GROUP`.

Runs the cases of a group one after the other, each in the program and, where it says so, inside a
task too; after each the farm has to answer. Prints a line for each case.
"""

import asyncio
import builtins
import concurrent.futures
import errno
import multiprocessing
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback

import numpy as np

from scoopmpi import IS_ORIGIN, Pool, futures

CASES = {}
PATIENCE = 40.0


def case(group, nested=False):
    """Registers a case; nested: it is run inside a task as well."""

    def register(body):
        CASES.setdefault(group, {})[body.__name__] = (body, nested)
        return body

    return register


def result_of(function, *arguments):
    return futures.submit(function, *arguments).result(timeout=PATIENCE)


def failure_of(function, *arguments):
    """What a call raises, which is what the same call in a map raises."""
    error = futures.submit(function, *arguments).exception(timeout=PATIENCE)
    assert error is not None, "nothing was raised"
    values = futures.map(function, *([argument] for argument in arguments or [0]))
    try:
        print("not raised:", list(values))
    except BaseException as again:
        assert type(again) is type(error) or isinstance(error, StopIteration), (again, error)
    else:
        raise AssertionError("the map raised nothing")
    return error


def says(error, *words):
    text = str(error)
    missing = [word for word in words if word not in text]
    assert not missing, f"{type(error).__name__}: {text} does not say {missing}"


# Exceptions.


class TwoArguments(Exception):
    def __init__(self, code, text):
        super().__init__(f"{code}: {text}")
        self.code = code


Group = getattr(builtins, "ExceptionGroup", None)  # from Python 3.11 on


class Liar(Exception):
    def __str__(self):
        raise ValueError("no text")

    __repr__ = __str__


class Base(BaseException):
    pass


class Arrives(Exception):
    """Pickles and unpickles on its own rank, and nowhere else."""

    def __init__(self, text, pid=None):
        super().__init__(text, pid or os.getpid())
        if pid not in (None, os.getpid()):
            raise RuntimeError("not on this rank")


class Locked(Exception):
    def __init__(self):
        super().__init__(threading.Lock())


class Strange(Exception):
    def __getattribute__(self, name):
        raise KeyError(name)


def raises(kind, *arguments):
    raise kind(*arguments)


def raises_group(_=0):
    inner = Group("inner", [TwoArguments(7, "seven"), Liar()])
    raise Group("outer", [inner, KeyError("k")])


def raises_cycle(_=0):
    first, second = ValueError("first"), KeyError("second")
    first.__cause__, second.__cause__ = second, first
    second.__context__ = first
    raise first


def raises_large(_=0):
    raise ValueError("x" * (1 << 20), np.arange(10**6))


def runs_away(x=0):
    return runs_away(x + 1)


def interrupts(kind):
    raise kind


@case("errors", nested=True)
def exceptions_whose_init_needs_arguments():
    error = failure_of(raises, TwoArguments, 7, "seven")
    assert type(error) is TwoArguments and error.code == 7 and str(error) == "7: seven"


@case("errors", nested=True)
def exceptions_that_cannot_be_pickled():
    says(failure_of(raises, Locked), "Locked", "cannot be pickled")


@case("errors")
def exceptions_that_cannot_be_unpickled_at_the_caller():
    says(failure_of(raises, Arrives, "far"), "cannot be unpickled here", "not on this rank")


@case("errors", nested=True)
def exceptions_that_lie():
    assert type(failure_of(raises, Liar)) is Liar
    failure_of(raises, Strange)


@case("errors", nested=True)
def exceptions_in_groups():
    if Group is None:
        return
    error = failure_of(raises_group)
    assert isinstance(error, Group) and isinstance(error.exceptions[1], KeyError)
    code = error.exceptions[0].exceptions[0]
    assert isinstance(code, TwoArguments) and str(code) == "7: seven"


@case("errors", nested=True)
def exceptions_that_are_each_others_cause():
    assert repr(failure_of(raises_cycle)) == "ValueError('first')"


@case("errors", nested=True)
def exceptions_of_a_megabyte():
    assert failure_of(raises_large).args[1][-1] == 10**6 - 1


@case("errors", nested=True)
def exceptions_that_end_programs():
    kinds = [SystemExit, KeyboardInterrupt, GeneratorExit, Base, asyncio.CancelledError]
    for kind in [*kinds, StopIteration, StopAsyncIteration, MemoryError]:
        assert type(failure_of(interrupts, kind)) is kind
    assert failure_of(sys.exit, 7).code == 7


@case("errors", nested=True)
def recursion_without_end():
    says(failure_of(runs_away), "recursion")


@case("errors")
def a_hundred_thousand_exceptions_in_a_map():
    count = 10**5
    seen = 0
    with Pool() as pool:
        values = pool.imap_unordered(int, ["x"] * count, chunksize=100)
        for _ in range(count):
            try:
                values.next(timeout=PATIENCE)
            except ValueError:
                seen += 1
    assert seen == count
    says(failure_of(int, "y"), "invalid literal")


# Data.


class BadPickle:
    def __reduce__(self):
        raise ValueError("I do not travel")


class BadUnpickle:
    def __init__(self, how="raise"):
        self.how = how

    def __reduce__(self):
        return explode, (self.how,)


def explode(how):
    if how == "raise":
        raise ValueError("boom at arrival")
    raise {"exit": SystemExit, "interrupt": KeyboardInterrupt, "memory": MemoryError}[how](how)


class Awkward:
    """Answers no question."""

    def __eq__(self, other):
        raise ValueError("compared")

    __bool__ = __len__ = __hash__ = __iter__ = __repr__ = __str__ = lambda self: 1 / 0

    def __getattr__(self, name):
        if name == "__getstate__":  # the one that pickle needs answered, before Python 3.11
            raise AttributeError(name)
        raise ZeroDivisionError(name)


class Meta(type):
    def __hash__(cls):
        raise ValueError("a class without a hash")

    def __eq__(cls, other):
        raise ValueError("a class that cannot be compared")


class Unhashable(metaclass=Meta):
    pass


def gives(kind, *arguments):
    return kind(*arguments)


def unhashable(_):
    return Unhashable()


def generates(_=0):
    yield 1


async def awaits(_=0):
    return 1


def deep(levels):
    value = []
    for _ in range(levels):
        value = [value]
    return value


def depth(value):
    levels = 0
    while value:
        value, levels = value[0], levels + 1
    return levels


@case("data", nested=True)
def arguments_that_cannot_be_pickled():
    for function in (type, lambda x: x):
        says(failure_of(function, BadPickle()), "cannot be pickled", "I do not travel")
    says(failure_of(type, threading.Lock()), "cannot be pickled", "lock")


@case("data", nested=True)
def arguments_that_cannot_be_unpickled():
    for how in ("raise", "exit", "interrupt", "memory"):
        says(failure_of(type, BadUnpickle(how)), "cannot be unpickled on worker")


@case("data", nested=True)
def results_that_cannot_be_pickled():
    says(failure_of(gives, BadPickle), "the result of", "I do not travel")
    says(failure_of(gives, threading.Lock), "the result of", "lock")
    says(failure_of(generates), "generator", "lists")
    says(failure_of(awaits), "coroutine")


@case("data", nested=True)
def results_that_cannot_be_unpickled():
    for how in ("raise", "exit", "interrupt", "memory"):
        says(failure_of(gives, BadUnpickle, how), "result of", "cannot be ")


@case("data", nested=True)
def results_that_answer_no_question():
    found = result_of(gives, Awkward)
    assert type(found) is Awkward
    values = list(futures.map(gives, [Awkward] * 5))
    assert [type(value) is Awkward for value in values] == [True] * 5
    assert [type(value) is Awkward for value in futures.map_as_completed(gives, [Awkward])] == [1]
    assert result_of(type, found) is Awkward
    assert list(futures.map(type, [found, found])) == [Awkward, Awkward]


@case("data", nested=True)
def objects_of_classes_that_answer_no_question():
    for _ in range(3):
        try:
            list(futures.map(unhashable, range(3)))
            list(futures.map(id, [Unhashable()] * 3))
            result_of(id, Unhashable())
        except Exception as error:
            says(error, "class")


@case("data", nested=True)
def lists_of_a_hundred_thousand_levels():
    assert result_of(depth, deep(50)) == 50 == depth(result_of(deep, 50))
    says(failure_of(deep, 10**5), "the result of", "recursion")
    says(failure_of(depth, deep(10**5)), "cannot be pickled", "recursion")


@case("data", nested=True)
def functions_that_cannot_be_pickled():
    class Callable:
        def __call__(self, _):
            pass

        def __reduce__(self):
            raise ValueError("I do not travel")

    for attempt in (lambda: list(futures.map(Callable(), [1])), lambda: result_of(Callable(), 1)):
        try:
            attempt()
        except Exception as error:
            says(error, "Callable", "cannot be pickled", "I do not travel")
        else:
            raise AssertionError("nothing was raised")


@case("data", nested=True)
def last_words_that_raise():
    class LastWords:
        def __del__(self):
            raise SystemExit("from __del__")

        def __reduce__(self):
            return LastWords, ()

    assert type(result_of(gives, LastWords)).__name__ == "LastWords"
    assert [type(x).__name__ for x in futures.map(gives, [LastWords] * 3)] == ["LastWords"] * 3
    assert result_of(lambda x: 1, LastWords()) == 1


# Processes.


def forks(how):
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if how == "exit":
        os._exit(3)
    if how == "raise":
        raise ValueError("in the child")
    if how == "exec":
        os.execv("/bin/sh", ["sh", "-c", "exit 4"])
    if how == "sys.exit":
        sys.exit(5)
    return "back in the worker's loop"


def pools(method):
    with multiprocessing.get_context(method).Pool(2) as pool:
        return pool.map(abs, [-1, -2, -3])


def starts(method):
    context = multiprocessing.get_context(method)
    queue = context.SimpleQueue()
    child = context.Process(target=puts, args=(queue,))
    child.start()
    found = queue.get()
    child.join()
    return found, child.exitcode


def puts(queue):
    queue.put("from a child")


def executes(method):
    context = multiprocessing.get_context(method)
    with concurrent.futures.ProcessPoolExecutor(2, mp_context=context) as pool:
        return list(pool.map(abs, [-1, -2, -3]))


def threads(_):
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        return list(pool.map(abs, [-1, -2, -3]))


def leaves_a_process(_):
    """With no hold of this rank's output, for whose end mpirun would wait."""
    silent = subprocess.DEVNULL
    return subprocess.Popen(["sleep", "30"], stdin=silent, stdout=silent, stderr=silent).pid


def leaves_a_thread(_):
    threading.Thread(target=time.sleep, args=(60,)).start()


@case("processes")
def forked_children_end_as_they_like():
    ways = {"exit": 3, "exec": 4, "raise": 0, "sys.exit": 0, "return": 0}
    assert dict(zip(ways, futures.map(forks, ways), strict=True)) == ways


@case("processes")
def multiprocessing_in_tasks():
    for method in ("fork", "spawn", "forkserver"):
        assert result_of(pools, method) == [1, 2, 3]
        assert result_of(starts, method) == ("from a child", 0)
        assert result_of(executes, method) == [1, 2, 3]


@case("processes")
def threads_in_tasks():
    assert list(futures.map(threads, range(4))) == [[1, 2, 3]] * 4


@case("processes")
def tasks_that_leave_processes_and_threads_behind():
    assert all(futures.map(leaves_a_process, range(3)))
    list(futures.map(leaves_a_thread, range(3)))


# Surroundings: descriptors, signals, directories.


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


@case("surroundings")
def interrupted_tasks():
    for name in ("SIGINT", "SIGTERM", "SIGUSR1", "SIGUSR2"):  # what they mean rank 0 decides
        assert result_of(interrupts_itself, name) == "not interrupted"
    assert type(failure_of(handles, "SIGINT", "default_int_handler")) is KeyboardInterrupt


@case("surroundings")
def signal_handlers():
    for name in ("SIGTERM", "SIGINT", "SIGCHLD", "SIGUSR1", "SIGALRM", "SIGHUP"):
        assert result_of(handles_by_itself, name) == name
        assert result_of(handles, name, "SIG_IGN") == name
    assert result_of(handles, "SIGCHLD", "SIG_DFL") == "SIGCHLD"


@case("surroundings")
def directories_that_are_gone():
    places = [tempfile.mkdtemp() for _ in range(4)]
    assert list(futures.map(wanders, places)) == [errno.ENOENT] * 4


@case("surroundings")
def streams_that_are_closed():
    for what in ("object", "detached", "none"):
        error = futures.submit(closes, what).exception(timeout=PATIENCE)
        assert error is None or what == "detached"


@case("surroundings")
def descriptors_that_are_closed():
    for _ in range(3):
        for what in ("0", "1", "2"):
            call = futures.submit(closes, what)
            error = call.exception(timeout=PATIENCE)
            assert error is None or error.errno == errno.EBADF


@case("surroundings")
def masks_and_limits():
    list(futures.map(masks, range(4)))


# Output.


def prints(megabytes, end):
    line = "x" * ((1 << 20) // 64 - len(end)) + end
    for _ in range(64 * megabytes):
        print(line, end="")


@case("output")
def a_hundred_megabytes_in_lines():
    result_of(prints, 100, "\n")


@case("output")
def megabytes_in_one_line():
    """Two only: for a line without an end Open MPI 5's own mpirun needs time by its square."""
    result_of(prints, 2, "")
    result_of(print)


# More than 2 GiB.

HUGE = (1 << 31) + 12345


def huge_bytes(_):
    return b"x" * HUGE


def huge_array(_):
    array = np.empty(HUGE, np.uint8)
    array[0], array[-1] = 1, 2
    return array


@case("large")
def bytes_above_two_gib():
    found = result_of(huge_bytes, 0)
    assert len(found) == HUGE and found[-3:] == b"xxx"


@case("large")
def an_array_above_two_gib():
    found = result_of(huge_array, 0)
    assert found.nbytes == HUGE and (found[0], found[-1]) == (1, 2)


# Workers that are lost; started with --retries 0.


def dies(how):
    if how == "exit":
        os._exit(5)
    if how == "exit 0":
        os._exit(0)
    if how == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    # Pickling a deep list uses up the stack of C. From Python 3.12 on the interpreter counts what C
    # uses too, so there must be less of it than it believes.
    sys.setrecursionlimit(10**9)
    resource.setrlimit(
        resource.RLIMIT_STACK, (1 << 16, resource.getrlimit(resource.RLIMIT_STACK)[1])
    )
    return deep(10**6)


@case("lost")
def workers_that_tasks_end():
    from scoopmpi import WorkerLost

    for how in ("exit", "exit 0", "kill", "stack"):
        error = futures.submit(dies, how).exception(timeout=PATIENCE)
        assert isinstance(error, WorkerLost), error
        says(error, "1 worker died running task")
        alive()


# The program.


def slow_abs(x):
    time.sleep(0.005)
    return abs(x)


def alive():
    assert futures.submit(abs, -42).result(timeout=PATIENCE) == 42
    assert list(futures.map(slow_abs, [-42] * 8)) == [42] * 8  # on every worker


def run(name, group):
    CASES[group][name][0]()
    alive()


def main(group):
    assert IS_ORIGIN
    for name, (_, nested) in CASES[group].items():
        for where in ("", " inside a task") if nested else ("",):
            begun = time.monotonic()
            try:
                if where:
                    result_of(run, name, group)
                run(name, group) if not where else alive()
                said = "ok"
            except BaseException:
                said = traceback.format_exc()
            print(f"{name}{where}: {said}", flush=True)
            print(f"{time.monotonic() - begun:6.2f} s {name}{where}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
