"""The form in which a browser shows its key, and the session it gets for it."""

import asyncio
from html import escape
from urllib.parse import parse_qs, quote

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from api.body_limits import BARE_BYTES
from api.keys import SESSION_DAYS, Keyring

COOKIE = "storyreel_session"
LOGIN, LOGOUT = "/login", "/logout"
_WRONG_KEY_S = 1.0
_POLICY = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",  # with none, browsers call the origin of the form null
}
_ICON = (
    "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'>"
    "<rect width='32' height='32' rx='8' fill='%23a9442a'/>"
    "<path d='M12 9.5v13l11-6.5z' fill='white'/></svg>"
)
_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Storyreel</title>
<link rel="icon" href="data:image/svg+xml,{icon}">
<style>
  :root {{ --page: #f8f5f0; --card: #fff; --field: #fbf9f6; --line: #e6dfd6; --edge: #d9d0c6;
    --ink: #2a2420; --quiet: #6a6059; --ember: #a9442a; --deep: #8a3722; --on-ember: #fff;
    --alert: #fbeee7; }}
  @media (prefers-color-scheme: dark) {{
    :root {{ --page: #171412; --card: #211d1a; --field: #1a1714; --line: #3a332e; --edge: #453c36;
      --ink: #f2ebe3; --quiet: #b3a89e; --ember: #efac90; --deep: #f5cdbb; --on-ember: #2c120c;
      --alert: #35241d; }} }}
  * {{ box-sizing: border-box; }}
  body {{ display: grid; place-items: center; min-height: 92vh; margin: 0; padding: 20px;
    background: var(--page); color: var(--ink);
    font: 16px/1.5 ui-sans-serif, system-ui, "Segoe UI", Roboto, "Noto Sans", sans-serif; }}
  form {{ display: grid; gap: 14px; width: min(380px, 100%); padding: 28px; border-radius: 18px;
    background: var(--card); border: 1px solid var(--line); }}
  h1 {{ margin: 0; font: 600 30px/1.2 Georgia, "Iowan Old Style", "Times New Roman", serif;
    letter-spacing: -.01em; }}
  p {{ margin: 0; text-wrap: balance; }}
  h1 + p {{ color: var(--quiet); margin-top: -10px; font-size: 14px; }}
  label {{ font-weight: 500; margin-top: 6px; }}
  input, button {{ font: inherit; width: 100%; padding: 11px 14px; border-radius: 12px;
    border: 1px solid var(--edge); }}
  input {{ background: var(--field); color: inherit; }}
  input:focus {{ outline: 2px solid var(--ember); outline-offset: -1px; }}
  button {{ background: var(--ember); color: var(--on-ember); border-color: transparent;
    font-weight: 600; cursor: pointer; }}
  button:hover {{ background: var(--deep); }}
  button:focus-visible {{ outline: 2px solid var(--ember); outline-offset: 2px; }}
  [role=alert] {{ padding: 12px 16px; border-radius: 12px; background: var(--alert);
    border-left: 4px solid var(--ember); }}
</style>
<form method="post" action="login?next={target}">
  <h1>Storyreel</h1>
  <p>Pictures and story videos from your words</p>
  <label for="key">This service needs a key</label>
  <input id="key" name="key" type="password" autocomplete="current-password" required autofocus>
  {problem}
  <button>Come in</button>
</form>
</html>
"""


def login_page(target: str, *, wrong: bool) -> str:
    """The form; it goes on to `target`, and says so if the last key was wrong."""
    problem = '<p role="alert">That key does not open this service.</p>' if wrong else ""
    target = escape(quote(target, safe="/"))
    return _PAGE.format(icon=_ICON, target=target, problem=problem)


def session_cookie(keyring: Keyring, owner: str, scheme: str) -> str:
    """A Set-Cookie header with a session for an owner."""
    parts = [f"{COOKIE}={keyring.open_session(owner)}", "Path=/", "HttpOnly"]
    parts += ["SameSite=Strict", f"Max-Age={SESSION_DAYS * 24 * 3600}"]
    return "; ".join(parts + (["Secure"] if scheme == "https" else []))


def build_login_router(keyring: Keyring) -> APIRouter:
    """The form and the way out: for people, so not in the API's description."""
    router = APIRouter(include_in_schema=False, max_body_size=BARE_BYTES)

    @router.api_route(LOGIN, methods=["GET", "HEAD"])
    async def show_form(next: str = "") -> Response:
        if not keyring.locked:
            return RedirectResponse(_local(next), 303)
        return HTMLResponse(login_page(_local(next), wrong=False), headers=_POLICY)

    @router.post(LOGIN)
    async def take_key(request: Request, next: str = "") -> Response:
        form = parse_qs((await request.body()).decode("utf-8", "replace"))
        owner = keyring.owner_of_key(form.get("key", [""])[0])
        if owner is None:
            await asyncio.sleep(_WRONG_KEY_S)  # guessing shall be slow
            return HTMLResponse(login_page(_local(next), wrong=True), 401, _POLICY)
        answer = RedirectResponse(_local(next), 303)
        answer.headers.append("Set-Cookie", session_cookie(keyring, owner, request.url.scheme))
        return answer

    # Not by GET: a link or a picture on a foreign page would do.
    @router.post(LOGOUT)
    async def leave() -> Response:
        answer = RedirectResponse(LOGIN, 303)
        answer.delete_cookie(COOKIE, httponly=True, samesite="strict")
        # What the page keeps in the browser is not for the next one who logs in there.
        answer.headers["Clear-Site-Data"] = '"storage"'
        return answer

    return router


def _local(target: str) -> str:
    """A path on this server to go on to; anything else leads to the page."""
    harmless = target.startswith("/") and not target.startswith(("//", "/\\"))
    return target if harmless and target.isprintable() else "/ui/"
