import errno
import os
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.errors import DataFolderInUse, EncoderFailed, StorageFull
from engine.store import Store, lock_folder


def everything(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def raising(err: Exception) -> object:
    def write(part: Path) -> None:
        part.write_bytes(b"half")
        raise err

    return write


def test_a_written_file_is_where_path_says(tmp_path: Path) -> None:
    store = Store(tmp_path)
    path = store.write("job", "a.png", lambda part: part.write_bytes(b"whole"))
    assert path == store.path("job", "a.png")
    assert path.read_bytes() == b"whole"
    assert everything(tmp_path) == ["jobs", "jobs/job", "jobs/job/a.png"]


def test_nobody_sees_a_file_before_it_is_whole(tmp_path: Path) -> None:
    store = Store(tmp_path)
    final = store.path("job", "a.png")

    def write(part: Path) -> None:
        part.write_bytes(b"half")
        assert not final.exists()
        part.write_bytes(b"whole")

    assert store.write("job", "a.png", write).read_bytes() == b"whole"


def test_a_file_comes_into_place_in_one_move(tmp_path: Path) -> None:
    store, written = Store(tmp_path), []

    def write(part: Path) -> None:
        part.write_bytes(b"whole")
        written.append(part.stat().st_ino)

    assert store.write("job", "a.png", write).stat().st_ino == written[0]


def test_an_old_file_stays_until_the_new_one_is_whole(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.write("job", "a.png", lambda part: part.write_bytes(b"old"))
    with pytest.raises(EncoderFailed):
        store.write("job", "a.png", raising(EncoderFailed("it died")))  # type: ignore[arg-type]
    assert store.path("job", "a.png").read_bytes() == b"old"


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EROFS])
def test_a_full_disk_is_named_and_leaves_nothing_behind(tmp_path: Path, number: int) -> None:
    store = Store(tmp_path)
    full = OSError(number, os.strerror(number))
    with pytest.raises(StorageFull, match=os.strerror(number)):
        store.write("job", "a.png", raising(full))  # type: ignore[arg-type]
    assert everything(tmp_path) == ["jobs"]


def test_a_folder_that_may_not_be_written_is_no_room_either(tmp_path: Path) -> None:
    store = Store(tmp_path)

    def write(part: Path) -> None:
        raise PermissionError(errno.EACCES, "no", str(part))

    with pytest.raises(StorageFull):
        store.write("job", "a.png", write)


def test_what_cannot_be_cleared_away_does_not_hide_the_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, read_only = Store(tmp_path), OSError(errno.EROFS, "read-only")

    def refuse(path: Path, missing_ok: bool = False) -> None:
        raise read_only

    monkeypatch.setattr(Path, "unlink", refuse)
    with pytest.raises(StorageFull):
        store.write("job", "a.png", raising(read_only))  # type: ignore[arg-type]


def test_another_fault_passes_unchanged_and_leaves_nothing_behind(tmp_path: Path) -> None:
    store = Store(tmp_path)
    for fault in (ValueError("bad"), PermissionError(errno.EACCES, "no")):
        with pytest.raises(type(fault)):
            store.write("job", "a.png", raising(fault))  # type: ignore[arg-type]
    assert everything(tmp_path) == ["jobs"]


def test_a_failed_write_leaves_the_jobs_other_files(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.write("job", "a.png", lambda part: part.write_bytes(b"a"))
    with pytest.raises(ValueError):
        store.write("job", "b.png", raising(ValueError()))  # type: ignore[arg-type]
    assert everything(tmp_path) == ["jobs", "jobs/job", "jobs/job/a.png"]


def test_what_a_crash_left_half_written_is_removed_and_nothing_else(tmp_path: Path) -> None:
    seen: list[Path] = []

    def write(part: Path) -> None:
        seen.append(part)
        part.write_bytes(b"a")

    store = Store(tmp_path)
    store.write("job", "a.png", write)
    seen[0].write_bytes(b"half, and then the power went")
    assert store.clear_parts() == 1
    assert everything(tmp_path) == ["jobs", "jobs/job", "jobs/job/a.png"]


def test_the_size_of_a_job_is_that_of_its_files(tmp_path: Path) -> None:
    store = Store(tmp_path)
    for name in ("a.png", "b.png"):
        store.write("job", name, lambda part: part.write_bytes(bytes(100)))
    assert (store.size("job"), store.size("other")) == (200, 0)
    assert list(store.folders()) == ["job"]


def test_a_folder_is_held_by_one_until_it_is_given_back(tmp_path: Path) -> None:
    lock = lock_folder(tmp_path / "data")
    with pytest.raises(DataFolderInUse, match="data"):
        lock_folder(tmp_path / "data")
    lock.release()
    lock_folder(tmp_path / "data").release()


def test_a_data_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")
    with pytest.raises(OSError):
        Store(tmp_path / "data")


def test_many_failing_writes_at_once_each_tell_their_own_fault(tmp_path: Path) -> None:
    store = Store(tmp_path)
    seen: list[type[BaseException]] = []

    def work(number: int) -> None:
        for attempt in range(100):
            fault = raising(OSError(errno.ENOSPC, "full"))
            try:
                store.write("job", f"{number}-{attempt}", fault)  # type: ignore[arg-type]
            except Exception as err:
                seen.append(type(err))

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(seen) == {StorageFull} and len(seen) == 400


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 256 KiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if os.geteuid() != 0:
        pytest.skip("mounting a small disk needs root")
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("mounting is not allowed here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_disk_that_is_really_full_leaves_no_partial_file(small_disk: Path) -> None:
    store = Store(small_disk)
    with pytest.raises(StorageFull):
        store.write("job", "a.png", lambda part: part.write_bytes(bytes(2**20)))
    assert everything(small_disk) == ["jobs"]
    assert store.write("job", "b.png", lambda part: part.write_bytes(b"b")).is_file()
