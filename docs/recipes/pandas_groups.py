"""A table by groups with pandas: each station's rows are one task."""

import numpy as np
import pandas as pd

from scoopmpi import futures


def summary(group):
    """What is known of a station: its name, its mean, and the trend of its measurements."""
    name, rows = group
    slope = np.polyfit(rows["year"], rows["level"], 1)[0]
    return {"station": name, "mean": rows["level"].mean(), "trend": slope}


if __name__ == "__main__":
    random = np.random.default_rng(1)
    table = pd.DataFrame({
        "station": np.repeat([f"S{n:02}" for n in range(40)], 50),
        "year": np.tile(np.arange(1970, 2020), 40),
        "level": random.normal(100, 5, 2000),
    })  # fmt: skip
    rows = futures.map(summary, table.groupby("station"))  # on the farm
    found = pd.DataFrame(rows).set_index("station")
    print(found.nlargest(3, "trend").round(6))
