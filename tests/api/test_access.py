"""The door: without a key nothing answers but health and the form; with one, only one's own."""

import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest

from api.keys import Keyring, new_visitor, read_secret
from app import create_app
from engine import Settings
from tests.server import in_a_loop, running

ALICE, BOB = "alice-key-1234", "bob-key-567890"
IMAGE = {"prompt": "a cat", "seed": 7, "width": 64, "height": 64, "num_inference_steps": 10}
HTML = {"Accept": "text/html,*/*;q=0.8"}


def as_owner(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="module")
def locked(tiny_model: Path, data_dir: Path) -> Iterator[httpx.Client]:
    """The whole service with two keys, its model loaded."""
    settings = Settings.model_validate(
        {
            "model": str(tiny_model),
            "data_dir": data_dir,
            "dtype": "float32",
            "api_key": [ALICE, BOB],
        }
    )
    app = in_a_loop(lambda: create_app(settings))
    with running(app) as url, httpx.Client(base_url=url, timeout=120) as client:
        while client.get("/health/ready").status_code != 200:
            time.sleep(0.05)
        yield client


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "Bearer wrong-key-000"},
        {"X-API-Key": ALICE[:-1]},
        {"X-API-Key": ALICE + "0"},
        {"X-API-Key": ""},
        {"Authorization": f"Basic {ALICE}"},
        {"Cookie": "storyreel_session=forged"},
        {"Cookie": 'storyreel_session="' + "x" * 3000},
    ],
)
def test_a_wrong_key_opens_nothing(locked: httpx.Client, headers: dict[str, str]) -> None:
    answer = locked.get("/jobs", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")
    assert answer.headers["www-authenticate"].startswith("Bearer")


def test_health_tells_strangers_three_things(locked: httpx.Client) -> None:
    assert locked.get("/health").json() == {
        "status": "healthy",
        "model_loaded": True,
        "device": "cpu",
    }
    assert "waiting_tasks" in locked.get("/health", headers=as_owner(ALICE)).json()


def test_a_key_opens_routes_and_page(locked: httpx.Client) -> None:
    for headers in (as_owner(ALICE), {"X-API-Key": BOB}):
        assert locked.get("/jobs", headers=headers).status_code == 200
        assert locked.get("/ui/", headers=headers).status_code == 200


def test_nobody_sees_another_s_jobs(locked: httpx.Client) -> None:
    job = locked.post("/jobs/image", json=IMAGE, headers=as_owner(ALICE)).json()
    links = job["links"]
    while locked.get(links["self"], headers=as_owner(ALICE)).json()["state"] != "succeeded":
        time.sleep(0.02)
    for path in (links["self"], links["events"], f"{links['self']}/result"):
        assert locked.get(path, headers=as_owner(BOB)).status_code == 404
        assert locked.get(path, headers=as_owner(ALICE)).status_code == 200
    assert locked.delete(links["self"], headers=as_owner(BOB)).status_code == 404
    result = f"{links['self']}/result"
    assert locked.delete(result, headers=as_owner(BOB)).status_code == 404
    assert locked.get(result, headers=as_owner(ALICE)).status_code == 200
    assert locked.get("/jobs", headers=as_owner(BOB)).json()["jobs"] == []


def test_nobody_fetches_another_s_files_through_the_page(
    locked: httpx.Client, data_dir: Path
) -> None:
    job = locked.post("/jobs/image", json=IMAGE, headers=as_owner(ALICE)).json()
    while locked.get(job["links"]["self"], headers=as_owner(ALICE)).json()["state"] != "succeeded":
        time.sleep(0.02)
    (file,) = (data_dir.resolve() / "jobs" / job["id"]).glob("*.png")
    door = "/ui/gradio_api/file="
    assert locked.get(f"{door}{file}", headers=as_owner(ALICE)).status_code == 200
    roundabout = f"{file.parent.parent}/x/../{job['id']}/./{file.name}"
    around = f"/proc/self/root{file}"
    for name in (str(file), roundabout, f"/{file}", quote(str(file), safe=""), around, "%00"):
        assert locked.get(f"{door}{name}", headers=as_owner(BOB)).status_code in (403, 404)


@pytest.mark.parametrize(
    "door",
    [
        *("upload", "process_recording", "component_server", "proxy=https://localhost/x"),
        *("file=http://localhost/health", "file=HTTPS://localhost/x", "file=file:///etc/passwd"),
        *("file/etc/passwd", "dev/reload", "vibe-edit", "run-history/connect", "runs", "deep_link"),
    ],
)
def test_doors_that_the_page_does_not_use_are_closed(locked: httpx.Client, door: str) -> None:
    for method in ("GET", "POST"):
        answer = locked.request(method, f"/ui/gradio_api/{door}", headers=as_owner(ALICE))
        assert answer.status_code == 404


def test_the_same_idempotency_key_of_two_owners_is_two_jobs(locked: httpx.Client) -> None:
    made = [
        locked.post("/jobs/image", json=IMAGE, headers={**as_owner(key), "Idempotency-Key": "k"})
        for key in (ALICE, BOB)
    ]
    assert made[0].json()["id"] != made[1].json()["id"]


def test_a_browser_is_led_to_the_form_and_back(locked: httpx.Client) -> None:
    first = locked.get("/ui/", headers=HTML)
    assert (first.status_code, first.headers["location"]) == (303, "/login?next=/ui/")
    form = locked.get(first.headers["location"])
    assert form.status_code == 200
    assert "<form" in form.text
    wrong = locked.post("/login?next=/ui/", data={"key": "not-a-key"})
    assert (wrong.status_code, 'role="alert"' in wrong.text) == (401, True)
    answer = locked.post("/login?next=/ui/", data={"key": ALICE})
    assert (answer.status_code, answer.headers["location"]) == (303, "/ui/")
    cookie = answer.headers["set-cookie"]
    assert all(part in cookie for part in ("HttpOnly", "SameSite=Strict", "Path=/"))
    assert ALICE not in cookie
    session = {"Cookie": cookie.split(";")[0]}
    assert locked.get("/ui/", headers=session).status_code == 200
    mine = locked.get("/jobs", headers=as_owner(ALICE)).json()
    assert locked.get("/jobs", headers=session).json() == mine
    locked.cookies.clear()


def test_a_foreign_page_cannot_use_the_session(locked: httpx.Client) -> None:
    cookie = locked.post("/login", data={"key": ALICE}).headers["set-cookie"].split(";")[0]
    locked.cookies.clear()
    headers = {"Cookie": cookie, "Origin": "https://evil.example"}
    assert locked.post("/jobs/image", json=IMAGE, headers=headers).status_code == 403
    assert locked.delete(f"/jobs/{'0' * 32}", headers=headers).status_code == 403


def test_a_foreign_page_opens_and_ends_no_session(locked: httpx.Client) -> None:
    """Or a visitor would make pictures under the key of whoever made that page."""
    origin = {"Origin": "https://evil.example"}
    for path, form in (("/login", {"key": ALICE}), ("/logout", {})):
        answer = locked.post(path, data=form, headers=origin)
        assert (answer.status_code, "set-cookie" in answer.headers) == (403, False)
    assert locked.get("/logout").status_code == 405  # what a link or a picture could ask for


@pytest.mark.parametrize("neighbour", ['settings={"a": 1}', "a,b=1", "x=a b", "bare", "=", 'q="'])
def test_cookies_of_other_services_do_no_harm(locked: httpx.Client, neighbour: str) -> None:
    """A browser sends those of every port of this machine."""
    session = locked.post("/login", data={"key": ALICE}).headers["set-cookie"].split(";")[0]
    locked.cookies.clear()
    for cookies in (f"{neighbour}; {session}", f"{session}; {neighbour}"):
        assert locked.get("/jobs", headers={"Cookie": cookies}).status_code == 200


@pytest.mark.parametrize(
    "target", ["https://evil.example", "//evil.example", "/\\evil.example", "ui", "/a\nb"]
)
def test_the_form_leads_nowhere_else(locked: httpx.Client, target: str) -> None:
    answer = locked.post("/login", params={"next": target}, data={"key": ALICE})
    locked.cookies.clear()
    assert answer.headers["location"] == "/ui/"


def test_logging_out_ends_the_session(locked: httpx.Client) -> None:
    answer = locked.post("/logout")
    assert 'storyreel_session=""' in answer.headers["set-cookie"]


def test_a_session_outlives_a_restart_but_not_its_key(tmp_path: Path) -> None:
    secret = read_secret(tmp_path)
    assert (tmp_path / "session.key").stat().st_mode & 0o777 == 0o600
    before = Keyring([ALICE, BOB], secret)
    owner = before.owner_of_key(ALICE)
    assert owner is not None
    token = before.open_session(owner)
    assert Keyring([ALICE], read_secret(tmp_path)).owner_of_session(token) == owner
    assert Keyring([BOB], secret).owner_of_session(token) is None
    assert Keyring([ALICE, BOB], b"another").owner_of_session(token) is None


def test_without_keys_every_browser_has_its_own_session(tmp_path: Path) -> None:
    keyring = Keyring([], read_secret(tmp_path))
    assert not keyring.locked
    visitor = new_visitor()
    assert keyring.owner_of_session(keyring.open_session(visitor)) == visitor
    assert new_visitor() != visitor


def test_the_page_of_an_open_service_hands_out_sessions(api: httpx.Client) -> None:
    """REST of an open service shares one owner; the page's browsers do not."""
    for program in ("/jobs", "/ui/config", "/ui/gradio_api/info"):
        assert "set-cookie" not in api.get(program).headers
    answer = api.get("/ui/")  # nothing is mounted here, but the door stands before that
    assert "storyreel_session=" in answer.headers["set-cookie"]
    api.cookies.clear()
