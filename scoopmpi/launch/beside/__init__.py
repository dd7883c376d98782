"""The command beside its launcher: what passes between the user and rank 0 until the job ends.

`session` makes its directory, `child` starts the launcher, `job` waits for what happens, `ending`
knows how it ends; the ways in between are `lifeline`, `terminal`, `feeding`, `passing`, `signals`.
"""
