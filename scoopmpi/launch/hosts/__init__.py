"""The hosts of a job, how many ranks each gets, and which of these are pinned.

An `Allocation` is what somebody gave, `placement` what becomes of it. Reads what it is given;
`thishost` alone looks at the machine.
"""
