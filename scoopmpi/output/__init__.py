"""The way of what tasks and the program print to the user: whole lines, in one order.

Bytes and streams only: nothing here knows messages or MPI, which carry lines from workers.
"""
