"""The picture that is being drawn, as far as it has come."""

from engine import Preview


def preview_html(preview: Preview | None, *, cell: int | None = None) -> str:
    """A preview as a picture inside the page; empty if there is none.

    Args:
        cell: the place on a sheet of pictures that it takes, from 0; None: all of the stage.
    """
    if preview is None:
        return ""
    place = "" if cell is None else f' style="--cell: {cell}"'
    return (
        f'<img class="preview"{place} src="{preview.data_url}" '
        f'alt="Preview of the picture after step {preview.step}">'
    )
