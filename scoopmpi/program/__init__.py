"""The user's program on a rank: found, run or imported, and what is set up around it before.

Also what SCOOP's programs expect of their process. Nothing here knows MPI, or how tasks travel.
"""
