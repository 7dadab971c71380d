"""The form in which a browser shows its key."""

from html import escape
from urllib.parse import quote

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Storyreel</title>
<style>
  :root {{ color-scheme: light dark; }}
  body {{ display: grid; place-items: center; min-height: 90vh; margin: 0 1rem;
         font: 1rem/1.5 system-ui, sans-serif; }}
  form {{ display: grid; gap: .75rem; width: min(22rem, 100%); }}
  h1 {{ margin: 0; font-size: 1.5rem; }}
  input, button {{ font: inherit; padding: .6rem .75rem; border-radius: .5rem;
                  border: 1px solid #888; }}
  button {{ background: #b4390f; color: #fff; border-color: #b4390f; cursor: pointer; }}
  [role=alert] {{ margin: 0; color: #c0392b; }}
</style>
<form method="post" action="login?next={target}">
  <h1>Storyreel</h1>
  <label for="key">This service needs a key.</label>
  <input id="key" name="key" type="password" autocomplete="current-password" required autofocus>
  {problem}
  <button>Come in</button>
</form>
</html>
"""


def login_page(target: str, *, wrong: bool) -> str:
    """The form; it goes on to `target`, and says so if the last key was wrong."""
    problem = '<p role="alert">That key is not one of this service\'s.</p>' if wrong else ""
    return _PAGE.format(target=escape(quote(target, safe="/")), problem=problem)
