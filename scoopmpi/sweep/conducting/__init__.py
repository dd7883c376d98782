"""A sweep on rank 0: its items go to the farm, what comes back goes to the log and the outputs."""
