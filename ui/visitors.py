"""Who stands before the page: the owner that the door of the service told, and their address."""

from dataclasses import dataclass

from gradio.context import LocalContext


@dataclass(frozen=True)
class Visitor:
    """Whose jobs are shown and made; and whose turn they take in the queue."""

    owner: str | None = None
    client: str | None = None


def current_visitor() -> Visitor:
    """The visitor whose event is being handled; nobody outside of an event."""
    request = LocalContext.request.get(None)
    if request is None or request.request is None:
        return Visitor()
    scope = request.request.scope
    address = scope.get("client")
    return Visitor(scope.get("state", {}).get("owner"), address[0] if address else None)
