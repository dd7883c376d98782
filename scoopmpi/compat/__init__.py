"""Packages of other names that are installed with this one: `scoop`, in SCOOP's place."""
