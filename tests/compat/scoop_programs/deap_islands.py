"""DEAP's islands: each task is a whole evolution, and maps its evaluations with the same toolbox.

Selection seeds Python's random numbers from the population itself. So an island goes the same way
wherever it runs, although ranks have one generator each and tasks that wait take turns.
"""

import array
import random
import sys

from deap import algorithms, base, creator, tools
from scoop import futures

ISLANDS, ROUNDS, GENERATIONS = 4, 3, 4

creator.create("Fitness", base.Fitness, weights=(1.0,))
creator.create("Individual", array.array, typecode="b", fitness=creator.Fitness)


def ones(individual):
    return (sum(individual),)


def select(individuals, k):
    random.seed(repr([each.tolist() for each in individuals]))
    return tools.selTournament(individuals, k, tournsize=3)


toolbox = base.Toolbox()
toolbox.register("map", map if "serial" in sys.argv else futures.map)
toolbox.register("bit", random.randint, 0, 1)
toolbox.register("individual", tools.initRepeat, creator.Individual, toolbox.bit, 50)
toolbox.register("island", tools.initRepeat, list, toolbox.individual)
toolbox.register("evaluate", ones)
toolbox.register("mate", tools.cxTwoPoint)
toolbox.register("mutate", tools.mutFlipBit, indpb=0.05)
toolbox.register("select", select)
toolbox.register(
    "evolve",
    algorithms.eaSimple,
    toolbox=toolbox,
    cxpb=0.5,
    mutpb=0.2,
    ngen=GENERATIONS,
    verbose=False,
)

if __name__ == "__main__":
    random.seed(17)
    islands = [toolbox.island(n=24) for _ in range(ISLANDS)]
    toolbox.unregister("bit")
    toolbox.unregister("individual")
    toolbox.unregister("island")
    for _ in range(ROUNDS):
        results = list(toolbox.map(toolbox.evolve, islands))
        islands = [population for population, log in results]
        print([[entry["nevals"] for entry in log] for population, log in results])
        tools.migRing(islands, 3, tools.selBest)
    for population in islands:
        best = tools.selBest(population, 1)[0]
        print(best.fitness.values, best.tolist(), type(best).__name__)
