"""What axe-core finds on a page, and whose it is: ours, or Gradio's own.

The package axe-playwright-python brings axe-core's JavaScript; no node is needed.
"""

import re
from collections.abc import Set
from dataclasses import dataclass

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

GRAVE = ("serious", "critical")
CONTRAST = 4.5
# Contrast that axe leaves undecided (a pseudo element is near, something overlaps) is worked out
# from the nearest ground that is opaque, as is that of placeholders, which axe does not look at.
# Text on pictures and gradients stays undecided; a lone symbol is no text.
_RUN = """async least => {
  const told = await axe.run({ resultTypes: ["violations", "incomplete"], elementRef: true });
  const found = told.violations.flatMap(({ id, impact, nodes }) =>
    nodes.map(({ html, any, all, none }) =>
      [id, impact, html, [...any, ...all, ...none][0].message]));
  const { Color, getContrast } = axe.commons.color;
  const read = (one, property, part) => {
    const color = new Color();
    color.parseString(getComputedStyle(one, part)[property]);
    return color;
  };
  const ground = one => {
    const color = read(one, "backgroundColor");
    return color.alpha === 1 || !one.parentElement ? color : ground(one.parentElement);
  };
  const judge = (one, part) => {
    const ratio = getContrast(ground(one), read(one, "color", part));
    if (ratio < least)
      found.push(["color-contrast", "serious", one.outerHTML, `${part ?? "text"} at ${ratio}`]);
  };
  const aside = /bgImage|bgGradient|imgNode|nonBmp|shortText/;
  told.incomplete.filter(({ id }) => id === "color-contrast").flatMap(({ nodes }) => nodes)
    .filter(({ any }) => !aside.test(any[0].data.messageKey))
    .forEach(({ element }) => judge(element));
  [...document.querySelectorAll("[placeholder]:placeholder-shown")]
    .filter(one => one.checkVisibility() && !one.disabled)
    .forEach(one => judge(one, "::placeholder"));
  return found;
}"""
Shape = tuple[str, str, tuple[str, ...]]


@dataclass(frozen=True)
class Finding:
    """One rule that one element breaks."""

    rule: str
    impact: str
    html: str
    message: str

    @property
    def grave(self) -> bool:
        return self.impact in GRAVE

    @property
    def shape(self) -> Shape:
        """The rule, and the element as Gradio's own build names it; no classes: it is not its."""
        tag = re.match(r"<([\w-]+)([^>]*)", self.html)
        assert tag is not None, self.html
        return self.rule, tag[1], tuple(sorted(re.findall(r"\b(?:svelte|cm)-[\w-]+", tag[2])))

    def is_gradios(self, bare: Set[Shape]) -> bool:
        """Whether a bare page has it too. Contrast is always ours: we chose the colours."""
        return self.rule != "color-contrast" and bool(self.shape[2]) and self.shape in bare

    def __str__(self) -> str:
        return f"{self.impact} {self.rule}: {self.message} {self.html[:200]}"


def find(page: Page) -> list[Finding]:
    """Run axe-core over what is now in sight."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    return [Finding(*one) for one in page.evaluate(_RUN, CONTRAST)]
