"""How the page looks: warm paper and ink, one ember accent; light and dark both on purpose.

Only fonts that are on the visitor's machine, so that the page asks no other host for anything.
Every text stands at a contrast of 4.5:1 or more against what is behind it.
"""

import gradio as gr
from gradio.themes.utils import colors

EMBER = colors.Color(
    name="ember",
    c50="#fdf6f2",
    c100="#fbe8de",
    c200="#f5cdbb",
    c300="#efac90",
    c400="#e0835f",
    c500="#c75d39",
    c600="#a9442a",
    c700="#8a3722",
    c800="#6b2c1d",
    c900="#4f231a",
    c950="#2c120c",
)

# Ctrl+Enter generates. And Gradio 6.31 shows its API page only to who clicks for it, so an
# address that ends in ?view=api is opened by closing and opening it again.
_SCRIPT = """
document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
  const buttons = [...document.querySelectorAll("button.generate")];
  const button = buttons.find((b) => b.offsetParent !== null && !b.disabled);
  if (!button) return;
  event.preventDefault();
  const field = document.activeElement;
  field.blur();  // a field may take over what was typed only when it is left
  setTimeout(() => { button.click(); field.focus(); }, 80);
});
if (new URLSearchParams(location.search).get("view") === "api") {
  const waiting = setInterval(() => {
    const link = document.querySelector("footer button.show-api");
    if (!link) return;
    clearInterval(waiting);
    link.click();
    setTimeout(() => link.click(), 400);
  }, 200);
}
"""
_ICON = (
    "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'>"
    "<rect width='32' height='32' rx='8' fill='%23a9442a'/>"
    "<path d='M12 9.5v13l11-6.5z' fill='white'/></svg>"
)
# Gradio confines what `css` says inside of @media to the page's inner part. Beyond that part, room
# for the bar at a phone's foot, so that neither the footer nor what has the focus lies behind it.
_PHONE = """
@media (max-width: 640px) {
  html { scroll-padding-bottom: 96px; }
  body .gradio-container > .main { padding: 0 12px 96px !important; }
}
"""
HEAD = f"""
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:image/svg+xml,{_ICON}">
<style>{_PHONE}</style>
<script>{_SCRIPT}</script>
"""


def build_theme() -> gr.themes.Base:
    """The one theme of the page."""
    sans = ("ui-sans-serif", "system-ui", "Segoe UI", "Roboto", "Noto Sans", "sans-serif")
    mono = ("ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "monospace")
    theme = gr.themes.Base(
        primary_hue=EMBER,
        secondary_hue=EMBER,
        neutral_hue=colors.stone,
        radius_size=gr.themes.sizes.radius_lg,
        spacing_size=gr.themes.sizes.spacing_md,
        font=sans,
        font_mono=mono,
    )
    return theme.set(**_SURFACES, **_CONTROLS)


_SURFACES = {
    "body_background_fill": "#f8f5f0",
    "body_background_fill_dark": "#171412",
    "body_text_color": "#2a2420",
    "body_text_color_dark": "#f2ebe3",
    "body_text_color_subdued": "#6a6059",
    "body_text_color_subdued_dark": "#b3a89e",
    "background_fill_primary": "#ffffff",
    "background_fill_primary_dark": "#211d1a",
    "background_fill_secondary": "#f8f5f0",
    "background_fill_secondary_dark": "#1b1815",
    "block_background_fill": "#ffffff",
    "block_background_fill_dark": "#211d1a",
    "border_color_primary": "#e6dfd6",
    "border_color_primary_dark": "#3a332e",
    "color_accent": "#a9442a",
    "color_accent_soft": "#fbeee7",
    "color_accent_soft_dark": "#35241d",
    "block_label_background_fill": "transparent",
    "block_label_background_fill_dark": "transparent",
    "block_label_text_color": "#6a6059",
    "block_label_text_color_dark": "#b3a89e",
    "block_title_text_color": "#2a2420",
    "block_title_text_color_dark": "#f2ebe3",
    "block_title_text_weight": "500",
    "block_info_text_color": "#6a6059",
    "block_info_text_color_dark": "#b3a89e",
    "block_border_width": "0px",
    "block_shadow": "none",
    "code_background_fill": "#f8f5f0",
    "code_background_fill_dark": "#171412",
    "link_text_color": "#8a3722",
    "link_text_color_dark": "#efac90",
}
_CONTROLS = {
    "input_background_fill": "#fbf9f6",
    "input_background_fill_dark": "#1a1714",
    "input_border_width": "1px",
    "input_border_color": "#d9d0c6",
    "input_border_color_dark": "#453c36",
    "input_border_color_focus": "#a9442a",
    "input_border_color_focus_dark": "#efac90",
    "input_shadow_focus": "0 0 0 1px #a9442a",
    "input_shadow_focus_dark": "0 0 0 1px #efac90",
    "input_placeholder_color": "#746a62",
    "input_placeholder_color_dark": "#a0958b",
    "slider_color": "#a9442a",
    "slider_color_dark": "#e0835f",
    "button_primary_background_fill": "#a9442a",
    "button_primary_background_fill_dark": "#efac90",
    "button_primary_background_fill_hover": "#8a3722",
    "button_primary_background_fill_hover_dark": "#f5cdbb",
    "button_primary_text_color": "#ffffff",
    "button_primary_text_color_dark": "#2c120c",
    "button_secondary_background_fill": "#f3eee7",
    "button_secondary_background_fill_dark": "#2d2723",
    "button_secondary_background_fill_hover": "#e9e1d7",
    "button_secondary_background_fill_hover_dark": "#3a332e",
    "button_secondary_text_color": "#2a2420",
    "button_secondary_text_color_dark": "#f2ebe3",
    "button_cancel_background_fill": "#fbe8de",
    "button_cancel_background_fill_dark": "#4f231a",
    "button_cancel_text_color": "#6b2c1d",
    "button_cancel_text_color_dark": "#fbe8de",
    "button_large_radius": "12px",
    "button_small_radius": "10px",
}
