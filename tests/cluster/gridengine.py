"""A real Grid Engine from Debian's packages, on the two hosts of `hosts`: eight slots each.

Its cell, its settings and its spool are in one directory. The daemons, `sge_qmaster` on the first
host and `sge_execd` on both, end with the hosts.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from .hosts import PATH, Host, done

INSTALLED = Path("/var/lib/gridengine")
PROGRAMS = ("sge_qmaster", "sge_execd", "qsub", "qconf")
SLOTS = 8
PARALLEL_ENVIRONMENT = "mpi"
START_SECONDS = 60
"""Three seconds on a quiet machine."""
STEP_SECONDS = 30

BOOTSTRAP = """\
admin_user none
default_domain none
ignore_fqdn true
spooling_method classic
spooling_lib libspoolc
spooling_params {root}/default/common;{root}/qmaster
binary_path /usr/sbin
qmaster_spool_dir {root}/qmaster
security_mode none
listener_threads 2
worker_threads 2
scheduler_threads 1
"""
# Round robin, so that small jobs have two hosts; control_slaves: launchers may use qrsh.
PARALLEL = """\
pe_name {name}
slots 100
user_lists NONE
xuser_lists NONE
start_proc_args NONE
stop_proc_args NONE
allocation_rule $round_robin
control_slaves TRUE
job_is_first_task FALSE
urgency_slots min
accounting_summary FALSE
qsort_args NONE
"""
QUEUE = {
    "qname": "all.q", "hostlist": "@allhosts", "slots": str(SLOTS), "shell": "/bin/sh",
    "pe_list": PARALLEL_ENVIRONMENT, "load_thresholds": "NONE",
}  # fmt: skip
SCHEDULE = {"schedule_interval": "0:0:1", "flush_submit_sec": "1", "flush_finish_sec": "1"}


class NotStarted(Exception):
    """There is no Grid Engine here; the message says what is missing, or what it says itself."""


def start(root: Path, hosts: tuple[Host, ...]) -> Mapping[str, str]:
    """Start one with its files in `root`; gives the variables that its users need.

    Raises NotStarted.
    """
    missing = [name for name in PROGRAMS if shutil.which(name, path=PATH) is None]
    if missing:
        raise NotStarted(
            f"there is no {', '.join(missing)}: "
            "apt-get install gridengine-master gridengine-exec gridengine-client"
        )
    # Each host has a network of its own: the ports are free.
    variables = {
        "SGE_ROOT": str(root), "SGE_CELL": "default", "PATH": PATH,
        "SGE_QMASTER_PORT": "6444", "SGE_EXECD_PORT": "6445",
    }  # fmt: skip
    master = hosts[0]
    _write_cell(root, master)

    def ask(*words: str) -> str:
        return _do(master, words, variables)

    _spool(root, ask)
    _daemon(master, "sge_qmaster", root, variables)
    _await(lambda: ask("qconf", "-sh"), root)
    _configure(root, hosts, ask)
    for host in hosts:
        _daemon(host, "sge_execd", root, variables)
    _await(lambda: len(_ready(ask("qhost"))) == len(hosts), root)
    return variables


def _write_cell(root: Path, master: Host) -> None:
    for part in ("bin", "lib", "util", "utilbin"):
        (root / part).symlink_to(INSTALLED / part)
    for part in ("default/common", "qmaster/job_scripts", "execd"):
        (root / part).mkdir(parents=True)
    (root / "default/common/bootstrap").write_text(BOOTSTRAP.format(root=root))
    (root / "default/common/act_qmaster").write_text(f"{master.name}\n")


def _spool(root: Path, ask: Callable[..., str]) -> None:
    """What the package's installation does: the first settings, read when the daemon starts."""
    tools, shared = "/usr/lib/gridengine", Path("/usr/share/gridengine")
    defaults = (shared / "default-configuration").read_text()
    changed = {
        "execd_spool_dir": f"{root}/execd",
        "min_uid": "0", "min_gid": "0",  # jobs of root
        "login_shells": "csh",  # the files of sh and bash would set another PATH
    }  # fmt: skip
    (root / "configuration").write_text(_replaced(defaults, changed))
    directories = f"{root}/default/common;{root}/qmaster"
    ask(f"{tools}/spoolinit", "classic", "libspoolc", directories, "init")
    ask(f"{tools}/spooldefaults", "configuration", f"{root}/configuration")
    for what, directory in (("complexes", "centry"), ("usersets", "usersets")):
        ask(f"{tools}/spooldefaults", what, str(shared / "util/resources" / directory))
    ask(f"{tools}/spooldefaults", "managers", "root")


def _configure(root: Path, hosts: tuple[Host, ...], ask: Callable[..., str]) -> None:
    for host in hosts[1:]:
        ask("qconf", "-ah", host.name)
    for host in hosts:
        ask("qconf", "-as", host.name)
    names = " ".join(host.name for host in hosts)
    settings = {
        "-Ap": PARALLEL.format(name=PARALLEL_ENVIRONMENT),
        "-Ahgrp": f"group_name @allhosts\nhostlist {names}\n",
        "-Aq": _replaced(ask("qconf", "-sq"), QUEUE),
        "-Msconf": _replaced(ask("qconf", "-ssconf"), SCHEDULE),
    }
    for option, text in settings.items():
        file = root / f"settings{option}"
        file.write_text(text)
        ask("qconf", option, str(file))


def _replaced(text: str, changed: Mapping[str, str]) -> str:
    """Lines of a name and a value, some with another value."""
    pairs = [line.split(None, 1) for line in text.splitlines() if not line.startswith("#")]
    return "".join(f"{name} {changed.get(name, value)}\n" for name, value in pairs)


def _ready(listed: str) -> list[str]:
    """Hosts of qhost's table whose daemon has told their load."""
    lines = [line.split() for line in listed.splitlines()[3:]]
    return [words[0] for words in lines if words[6] != "-"]


def _daemon(host: Host, name: str, root: Path, variables: Mapping[str, str]) -> None:
    """Goes on in the background by itself."""
    _do(host, (f"/usr/sbin/{name}",), variables)


def _await(holds: Callable[[], object], root: Path) -> None:
    limit = time.monotonic() + START_SECONDS
    while True:
        try:
            if holds():
                return
            problem = "its hosts are not ready"
        except NotStarted as not_yet:
            problem = str(not_yet)
        if time.monotonic() > limit:
            said = [file.read_text(errors="replace")[-1000:] for file in root.rglob("messages")]
            raise NotStarted("\n".join([problem, *said]))
        time.sleep(0.1)


def _do(host: Host, words: tuple[str, ...], variables: Mapping[str, str]) -> str:
    return done(host.words(*words), variables, NotStarted, STEP_SECONDS)
