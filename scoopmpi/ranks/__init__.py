"""From a process that a launcher has started to rank 0 or a worker, and to the common end.

The parts of a rank are joined here, and only here: `start`, then `rank0` or `worker_rank`, then
`leaving`. Nothing else imports from here but the entry, `__main__`.
"""
