"""Accessibility of the page that a browser shows, as axe-core judges it.

Contrast is four fifths of axe's work, and the rows of a list have the same colors. Therefore one
text of each look is judged: texts look alike if their size, weight and colors are the same, and so
is all that is behind them. Every other rule judges the whole page.

Source: "axe.configure" and "axe.run" in
https://github.com/dequelabs/axe-core/blob/develop/doc/API.md.
"""

from typing import Any, Final

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

AXE_OPTIONS: Final = {
    "resultTypes": ["violations"],
    "preload": False,  # it fetches every style sheet again, for one rule about screen orientation
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"],
}

ALIKE: Final = ".cells > li:nth-child(n+151) > .free"
"""Free numbers of a map behind the first ones, which axe would look at for seconds."""

RUN_AXE: Final = """
async ({within, alike, options}) => {
  const behind = new Map();
  const describe = (box) => {
    if (!box) return "";
    if (!behind.has(box)) {
      const style = getComputedStyle(box);
      const place = /absolute|fixed|sticky/.test(style.position) ? box.className : "";
      const seen = [style.backgroundColor, style.backgroundImage, style.opacity, style.filter,
        style.mixBlendMode, place].join();
      const isBare = seen === "rgba(0, 0, 0, 0),none,1,none,normal,";
      behind.set(box, describe(box.parentElement) + (isBare ? "" : "/" + seen));
    }
    return behind.get(box);
  };
  const hasText = (box) => box.matches("input, select, textarea")
    || [...box.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
  const isSeen = (box) => box.checkVisibility({visibilityProperty: true});
  const looks = new Set();
  for (const root of document.querySelectorAll(within || "body")) {
    const boxes = [root, ...root.querySelectorAll("*")];
    for (const box of boxes.filter(hasText).filter(isSeen)) {
      const {color, fontSize, fontWeight, textShadow} = getComputedStyle(box);
      const look = [color, fontSize, fontWeight, textShadow, describe(box)].join();
      box.toggleAttribute("data-look", !looks.has(look));
      looks.add(look);
    }
  }
  axe.configure({rules: [{id: "color-contrast", selector: "[data-look]"}]});
  const {violations} = await axe.run(within || {exclude: [[alike]]}, options);
  for (const box of document.querySelectorAll("[data-look]")) box.removeAttribute("data-look");
  return violations;
}
"""


def list_barriers(page: Page, *, within: str | None = None) -> list[str]:
    """Return the serious and critical violations, each with its rule, element and summary.

    Args:
        page: the page.
        within: a selector of the part to check; None: the whole page.

    """
    page.evaluate(Axe().axe_script)
    violations: list[dict[str, Any]] = page.evaluate(
        RUN_AXE, {"within": within, "alike": ALIKE, "options": AXE_OPTIONS}
    )
    return [
        f"{each['id']}: {node['html'][:200]} ({node['failureSummary'][:300]})"
        for each in violations
        if each["impact"] in {"serious", "critical"}
        for node in each["nodes"][:3]
    ]
