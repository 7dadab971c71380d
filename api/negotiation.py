"""What a client would rather have."""


def prefers_html(accept: str) -> bool:
    """Tell whether an Accept header ranks HTML above JSON, as browsers do."""
    ranks = {"text/html": 0.0, "application/json": 0.0}
    for entry in accept.split(","):
        media_type, *parameters = (part.strip() for part in entry.split(";"))
        quality = 1.0
        for parameter in parameters:
            name, _, value = parameter.partition("=")
            if name == "q":
                quality = float(value) if value.replace(".", "", 1).isdigit() else 0.0
        for known in ranks:
            if media_type in (known, known.split("/")[0] + "/*", "*/*"):
                ranks[known] = max(ranks[known], quality)
    return ranks["text/html"] > ranks["application/json"]
