"""One file, offline, with every number in it, that no text can break."""

from __future__ import annotations

import base64
import dataclasses
import re
from html.parser import HTMLParser

import pytest

from agent.errors import UserError
from agent.reporting.making import Stage
from agent.reporting.markup import Markup, element, joined
from agent.reporting.report import Clip, sections_of, write_run_report
from agent.reporting.results_table import (
    NOTHING,
    duration,
    milliseconds,
    results_table,
)

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</style></title><!-- & --> &amp; 'quoted' ]]>",
    "nul \x00 escape \x1b lone surrogate \udcff end",
)


@pytest.fixture(autouse=True)
def coarse_pictures(monkeypatch):
    """Tests look at what is around pictures, not at their pixels."""
    monkeypatch.setattr("agent.reporting.style.PNG_DPI", 30)


class Page(HTMLParser):
    """Tags with their attributes, and text without styles."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(source)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "img", "br", "hr"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, "tags are closed in the order they were opened"

    def handle_data(self, data):
        if self.open and self.open[-1] != "style":
            self.text += f"{data} "

    def handle_comment(self, data):
        raise AssertionError("no comment was written")

    def values(self, attribute):
        return [attrs[attribute] for _, attrs in self.tags if attribute in attrs]

    def count(self, tag):
        return sum(name == tag for name, _ in self.tags)


def written(path, run):
    return Page(write_run_report(path / "report.html", run).read_text("utf-8"))


def without_media(source):
    return re.sub(r"base64,[A-Za-z0-9+/=]+", "base64", source)


def test_the_report_needs_no_network_and_runs_nothing(run_report, tmp_path):
    path = write_run_report(tmp_path / "report.html", run_report)
    source = without_media(path.read_text("utf-8"))
    page = Page(source)
    assert not re.search(r"https?:|//[a-z]|url\(|@import", source)
    assert all(address.startswith("data:") for address in page.values("src"))
    assert all(address.startswith("#") for address in page.values("href"))
    assert {tag for tag, _ in page.tags}.isdisjoint({"script", "link", "iframe", "object", "base"})
    assert not [a for _, attrs in page.tags for a in attrs if a.startswith("on")]
    assert "default-src 'none'" in page.values("content")[0]
    assert [p.name for p in tmp_path.glob("report*")] == ["report.html"]


def test_the_report_holds_every_number_given(run_report, tmp_path):
    text = written(tmp_path, run_report).text
    for number in (
        "97.6", "95.1 to 98.9", "84.2", "79.7 to 87.9", "76.5", "71.4 to 81.0", "0.015", "0.087",
        "0.68 s", "17 steps", "22.7 / 31.4", "31.4 ms", "298 of 300", "75 s", "7.3 min", "44 s",
        "8.0 min", "76\N{NARROW NO-BREAK SPACE}000", "50.7 min", "c0ffee" * 10,
    ):  # fmt: skip
        assert number in text, number
    for words in (
        "Abacus, 2 cores", "torch 2.13.0", "mujoco 3.17.0", "collect --out d", "2 January 2026",
        "evaluate --controller world-model", "held, error 0.012 rad", "Protocol anywhere",
    ):  # fmt: skip
        assert words in text, words


def test_films_and_figures_are_within_the_page(run_report, tmp_path):
    page = written(tmp_path, run_report)
    films = [attrs for tag, attrs in page.tags if tag == "video"]
    assert len(films) == 3
    for number, film in enumerate(films):
        kind, content = film["src"].split(";base64,")
        assert kind == "data:video/webm"
        assert base64.b64decode(content) == b"\x1a\x45\xdf\xa3" + bytes([number])
        assert {"controls", "loop", "muted", "autoplay"} <= set(film)
    pictures = [attrs for tag, attrs in page.tags if tag == "img"]
    assert len(pictures) == 4 and all(p["alt"] for p in pictures)
    for picture in pictures:
        assert base64.b64decode(picture["src"].split(",")[1]).startswith(b"\x89PNG")
    assert page.text.count("How to read this.") == len(pictures)


def test_links_lead_to_the_sections(run_report, tmp_path):
    page = written(tmp_path, run_report)
    anchors = [section.anchor for section in sections_of(run_report)]
    assert [address[1:] for address in page.values("href")] == anchors
    assert [found for found in page.values("id") if found in anchors] == anchors


def test_footnotes_tell_the_rule_of_each_protocol(results):
    text = Page(results_table(results)).text
    assert "the rule of lewm" in text and "the rule of anywhere" in text
    assert "last 0.4 s" in text and "tick of 0.04 s" in text


def test_what_was_not_measured_is_a_dash(results):
    (noop,) = [line for line in results_table(results).split("<tr") if ">noop<" in line]
    text = Page(f"<tr{noop.split('</tr>')[0]}</tr>").text
    assert "None" not in text and "nan" not in text
    assert text.count(NOTHING) == 8
    assert "none" in text  # its experience


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_shown_and_does_nothing(run_report, tmp_path, text):
    plain = written(tmp_path, run_report)
    run = dataclasses.replace(
        run_report,
        results=[
            result | {"controller": text, "protocol": text, "command": text}
            for result in run_report.results
        ],
        clips=[Clip(clip.video, text) for clip in run_report.clips],
        stages=[Stage(text, 1.0, text), Stage("train", 2.0, text)],
        hardware=text,
        versions={text: text},
        date=text,
    )
    page = written(tmp_path, run)
    assert {tag for tag, _ in page.tags} <= {tag for tag, _ in plain.tags}
    assert page.count("img") == 4 and page.count("style") == 1
    assert not [a for _, attrs in page.tags for a in attrs if a.startswith("on")]
    shown = text.translate({0: "\ufffd", 27: "\ufffd"}).replace("\udcff", "?")
    assert page.text.count(shown) >= 12
    assert any(shown in title for title in page.values("title"))


def test_a_report_needs_results_and_metrics(run_report, tmp_path):
    path = tmp_path / "report.html"
    for lacking in ({"results": []}, {"metrics": []}):
        with pytest.raises(UserError, match="got none"):
            write_run_report(path, dataclasses.replace(run_report, **lacking))
    assert not path.exists()


def test_a_report_without_films_stages_or_our_controller_is_still_one(run_report, tmp_path):
    others = [result | {"controller": "sac"} for result in run_report.results]
    run = dataclasses.replace(run_report, results=others, clips=[], stages=[])
    assert "97.6" in written(tmp_path, run).text


def test_the_same_run_makes_the_same_bytes(run_report, tmp_path):
    once, twice = (write_run_report(tmp_path / n, run_report).read_bytes() for n in ("a", "b"))
    assert once == twice


def test_elements_escape_all_but_markup():
    made = element("p", "<b>", element("b", "&"), title='"<', class_="x", hidden=True, muted=False)
    assert made == '<p title="&quot;&lt;" class="x" hidden>&lt;b&gt;<b>&amp;</b></p>'
    assert joined(["<", Markup("<br>")]) == "&lt;<br>"
    assert element("img", src="data:", aria_label="a") == '<img src="data:" aria-label="a">'


def test_times_are_in_the_unit_people_would_choose():
    seconds = (0.26, 42.4, 89.0, 461.0, 7200.0, None)
    assert [duration(s) for s in seconds] == ["0.3 s", "42 s", "89 s", "7.7 min", "2.0 h", NOTHING]
    times_ms = (0.0123, 9.87654, 31.4159, 1234.5, None)
    assert [milliseconds(t) for t in times_ms] == ["0.0123", "9.88", "31.4", "1234", NOTHING]
