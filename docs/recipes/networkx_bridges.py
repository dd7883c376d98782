"""Which nodes of a network most shortest paths go through, with networkx: sources on all cores."""

from collections import Counter

import networkx as nx

from scoopmpi import futures, shared


def through(sources):
    """How many shortest paths from some nodes to all others lead through each node."""
    graph = shared.getConst("graph")
    return Counter(nx.betweenness_centrality_subset(graph, sources, list(graph)))


if __name__ == "__main__":
    graph = nx.connected_watts_strogatz_graph(150, 4, 0.1, seed=1)
    shared.setConst(graph=graph)  # once to each host, not with each task
    nodes = list(graph)
    blocks = [nodes[i : i + 10] for i in range(0, len(nodes), 10)]
    parts = futures.map(through, blocks)  # on the farm
    total = sum(parts, Counter())
    for node, value in total.most_common(3):
        print(f"node {node}: {value:.4f}")
