"""What a licence forbids, as far as its name tells: a line of warning, not legal advice. Knows nothing of files."""

NON_COMMERCIAL = ("cc-by-nc", "apple-amlr", "apple-ascl", "non-commercial", "noncommercial", "research")
"""Parts of licences' names, lower case, that tell that work for money is not allowed."""
CONFLICTING = {
    "tencent/WeDLM": "its model card says apache-2.0, its repository's LICENSE that it is not for use within the EU"
}
"""Beginnings of repositories' names, and what their sources disagree about."""


def warning(licence: str, repo: str = "") -> str | None:
    """What a user should know before using weights under a licence; None if its name tells of nothing."""
    for begins, said in CONFLICTING.items():
        if repo.startswith(begins):
            return f"the sources of {repo} do not agree on its licence: {said}"
    if any(part in licence.lower() for part in NON_COMMERCIAL):
        return f"the licence {licence} does not allow commercial use"
    return None
