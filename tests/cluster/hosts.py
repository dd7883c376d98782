"""Two hosts on one machine: namespaces of Linux with a cable between them and an sshd in each.

Each has processes, network, name, /dev/shm, /sys and /run of its own; other files are shared, as on
a cluster. Nothing of the machine itself is changed, and all ends with the first process of each.
"""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

NAMES = ("east", "west")
ADDRESSES = ("10.77.0.1", "10.77.0.2")
PROGRAMS = (
    "unshare", "nsenter", "setpriv", "mount", "hostname", "ps", "ip", "sshd", "ssh", "ssh-keygen",
)  # fmt: skip
PATH = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"))
TEMPORARY = "/run/tmp"
"""Each host's own: daemons that are killed leave files there that bear process ids, and those of a
new host begin anew."""
START_SECONDS = 30
STEP_SECONDS = 20

NAMESPACES = (
    "setpriv", "--pdeathsig", "KILL", "--",
    "unshare", "--net", "--uts", "--ipc", "--mount", "--mount-proc", "--pid", "--kill-child",
)  # fmt: skip
WAIT = "sleep infinity & wait"
"""Of a shell: an orphan that has ended belongs to the first process, which must ask for it."""
# sshd wants /run/sshd. Shared memory is a host's own, and UCX looks for networks in /sys. Settings
# of the user's bash, read for each command that comes by ssh, are none of the tests: pyenv's take a
# second and a lock, which a killed host leaves behind, and then everybody waits for a minute.
FIRST_PROCESS = """\
set -e
mount -t tmpfs tmpfs /run
mkdir -m 755 /run/sshd
mkdir -m 1777 {temporary}
mount -t tmpfs tmpfs /dev/shm
mount -t sysfs sysfs /sys
mount --bind {directory}/hosts /etc/hosts
mount --bind {directory}/ssh_config /etc/ssh/ssh_config
for file in "$HOME/.bashrc" /etc/bash.bashrc; do
    [ ! -f "$file" ] || mount --bind /dev/null "$file"
done
hostname {name}
ip link set lo up
echo up
{wait}
"""
HOSTS = "127.0.0.1 localhost\n" + "".join(
    f"{address} {name}\n" for name, address in zip(NAMES, ADDRESSES, strict=True)
)
SSHD = """\
ListenAddress {address}
HostKey {directory}/key
AuthorizedKeysFile {directory}/key.pub
StrictModes no
UsePAM no
PasswordAuthentication no
PermitRootLogin prohibit-password
MaxStartups 50
PidFile none
SetEnv TMPDIR={temporary}
"""
SSH = """\
Host *
    IdentityFile {directory}/key
    IdentitiesOnly yes
    StrictHostKeyChecking no
    UserKnownHostsFile /dev/null
    LogLevel ERROR
    BatchMode yes
"""


class NoHosts(Exception):
    """There can be no such hosts here; the message says why."""


class Host(NamedTuple):
    """A host, and its first process as this machine sees it."""

    name: str
    first: int

    def words(self, *command: str, cwd: Path | str = "/") -> list[str]:
        """The words that run a command there, as one who has logged in."""
        return ["nsenter", f"--target={self.first}", "--all", f"--wd={cwd}", "--", *command]

    def processes(self) -> dict[int, str]:
        """What runs there but for sshd: command lines by process id there."""
        listed = _do(self.words("ps", "-eo", "pid=,ppid=,args="))
        lines = [line.split(None, 2) for line in listed.splitlines()]
        # What has come by nsenter has the parent 0, as the first process itself.
        return {
            int(pid): args
            for pid, parent, args in lines
            if parent != "0" and "sshd" not in args and not WAIT.startswith(args)
        }


@contextlib.contextmanager
def connected(directory: Path) -> Iterator[tuple[Host, ...]]:
    """The two hosts, with their keys and settings in `directory`.

    Raises NoHosts. Afterwards nothing of them is left, in each case.
    """
    missing = [name for name in PROGRAMS if shutil.which(name, path=PATH) is None]
    if missing:
        raise NoHosts(
            f"there is no {', '.join(missing)}: apt-get install iproute2 openssh-server procps"
        )
    started: list[subprocess.Popen[str]] = []
    try:
        _write_settings(directory)
        hosts = tuple(_host(name, directory, started) for name in NAMES)
        _connect(hosts)
        for host, address in zip(hosts, ADDRESSES, strict=True):
            settings = directory / f"{host.name}.sshd"
            text = SSHD.format(address=address, directory=directory, temporary=TEMPORARY)
            settings.write_text(text)
            log = str(directory / f"{host.name}.log")
            sshd = shutil.which("sshd", path=PATH) or "sshd"  # it wants its own absolute path
            _do(host.words(sshd, "-f", str(settings), "-E", log))
        for host in hosts:
            _do(hosts[0].words("ssh", host.name, "true"))
        yield hosts
    finally:
        for each in started:
            for first in children(each):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(first, signal.SIGKILL)  # the kernel ends the rest before it is gone
        for each in started:
            each.wait(STEP_SECONDS)


@contextlib.contextmanager
def cut(hosts: tuple[Host, ...]) -> Iterator[None]:
    """Meanwhile no packet goes from one host to the other, and none says so."""
    _do(_in_network(hosts[1], "link set cable down"))
    try:
        yield
    finally:
        _do(_in_network(hosts[1], "link set cable up"))
        until = time.monotonic() + STEP_SECONDS
        while time.monotonic() < until:  # the kernel remembers for a while that nobody was there
            with contextlib.suppress(NoHosts):
                _do(hosts[0].words("ssh", hosts[1].name, "true"))
                break
            time.sleep(0.2)


def children(process: subprocess.Popen[str]) -> list[int]:
    """Their ids as this machine sees them; none where the process has ended."""
    with contextlib.suppress(OSError):
        listed = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text()
        return [int(word) for word in listed.split()]
    return []


def _write_settings(directory: Path) -> None:
    _do(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(directory / "key")])
    (directory / "hosts").write_text(HOSTS)
    (directory / "ssh_config").write_text(SSH.format(directory=directory))
    # Some systems are without the file, and a file can be mounted over another only.
    if not Path("/etc/ssh/ssh_config").exists():
        raise NoHosts("there is no /etc/ssh/ssh_config to lay ours over")


def _host(name: str, directory: Path, started: list[subprocess.Popen[str]]) -> Host:
    script = FIRST_PROCESS.format(directory=directory, name=name, wait=WAIT, temporary=TEMPORARY)
    process = subprocess.Popen(
        [*NAMESPACES, "sh", "-c", script], env={**os.environ, "PATH": PATH}, text=True,
        start_new_session=True, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    started.append(process)
    assert process.stdout is not None
    ready, _, _ = select.select([process.stdout], [], [], START_SECONDS)
    said = process.stdout.readline() if ready else f"nothing in {START_SECONDS} s"
    if said != "up\n":
        raise NoHosts(f"namespaces are not allowed here: {said}")
    return Host(name, *children(process))


def _connect(hosts: tuple[Host, ...]) -> None:
    east, west = hosts
    _do(_in_network(east, f"link add cable type veth peer name cable netns {west.first}"))
    for host, address in zip(hosts, ADDRESSES, strict=True):
        _do(_in_network(host, f"address add {address}/24 dev cable"))
        _do(_in_network(host, "link set cable up"))


def _in_network(host: Host, command: str) -> list[str]:
    """Of the host's namespaces only its network: processes go by their ids on this machine."""
    return ["nsenter", f"--target={host.first}", "--net", "ip", *command.split()]


def _do(words: list[str]) -> str:
    return done(words, {"PATH": PATH}, NoHosts)


def done(
    words: list[str],
    variables: Mapping[str, str],
    problem: type[Exception],
    seconds: float = STEP_SECONDS,
) -> str:
    """What a command printed; the problem where it fails or takes longer than these seconds."""
    try:
        answer = subprocess.run(
            words, env={**os.environ, **variables}, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=seconds,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise problem(f"{words} took more than {seconds} s") from None
    if answer.returncode:
        raise problem(f"{words} ended with {answer.returncode}: {answer.stderr}{answer.stdout}")
    return answer.stdout
