"""An image is made smaller tile by tile; the tiles stand at the top of the program."""

from itertools import repeat

import numpy
from scoop import futures

HEIGHT, WIDTH, PARTS = 60, 80, 2
y, x = numpy.mgrid[:HEIGHT, :WIDTH]
image = ((3 * x + 5 * y) % 256).astype(numpy.uint8)
tiles = [tile for row in numpy.split(image, PARTS) for tile in numpy.split(row, PARTS, axis=1)]


def smaller(number, factor):
    """The mean of each little square, and the tile's corner."""
    tile = tiles[number]
    height, width = tile.shape[0] // factor, tile.shape[1] // factor
    means = tile.reshape(height, factor, width, factor).mean(axis=(1, 3))
    return (number // PARTS * height, number % PARTS * width), means.astype(numpy.uint8)


if __name__ == "__main__":
    canvas = numpy.zeros((HEIGHT // 2, WIDTH // 2), numpy.uint8)
    for (top, left), tile in futures.map(smaller, range(len(tiles)), repeat(2)):
        canvas[top : top + tile.shape[0], left : left + tile.shape[1]] = tile
    whole = image.reshape(HEIGHT // 2, 2, WIDTH // 2, 2).mean(axis=(1, 3)).astype(numpy.uint8)
    print(canvas.shape, numpy.array_equal(canvas, whole))
