"""Refuse a query text that is not one single SELECT; the database's own read-only mode is the real guard."""

import re

SKIPPED = re.compile(r"--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"", re.DOTALL)
WRITES = re.compile(r"\b(insert\s+into|update|delete\s+from|merge\s+into|into\s+(?:out|dump)file)\b", re.IGNORECASE)


def check_one_select(query: str) -> str:
    """Give the text back without its closing semicolon; raises ValueError saying what does not belong.

    This reads words, not grammar: it turns away mistakes early and with a clear sentence. What it cannot see (a
    function that writes, a dialect's own statement) the read-only transaction refuses.
    """
    bare = SKIPPED.sub(" ", query).strip().rstrip(";")
    if not re.match(r"(select|with)\b", bare, re.IGNORECASE):
        raise ValueError("the query must be one SELECT or WITH … SELECT")
    if ";" in bare:
        raise ValueError("the query must be one statement: it holds a semicolon")
    if found := WRITES.search(bare):
        raise ValueError(f"the query must only read: it says {found.group(0).upper()}")
    return query.strip().rstrip(";")
