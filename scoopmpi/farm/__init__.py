"""Rank 0: jobs come in, batches go out to the workers, outcomes come back.

Decisions are those of `scheduling`, MPI is behind a transport.
"""
