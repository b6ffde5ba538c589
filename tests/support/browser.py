"""Open pages from disk in a real browser: Debian's Chromium without a screen, driven by Playwright."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM = shutil.which("chromium")
MISSING = "no Chromium on this machine; run `apt-get install chromium`"
_OPTIONS = (
    "--no-sandbox",  # the sandbox does not start as root, the user in containers
    "--use-angle=swiftshader",  # WebGL without a GPU
    "--enable-unsafe-swiftshader",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


@dataclass
class OpenPage:
    """An open page. `complaints` has the messages of its console and scripts, `requests` the requested addresses."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)


@contextmanager
def start() -> Iterator[Browser]:
    """Start a browser. Only one can run at a time."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*_OPTIONS])
        try:
            yield browser
        finally:
            browser.close()


def open_page(browser: Browser, path: Path, *, width: int = 1280, touch: bool = False) -> OpenPage:
    """Open a file. width: of the window in CSS pixels. touch: whether to act as a phone with a touch screen."""
    opened = OpenPage(browser.new_page(viewport={"width": width, "height": 900}, has_touch=touch, is_mobile=touch))
    opened.page.on("console", lambda message: opened.complaints.append(f"{message.type}: {message.text}"))
    opened.page.on("pageerror", lambda error: opened.complaints.append(str(error)))
    opened.page.on("request", lambda request: opened.requests.append(request.url))
    opened.page.goto(path.as_uri())
    return opened
