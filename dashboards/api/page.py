"""The page that explains the interface, out of its OpenAPI document: plain HTML, no script, nothing from elsewhere."""

from collections.abc import Iterable, Iterator
from html import escape
from typing import Any

from config.catalogue import Catalogue
from dashboards.api.openapi import ROOT_PATH, Document
from dashboards.files import assets_of
from dashboards.views import LANGUAGES
from wording.words import Words


def page(described: Document, catalogue: Catalogue, language: str) -> str:
    """The page of a document in its language."""
    words = Words(catalogue, language)
    info = described["info"]
    assets = assets_of(catalogue.maps)
    sheets = [assets.url(name) for name in assets.files if name.endswith(".css")]
    styles = "".join(f'<link rel="stylesheet" href="{sheet}">' for sheet in sheets)
    sections = "".join(line for path, item in described["paths"].items() for line in _section(path, item["get"], words))
    schemes = described["components"]["securitySchemes"].values()
    access = "".join(f"<li>{escape(scheme['description'])}</li>" for scheme in schemes)
    return (
        f'<!DOCTYPE html><html lang="{"zh-CN" if language == "zh" else language}" data-theme="light" data-mode="desk">'
        f'<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(info['title'])}</title>{styles}</head>"
        f'<body class="interface"><main><nav>{_languages(words)}</nav><h1>{escape(info["title"])}</h1>'
        f"<p>{escape(info['description'])}</p><ul>{access}</ul>"
        f'<p><a href="{ROOT_PATH}/openapi.json?lang={language}">openapi.json</a></p>{sections}</main></body></html>'
    )


def _languages(words: Words) -> str:
    return " ".join(
        f'<a href="{ROOT_PATH}/?lang={name}" lang="{name}">{escape(words(f"language.{name}"))}</a>'
        for name in LANGUAGES
    )


def _section(path: str, operation: dict[str, Any], words: Words) -> Iterator[str]:
    name = operation["operationId"]
    yield f'<section id="{escape(name)}"><h2>GET {escape(ROOT_PATH + path)}</h2><p>{escape(operation["summary"])}</p>'
    yield f"<h3>{escape(words('api.page.parameters'))}</h3>"
    yield _table(
        (words("api.page.name"), words("api.page.values"), words("api.page.meaning")),
        ((one["name"], values_of(one["schema"]), one["description"]) for one in operation["parameters"]),
    )
    row = operation["responses"]["200"]["content"]["application/json"]["schema"]["properties"]["rows"]["items"]
    yield f"<h3>{escape(words('api.page.columns'))}</h3>"
    yield _table(
        (words("api.page.name"), words("api.page.values"), words("api.page.meaning")),
        ((column, values_of(schema), schema["description"]) for column, schema in row["properties"].items()),
    )
    yield "</section>"


def values_of(schema: Document) -> str:
    """What a parameter or a cell can be, in the words of JSON Schema."""
    if "items" in schema:
        return f"{values_of(schema['items'])} …"
    if "enum" in schema:
        return " | ".join(str(value) for value in schema["enum"] if value != "")
    kind = schema.get("format") or schema["type"]
    written = " | ".join(kind) if isinstance(kind, list) else str(kind)
    bounds = [schema.get("minimum"), schema.get("maximum")]
    return f"{written} {bounds[0]}-{bounds[1]}" if None not in bounds else written


def _table(heads: Iterable[str], rows: Iterable[tuple[str, str, str]]) -> str:
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in heads)
    body = "".join(
        f'<tr><th scope="row"><code>{escape(name)}</code></th><td>{escape(values)}</td><td>{escape(meaning)}</td></tr>'
        for name, values, meaning in rows
    )
    return f'<table class="table"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
