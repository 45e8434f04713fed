"""Cuts text files, plain or gzip, into blocks of whole lines.

Memory is bounded whatever a file holds: a line that is too long becomes a zero byte,
which readers refuse, and a gzip file that grows beyond all measure ends there. Not for
Parquet, which has row groups of its own.
"""

from __future__ import annotations

import codecs
import contextlib
import functools
import itertools
import zlib
from collections.abc import Iterable, Iterator
from typing import BinaryIO, NamedTuple

from schema import settings

# Big enough that a block is worth a vectorised pass, small enough for many at once.
BLOCK_BYTES = 16 * 2**20
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_GZIP_WINDOW_BITS = 31
_GZIP_CHUNK_BYTES = 256 * 2**10
# Small files may hold one thing many times.
_FREE_BYTES = 64 * 2**20
_SHOWN_BYTES = 100


class TruncatedError(Exception):
    """A compressed file ends early or is damaged; what came before it is good."""


class Limits(NamedTuple):
    """What no sound file exceeds."""

    max_line_bytes: int
    """Of one line without its line end."""
    max_gzip_ratio: int
    """Bytes that come out of a gzip file for each byte of it."""

    @classmethod
    def of(cls, data: settings.DataSettings) -> Limits:
        """Returns the limits of a configuration."""
        return cls(data.max_line_bytes, data.max_gzip_ratio)

    def told(self) -> str:
        """Returns the limit of a line as part of a message."""
        return f"longer than `data.max_line_bytes` = {self.max_line_bytes}"


DEFAULT_LIMITS = Limits.of(settings.DataSettings())


class LineBlock(NamedTuple):
    """Whole lines of a file."""

    first_line: int
    """Number of the first line, from 1."""
    data: bytes
    """The lines with their line ends; only the last line of a file may lack one."""
    last: bool
    """No lines follow."""


def gunzip(
    stream: BinaryIO, chunk_bytes: int, max_ratio: int = DEFAULT_LIMITS.max_gzip_ratio
) -> Iterator[bytes]:
    """Yields the decompressed content of all members of a gzip stream.

    The standard library's reader drops what it has buffered when a file ends early;
    this one yields everything that decompresses before it raises.

    Raises:
      TruncatedError: after the last good bytes, or where the content has grown to more
        than `max_ratio` times the file.
    """
    member = None
    num_read = num_plain = 0
    while True:
        data = stream.read(chunk_bytes)
        if not data:
            if member is not None:
                raise TruncatedError("the gzip stream ends before its end marker")
            return
        num_read += len(data)
        while data:
            if num_plain > max(_FREE_BYTES, max_ratio * num_read):
                raise TruncatedError(
                    f"it grows by more than `data.max_gzip_ratio` = {max_ratio} times"
                )
            if member is None:
                data = data.lstrip(b"\0")  # padding between members is legal
                if not data:
                    break
                member = zlib.decompressobj(_GZIP_WINDOW_BITS)
            before = member.copy()
            try:
                plain = member.decompress(data, BLOCK_BYTES)
            except zlib.error as error:
                yield _readable_part(before, data)
                raise TruncatedError(str(error)) from error
            num_plain += len(plain)
            if plain:
                yield plain
            data = member.unused_data or member.unconsumed_tail
            if member.eof:
                member = None


def _readable_part(member: zlib._Decompress, data: bytes) -> bytes:
    """Returns what comes out of a damaged chunk before the damage."""
    plain: list[bytes] = []
    with contextlib.suppress(zlib.error):
        plain.extend(member.decompress(data[i : i + 1]) for i in range(len(data)))
    return b"".join(plain)


def content(
    stream: BinaryIO,
    compressed: bool,
    chunk_bytes: int = BLOCK_BYTES,
    limits: Limits = DEFAULT_LIMITS,
) -> Iterator[bytes]:
    """Yields the content of a file in pieces, without its byte-order mark.

    What begins with the mark of UTF-16 comes as UTF-8.

    Raises:
      TruncatedError: a compressed file is damaged, or UTF-16 ends within a character;
        everything readable came before.
    """
    if compressed:
        compressed_bytes = min(chunk_bytes, _GZIP_CHUNK_BYTES)
        pieces = gunzip(stream, compressed_bytes, limits.max_gzip_ratio)
    else:
        pieces = iter(functools.partial(stream.read, chunk_bytes), b"")
    start = b""
    for piece in pieces:
        start += piece
        if len(start) >= len(BYTE_ORDER_MARK):
            break
    pieces = itertools.chain([start], pieces)
    if start.startswith(_UTF16_MARKS):
        yield from filter(None, _as_utf8(pieces))
        return
    yield from filter(None, [next(pieces).removeprefix(BYTE_ORDER_MARK)])
    yield from pieces


def _as_utf8(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yields UTF-16 as UTF-8; half of a surrogate pair becomes no UTF-8."""
    decoder = codecs.getincrementaldecoder("utf-16")("surrogatepass")
    try:
        for piece in pieces:
            yield decoder.decode(piece).encode("utf-8", "surrogatepass")
        yield decoder.decode(b"", final=True).encode("utf-8", "surrogatepass")
    except UnicodeDecodeError as error:
        raise TruncatedError(str(error)) from error


class LineBlocks:
    """Iterates over a file's content in blocks of whole lines.

    A reader that finds an unfinished record at the end of a block hands it back with
    `carry_over`, and sees it again at the start of the next one.

    Attributes:
      damage: the error that ended the file early, if any.
      damaged_tail: the piece of a line before the damage, which is no whole line.
      line: number of the next line, from 1.
      too_long: number of a line that a zero byte stands for, to how it begins.
    """

    def __init__(
        self,
        pieces: Iterator[bytes],
        block_bytes: int = BLOCK_BYTES,
        limits: Limits = DEFAULT_LIMITS,
    ):
        """Starts at the first piece of a file's content."""
        self._pieces = pieces
        self._block_bytes = block_bytes
        self._limits = limits
        self._is_in_long_line = False
        self.too_long: dict[int, str] = {}
        self._pending = b""
        self._carried = b""
        self.line = 1
        self.damage: TruncatedError | None = None
        self.damaged_tail = b""

    def carry_over(self, data: bytes, lines: int) -> None:
        """Puts the last `lines` lines of the last block before the next block."""
        self._carried = data
        self.line -= lines

    def _block(self, data: bytes, last: bool) -> LineBlock:
        data = self._carried + data
        block = LineBlock(self.line, data, last)
        self.line += data.count(b"\n") + (not data.endswith(b"\n"))
        self._carried = b""
        return block

    def first_line(self) -> bytes:
        """Returns the first line without its line end, as for a header; b"" if none."""
        while b"\n" not in self._pending:
            piece = self._next_piece()
            if piece is None:
                break
            self._pending = self._bounded(self._pending + piece)
        header, _, self._pending = self._pending.partition(b"\n")
        self.line += 1
        return header.rstrip(b"\r")

    def has_more(self) -> bool:
        """Returns whether anything follows the first line."""
        if not self._pending:
            self._pending = self._next_piece() or b""
        return bool(self._pending)

    def _next_piece(self) -> bytes | None:
        try:
            piece = next(self._pieces, None)
            while piece is not None and self._is_in_long_line:
                end = piece.find(b"\n")
                if end >= 0:
                    self._is_in_long_line = False
                    return piece[end:]
                piece = next(self._pieces, None)
        except TruncatedError as error:
            self.damage = error
            return None
        return piece

    def _bounded(self, data: bytes) -> bytes:
        """Returns the next lines, those that are too long as a zero byte each."""
        parts: list[bytes] = []
        kept = begin = 0
        while len(data) - begin > self._limits.max_line_bytes:
            longest = begin + self._limits.max_line_bytes
            end = data.rfind(b"\n", begin, longest + 1)
            if end >= 0:
                begin = end + 1
                continue
            line = self.line + self._carried.count(b"\n") + data.count(b"\n", 0, begin)
            shown = data[begin : min(longest, begin + _SHOWN_BYTES)]
            text = shown.decode("utf-8", "replace")
            self.too_long[line] = f"{self._limits.told()}; it begins {text}"
            parts += [data[kept:begin], b"\0"]
            end = data.find(b"\n", longest)
            self._is_in_long_line = end < 0
            kept = begin = end if end >= 0 else len(data)
        return b"".join([*parts, data[kept:]]) if parts else data

    def __iter__(self) -> Iterator[LineBlock]:
        parts = [self._pending]
        size = len(self._pending)
        self._pending = b""
        while (piece := self._next_piece()) is not None:
            parts.append(piece)
            size += len(piece)
            if size < self._block_bytes:
                continue
            data = self._bounded(b"".join(parts))
            cut = data.rfind(b"\n") + 1
            if cut:
                yield self._block(data[:cut], last=False)
            parts, size = [data[cut:]], len(data) - cut
        data = self._bounded(b"".join(parts))
        if self.damage is not None:
            cut = data.rfind(b"\n") + 1
            data, self.damaged_tail = data[:cut], data[cut:]
        if data or self._carried:
            yield self._block(data, last=True)
