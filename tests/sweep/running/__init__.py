"""Sweeps: a command for each row of a table."""
