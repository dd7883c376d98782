"""When a batch job is ended: what variables and commands of real jobs say, and any text."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoopmpi.process.asking import Ask, nobody
from scoopmpi.process.job_end import JobEndWatch
from scoopmpi.process.walltime import JobEnd, duration, in_job, job_end
from tests.support.environments import answering, folder, recorded, samples

NOW = 1796016400.0
SQUEUE = ("squeue", "-h", "-j", "25", "-o", "%L %M")


@pytest.fixture(autouse=True)
def _utc() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", "UTC")
        time.tzset()
        yield
    time.tzset()


def never_made(path: str) -> float | None:
    return None


def end(env: dict[str, str], ask: Ask = nobody, made: float | None = None) -> JobEnd | None:
    return job_end(env, ask, NOW, lambda path: made if path else None)


@pytest.mark.parametrize(("text", "seconds"), [
    ("90", 90), ("1.5", 1.5), ("2:00", 120), ("00:00:10", 10), ("36:00:00", 129600),
    ("2-01:00:00", 176400), ("1-2", 93600), ("1-2:30", 95400), ("UNLIMITED", math.inf),
    ("NOT_SET", None), ("", None), ("-5", None), ("1:2:3:4", None), ("nan", None), ("inf", None),
])  # fmt: skip
def test_durations(text: str, seconds: float | None) -> None:
    assert duration(text) == seconds


# Slurm: the answers of 22.05.


@pytest.mark.parametrize(("answer", "left", "passed"), [
    ("1:30 0:30\n", 90, 30),
    ("2-01:00:00 0:00\n", 176400, 0),
    ("UNLIMITED 1:00:00\n", math.inf, 3600),
    ("INVALID 2:00\n", 0, 120),  # it is ended at this moment
    ("9:00 0:10\n8:00 0:10\n", 480, 10),  # components of a heterogeneous job
])  # fmt: skip
def test_squeue_tells_what_is_left(answer: str, left: float, passed: float) -> None:
    found = end(recorded("slurm/time_1min"), answering({SQUEUE: answer}))
    assert found == JobEnd(NOW + left, "squeue", NOW - passed)


def test_the_variables_of_newer_slurms_do_where_nobody_answers() -> None:
    env = recorded("slurm/time_1min")
    assert end(env) is None
    env |= {"SLURM_JOB_START_TIME": f"{NOW - 10:.0f}", "SLURM_JOB_END_TIME": f"{NOW + 50:.0f}"}
    assert end(env) == JobEnd(NOW + 50, "SLURM_JOB_END_TIME", NOW - 10)
    fresher = end(env, answering({SQUEUE: "10:00 0:10"}))  # the limit was changed
    assert fresher is not None and fresher.at == NOW + 600
    env["SLURM_JOB_END_TIME"] = f"{NOW - 10 + 365 * 86400:.0f}"
    unlimited = end(env)
    assert unlimited is not None and unlimited.at == math.inf


# PBS: what OpenPBS 23.06 answered, with the attribute that its walltime has.


def test_qstat_tells_when_it_began_and_how_long_it_may_run() -> None:
    name = "openpbs/select2_ncpus8_scatter"
    env, text = recorded(name), (folder(name) / "qstat_f.txt").read_text()
    words = ("qstat", "-f", env["PBS_JOBID"])
    began = 1795362243.0  # by queue_rank there: Nov 22 15:44:03
    assert end(env, answering({words: text})) == JobEnd(math.inf, "qstat -f", began)
    limited = text + "    Resource_List.walltime = 01:00:00\n    resources_used.walltime = 00:00:05"
    assert end(env, answering({words: limited})) == JobEnd(began + 3600, "qstat -f", began)
    dateless = limited.replace("stime = Sun", "stime = So")
    assert end(env, answering({words: dateless})) == JobEnd(NOW + 3595, "qstat -f", NOW - 5)


def test_torque_says_what_remains_or_has_a_variable() -> None:
    env = {"PBS_JOBID": "7.server", "PBS_WALLTIME": "3600", "PBS_NODEFILE": "/aux/7.server"}
    text = (
        "Job Id: 7.server\n    job_state = R\n    Resource_List.walltime = 03:00:00\n"
        "    start_time = Mon Nov 30 05:20:00 2026\n    Walltime.Remaining = 8598\n"
    )
    found = end(env, answering({("qstat", "-f", "7.server"): text}))
    assert found == JobEnd(NOW + 8598, "qstat -f", 1796016000.0)
    assert end(env, made=NOW - 60) == JobEnd(NOW + 3540, "PBS_WALLTIME", NOW - 60)
    assert end(env) is None, "nobody knows when it began"


# Grid Engine: an answer of 8.1.9 for the tasks of an array, without what does not matter.

QSTAT_J = """\
<detailed_job_info><djob_info><element>
      <JB_job_number>2</JB_job_number>
      <JB_hard_resource_list>
        <qstat_l_requests>
          <CE_name>h_rt</CE_name>
          <CE_valtype>3</CE_valtype>
          <CE_stringval>900</CE_stringval>
        </qstat_l_requests>
        <qstat_l_requests>
          <CE_name>s_rt</CE_name>
          <CE_valtype>3</CE_valtype>
          <CE_stringval>0:10:00</CE_stringval>
        </qstat_l_requests>
      </JB_hard_resource_list>
      <JB_ja_tasks>
        <ulong_sublist>
          <JAT_status>512</JAT_status>
          <JAT_task_number>1</JAT_task_number>
          <JAT_start_time>1796016354</JAT_start_time>
        </ulong_sublist>
        <ulong_sublist>
          <JAT_status>512</JAT_status>
          <JAT_task_number>5</JAT_task_number>
          <JAT_start_time>1796016399</JAT_start_time>
        </ulong_sublist>
      </JB_ja_tasks>
</element></djob_info></detailed_job_info>
"""


def test_grid_engine_ends_a_job_by_its_soft_or_its_hard_limit() -> None:
    env = recorded("sge_array")
    words = ("qstat", "-j", env["JOB_ID"], "-xml")
    began = 1796016399.0
    assert end(env, answering({words: QSTAT_J})) == JobEnd(began + 600, "qstat -j", began)
    hard = QSTAT_J.replace("s_rt", "s_cpu")
    assert end(env, answering({words: hard})) == JobEnd(began + 900, "qstat -j", began)
    milliseconds = hard.replace("1796016399", "1796016399000")  # Univa's
    assert end(env, answering({words: milliseconds})) == JobEnd(began + 900, "qstat -j", began)
    first = {**env, "SGE_TASK_ID": "undefined"}
    assert end(first, answering({words: hard})) == JobEnd(1796017254.0, "qstat -j", 1796016354.0)


def test_grid_engine_has_limits_of_queues() -> None:
    env = recorded("sge_array")
    free = QSTAT_J.replace("_rt<", "_vmem<")
    queue = "qname  all.q\ns_rt   INFINITY\nh_rt   24:00:00,[n1=1:00:00]\ns_cpu  INFINITY\n"
    words, asked = ("qstat", "-j", env["JOB_ID"], "-xml"), ("qconf", "-sq", env["QUEUE"])
    found = end(env, answering({words: free, asked: queue}))
    assert found is not None and found.at == 1796016399 + 3600
    found = end(env, answering({words: free, asked: "h_rt    INFINITY\ns_rt INFINITY\n"}))
    assert found is not None and found.at == math.inf
    assert end(env, answering({words: free})) is None


# Others, by their documentation.


@pytest.mark.parametrize(("left", "at"), [
    ("0:47 L", NOW + 2820), ("120:05 L", NOW + 432300), ("0:0 X", NOW), ("-", math.inf),
])  # fmt: skip
def test_lsf(left: str, at: float) -> None:
    words = ("bjobs", "-noheader", "-o", "run_time time_left delimiter='|'", "7[3]")
    found = end({"LSB_JOBID": "7", "LSB_JOBINDEX": "3"}, answering({words: f"12 second(s)|{left}"}))
    assert found == JobEnd(at, "bjobs", NOW - 12)
    estimate = answering({words: "12 second(s)|0:47 E"})
    assert end({"LSB_JOBID": "7", "LSB_JOBINDEX": "3"}, estimate) is None


def test_systems_that_say_it_in_a_word() -> None:
    cobalt = {"COBALT_JOBID": "7", "COBALT_ENDTIME": "1796020000", "COBALT_STARTTIME": "1796016000"}
    assert end(cobalt) == JobEnd(1796020000.0, "COBALT_ENDTIME", 1796016000.0)
    oar = {"OAR_JOB_ID": "7", "OAR_JOB_WALLTIME_SECONDS": "7200", "OAR_NODEFILE": "/var/7"}
    assert end(oar, made=NOW - 100) == JobEnd(NOW + 7100, "OAR_JOB_WALLTIME_SECONDS", NOW - 100)
    flux = answering({("flux", "job", "timeleft"): "3588.5\n"})
    assert end({"FLUX_URI": "local:///run/flux"}, flux) == JobEnd(NOW + 3588.5, "flux job timeleft")


def test_of_one_system_inside_another_the_first_end_counts() -> None:
    env = {**recorded("slurm/time_1min"), "FLUX_URI": "local:///run/flux"}
    answers = answering({SQUEUE: "10:00 0:00", ("flux", "job", "timeleft"): "30"})
    found = end(env, answers)
    assert found is not None and found.source == "flux job timeleft"


@pytest.mark.parametrize("system", ["openpbs", "slurm", "gridengine"])
def test_no_recorded_job_has_an_end_when_nobody_answers(system: str) -> None:
    for name in samples(system):
        env = recorded(name)
        assert in_job(env)
        assert job_end(env, nobody, NOW, never_made) is None
    assert not in_job({"PATH": "/bin"})


NEAR = st.text("0123456789:-.<>_/ \n|LXhrtCEJAT=", max_size=60) | st.text(max_size=30)


@given(env=st.dictionaries(
    st.sampled_from(("SLURM_JOB_ID", "SLURM_JOB_END_TIME", "SLURM_JOB_START_TIME", "PBS_JOBID",
                     "PBS_WALLTIME", "JOB_ID", "SGE_ROOT", "SGE_TASK_ID", "LSB_JOBID", "FLUX_URI",
                     "COBALT_JOBID", "COBALT_ENDTIME", "OAR_JOB_ID", "OAR_JOB_WALLTIME_SECONDS")),
    NEAR), answer=NEAR)  # fmt: skip
def test_any_text_is_an_end_or_none(env: dict[str, str], answer: str) -> None:
    for made in (never_made, lambda path: NOW):
        found = job_end(env, lambda words: answer, NOW, made)
        assert found is None or found.at >= 0


# Beside the program.


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


def test_nobody_waits_for_an_answer_and_it_is_taken_when_it_comes() -> None:
    env = {**recorded("slurm/time_1min"), "SLURM_JOB_END_TIME": f"{NOW + 60:.0f}"}
    asked, answer = threading.Event(), threading.Event()

    def ask(words: Sequence[str]) -> str | None:
        asked.set()
        assert answer.wait(10)
        return "10:00 0:30"

    watch = JobEndWatch(env, ask=ask, clock=Clock())
    assert watch.at == NOW + 60, "the environment says it at once"
    watch.start()
    assert asked.wait(10)
    assert watch.at == NOW + 60
    answer.set()
    limit = time.monotonic() + 10
    while watch.at != NOW + 600 and time.monotonic() < limit:
        time.sleep(0.01)
    assert watch.at == NOW + 600
    assert watch.found == JobEnd(NOW + 600, "squeue", NOW - 30)
    watch.stop()


def test_what_is_not_answered_leaves_what_is_known() -> None:
    answers: list[str | None] = ["2:00 0:00", None, "UNLIMITED 0:10"]
    watch = JobEndWatch(
        recorded("slurm/time_1min"), ask=lambda words: answers.pop(0), clock=Clock()
    )
    assert watch.at is None
    watch.look()
    assert watch.at == NOW + 120
    watch.look()
    assert watch.at == NOW + 120
    watch.look()
    assert watch.at is None and watch.found is None, "its limit was taken away"


def test_what_the_user_says_wins_and_nobody_is_asked() -> None:
    before = threading.active_count()
    watch = JobEndWatch(recorded("slurm/time_1min"), 600, began=NOW - 100, clock=Clock())
    watch.start()
    assert watch.at == NOW + 500
    assert watch.found is not None and watch.found.source == "--walltime"
    JobEndWatch({"PATH": "/bin"}).start()  # no batch job at all
    assert threading.active_count() <= before  # one of a test before may end
