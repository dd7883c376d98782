"""Tests of the worker framework's commands; what they submit is run in `test_jobs`."""
