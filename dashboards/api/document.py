"""Write `docs/api.md` from the interface's OpenAPI document: `python -m dashboards.api.document [--check]`.

`--check` writes nothing and fails when the page is not what the interface says now.
"""

import sys
from collections.abc import Iterable, Iterator
from typing import Any

from config.loading import load
from config.settings import ROOT
from dashboards.api.formats import FORMATS
from dashboards.api.interface import RESOURCES
from dashboards.api.openapi import ROOT_PATH, Document, document
from dashboards.api.page import values_of

PAGE = ROOT / "docs" / "api.md"
HEAD = "<!-- Written by `python -m dashboards.api.document`; change what it is made from and run it again. -->"
EXAMPLE = """
    ./watchfloor access tokens add --name billing --role province_manager --region 440000 --days 90
    curl -H "Authorization: Bearer wf_…" "http://127.0.0.1:8050{root}/readings?metric=answer_rate&window=15min&channel="
    curl -H "Authorization: Bearer wf_…" -H "Accept: text/csv" "http://127.0.0.1:8050{root}/findings"
"""


def markdown(described: Document) -> str:
    """The page of a document."""
    info = described["info"]
    lines = [HEAD, f"# {info['title']}", "", info["description"], "", EXAMPLE.format(root=ROOT_PATH).strip("\n"), ""]
    lines += [f"- {scheme['description']}" for scheme in described["components"]["securitySchemes"].values()]
    lines += ["", f"Formats: {', '.join(f'`{known.media_type}`' for known in FORMATS)}.", ""]
    lines += _table(
        ("status", "means"),
        ((status, answer["description"]) for status, answer in described["components"]["responses"].items()),
    )
    for path, item in described["paths"].items():
        lines += _section(path, item["get"])
    return "\n".join(lines).rstrip() + "\n"


def _section(path: str, operation: dict[str, Any]) -> Iterator[str]:
    yield from (f"## GET {ROOT_PATH}{path}", "", operation["summary"], "", f"Action: `{operation['x-action']}`.", "")
    yield from _table(
        ("parameter", "values", "meaning"),
        ((one["name"], values_of(one["schema"]), one["description"]) for one in operation["parameters"]),
    )
    row = operation["responses"]["200"]["content"]["application/json"]["schema"]["properties"]["rows"]["items"]
    yield from _table(
        ("column", "values", "meaning"),
        ((name, values_of(schema), schema["description"]) for name, schema in row["properties"].items()),
    )


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield "| " + " | ".join(heads) + " |"
    yield "|" + "---|" * len(heads)
    for row in rows:
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |"
    yield ""


def main(arguments: list[str]) -> int:
    """Write the page, or with `--check` only say that it is out of date; the exit status."""
    text = markdown(document(RESOURCES, load(), "en"))
    if PAGE.exists() and PAGE.read_text(encoding="utf-8") == text:
        return 0
    if "--check" in arguments:
        print(f"{PAGE} is not what the interface says: run `python -m dashboards.api.document`")
        return 1
    PAGE.write_text(text, encoding="utf-8")
    print(f"wrote {PAGE}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
