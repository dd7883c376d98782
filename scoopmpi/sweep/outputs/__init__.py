"""Where the output of items goes on rank 0: in order to the user, or into one file for all."""
