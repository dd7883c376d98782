"""Callbacks: called with the future when it is done, also where it was done already."""

import time

from scoop import futures


def wait_a_little(tenths):
    time.sleep(tenths / 10)
    return tenths


def impossible():
    raise ArithmeticError("impossible")


if __name__ == "__main__":
    seen = []
    calls = [futures.submit(wait_a_little, tenths) for tenths in range(4)]
    for call in calls:
        call.add_done_callback(lambda done: seen.append(done.result()))
    print(sorted(call.result() for call in futures.as_completed(calls)))
    print(sorted(seen))

    calls[0].add_done_callback(lambda done: print("at once:", done.result()))

    order = []
    call = futures.submit(wait_a_little, 1)
    call.add_done_callback(lambda done: order.append("first"))
    call.add_done_callback(lambda done: order.append("second"))
    futures.wait([call])
    print(order)

    failed = []
    call = futures.submit(impossible)
    call.add_done_callback(lambda done: failed.append(str(done.exception())))
    try:
        call.result()
    except ArithmeticError as error:
        print(f"the caller: {error}, the callback: {failed}")
