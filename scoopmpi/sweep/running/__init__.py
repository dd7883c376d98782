"""An item on its worker: a process group of its own, its variables, its limits, its output."""
