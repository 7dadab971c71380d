"""Disks that are full or read-only, and journals that are not what they were."""

import os
import random
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from engine.journal import NAME
from tests.faults.conftest import MakeService
from tests.faults.service import IMAGE, STORY, Service

LARGE = {**IMAGE, "width": 512, "height": 512}  # some 700 kB: noise


@pytest.fixture
def mount(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """Mount a disk of 4 MB of its own on a folder within the data folder."""
    mounted: list[Path] = []

    def mount_on(name: str) -> Path:
        folder = tmp_path / "data" / name
        folder.mkdir(parents=True)
        command = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)]
        if os.geteuid() != 0 or subprocess.run(command, capture_output=True).returncode != 0:
            pytest.skip("nothing may be mounted here")
        mounted.append(folder)
        return folder

    yield mount_on
    for folder in mounted:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@contextmanager
def filled(disk: Path, free_bytes: int) -> Iterator[None]:
    filler = disk / "filler"
    room = os.statvfs(disk)
    filler.write_bytes(bytes(room.f_bavail * room.f_frsize - free_bytes))
    try:
        yield
    finally:
        filler.unlink()


@contextmanager
def read_only(disk: Path) -> Iterator[None]:
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    try:
        yield
    finally:
        subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)


def expect_no_room(service: Service) -> None:
    answer = service.client.post("/generate", json=LARGE)
    assert (answer.status_code, answer.json()["code"]) == (507, "storage_full")
    assert answer.json()["advice"]
    answer = service.client.post("/jobs/video", json={**STORY, "width": 512, "height": 512})
    if answer.status_code == 202:
        assert service.done(answer.json())["error"]["code"] == "storage_full"
    else:
        assert (answer.status_code, answer.json()["code"]) == (507, "storage_full")
    assert service.parts() == []
    assert service.client.get("/health").status_code == 200


def expect_recovery(service: Service, finished: str, picture: bytes) -> None:
    assert service.client.post("/generate", json=IMAGE).status_code == 200
    assert service.client.get(finished).content == picture
    assert not {"queued", "running"} & set(service.journal().values())


@pytest.mark.parametrize("free_bytes", [0, 400_000])
def test_a_disk_that_fills(
    make_service: MakeService, mount: Callable[[str], Path], free_bytes: int
) -> None:
    disk = mount(".")
    service = make_service().start()
    finished = service.done(service.submit(IMAGE))["links"]["result"]
    picture = service.client.get(finished).content
    with filled(disk, free_bytes):
        expect_no_room(service)
    expect_recovery(service, finished, picture)


def test_a_quota_that_is_reached(make_service: MakeService) -> None:
    service = make_service(file_bytes=400_000).start()
    finished = service.done(service.submit(IMAGE))["links"]["result"]
    expect_no_room(service)
    expect_recovery(service, finished, service.client.get(finished).content)


def test_a_data_folder_that_becomes_read_only(
    make_service: MakeService, mount: Callable[[str], Path]
) -> None:
    disk = mount("jobs")
    service = make_service().start()
    finished = service.done(service.submit(IMAGE))["links"]["result"]
    picture = service.client.get(finished).content
    with read_only(disk):
        expect_no_room(service)
        assert service.client.get(finished).content == picture
    expect_recovery(service, finished, picture)


def test_a_data_folder_that_is_read_only_is_named_at_start(
    make_service: MakeService, mount: Callable[[str], Path]
) -> None:
    service = make_service()
    with read_only(mount(".")):
        service.begin()
        assert service.ended() == 1
    assert f"--data-dir {service.data_dir}" in service.said()
    assert "Traceback" not in service.said()


def _cut_in_half(data: bytes) -> bytes:
    return data[: len(data) // 2]


def _trash_pages(data: bytes) -> bytes:
    chance = random.Random(5)
    return data[:4096] + chance.randbytes(len(data) - 4096)


def _trash_header(data: bytes) -> bytes:
    return b"\0" * 100 + data[100:]


def _empty(data: bytes) -> bytes:
    return b""


def test_a_damaged_journal_is_refused_and_left_as_it_is(make_service: MakeService) -> None:
    service = make_service().start()
    job = service.done(service.submit(IMAGE))
    assert service.stop() == 0
    journal = service.data_dir / NAME
    whole = journal.read_bytes()
    for damage in (_cut_in_half, _trash_pages, _trash_header, _empty):
        journal.write_bytes(damage(whole))
        service.launch.log.unlink()
        service.begin()
        assert service.ended() == 1, damage
        said = service.said().strip().splitlines()
        assert len(said) == 1 and str(journal) in said[0] and "finished files stay" in said[0]
        assert journal.read_bytes() == damage(whole)
    journal.write_bytes(whole)
    service.start()
    assert service.client.get(job["links"]["result"]).status_code == 200
