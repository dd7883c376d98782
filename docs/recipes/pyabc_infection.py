"""Rates of an epidemic by simulation alone, with pyABC: each core simulates."""

import tempfile

import numpy as np
import pyabc

from scoopmpi import Pool


def epidemic(parameters):
    """How many of a thousand are ill, day by day."""
    healthy, ill, days = 990.0, 10.0, []
    for _ in range(40):
        caught = parameters["infection"] * healthy * ill / 1000
        healthy, ill = healthy - caught, ill + caught - parameters["recovery"] * ill
        days.append(ill)
    return {"ill": np.array(days) + np.random.normal(0, 5, 40)}


def distance(simulated, measured):
    return np.sqrt(np.mean((simulated["ill"] - measured["ill"]) ** 2))


if __name__ == "__main__":
    measured = epidemic({"infection": 0.5, "recovery": 0.1})
    prior = pyabc.Distribution(
        infection=pyabc.RV("uniform", 0, 1), recovery=pyabc.RV("uniform", 0, 0.5)
    )
    with Pool() as pool, tempfile.TemporaryDirectory() as place:
        sampler = pyabc.sampler.MappingSampler(map_=pool.map)  # on the farm
        abc = pyabc.ABCSMC(epidemic, prior, distance, population_size=100, sampler=sampler)
        abc.new(f"sqlite:///{place}/run.db", measured)
        frame, weights = abc.run(max_nr_populations=5).get_distribution()
    for name in ("infection", "recovery"):
        print(f"{name} {np.average(frame[name], weights=weights):.1f}")
