"""The sizes of pages, three ways: one after the other, by a map, and each when it is there."""

import pathlib
import tempfile
import urllib.error
import urllib.request

from scoop import futures


def size(address):
    """Bytes of a page; 0 where there is none."""
    try:
        with urllib.request.urlopen(address, None, 5) as page:
            return sum(len(line) for line in page)
    except urllib.error.URLError:
        return 0


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        addresses = []
        for number in range(12):
            page = pathlib.Path(folder, f"{number}.html")
            if number % 5 != 4:
                page.write_text("<p>\n" * number)
            addresses.append(page.as_uri())
        print(list(map(size, addresses)))
        print(list(futures.map(size, addresses)))
        calls = [futures.submit(size, address) for address in addresses]
        print(sorted(call.result() for call in futures.as_completed(calls)))
