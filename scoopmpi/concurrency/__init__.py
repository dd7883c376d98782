"""Waiting and locking, for every rank: threads, pauses, periods, a lock that signals wait for.

Nothing here knows tasks, messages or MPI.
"""
