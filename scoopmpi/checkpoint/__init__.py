"""Checkpoints: outcomes of a program's tasks in a file, so that another run goes on from there."""
