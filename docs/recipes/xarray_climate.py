"""A field of temperatures with xarray: blocks of the globe go through a function on all cores."""

import dask
import numpy as np
import xarray

from scoopmpi import MPIExecutor


def trend(series):
    """Degrees per step, along the last axis."""
    steps = np.arange(series.shape[-1])
    steps = steps - steps.mean()
    return (series * steps).sum(axis=-1) / (steps**2).sum()


if __name__ == "__main__":
    random = np.random.default_rng(1)
    warmer = np.arange(120) * np.linspace(0.001, 0.004, 36)[:, None, None]
    field = xarray.DataArray(
        15 + warmer + random.standard_normal((36, 72, 120)), dims=("lat", "lon", "month")
    ).chunk(lat=6, lon=36)
    slopes = xarray.apply_ufunc(
        trend, field, input_core_dims=[["month"]], dask="parallelized", output_dtypes=[float]
    )
    with MPIExecutor() as executor, dask.config.set(scheduler=executor):  # on the farm
        by_latitude = slopes.mean("lon").compute()
    print(f"south {by_latitude[0]:.6f}, north {by_latitude[-1]:.6f} degrees a month")
