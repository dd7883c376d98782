"""A tree of uneven branches, walked by tasks; the module that walks was given the map."""

import forest
from scoop import futures

forest.grow(height=5, width=3)
forest.use(futures.map)

if __name__ == "__main__":
    print(forest.leaves(), forest.count(forest.tree))
