"""Archives as downloaded: unpacked once into the workspace, so that their databases stay."""

from __future__ import annotations

import hashlib
import os
import shutil
import tarfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from t2s_tui.errors import DataError, WorkspaceError

SUFFIXES = (".zip", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar")
#: What a dataset is read from: tables, databases, licences, archives inside. The rest stays packed.
_NEEDED = (
    ".csv",
    ".tsv",
    ".json",
    ".jsonl",
    ".parquet",
    ".db",
    ".sqlite",
    ".sqlite3",
    ".md",
    ".txt",
    *SUFFIXES,
)
_BARE = ("LICENSE", "LICENCE", "COPYING")
_UTF8_FLAG = 0x800
_PIECE = 1 << 20


def is_archive(path: Path) -> bool:
    """Whether the name says that the file is an archive that `unpacked` reads."""
    return path.is_file() and path.name.lower().endswith(SUFFIXES)


def archive_stem(path: Path) -> str:
    """The archive's name without its endings."""
    suffix = next(end for end in SUFFIXES if path.name.lower().endswith(end))
    return path.name[: -len(suffix)]


def unpacked(archive: Path, room: Path) -> Path:
    """The folder with the archive's data files in `room`, unpacked unless the same content already is.

    Names that lead out of the folder, links and devices are refused. Raises DataError for an archive that
    cannot be read, WorkspaceError when the disk refuses.
    """
    target = room / f"{archive_stem(archive)[:60]}-{_fingerprint(archive)}"
    if target.is_dir():
        return target
    scratch = room / f".unpacking-{os.getpid()}-{target.name}"
    shutil.rmtree(scratch, ignore_errors=True)
    try:
        scratch.mkdir(parents=True)
        with _words(archive):
            (_unzip if archive.name.lower().endswith(".zip") else _untar)(archive, scratch)
        if not target.is_dir():
            scratch.rename(target)
    except OSError as error:
        raise WorkspaceError(
            f"{archive.name} could not be unpacked to {room} ({error.strerror or error})",
            "free some space, or unpack it yourself and add the folder",
        ) from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return target


def with_inner_archives(folder: Path, room: Path | None) -> list[tuple[Path, Path]]:
    """(folder to look in, where it came from): the folder itself, and each archive in it, unpacked.

    A download often comes in pieces, whose own paths say what they are (`Training/.../TL.zip`).
    """
    inner = sorted(p for p in folder.rglob("*") if is_archive(p)) if room is not None else []
    return [(folder, folder), *((unpacked(archive, room), archive) for archive in inner if room is not None)]


def _fingerprint(path: Path) -> str:
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while piece := file.read(_PIECE):
                digest.update(piece)
    except OSError as error:
        raise DataError(
            f"{path} cannot be read ({error.strerror or error})", "check the path and its permissions"
        ) from error
    return digest.hexdigest()[:12]


@contextmanager
def _words(archive: Path) -> Iterator[None]:
    try:
        yield
    except (zipfile.BadZipFile, tarfile.TarError, EOFError, NotImplementedError, RuntimeError) as error:
        raise DataError(
            f"{archive} cannot be unpacked ({error})", "download it again, or unpack it yourself"
        ) from error


def _unzip(archive: Path, target: Path) -> None:
    with zipfile.ZipFile(archive) as file:
        for info in file.infolist():
            place = _inside(target, _name(info))
            if info.is_dir() or not _needed(info.filename):
                continue
            if (info.external_attr >> 16) & 0o170000 == 0o120000:
                raise zipfile.BadZipFile(f"{info.filename} is a link")
            place.parent.mkdir(parents=True, exist_ok=True)
            with file.open(info) as packed, place.open("wb") as out:
                shutil.copyfileobj(packed, out, _PIECE)


def _name(info: zipfile.ZipInfo) -> str:
    """The member's name. Korean Windows writes CP949 without saying so, which zipfile reads as CP437."""
    if info.flag_bits & _UTF8_FLAG:
        return info.filename
    raw = info.filename.encode("cp437", "replace")
    for encoding in ("utf-8", "cp949"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return info.filename


def _inside(target: Path, name: str) -> Path:
    place = (target / name.replace("\\", "/")).resolve()
    if not place.is_relative_to(target.resolve()):
        raise zipfile.BadZipFile(f"{name} leads out of the archive")
    return place


def _untar(archive: Path, target: Path) -> None:
    with tarfile.open(archive) as file:
        # The standard library's filter refuses names that lead out, links that do, and devices.
        file.extractall(target, filter=_data_files)


def _data_files(member: tarfile.TarInfo, target: str) -> tarfile.TarInfo | None:
    checked = tarfile.data_filter(member, target)
    return checked if member.isdir() or not member.isfile() or _needed(member.name) else None


def _needed(name: str) -> bool:
    """Whether a member is read: no pictures and papers, and not what macOS adds (`__MACOSX/`, `._name`)."""
    base = name.rsplit("/", 1)[-1]
    if base.startswith(".") or "__MACOSX/" in name:
        return False
    return base in _BARE or base.lower().endswith(_NEEDED)
