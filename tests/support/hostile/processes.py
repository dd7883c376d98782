"""A program whose tasks fork, start processes and threads, and leave them behind.

The cases run one after the other, see `cases`; their functions are the program's own.
"""

import concurrent.futures
import multiprocessing
import os
import subprocess
import sys
import threading
import time

from cases import case, main, result_of

from scoopmpi import futures


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


def forks_with_much(number):
    """The child comes back too: its result must not be taken for the task's."""
    child = os.fork()
    if child:
        os.waitpid(child, 0)
    return (b"" if child else b"child") + bytes(2 << 20)


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


@case()
def forked_children_may_come_back_with_large_results():
    assert {len(value) for value in futures.map(forks_with_much, range(20))} == {2 << 20}


@case()
def forked_children_end_as_they_like():
    ways = {"exit": 3, "exec": 4, "raise": 0, "sys.exit": 0, "return": 0}
    assert dict(zip(ways, futures.map(forks, ways), strict=True)) == ways


@case()
def multiprocessing_in_tasks():
    for method in ("fork", "spawn", "forkserver"):
        assert result_of(pools, method) == [1, 2, 3]
        assert result_of(starts, method) == ("from a child", 0)
        assert result_of(executes, method) == [1, 2, 3]


@case()
def threads_in_tasks():
    assert list(futures.map(threads, range(4))) == [[1, 2, 3]] * 4


@case()
def tasks_that_leave_processes_and_threads_behind():
    assert all(futures.map(leaves_a_process, range(3)))
    list(futures.map(leaves_a_thread, range(3)))


if __name__ == "__main__":
    main()
