"""A service with asyncio: it goes on answering while calls run on the farm."""

import asyncio
import math

from scoopmpi import MPIExecutor

LIMITS = range(2000, 2040)


def count_primes(limit):
    return sum(all(n % d for d in range(2, math.isqrt(n) + 1)) for n in range(2, limit))


async def heartbeat(beats):
    while True:
        beats.append(1)
        await asyncio.sleep(0.001)


async def main():
    beats = []
    beating = asyncio.create_task(heartbeat(beats))
    loop = asyncio.get_running_loop()
    with MPIExecutor() as executor:
        calls = [loop.run_in_executor(executor, count_primes, n) for n in LIMITS]  # on the farm
        print(sum(await asyncio.gather(*calls)), "primes,", "beating" if beats else "stuck")
    beating.cancel()


if __name__ == "__main__":
    asyncio.run(main())
