"""What items print and how they ended, in one SQLite file: written while the sweep runs, and read.

Nothing in it is code. Its rows are data for anybody who knows SQLite: `SELECT * FROM sweep`.
"""
