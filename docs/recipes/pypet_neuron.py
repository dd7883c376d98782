"""A neuron under many currents with pypet, which keeps parameters and results in one HDF5 file."""

import os
import tempfile

from pypet import Environment, cartesian_product

from scoopmpi import futures  # noqa: F401


def simulate(traj):
    """Spikes of a leaky neuron in one second, under a constant current."""
    voltage, spikes = 0.0, 0
    for _ in range(1000):
        voltage += (traj.current - voltage) / traj.tau
        if voltage > 1.0:
            voltage, spikes = 0.0, spikes + 1
    traj.f_add_result("spikes", spikes)
    return spikes


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        environment = Environment(
            trajectory="neuron", filename=os.path.join(place, "neuron.hdf5"),
            multiproc=True, use_scoop=True, wrap_mode="LOCAL",  # on the farm
            log_config=None,
        )  # fmt: skip
        traj = environment.traj
        traj.f_add_parameter("current", 1.0)
        traj.f_add_parameter("tau", 10.0)
        traj.f_explore(
            cartesian_product({"current": [1.0, 1.2, 1.5, 2.0], "tau": [5.0, 10.0, 20.0]})
        )
        runs = environment.run(simulate)
        environment.disable_logging()
    print([spikes for _, spikes in sorted(runs)])
