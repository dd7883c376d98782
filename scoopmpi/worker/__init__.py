"""Ranks from 1 on: receive batches, run them, answer."""
