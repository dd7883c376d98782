"""Constants for all tasks: `from scoopmpi import shared` (or `from scoop import shared`).

    shared.setConst(table=table)                      # in the program, or in a task
    shared.getConst("table")                          # in any task that is submitted afterwards

SCOOP's functions with SCOOP's signatures. The constants themselves are kept by the backend that the
executor of this process gives; what is here is only which names have been warned of.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from .concurrency.periods import ON_ITS_WAY_SECONDS
from .concurrency.timeouts import seconds
from .process import identity
from .tasks import current_executor
from .tasks.wrapped import only_calls

if TYPE_CHECKING:
    from .tasks.constants_backend import ConstantsBackend

__all__ = ["SharedElementEncapsulation", "elements", "getConst", "setConst"]

_warned: set[str] = set()
"""Names of which it has been said that there is no such constant: once for each in a process."""


def setConst(**kwargs: Any) -> None:
    """Give values names, under which every task that is submitted from now on finds them.

        shared.setConst(table=table, scale=2.5)

    kwargs: any objects that can be pickled, functions and lambdas too, as they are now. Arrays
        arrive read-only, large ones once per host.

    Raises TypeError where a name exists already, and pickle.PicklingError where a value cannot be
    pickled, both naming the constant; then none of them is set.
    """
    if identity.this.importing:
        raise RuntimeError(
            "the program calls shared.setConst while a worker imports it. Put what the program "
            'does below the line\n    if __name__ == "__main__":\nso that workers only get its '
            "functions."
        )
    if kwargs:
        _constants_backend().set(kwargs)


def getConst(name: str, timeout: float | None = 0.1) -> Any:
    """Return the constant of this name; None, with one warning, where there is none.

    timeout: seconds to wait for a name that had not been set when this task was submitted; 0 only
        looks, and warns of nothing; None waits for ever. What had been set before is waited for in
        any case.

    Raises pickle.UnpicklingError where the value cannot be unpickled here.
    """
    constants_backend = _constants_backend()
    if name in constants_backend.store or constants_backend.wait_for(name, _seconds(timeout)):
        return constants_backend.store.get(name)
    if timeout != 0 and name not in _warned:
        _warned.add(name)
        warnings.warn(
            f"there is no constant {name!r}, getConst gives None (timeout={timeout}). Set it with "
            f"shared.setConst({name}=...) before the tasks that need it are submitted",
            RuntimeWarning,
            stacklevel=2,
        )
    return None


def _constants_backend() -> ConstantsBackend:
    """Return the backend of the farm that this process belongs to, or of the process on its own."""
    found = current_executor.current().constants_backend
    if found is None:
        from .constants import local  # late: ranks have others, and an import is a file each opens

        return local.of_this_process
    return found


def _seconds(timeout: float | None) -> float | None:
    """Return a timeout as Python's own waits take it: not negative, None for more than they can."""
    if timeout != timeout:  # nan: no time to wait for, so it only looks
        return 0.0
    given = seconds(timeout)
    return None if given is None else max(0.0, given)


class _Elements(Mapping[str, Any]):
    """All constants that this rank knows, by name; read-only."""

    def __getitem__(self, name: str) -> Any:
        return _constants_backend().store.get(name)

    def __iter__(self) -> Iterator[str]:
        return iter(_constants_backend().store.names)

    def __len__(self) -> int:
        return len(_constants_backend().store.names)

    def __contains__(self, name: object) -> bool:
        return name in _constants_backend().store  # without unpacking it

    def __repr__(self) -> str:
        return f"<constants: {', '.join(self) or 'none'}>"


elements = _Elements()


class SharedElementEncapsulation:
    """A function as a constant: it travels once to each host, and is then called by its name.

        model = shared.SharedElementEncapsulation(large_object.evaluate)
        values = list(futures.map(model, arguments))

    element: a function, a bound method, or the name of a constant that can be called; KeyError
        where there is no such constant.
    """

    def __init__(self, element: Callable[..., Any] | str) -> None:
        if isinstance(element, str):
            if element not in elements:
                raise KeyError(f"there is no constant {element!r}: set it first")
            self.uniqueID = element
        else:
            # By content: no other function can ever have the name, and the same one is sent once.
            self.uniqueID = f"function {_digest(element)}"
            if self.uniqueID not in elements:
                self._share(element)

    def _share(self, function: Callable[..., Any]) -> None:
        try:
            setConst(**{self.uniqueID: function})
        except TypeError:  # another task was faster with the same, and it is on its way
            _constants_backend().wait_for(self.uniqueID, ON_ITS_WAY_SECONDS)

    @only_calls
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function, and return what it returns; KeyError where its constant is gone."""
        function = getConst(self.uniqueID)
        if function is None:
            raise KeyError(f"there is no constant {self.uniqueID!r} on rank {identity.this.rank}")
        return function(*args, **kwargs)

    def __repr__(self) -> str:
        return self.uniqueID


def _digest(function: Callable[..., Any]) -> str:
    import hashlib  # late: used by few, and an import is files opened per rank

    from .constants.store import packed

    (frame,) = packed({"function": function}).values()
    digest = hashlib.blake2b(digest_size=16)
    for part in frame if type(frame) is tuple else (frame,):
        digest.update(part)
    return digest.hexdigest()
