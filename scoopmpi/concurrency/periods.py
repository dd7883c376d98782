"""All periods for which somebody waits for somebody else: who waits for what, and why so long.

All in seconds. What depends on another period says so, and `tests/concurrency/test_periods.py`
checks it. How often a loop looks is no period: that stands where the loop is. No logic here.
"""

from __future__ import annotations

# Start.

MPI4PY_SECONDS = 60
"""The command, for a first import of mpi4py: from a cold network file system it takes long, and one
that hangs must not hang the command."""
LAUNCHER_ANSWERS_SECONDS = 10
"""The command, for a launcher to tell its version."""
ASKING_PATIENCE_SECONDS = 2.0
"""The command says which batch system it asks when the answer takes longer: a person wonders."""
LIFELINE_SECONDS = 10.0
"""Rank 0, for the streams that the command hands it: the command has nothing else to do."""
REFUSAL_SECONDS = 1.0
"""A worker that cannot take part keeps still so long: rank 0 says the reason, then a launcher ends
the job within this time."""
JOIN_SECONDS = 10.0
"""Rank 0, for workers that still import the program, before it sends a constant to all at once: who
joins later gets constants one by one."""
OTHER_HOSTS_SECONDS = 30.0
"""A sweep, in all, for workers of other hosts that still import the program, where each item fails
at once on the hosts that are there: as long as they get at the end."""
LATE_RANKS_SECONDS = 10.0
"""Rank 0 of an mpirun of the user's own says which ranks do not come to its pool after this."""
ON_ITS_WAY_SECONDS = 60.0
"""Whoever needs a constant that has been sent already: as long as a busy network may take."""

# A task.

GRACE_SECONDS = 2.0
"""The supervisor, for a task after its limit: Python code reacts at once, C code when it returns.
Also added to each limit that a supervisor gets for the end of its worker."""
SUPERVISOR_LATE_SECONDS = 1.0
"""A supervisor that looks so much later than it meant to was stopped itself, and its worker too,
most likely (`scontrol suspend`, a laptop's lid): the task gets its grace anew."""
ITEM_GRACE_SECONDS = 5.0
"""A worker, for an item of a sweep from SIGTERM to SIGKILL; the least that batch systems grant."""
AGAIN_SECONDS = 0.001
"""A signal that has come in a finalizer of ours, before it comes again: that takes microseconds."""
HALF_WAY_SECONDS = 0.001
"""Who reads from a worker that is no rank of MPI, for the next piece of a message, before a pause:
with a pause after each piece 100 MB took 5 s there and back, and take 1 s or less."""
ORPHAN_SECONDS = 2.0
"""The supervisor of a worker that rank 0 has started, between two looks whether rank 0 is there: at
the second without it the worker is killed, which leaves by itself unless a task is in C code."""
DEATHS_APART_SECONDS = 0.2
"""A supervisor, between its worker's death and its own where the job goes on: PRRTE 3.0.13 (of Open
MPI 5.0.11) let MPI_Finalize of the others wait for ever in 1 of 20 runs where both came at once, in
none of 90 with 0.05 s."""
FREE_MEMORY_SECONDS = 4.0
"""A rank keeps the memory of arrays that are gone so long for the next ones, once or twice."""

# Signals.

ECHO_SECONDS = 2.0
"""Rank 0 takes a signal that comes again so soon for the same one, by another way: `scancel` of
Slurm 22.05 ends rank 0, and its launcher hands on its own 0.2 s later."""
SECOND_CTRL_C_SECONDS = 0.4
"""The same for Ctrl-C: nobody presses it twice as fast."""
NOTICE_SECONDS = 0.5
"""The command, for rank 0 to get a signal by itself before it hands on its own: a batch system
signals one process, or all of a job within milliseconds."""
EARLIER_SECONDS = 3.0
"""So long before the command rank 0 may have got a signal: the command may be slow to hear of its
own."""

# The end of the program: rank 0 closes the farm.

LEAVE_SECONDS = 2.0
"""Rank 0, for a worker to leave after Stop: its progress thread obeys even inside a task."""
LEAVE_IMPORTING_SECONDS = 30.0
"""The same for a worker that is still importing the program, and hears nothing meanwhile."""
LEAVE_SIGNALLED_SECONDS = 0.3
"""The same after a signal: mpirun may have ended the workers already."""
LINES_SIGNALLED_SECONDS = 1.0
"""Rank 0, for somebody to read the lines of tasks after a signal."""
SILENT_SECONDS = 10.0
"""Rank 0 says that it waits for maps which nobody reads after this, and after ten times as long."""
UNREAD_SECONDS = 0.5
"""Rank 0, for who does not read what a sweep prints that is ended from outside."""
DISK_SECONDS = 2.0
"""Rank 0, for a disk that takes nothing of the checkpoint, the results or the task log any more."""

# The end of a worker's Python, and what ranks leave behind.

END_SECONDS = 5.0
"""A worker for its threads and exit functions, and each rank for the processes that it has left
running: the least that batch systems grant between a SIGTERM and the SIGKILL that follows."""
UNBLOCKED_SECONDS = 1.0
"""A worker, for what was held up by a process that has been ended now; exit functions always get
it."""
TERM_SECONDS = 0.5
"""A rank, between SIGTERM and SIGKILL for what it has left running: the pools of Python end within
milliseconds. Once more for those that start others meanwhile."""
WORKER_END_SECONDS = END_SECONDS + UNBLOCKED_SECONDS + 2 * TERM_SECONDS
"""The supervisor, for its worker's threads, and then once more for its exit functions; its grace
comes on top."""

# MPI's end, to which all ranks come together.

WORKERS_SECONDS = 20.0
"""Rank 0, for all workers to come to MPI's end: supervisors end those that are stuck before."""
FINALIZE_SECONDS = 6.0
"""A supervisor, for MPI's end of its worker once all have come to it, which takes 0.01 to 0.3 s
here. Its grace comes on top, and rank 0 waits for that."""
RANKS_PER_SECOND = 500
"""Ranks, not seconds: a second more for so many, as the launcher of a large job hears from each."""
ABORT_SECONDS = 5
"""A rank that has called MPI_Abort, for its launcher to end all ranks, this one too."""

# The launcher's end.

LAUNCHER_GRACE_SECONDS = 10.0
"""The command, for its launcher from SIGTERM to SIGKILL: Open MPI 5 and MPICH need up to 7 to end
their ranks."""
LAUNCHER_END_SECONDS = 60.0
"""The command, for its launcher to end after the program has: the limits of ranks are within."""
LOST_SECONDS = 3.0
"""The same where rank 0 has gone without a word: a launcher may wait for a lost host for ever."""
SHOWN_SECONDS = 1.0
"""The command, for what the program has left running to write nothing more to rank 0's terminal."""
TERMINAL_SECONDS = 0.2
"""The same for a terminal that takes nothing, when its bar is to go: at the end, or at Ctrl-Z."""

# Hosts that are off or cut off.

HOST_STUCK_SECONDS = 10.0
"""The watch on rank 0, for the farm to hear of a lost host, which takes milliseconds unless MPI
holds it."""

# Other runs.

FILE_FREE_SECONDS = 3.0
"""A run, for one that has just been killed to let go of its checkpoint, or of its sweep's log."""
CHECKPOINT_READ_SECONDS = 2.0
"""Who shows a checkpoint, or results, for a moment in which the run that writes does not."""

# The batch system.

ANSWER_SECONDS = 30.0
"""Rank 0's thread, for a batch system's command to say when the job ends: a busy controller needs
many, and nobody waits for it."""

# Notebooks.

KERNEL_END_SECONDS = 2.0
"""Rank 0 as a kernel, for its cell and its exit functions, once its front end has asked it to end:
front ends kill what is there after 5."""
KERNEL_LOST_SECONDS = 2.0
"""The command, for a kernel to end by itself that has been asked to, or has lost its front end, or
for its launcher where rank 0 has gone without a word."""
