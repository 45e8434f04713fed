"""Keeps the newest loadable version of a model in service, and those with a label.

A directory is polled. A new version is loaded and warmed up beside the current one,
then takes over in one assignment; requests under way finish on the version they
started on. A version that does not load is reported and not tried again until its
file changes, and the current one stays.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import dataclasses
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from schema import settings
from serving.bundle import faults, saved_model, versions
from serving.server import memory, metrics
from serving.server import servable as servable_lib
from serving.server.servable import Servable as Servable

log = logging.getLogger(__name__)

State = Literal["LOADING", "AVAILABLE", "UNLOADING", "END"]
Loader = Callable[[Path], saved_model.RetrievalModel]
_MAX_REMEMBERED = 32


@dataclasses.dataclass(frozen=True)
class VersionStatus:
    """What is known of one version."""

    version: int
    state: State
    """As TensorFlow Serving names it."""
    error: str = ""
    """Why it does not serve; empty where nothing is wrong."""


class ModelManager:
    """Watches a models directory; owns the versions in service."""

    def __init__(
        self,
        models_dir: Path,
        chosen: settings.ServingSettings,
        loader: Loader = saved_model.load,
        counters: metrics.Metrics | None = None,
    ) -> None:
        """Prepares without loading; `start` loads.

        Args:
          models_dir: Holds `VERSION/saved_model.pb`.
          chosen: Sizes, waits and limits.
          loader: Loads a version directory.
          counters: Told what the versions do.
        """
        self._counters = counters or metrics.Metrics()
        self._models_dir = models_dir
        self._settings = chosen
        self._loader = loader
        self._executor = concurrent.futures.ThreadPoolExecutor(
            chosen.workers(), thread_name_prefix="model"
        )
        self._load_executor = concurrent.futures.ThreadPoolExecutor(
            1, thread_name_prefix="load"
        )
        self._current: Servable | None = None
        # By number: those that a label names, the current one perhaps among them.
        self._labelled: dict[int, Servable] = {}
        self._looked = False
        self._failed: dict[versions.VersionDir, str] = {}
        self._status: dict[int, VersionStatus] = {}
        self._watcher: asyncio.Task[None] | None = None
        self._retiring: set[asyncio.Task[None]] = set()

    @property
    def current_version(self) -> int | None:
        """The version in service; None before the first was loaded."""
        return self._current.version.number if self._current else None

    def get(self, version: int | None = None, label: str = "") -> Servable:
        """Returns a version in service: the newest, or the one that is named.

        Args:
          version: Its number; None: the newest, or that of the label.
          label: A version label; "": none.

        Raises:
          RequestError: NOT_FOUND where there is no such version or label; UNAVAILABLE
            while the first versions are being loaded.
        """
        if label:
            version = self._number_of(label)
        if version is not None and version in self._labelled:
            return self._labelled[version]
        if self._current is None and not self._looked:
            raise faults.RequestError("UNAVAILABLE", "the model is being loaded")
        if self._current is None:
            raise faults.RequestError("NOT_FOUND", "no version of the model is loaded")
        if version is None or version == self._current.version.number:
            return self._current
        if version in self._wanted() and not self._looked:
            raise faults.RequestError(
                "UNAVAILABLE", f"version {version} is being loaded"
            )
        there = sorted({self._current.version.number, *self._labelled})
        told = ", ".join(map(str, there))
        named = f'version {version}, which the label "{label}" means,' if label else ""
        raise faults.RequestError(
            "NOT_FOUND",
            f"{named or f'version {version}'} is not in service; version {told} is",
        )

    def _number_of(self, label: str) -> int:
        labels = self._settings.version_labels
        if label not in labels:
            known = ", ".join(sorted(labels)) or "none (`serving.version_labels`)"
            raise faults.RequestError(
                "NOT_FOUND", f'there is no version label "{label}"; there is {known}'
            )
        return labels[label]

    def _wanted(self) -> set[int]:
        """Returns the versions that a label names."""
        return set(self._settings.version_labels.values())

    def statuses(self) -> list[VersionStatus]:
        """Returns what is known of each version, newest first."""
        return [self._status[number] for number in sorted(self._status, reverse=True)]

    async def start(self) -> None:
        """Loads the newest version that can be loaded, then begins to watch."""
        await self.refresh()
        self._looked = True
        self._watcher = asyncio.create_task(self._watch())

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(self._settings.poll_interval_sec)
            try:
                await self.refresh()
            except Exception:
                # A watcher that dies would freeze the server on its version.
                log.exception("looking for new versions in %s failed", self._models_dir)

    async def refresh(self) -> None:
        """Looks at the directory once and loads what should be in service."""
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(
            self._load_executor, versions.list_versions, self._models_dir
        )
        self._failed = {v: e for v, e in self._failed.items() if v in found}
        await self._take_newest(found)
        for version in found:
            if version.number in self._wanted():
                await self._take_labelled(version)

    async def _take_newest(self, found: list[versions.VersionDir]) -> None:
        # An emptied directory changes nothing: it is more often a lost mount than a
        # wish for silence.
        for version in reversed(found):
            if version not in self._failed:
                if self._current is not None and version == self._current.version:
                    return
                if await self._replace_current(version):
                    return
            if self._current is not None and version.path == self._current.version.path:
                # Changed files that do not load must not undo what did load.
                return

    async def _take_labelled(self, version: versions.VersionDir) -> None:
        """Keeps a version that a label names, whatever the newest one is."""
        number = version.number
        kept = self._labelled.get(number)
        if self._current is not None and self._current.version == version:
            self._labelled[number] = self._current
            if kept is not None and kept is not self._current:
                self._retire(kept)
                self._set_status(number, "AVAILABLE")
            return
        if version in self._failed or (kept is not None and kept.version == version):
            return
        servable = await self._bring_up(version)
        if servable is not None:
            self._labelled[number] = servable
            if kept is not None and kept is not self._current:
                self._retire(kept)
            self._set_status(number, "AVAILABLE")
            log.info("version %d, which has a label, is in service", number)

    async def _replace_current(self, version: versions.VersionDir) -> bool:
        kept = self._labelled.get(version.number)
        is_loaded = kept is not None and kept.version == version
        servable = kept if is_loaded else await self._bring_up(version)
        if servable is None:
            return False
        previous, self._current = self._current, servable
        if previous is not None and previous not in self._labelled.values():
            self._retire(previous)
        self._set_status(version.number, "AVAILABLE")
        log.info("version %d is in service", version.number)
        return True

    async def _bring_up(self, version: versions.VersionDir) -> Servable | None:
        """Returns a version loaded and warmed up; None, and its status, if it fails."""
        loop = asyncio.get_running_loop()
        self._set_status(version.number, "LOADING")
        log.info("loading version %d from %s", version.number, version.path)
        try:
            servable = await loop.run_in_executor(
                self._load_executor, self._load, version
            )
        except Exception as error:
            if not version.path.exists():
                # Removed while it was read: nobody's fault, nothing to remember.
                self._status.pop(version.number, None)
                return None
            self._failed[version] = str(error)
            if self._serves(version.number):
                self._set_status(version.number, "AVAILABLE", str(error))
                log.error(
                    "version %d was changed and is not loaded again; it is served as "
                    "it was: %s",
                    version.number,
                    error,
                )
                return None
            self._set_status(version.number, "END", str(error))
            log.error("version %d is not served: %s", version.number, error)
            return None
        if self._serves(version.number):
            log.warning("version %d was replaced by other files", version.number)
        return servable

    def _serves(self, number: int) -> bool:
        return number == self.current_version or number in self._labelled

    def _load(self, version: versions.VersionDir) -> Servable:
        model = self._loader(version.path)
        servable_lib.warm_up(model, self._settings.max_batch_rows)
        return Servable(version, model, self._executor, self._settings, self._counters)

    def _retire(self, servable: Servable) -> None:
        self._set_status(servable.version.number, "UNLOADING")
        task = asyncio.create_task(self._finish(servable))
        self._retiring.add(task)
        task.add_done_callback(self._retiring.discard)

    async def _finish(self, servable: Servable) -> None:
        number = servable.version.number
        await servable.drain()
        if self.current_version != number and number not in self._labelled:
            self._set_status(number, "END")
        log.info("version %d has answered its last request", number)
        del servable
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._load_executor, memory.release)

    def _set_status(self, version: int, state: State, error: str = "") -> None:
        self._status[version] = VersionStatus(version, state, error)
        while len(self._status) > _MAX_REMEMBERED:
            del self._status[min(self._status)]

    async def stop(self) -> None:
        """Stops watching, and answers what was accepted."""
        if self._watcher is not None:
            self._watcher.cancel()
            await asyncio.gather(self._watcher, return_exceptions=True)
        newest = [] if self._current is None else [self._current]
        for servable in {*newest, *self._labelled.values()}:
            await servable.drain()
        await asyncio.gather(*self._retiring, return_exceptions=True)
        self._executor.shutdown(wait=False)
        self._load_executor.shutdown(wait=False)
