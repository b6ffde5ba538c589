"""A real browser on pages from disk: Debian's Chromium, without a screen, driven by Playwright."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM = shutil.which("chromium")
MISSING = "no Chromium on this machine: `apt-get install chromium` brings it"
_OPTIONS = (
    "--no-sandbox",  # its sandbox does not start for root, as which containers run
    "--use-angle=swiftshader",  # WebGL without a GPU
    "--enable-unsafe-swiftshader",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


@dataclass
class OpenPage:
    """A page that is open. complaints: what the console and the scripts said; requests: addresses that it asked for."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)


@contextmanager
def start() -> Iterator[Browser]:
    """A running browser; one at a time."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*_OPTIONS])
        try:
            yield browser
        finally:
            browser.close()


def open_page(browser: Browser, path: Path, *, width: int = 1280, touch: bool = False) -> OpenPage:
    """Open the file `path` in a window so many CSS pixels wide; touch: as on a phone, by finger."""
    opened = OpenPage(browser.new_page(viewport={"width": width, "height": 900}, has_touch=touch, is_mobile=touch))
    opened.page.on("console", lambda message: opened.complaints.append(f"{message.type}: {message.text}"))
    opened.page.on("pageerror", lambda error: opened.complaints.append(str(error)))
    opened.page.on("request", lambda request: opened.requests.append(request.url))
    opened.page.goto(path.as_uri())
    return opened
