"""What an executor has beside its calls, from its beginning to its shutdown: a checkpoint, readers.

Of both the files are opened where the executor begins, on the farm that it runs on.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from ..process.users_line import warn
from ..tasks.executor import Executor, MapOptions
from .watching_asked import Asked


class Beside:
    """What is beside the calls of one executor.

    checkpoint: a file for outcomes. keep_failures: failures are taken from there as they are.
    watched: who reads what happens meanwhile.
    """

    def __init__(
        self, checkpoint: str | os.PathLike[str] | None, keep_failures: bool, watched: Asked
    ) -> None:
        self._checkpoint, self._keep_failures = checkpoint, keep_failures
        self._watched = watched
        self._keeping: Executor | None = None
        self._unwatch: Callable[[], None] | None = None

    @property
    def asked(self) -> bool:
        """True where there is to be anything."""
        return self._checkpoint is not None or self._watched.files

    def shown(self, options: MapOptions) -> MapOptions:
        """Return the options of a map with the executor's own wish, where the map has none."""
        if options.progress is not None or self._watched.progress is None:
            return options
        return options._replace(progress=self._watched.progress)

    def begin(self, base: Executor, plain: Executor | None) -> Executor | None:
        """Open all of it, and return the executor on which calls run from now on.

        base: that on which they would run. plain: what is returned where it is that one.
        Raises CheckpointError, and ValueError where a file of readers cannot be written.
        """
        if self._checkpoint is not None:
            self._keeping = base.checkpointed(self._checkpoint, self._keep_failures)
            if self._keeping is None:
                why = "nothing is kept, a checkpoint is for the program on a farm"
                warn(f"{os.fspath(self._checkpoint)}: {why}")
        if self._watched.files:
            try:
                self._unwatch = base.watched(self._watched)
            except BaseException:
                self.end()
                raise
            if self._unwatch is None:
                self._watched.tell_useless()
        return self._keeping or plain

    def end(self) -> None:
        """Close the files: nothing of the executor runs any more."""
        keeping, self._keeping = self._keeping, None
        unwatch, self._unwatch = self._unwatch, None
        if keeping is not None:
            keeping.shutdown()
        if unwatch is not None:
            unwatch()
