"""Make the picture in README.md: the scores and the viewer of a finished report in a browser.

`make screenshot` takes it from the demo's report. Beside the picture it writes the digests of the templates that the
picture shows, so that a test notices when a template has changed since.
"""

import hashlib
import io
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Locator

from tests.support.browser import open_page, start

PICTURE = Path("workflow/docs/report.webp")
DIGESTS = PICTURE.with_suffix(".sha256")
"""Paths of the picture and of the digests of its templates, below the root of the repository."""
TEMPLATES = (
    "report/scores.html",
    "report/style.css",
    "report/template.html",
    "shared/base.html",
    "shared/style.css",
    "viewer/niivue.umd.js",
    "viewer/scripts.html",
    "viewer/surfaces.js",
    "viewer/viewer.css",
    "viewer/viewer.html",
    "viewer/viewer.js",
)
"""The files below scripts/tumorseg/reporting that determine what the picture shows."""
HEIGHT = 600
"""Largest height in pixels."""
GAP = 14
"""Pixels between the two parts, and around them."""
READY_MS = 60_000
DRAWN_MS = 1_500
_STYLE = """
.viewer-slices, #viewer-help, .viewer-made { display: none !important; }
.viewer, .headline { margin: 0; max-width: 960px; }
"""


def screenshot(browser: Browser, report: Path) -> Image.Image:
    """Return a picture of the headline scores of a report, above its viewer with the first case."""
    page = open_page(browser, report, width=1060).page
    page.add_style_tag(content=_STYLE)
    viewer = page.locator(".viewer")
    viewer.scroll_into_view_if_needed()
    page.locator('.viewer[data-state="ready"]').wait_for(timeout=READY_MS)
    page.wait_for_timeout(DRAWN_MS)
    parts = [_picture(page.locator(".headline")), _picture(viewer)]
    width = max(part.width for part in parts) + 2 * GAP
    whole = Image.new("RGB", (width, sum(part.height + GAP for part in parts) + GAP), "white")
    top = GAP
    for part in parts:
        whole.paste(part, (GAP, top))
        top += part.height + GAP
    whole.thumbnail((width, HEIGHT))
    return whole


def template_digests(repository: Path) -> str:
    """Return a line with the SHA-256 and the path of each template, as `sha256sum` writes them."""
    paths = [f"scripts/tumorseg/reporting/{template}" for template in TEMPLATES]
    return "".join(f"{hashlib.sha256((repository / path).read_bytes()).hexdigest()}  {path}\n" for path in paths)


def _picture(part: Locator) -> Image.Image:
    return Image.open(io.BytesIO(part.screenshot())).convert("RGB")


if __name__ == "__main__":
    with start() as running:
        screenshot(running, Path(sys.argv[1]).resolve()).save(PICTURE, quality=75, method=6)
    DIGESTS.write_text(template_digests(Path()))
