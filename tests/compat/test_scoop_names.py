"""Every name of SCOOP 0.7.2: here, or with a reason in docs/coming-from-scoop.md."""

from __future__ import annotations

import importlib
import logging
import re
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

from scoopmpi.process import identity
from tests.support.libraries import ROOT, Library
from tests.support.starting import start

pytestmark = pytest.mark.timeout(120)

MODULES = {
    "scoop": """__author__ __version__ __revision__ CONFIGURATION DEBUG IS_RUNNING IS_ORIGIN logger
        SIZE SHUTDOWN_REQUESTED TIME_BETWEEN_PARTIALDEBUG TIME_BETWEEN_STATUS_REPORTS BROKER worker
        TIME_BETWEEN_STATUS_PRUNING MAIN_MODULE WORKING_DIRECTORY VALID WORKER_NAME BROKER_NAME
        futures shared utils fallbacks _types _control _comm _debug broker discovery launcher launch
        bootstrap encapsulation backports""",
    "scoop.futures": """map map_as_completed mapReduce mapScan submit wait as_completed shutdown
        FIRST_COMPLETED FIRST_EXCEPTION ALL_COMPLETED _AS_COMPLETED Future CallbackType
        NotStartedProperly callbackGroupID _controller _startup _mapFuture _waitAny _waitAll _join
        _joinAll ensureScoopStartedProperly ensureScoopStartedProperlyMapFallback""",
    "scoop.shared": "elements setConst getConst SharedElementEncapsulation",
    "scoop.utils": """loopbackReferences localHostnames loggingConfig initLogging externalHostname
        groupTogether getCPUcount getEnv getHosts getHostsFromFile getHostsFromList parseSLURM
        getHostsFromSLURM getHostsFromPBS getHostsFromSGE getWorkerQte KeyboardInterruptHandler
        getDefaultHosts isStr loggerName isValid""",
    "scoop.fallbacks": """NotStartedProperly ensureScoopStartedProperly
        ensureScoopStartedProperlyMapFallback""",
    "scoop._types": """Future CallbackType CancelledError TimeoutError callbackEntry FutureQueue
        StopWatch POLLING_TIME""",
}  # fmt: skip
FUTURE = """id executor parentId index callable args kargs creationTime stopWatch greenlet
    resultValue exceptionValue sendResultBack isDone callback children cancel cancelled running done
    result exception add_done_callback __lt__ __eq__ __hash__"""
PAGE = (ROOT / "docs" / "coming-from-scoop.md").read_text().partition("## Names that are not here")


def missing() -> set[str]:
    """The names that the page says are not here, by their last part."""
    cells = [line.split("|")[1] for line in PAGE[2].splitlines() if line.startswith("| `")]
    spans = {span for cell in cells for span in re.findall(r"`([^`]+)`", cell)}
    return {span.rpartition(".")[2] for span in spans} - {"_types"}


def quietly(call: str) -> object:
    from scoop import futures

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return eval(call, {"futures": futures})


@pytest.mark.parametrize("module", MODULES)
def test_every_name_is_here_or_in_the_page(module: str) -> None:
    found = importlib.import_module(module)
    lacking = {name for name in MODULES[module].split() if not hasattr(found, name)}
    assert lacking == {name for name in MODULES[module].split() if name in missing()}


def test_every_attribute_of_a_future_is_here_or_in_the_page() -> None:
    future = quietly("futures.submit(pow, 2, 3)")
    lacking = {name for name in FUTURE.split() if not hasattr(future, name)}
    assert lacking == {name for name in FUTURE.split() if name in missing()}


def test_the_page_lists_nothing_else() -> None:
    names = {name for text in (*MODULES.values(), FUTURE) for name in text.split()}
    assert missing() <= names


# What they say.


def test_the_controller_is_where_programs_look_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    import scoop.futures

    assert scoop.futures._controller is None
    assert scoop.futures.__dict__["_controller"] is None
    assert scoop.futures.__dict__.get("_controller", 1) is None
    monkeypatch.setattr(identity.this, "started", True)
    assert scoop.futures._controller and scoop.futures.__dict__["_controller"]
    monkeypatch.setattr(identity.this, "started", False)
    assert scoop.futures._controller is None and not vars(scoop.futures)["_controller"]


RMG = """
import sys
import scoop
from scoop import futures

def started(_=None):
    loaded = "scoop.futures" in sys.modules
    there = sys.modules["scoop.futures"].__dict__.get("_controller", None)
    return loaded and bool(there), bool(futures.__dict__["_controller"]), scoop.VALID

def named(_):
    return scoop.WORKER_NAME == scoop.worker, type(scoop.WORKER_NAME).__name__

if __name__ == "__main__":
    print(started(), set(futures.map(started, range(4))), set(futures.map(named, range(4))))
    future = futures.submit(pow, 2, 3)
    future.result()
    print(future.resultValue, future.exceptionValue, future.isDone, future.children)
    print(len({each.id for each in futures._mapFuture(abs, range(5))}), future.callback)
"""


def test_a_program_that_asks_whether_scoop_is_there(library: Library, tmp_path: Path) -> None:
    (tmp_path / "prog.py").write_text(RMG)
    answer = start(library, [sys.executable, "-m", "scoop", "-n", "2", "prog.py"], cwd=tmp_path)
    yes = "(True, True, True)"
    assert answer.stdout.splitlines() == [
        f"{yes} {{{yes}}} {{(True, 'bytes')}}", "8 None True {}", "5 []",
    ], answer.stderr  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "prog.py"], cwd=tmp_path, capture_output=True, text=True,
        timeout=30,
    )  # fmt: skip
    no = "(False, False, False)"
    assert done.stdout.splitlines()[0] == f"{no} {{{no}}} {{(True, 'bytes')}}", done.stderr


def test_a_future_says_what_is_known_without_waiting() -> None:
    from scoopmpi.tasks.future import Future

    future: Future[int] = Future()
    assert (future.resultValue, future.exceptionValue, future.isDone) == (None, None, False)
    seen: list[object] = []
    future.add_done_callback(seen.append, "universal", 3)
    future.add_done_callback(seen.append, inCallbackType="standard")
    assert [entry.func for entry in future.callback] == [seen.append] * 2
    future.set_running_or_notify_cancel()
    assert not future.isDone
    future.set_result(3)
    assert (future.resultValue, future.exceptionValue, future.isDone) == (3, None, True)
    assert seen == [future, future]
    failed: Future[int] = Future()
    failed.set_exception(LookupError("x"))
    assert isinstance(failed.exceptionValue, LookupError) and failed.resultValue is None
    given_up: Future[int] = Future()
    assert given_up.cancel() and given_up.isDone and given_up.resultValue is None
    assert isinstance(
        given_up.exceptionValue, importlib.import_module("scoop._types").CancelledError
    )
    assert sorted([(1, failed), (1, future), (0, given_up)])[0] == (0, given_up)


def test_what_stands_for_scoops_inner_functions() -> None:
    assert quietly("futures._joinAll(*futures._mapFuture(pow, [1, 2], [3, 4]))") == [1, 16]
    assert quietly("[each.result() for each in futures._waitAll(*futures._mapFuture(abs, [-1]))]")
    assert quietly("sum(each.result() for each in futures._waitAny(futures.submit(abs, -2)))") == 2
    assert quietly("futures._startup(pow, 2, exp=3)") == 8
    with pytest.raises(ZeroDivisionError):
        quietly("list(futures._waitAny(futures.submit(divmod, 1, 0)))")


def test_utils(capsys: pytest.CaptureFixture[str]) -> None:
    from scoop import utils

    assert utils.groupTogether(["b", "a", "b", "c", "a"]) == ["b", "b", "a", "a", "c"]
    assert (utils.isStr("a"), utils.isStr(b"a")) == (True, False)
    assert (utils.isValid("n1.example.org"), utils.isValid("-n 1")) == (True, False)
    logger = utils.initLogging(verbosity=1)
    assert (logger.name, logger.level) == (utils.loggerName, logging.INFO)
    assert utils.initLogging(2, "Other").name == "OtherLogger" and len(logger.handlers) == 1
    utils.initLogging(1).info("a message")
    assert re.search(r"^\[.*\] test_scoop_names INFO +a message$", capsys.readouterr().err)
    with pytest.raises(KeyboardInterrupt):
        utils.KeyboardInterruptHandler(3, None)
