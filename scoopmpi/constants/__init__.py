"""Shared constants: what a rank keeps of them, and how all ranks come to have them."""
