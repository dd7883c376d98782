"""A program that also runs where SCOOP is not installed: it imports the map itself."""

try:
    from scoop.futures import map as spread
except ImportError:
    spread = map


def celsius(fahrenheit):
    return round((fahrenheit - 32) / 1.8, 1)


if __name__ == "__main__":
    print(list(spread(celsius, range(0, 213, 53))))
