"""What a report of responsiveness holds."""

KEYS = ("content.dislike", "creator.dislike", "cooccurrence.dislike")


def all_effects(report, path=""):
    """Every effect of a report, however deep, by its path."""
    if isinstance(report, list):
        report = {str(number): entry for number, entry in enumerate(report)}
    if not isinstance(report, dict):
        return {}
    if "responsiveness" in report:
        return {path.lstrip("."): report}
    found = {}
    for key, value in report.items():
        found.update(all_effects(value, f"{path}.{key}"))
    return found
