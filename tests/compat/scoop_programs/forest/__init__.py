"""A module beside the program: it walks a tree with whatever map it was given."""

spread = None
tree = None


def use(mapping):
    global spread
    spread = mapping


def grow(height, width):
    global tree
    tree = _branch(height, width)


def _branch(height, width):
    return [_branch(height - 1, width + number % 2) for number in range(width)] if height else []


def leaves(address=()):
    branch = tree
    for number in address:
        branch = branch[number]
    if not branch:
        return 1
    return sum(spread(leaves, [(*address, number) for number in range(len(branch))]))


def count(branch):
    return sum(map(count, branch)) if branch else 1
