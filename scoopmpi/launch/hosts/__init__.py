"""The hosts of a job, how many ranks fit there, and which take part. Reads what it is given."""
