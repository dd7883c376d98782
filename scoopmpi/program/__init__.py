"""The user's program on a rank: found, imported, run, and what is set up around it before."""
