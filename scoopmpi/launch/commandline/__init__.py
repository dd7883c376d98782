"""The command line that starts the ranks: which launcher, which words, which variables. Pure."""
