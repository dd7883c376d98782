"""Nested jobs: what tasks create on their worker, how it runs there, and how it spreads."""
