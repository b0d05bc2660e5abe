"""The live link in a real browser: what is shown, what is said when nothing comes, and what survives."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect

from tests.support.browsers import SmallWorld
from tests.support.live_world import BEIJING, GUANGDONG, TAIWAN, snapshot


def opened(page: Page, site: SmallWorld, path: str = "/flow") -> Page:
    page.goto(site.url + path)
    expect(page.locator("#heading")).to_be_visible()
    return page


def test_figures_change_in_place(page: Page, site: SmallWorld) -> None:
    site.publish(snapshot(1, 412))
    opened(page, site)
    expect(page.locator("#offered")).to_have_text("412")
    page.evaluate("document.getElementById('offered').mark = 'same element'")
    site.publish(snapshot(2, 413))
    expect(page.locator("#offered")).to_have_text("413")
    assert page.evaluate("document.getElementById('offered').mark") == "same element"
    assert page.evaluate("document.documentElement.dataset.link") == "live"


def test_every_kind_of_part_reaches_its_element(page: Page, site: SmallWorld) -> None:
    site.publish(snapshot(1, 412))
    opened(page, site)
    tile = page.locator("#tile")
    expect(tile).to_have_attribute("data-state", "good")
    expect(tile.locator("[data-part=unit]")).to_have_text("n")
    expect(tile.locator("[data-part=unit]")).to_have_attribute("title", "of 412")
    assert tile.evaluate("element => element.style.getPropertyValue('--share')") == "40%"
    expect(page.locator("#trend .spark-line")).to_have_attribute("d", "M0 12L100 412")
    expect(page.locator("#simulated")).to_be_visible()


def test_no_request_leaves_the_server_and_nothing_is_refused(page: Page, site: SmallWorld) -> None:
    requests: list[str] = []
    said: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    site.publish(snapshot(1))
    opened(page, site)
    expect(page.locator("#map .map-area").first).to_be_visible()
    foreign = [url for url in requests if not url.startswith(site.url)]
    assert len(requests) > 15
    assert foreign == []
    assert said == []


def test_a_view_opened_later_shows_nothing_of_the_earlier_one(page: Page, site: SmallWorld) -> None:
    site.publish(snapshot(1, 412))
    opened(page, site, f"/province/{GUANGDONG}")
    expect(page.locator("#offered")).to_have_text("412")
    page.route("**/live/**", lambda route: route.abort())  # the new view's frame never comes
    page.select_option("#choose-province", label="Beijing（中）")
    expect(page.locator("#heading")).to_contain_text("Beijing")
    expect(page.locator("#offered")).to_have_text("--")
    expect(page.locator("#link")).to_contain_text("连接中断")


def test_a_click_keeps_what_was_chosen(page: Page, site: SmallWorld) -> None:
    site.publish(snapshot(1, 412))
    opened(page, site, "/hq?time=60min&metric=answer_rate&lang=en&theme=light")
    page.locator(f'[data-code="{GUANGDONG}"]').first.click()
    expect(page.locator("#heading")).to_have_text("province Guangdong answer_rate 60min")
    expect(page).to_have_url(re.compile(rf"/province/{GUANGDONG}\?time=60min&metric=answer_rate&lang=en&theme=light$"))
    expect(page.locator("#offered")).to_have_text("412")
    expect(page).to_have_title("Province · Guangdong · Watchfloor")
    page.go_back()
    expect(page.locator("#heading")).to_have_text("hq China answer_rate 60min")


def test_the_selects_show_where_one_is(page: Page, site: SmallWorld) -> None:
    opened(page, site, f"/province/{GUANGDONG}?metric=answer_rate")
    expect(page.locator("#choose-province option:checked")).to_have_text("Guangdong（中）")
    expect(page.locator("#choose-metric option:checked")).to_have_text("answer_rate（中）")
    page.select_option("#choose-metric", label="service_level_20s（中）")
    expect(page.locator("#heading")).to_contain_text("Guangdong（中） service_level_20s")


def test_theme_and_language_change_without_a_new_page(page: Page, site: SmallWorld) -> None:
    site.publish(snapshot(1, 412))
    opened(page, site)
    page.evaluate("window.mark = 'same page'")
    page.get_by_role("link", name="浅").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "light")
    expect(page.locator("#offered")).to_have_text("412")
    page.get_by_role("link", name="EN").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.locator("#link")).to_have_text("Live")
    expect(page.locator("#offered")).to_have_text("412")
    assert page.evaluate("window.mark") == "same page"


def test_a_server_that_goes_and_comes_back(page: Page, site: SmallWorld) -> None:
    site.publish(snapshot(1, 412))
    opened(page, site)
    expect(page.locator("#offered")).to_have_text("412")
    site.stop()
    expect(page.locator("html")).to_have_attribute("data-link", "lost")
    expect(page.locator("#link")).to_have_text(re.compile(r"^连接中断，自 \d\d:\d\d:\d\d 起$"))
    expect(page.locator("#offered")).to_have_text("412")
    site.start()
    site.publish(snapshot(2, 500))
    expect(page.locator("#offered")).to_have_text("500", timeout=20_000)
    expect(page.locator("#link")).to_have_text("实时")


def test_a_link_that_falls_silent_is_called_lost(page: Page, site: SmallWorld) -> None:
    site.publish(snapshot(1, 412))
    page.clock.install()
    opened(page, site)
    expect(page.locator("#link")).to_have_text("实时")
    page.clock.fast_forward(60_000)
    expect(page.locator("#link")).to_contain_text("连接中断，自")


def test_a_figure_says_its_age_only_when_it_is_late(page: Page, site: SmallWorld) -> None:
    site.publish(snapshot(1, 412))
    opened(page, site)
    expect(page.locator("#offered")).to_have_text("412")
    expect(page.locator("#offered-age")).to_have_text("")
    site.publish(snapshot(2, 412, at=datetime.now(UTC) - timedelta(minutes=3, seconds=2)))
    expect(page.locator("#offered-age")).to_have_text("3 分钟前")
    expect(page.locator("#offered-age")).to_have_attribute("data-late", "")


def test_ages_follow_the_servers_clock(page: Page, site: SmallWorld) -> None:
    page.clock.install(time=datetime.now(UTC) + timedelta(hours=5))
    site.publish(snapshot(1, 412))
    opened(page, site)
    expect(page.locator("#offered")).to_have_text("412")
    expect(page.locator("#offered-age")).to_have_text("")


def test_a_missed_frame_fetches_everything_again(page: Page, site: SmallWorld) -> None:
    site.publish(snapshot(1, 412))
    streams: list[str] = []
    page.on("request", lambda request: streams.append(request.url) if "/live/" in request.url else None)
    opened(page, site)
    expect(page.locator("#offered")).to_have_text("412")
    site.loop.call_soon_threadsafe(skip_one, site)
    site.publish(snapshot(2, 500))
    expect(page.locator("#offered")).to_have_text("500")
    assert len(streams) == 2


def skip_one(site: SmallWorld) -> None:
    """Make the next frame of every view come with a number too high, as if one had been lost on the way."""
    for audience in site.site.hub._audiences.values():
        audience._sequence += 1


def test_before_the_first_figures_the_page_says_that_it_waits(page: Page, site: SmallWorld) -> None:
    opened(page, site)
    expect(page.locator("#waiting")).to_be_visible()
    site.publish(snapshot(1, 412))
    expect(page.locator("#waiting")).to_be_hidden()
    expect(page.locator("#offered")).to_have_text("412")


def test_figures_that_cannot_be_made_are_told_and_the_old_ones_stay(page: Page, site: SmallWorld) -> None:
    site.publish(snapshot(1, 412))
    opened(page, site)
    expect(page.locator("#offered")).to_have_text("412")
    site.publish(snapshot(2, -1))
    expect(page.locator("#trouble")).to_contain_text("无法算出")
    expect(page.locator("#offered")).to_have_text("412")
    site.publish(snapshot(3, 413))
    expect(page.locator("#trouble")).to_be_hidden()


def test_the_map_names_draws_and_opens(page: Page, site: SmallWorld) -> None:
    site.publish(snapshot(1, 412))
    opened(page, site, "/hq")
    svg = page.locator("#map > svg")
    expect(svg.locator(".map-area")).to_have_count(34)
    expect(svg.locator(".map-line-south_china_sea_dash_line")).to_have_count(1)
    expect(svg.locator(".map-inset use")).to_have_count(1)
    expect(svg.locator(".map-label")).to_have_text(["GD 412"])
    expect(page.locator(".map-credit")).to_have_text("GS(2024)0650")
    fill = "element => element.style.fill"
    assert "41%" in svg.locator(f'[data-code="{GUANGDONG}"]').evaluate(fill)
    assert "--map-low" in svg.locator(f'[data-code="{BEIJING}"]').evaluate(fill)
    assert svg.locator(f'[data-code="{TAIWAN}"]').evaluate(fill) == "var(--map-none)"
    site.publish(snapshot(2, 800))
    expect(svg.locator(".map-label")).to_have_text(["GD 800"])
    assert "80%" in svg.locator(f'[data-code="{GUANGDONG}"]').evaluate(fill)


def test_the_inset_hides_no_land(page: Page, site: SmallWorld) -> None:
    site.publish(snapshot(1))
    opened(page, site, "/hq")
    expect(page.locator(".map-area").first).to_be_visible()
    hidden = page.evaluate("""() => {
      const inset = document.querySelector(".map-inset");
      const [left, top] = [inset.x.baseVal.value, inset.y.baseVal.value];
      const under = (path) => {
        for (let at = 0; at < path.getTotalLength(); at += 5) {
          const { x, y } = path.getPointAtLength(at);
          if (x > left && y > top && y < top + inset.height.baseVal.value) return true;
        }
        return false;
      };
      const land = document.querySelectorAll("#map > svg .map-area");
      return [...land].filter((path) => path.dataset.code !== "460000" && under(path)).map((path) => path.dataset.code);
    }""")
    assert hidden == []


def test_the_flow_has_a_band_for_every_link_and_lights_a_way(page: Page, site: SmallWorld) -> None:
    site.publish(snapshot(1, 412))
    opened(page, site)
    expect(page.locator("#flow .flow-node text")).to_have_text(["a 412", "b 412"])
    band = page.locator("#flow .flow-link")
    expect(band).to_have_count(1)
    band.hover()
    expect(band).to_have_class(re.compile("lit"))


def test_plotly_comes_when_a_figure_needs_it_and_takes_the_themes_colours(page: Page, site: SmallWorld) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url.rpartition("/")[2]))
    site.publish(snapshot(1, 412))
    opened(page, site)
    expect(page.locator("#offered")).to_have_text("412")
    assert "plotly.min.js" not in asked
    opened(page, site, "/hq")
    line = page.locator("#figure .js-line")
    expect(line).to_be_visible()
    assert "plotly.min.js" in asked
    colour = "element => getComputedStyle(element).stroke"
    dark = line.evaluate(colour)
    page.get_by_role("link", name="浅").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "light")
    page.wait_for_function(
        "dark => getComputedStyle(document.querySelector('#figure .js-line')).stroke !== dark", arg=dark
    )


@pytest.mark.parametrize("path", ["/payroll", "/hq?metric=secret"])
def test_an_unknown_address_leads_home(page: Page, site: SmallWorld, path: str) -> None:
    answer = page.goto(site.url + path)
    assert answer is not None
    assert answer.status == 404
    page.get_by_role("link", name="去可以看的首页").click()
    expect(page.locator("#heading")).to_be_visible()
