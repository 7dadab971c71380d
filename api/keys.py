"""Who is calling: API keys, and the signed sessions that browsers hold. No HTTP here."""

import hashlib
import hmac
import os
import secrets
from collections.abc import Sequence
from pathlib import Path

from itsdangerous import BadSignature, URLSafeTimedSerializer

SESSION_DAYS = 30
_SALT = "storyreel-session"


class Keyring:
    """Knows the keys that open the service and the sessions that stand for one.

    An owner is a short name that says nothing of the key; jobs are kept under it. Without keys
    everybody may come in: programs share one owner (None), every browser has its own.
    """

    def __init__(self, keys: Sequence[str], secret: bytes) -> None:
        """Take the keys in force.

        Args:
            secret: signs sessions; as long as it stays, they outlive a restart.
        """
        self._digests = [_digest(key) for key in keys]
        self._sessions = URLSafeTimedSerializer(secret, salt=_SALT)

    @property
    def locked(self) -> bool:
        """Whether a key is needed."""
        return bool(self._digests)

    def owner_of_key(self, presented: str) -> str | None:
        """The owner behind a key, None if it is none of ours.

        Digests of one length are compared, all of them each time, so that the time it takes
        tells neither how much of a key was right nor which key it was.
        """
        digest, found = _digest(presented), None
        for known in self._digests:
            if hmac.compare_digest(digest, known):
                found = _owner(known)
        return found

    def owner_of_session(self, token: str) -> str | None:
        """The owner a session stands for; None if it is forged, old, or its key is withdrawn."""
        try:
            owner = self._sessions.loads(token, max_age=SESSION_DAYS * 24 * 3600)
        except BadSignature:
            return None
        if not isinstance(owner, str):
            return None
        owners = {_owner(known) for known in self._digests}
        return owner if not self.locked or owner in owners else None

    def open_session(self, owner: str) -> str:
        """Sign a session for an owner."""
        return self._sessions.dumps(owner)


def new_visitor() -> str:
    """An owner for a browser that needs no key."""
    return f"visitor-{secrets.token_hex(12)}"


def read_secret(data_dir: Path) -> bytes:
    """Read what signs sessions, or make it; only its owner may read the file.

    Raises:
        OSError: it cannot be read or written.
    """
    path = data_dir / "session.key"
    try:
        with open(path, "xb", opener=_private) as file:
            file.write(secrets.token_bytes(32))
    except FileExistsError:
        pass
    return path.read_bytes()


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()


def _owner(digest: bytes) -> str:
    return f"key-{hashlib.sha256(digest).hexdigest()[:16]}"
