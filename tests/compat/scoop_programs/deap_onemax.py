"""DEAP's way of using SCOOP: the toolbox's map is futures.map. Prints what the evolution found."""

import array
import random
import sys

import numpy
from deap import algorithms, base, creator, tools
from scoop import futures

creator.create("Fitness", base.Fitness, weights=(1.0,))
creator.create("Individual", array.array, typecode="b", fitness=creator.Fitness)


def ones(individual):
    return (sum(individual),)


toolbox = base.Toolbox()
toolbox.register("bit", random.randint, 0, 1)
toolbox.register("individual", tools.initRepeat, creator.Individual, toolbox.bit, 60)
toolbox.register("population", tools.initRepeat, list, toolbox.individual)
toolbox.register("evaluate", ones)
toolbox.register("mate", tools.cxTwoPoint)
toolbox.register("mutate", tools.mutFlipBit, indpb=0.05)
toolbox.register("select", tools.selTournament, tournsize=3)
if "serial" not in sys.argv:
    toolbox.register("map", futures.map)


if __name__ == "__main__":
    random.seed(64)
    statistics = tools.Statistics(lambda individual: individual.fitness.values)
    for name in ("mean", "std", "min", "max"):
        statistics.register(name, getattr(numpy, name))
    best = tools.HallOfFame(1)
    population, log = algorithms.eaSimple(
        toolbox.population(n=80),
        toolbox,
        cxpb=0.5,
        mutpb=0.2,
        ngen=12,
        stats=statistics,
        halloffame=best,
        verbose=False,
    )
    print(log)
    print(best[0], best[0].fitness.values, type(best[0]).__name__)
    copies = list(toolbox.map(toolbox.clone, population[:3]))
    print([type(copy).__name__ for copy in copies], copies == population[:3])
