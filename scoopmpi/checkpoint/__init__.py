"""Checkpoints: outcomes of a program's tasks in a file, so that another run goes on from there.

`record` is what jobs talk to, `digests` says what is the same task, `file` keeps outcomes. Nothing
here knows workers or how tasks are run.
"""
