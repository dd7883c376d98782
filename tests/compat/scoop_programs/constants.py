"""Constants: set once by the program, found by every task, by tasks of tasks, and at once."""

from scoop import futures, shared


def triple(number):
    return 3 * number


def use(number):
    names, text = shared.getConst("names"), shared.getConst("text")
    return f"{names[number % 3]} {text} {shared.getConst('function')(number)}"


def use_twice(number):
    return list(futures.map(use, [number, number + 1]))


def doubled(number):
    return shared.getConst("double")(number)


def early(_):
    return shared.getConst("early")


def both(_):
    return shared.getConst("early"), shared.getConst("late")


if __name__ == "__main__":
    shared.setConst(names={0: "zero", 1: "one", 2: "two"})
    shared.setConst(text="times three is", function=triple)
    shared.setConst(double=lambda number: 2 * number)
    print("\n".join(futures.map(use, range(4))))
    print(list(futures.map(use_twice, range(2))))
    print(all(futures.submit(use, 2).result() == "two times three is 6" for _ in range(50)))
    for name, value in (("names", "others"), ("text", "the same")):
        try:
            shared.setConst(**{name: value})
        except TypeError as error:
            print("a second time:", name in str(error))
    print(shared.getConst("names")[1], shared.getConst("function")(14))
    print(list(futures.map(doubled, range(4))))
    shared.setConst(early=1)
    print(set(futures.map(early, range(20))))
    shared.setConst(late=2)
    print(set(futures.map(both, range(20))))
    print(shared.getConst("nobody has set it", timeout=0.1))
