"""A genetic algorithm with DEAP: individuals are evaluated on all cores."""

import random

from deap import algorithms, base, creator, tools

from scoopmpi import futures

WEIGHTS = [((7 * n) % 23 + 1, (5 * n) % 17 + 1) for n in range(60)]  # of the knapsack's things

creator.create("Fitness", base.Fitness, weights=(1.0,))
creator.create("Individual", list, fitness=creator.Fitness)  # at the top level: workers need it


def value(individual):
    """What the things in the knapsack are worth; nothing where they are too heavy."""
    heavy = sum(weight for taken, (weight, _) in zip(individual, WEIGHTS) if taken)
    return (sum(worth for taken, (_, worth) in zip(individual, WEIGHTS) if taken) * (heavy < 300),)


if __name__ == "__main__":
    random.seed(1)
    toolbox = base.Toolbox()
    toolbox.register("bit", random.randint, 0, 1)
    toolbox.register("individual", tools.initRepeat, creator.Individual, toolbox.bit, len(WEIGHTS))
    toolbox.register("population", tools.initRepeat, list, toolbox.individual)
    toolbox.register("evaluate", value)
    toolbox.register("mate", tools.cxTwoPoint)
    toolbox.register("mutate", tools.mutFlipBit, indpb=0.05)
    toolbox.register("select", tools.selTournament, tournsize=3)
    toolbox.register("map", futures.map)  # on the farm
    best = tools.HallOfFame(1)
    population = toolbox.population(n=100)
    algorithms.eaSimple(population, toolbox, 0.5, 0.2, ngen=30, halloffame=best, verbose=False)
    print(f"worth {best[0].fitness.values[0]:.0f}, things {sum(best[0])}")
