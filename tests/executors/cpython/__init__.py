"""CPython's own tests of executors and pools, over the ones here, on real ranks."""
