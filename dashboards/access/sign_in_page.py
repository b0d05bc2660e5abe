"""The sign-in page: plain HTML, no script, both languages at once because nobody has chosen one yet."""

from html import escape

from config.catalogue import Catalogue
from dashboards.files import assets_of

PAGE = """<!DOCTYPE html>
<html lang="zh-CN" data-theme="light" data-mode="desk">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
{styles}
</head>
<body class="sign-in">
<main>
<h1>{title}</h1>
{failed}
<form method="post" action="/sign-in">
<input type="hidden" name="next" value="{back}">
<label>{name} <input name="name" autocomplete="username" maxlength="80" required autofocus></label>
<label>{password}
<input type="password" name="password" autocomplete="current-password" maxlength="200" required></label>
<button>{enter}</button>
</form>
</main>
</body>
</html>
"""


def sign_in_page(catalogue: Catalogue, back: str, failed: str) -> str:
    """The page; `failed` is a words key that says why the last try was not taken, '' on the first."""

    def both(key: str) -> str:
        text = catalogue.words[key]
        return escape(f"{text.zh} · {text.en}")

    assets = assets_of(catalogue.maps)
    styles = [name for name in assets.files if name.endswith(".css")]
    return PAGE.format(
        title=both("sign_in.title"),
        styles="".join(f'<link rel="stylesheet" href="{assets.url(name)}">' for name in styles),
        failed=f'<p class="notice" role="alert">{both(failed)}</p>' if failed else "",
        back=escape(back, quote=True),
        name=both("sign_in.name"),
        password=both("sign_in.password"),
        enter=both("sign_in.enter"),
    )
