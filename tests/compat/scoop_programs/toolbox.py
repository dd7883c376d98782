"""An object that holds the map goes to tasks, which map with it: how DEAP is used."""

import functools
import pickle

from scoop import futures


class Toolbox:
    """Functions under names of the user's choice."""

    def register(self, name, function, *arguments, **keywords):
        setattr(self, name, functools.partial(function, *arguments, **keywords))


def score(one):
    return sum(one)


def improve(one, by):
    return [gene + by for gene in one]


def evolve(people, rounds, tools):
    for _ in range(rounds):
        people = list(tools.map(tools.improve, people))
    return list(tools.map(tools.score, people))


tools = Toolbox()
tools.register("map", futures.map)
tools.register("score", score)
tools.register("improve", improve, by=1)
tools.register("evolve", evolve, rounds=3, tools=tools)

if __name__ == "__main__":
    people = [[number, number] for number in range(4)]
    print(evolve(people, rounds=3, tools=tools))
    islands = [people, [[10, 20]], []]
    print(list(tools.map(tools.evolve, islands)))
    print(list(tools.map(functools.partial(evolve, rounds=1, tools=tools), islands)))
    print(pickle.loads(pickle.dumps(futures.map)) is futures.map)
    own = [futures.map, futures.submit, futures.wait, futures.mapReduce]
    there_and_back = futures.submit(list, own).result()
    print([mine is theirs for mine, theirs in zip(own, there_and_back, strict=True)])
