"""Rank 0: jobs come in, batches go out to the workers, outcomes come back.

`farm` joins the parts and draws the way of a task. Callers meet `farm`, `maps` and `observer`. What
a job is stands in `jobs`, its kinds in `map_job`, `calls` and `offers`. `driver` and `loop` take
turns, `finishing` and `closing` are the end. Decisions are those of `scheduling`; MPI is behind a
transport.
"""
