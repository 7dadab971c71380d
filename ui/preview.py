"""The picture that is being drawn, as far as it has come."""

from base64 import b64encode

from engine import Preview


def preview_html(preview: Preview | None, *, small: bool = False) -> str:
    """A preview as a picture inside the page; empty if there is none."""
    if preview is None:
        return ""
    data = b64encode(preview.jpeg).decode()
    size = " small" if small else ""
    return (
        f'<img class="preview{size}" src="data:image/jpeg;base64,{data}" '
        f'alt="Preview of the picture after step {preview.step}">'
    )
