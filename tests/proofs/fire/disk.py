"""A disk that can lose its power: it remembers every write, and which of them a sync had made safe.

SQLite reaches files through a VFS. `recording` registers one more in the very library the program uses: the system's
own, with write, truncate, sync and delete watched. From the record, `Cut` builds the files as a cut of power at any
moment may leave them. What was synced is there. Of each later write, any part of any 512 bytes may be there or not, in
any order: a disk and a system may write early, late and torn. (Bytes beside a write stay as they were, as SQLite too
assumes since 3.7.10; the index `-shm` lives in memory only.) No sync goes to the real disk: this one is the disk.

The structures are those of https://sqlite.org/c3ref/vfs.html and https://sqlite.org/c3ref/io_methods.html.
"""

from __future__ import annotations

import ctypes
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ctypes import POINTER, byref, c_char_p, c_int, c_int64, c_void_p
from dataclasses import dataclass, field
from importlib import import_module
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

from wms.core.db.connecting import sqlite_module

SECTOR_BYTES = 512
OK = 0
OPEN_KEPT = 0x100 | 0x800 | 0x80000  # SQLITE_OPEN_MAIN_DB, MAIN_JOURNAL, WAL: temporary files are nobody's loss
_numbers = count(1)

# The name stays a pointer: the system's VFS keeps it as long as the file is open, and a copy of ours would be gone.
_OPEN = ctypes.CFUNCTYPE(c_int, c_void_p, c_void_p, c_void_p, c_int, POINTER(c_int))
_DELETE = ctypes.CFUNCTYPE(c_int, c_void_p, c_char_p, c_int)
_WRITE = ctypes.CFUNCTYPE(c_int, c_void_p, c_void_p, c_int, c_int64)
_TRUNCATE = ctypes.CFUNCTYPE(c_int, c_void_p, c_int64)
_SYNC = ctypes.CFUNCTYPE(c_int, c_void_p, c_int)


class _Vfs(ctypes.Structure):
    _fields_ = (
        ("version", c_int),
        ("file_bytes", c_int),
        ("path_length_max", c_int),
        ("next", c_void_p),
        ("name", c_char_p),
        ("app_data", c_void_p),
        ("open", _OPEN),
        ("delete", _DELETE),
        ("others", c_void_p * 14),
    )


class _Methods(ctypes.Structure):
    _fields_ = (
        ("version", c_int),
        ("close", c_void_p),
        ("read", c_void_p),
        ("write", _WRITE),
        ("truncate", _TRUNCATE),
        ("sync", _SYNC),
        ("others", c_void_p * 13),
    )


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a file, or (kind "mark") something a client was told.

    Kinds: "write" (at offset `at`: `content`), "truncate" (to `at` bytes), "sync", "delete", "mark" (`path` says what).
    """

    kind: str
    path: str
    at: int = 0
    content: bytes = b""


@dataclass
class Disk:
    """The record, in the order in which things happened. `vfs` is the name to open files with."""

    vfs: str
    events: list[Event] = field(default_factory=list)

    def url(self, path: Path) -> str:
        """The address under which a Database writes to this disk."""
        return f"sqlite:///file:{path}?vfs={self.vfs}&uri=true"

    def mark(self, what: str) -> None:
        """Somebody was told `what`: from here on it must not be lost."""
        self.events.append(Event("mark", what))


@contextmanager
def recording() -> Iterator[Disk]:
    """A disk whose `vfs` may be used until the block ends; every connection must be closed by then."""
    library, disk = _library(), Disk(f"recording-{next(_numbers)}")
    watch = _Watch(library, disk)
    assert library.sqlite3_vfs_register(byref(watch.vfs), 0) == OK
    try:
        yield disk
    finally:
        library.sqlite3_vfs_unregister(byref(watch.vfs))


def _library() -> Any:
    """The SQLite behind `sqlite_module()`; a symbol is also looked for in what that is linked with."""
    package = sqlite_module().__name__.partition(".")[0]
    extension = import_module("_sqlite3" if package == "sqlite3" else f"{package}._sqlite3")
    library = ctypes.CDLL(extension.__file__)
    library.sqlite3_vfs_find.restype = POINTER(_Vfs)
    return library


class _Watch:
    """The system's own VFS with four of its functions watched. Keeps everything alive that SQLite points to."""

    def __init__(self, library: Any, disk: Disk) -> None:
        self._disk = disk
        self._paths: dict[int, str] = {}
        self._methods: dict[int, tuple[_Methods, _Methods]] = {}
        self._own: _Vfs = library.sqlite3_vfs_find(None).contents
        self.vfs = _Vfs.from_buffer_copy(self._own)
        self.vfs.name = disk.vfs.encode()
        self.vfs.open = _OPEN(self._open)
        self.vfs.delete = _DELETE(self._delete)

    def _open(self, vfs: int, name: int | None, file: int, flags: int, out_flags: Any) -> int:
        status: int = self._own.open(vfs, name, file, flags, out_flags)
        if status == OK and name and flags & OPEN_KEPT:
            self._paths[file] = ctypes.string_at(name).decode()
            methods = ctypes.cast(file, POINTER(c_void_p))  # a file begins with the pointer to its methods
            methods[0] = ctypes.addressof(self._watched(int(methods[0] or 0)))
        return status

    def _watched(self, address: int) -> _Methods:
        if address not in self._methods:
            own = _Methods.from_address(address)
            watched = _Methods.from_buffer_copy(own)
            watched.write = _WRITE(self._write(own.write))
            watched.truncate = _TRUNCATE(self._truncate(own.truncate))
            watched.sync = _SYNC(self._sync)
            self._methods[address] = (own, watched)
        return self._methods[address][1]

    def _write(self, own: Callable[..., int]) -> Callable[..., int]:
        def write(file: int, content: int, length: int, at: int) -> int:
            self._disk.events.append(Event("write", self._paths[file], at, ctypes.string_at(content, length)))
            return own(file, content, length, at)

        return write

    def _truncate(self, own: Callable[..., int]) -> Callable[..., int]:
        def truncate(file: int, length: int) -> int:
            self._disk.events.append(Event("truncate", self._paths[file], length))
            return own(file, length)

        return truncate

    def _sync(self, file: int, _flags: int) -> int:
        self._disk.events.append(Event("sync", self._paths[file]))
        return OK

    def _delete(self, vfs: int, name: bytes, sync_folder: int) -> int:
        self._disk.events.append(Event("delete", name.decode()))
        status: int = self._own.delete(vfs, name, sync_folder)
        return status


class Cut:
    """Walks along a record; at each place it can say what a cut of power there may leave."""

    def __init__(self, safe: dict[str, bytes]) -> None:
        self._safe = {path: bytearray(content) for path, content in safe.items()}
        self._unsafe: dict[str, list[Event]] = defaultdict(list)
        self.told: list[str] = []

    def go_on(self, event: Event) -> None:
        """One event later."""
        if event.kind == "mark":
            self.told.append(event.path)
        elif event.kind == "delete":
            self._safe.pop(event.path, None)
            self._unsafe.pop(event.path, None)
        elif event.kind == "sync":
            content = self._safe.setdefault(event.path, bytearray())
            for each in self._unsafe.pop(event.path, []):
                _apply(content, each)
        else:
            self._unsafe[event.path].append(event)

    def left(self, chance: Random, share: float) -> dict[str, bytes]:
        """The files after a cut here. `share` of what no sync made safe is there, 0.0 to 1.0, picked by chance."""
        files = {path: bytearray(content) for path, content in self._safe.items()}
        for path, events in self._unsafe.items():
            for event in events:
                for part in _parts(event):
                    if chance.random() < share:
                        _apply(files.setdefault(path, bytearray()), part)
        return {path: bytes(content) for path, content in files.items()}


def _parts(event: Event) -> Iterator[Event]:
    """What may arrive without the rest: each stretch of a write that lies in one sector."""
    if event.kind != "write":
        yield event
        return
    begin, end = event.at, event.at + len(event.content)
    while begin < end:
        stop = min(end, (begin // SECTOR_BYTES + 1) * SECTOR_BYTES)
        yield Event("write", event.path, begin, event.content[begin - event.at : stop - event.at])
        begin = stop


def _apply(content: bytearray, event: Event) -> None:
    if event.kind == "truncate":
        del content[event.at :]
        return
    if len(content) < event.at:
        content.extend(bytes(event.at - len(content)))
    content[event.at : event.at + len(event.content)] = event.content
