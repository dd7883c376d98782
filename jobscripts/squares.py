import sys
from scoop import futures


def square(x):
    return x * x


if __name__ == "__main__":
    # obtain n from first command line argument
    n = int(sys.argv[1])

    # compute the square of the first n numbers, in parallel using SCOOP functionality
    squares = futures.map(square, range(n))  # note: returns an iterator

    print("First %d squares: %s" % (n, list(squares)))
