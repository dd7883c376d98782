"""The command beside its launcher: what passes between the user and rank 0 until the job ends."""
