"""A rank as a process: the program that it runs, its output, its end, its profile."""
