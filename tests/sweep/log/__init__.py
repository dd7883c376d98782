"""Of logs of sweeps."""
