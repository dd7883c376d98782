"""Checkpoints: outcomes of a program's tasks in a file, so that another run goes on from there.

`record` is what jobs talk to, `digests` and `arguments` say what is the same task, `known` who has
got which outcome, `file` keeps them; `show`, `drop` and `export` are for people. Nothing here knows
workers or how tasks are run.
"""
