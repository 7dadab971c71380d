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

CSS = """
.gradio-container { width: 100%; max-width: 1200px !important; margin: 0 auto; }
.gradio-container > .main { padding: 0 20px 40px !important; }
.gradio-container .html-container { padding: 0 !important; }
.dark { --color-accent: #efac90 !important; }
.dark input[type="range"] { --neutral-200: #453c36; }
.gradio-container .prose a { text-decoration: underline; }
.gradio-container :is(button, a, video, [tabindex], [type="range"], [type="radio"],
  [type="checkbox"]):focus-visible { outline: 2px solid var(--color-accent); outline-offset: 2px; }
.gradio-container [type="range"]::-webkit-slider-thumb { border: 2px solid var(--slider-color); }
.gradio-container [type="range"]::-moz-range-thumb { border: 2px solid var(--slider-color); }
.gradio-container [role="tab"]:focus-visible { outline-offset: -3px; }

.masthead { display: flex; flex-wrap: wrap; gap: 6px 20px; align-items: baseline;
  padding: 26px 4px 12px; }
.masthead h1 { font-family: Georgia, "Iowan Old Style", "Times New Roman", serif;
  font-size: 30px; font-weight: 600; letter-spacing: -0.01em; margin: 0; }
.masthead p { margin: 0; color: var(--body-text-color-subdued); flex: 1 1 260px; }
.pill { display: inline-flex; align-items: center; gap: 8px; padding: 5px 13px; border-radius: 99px;
  border: 1px solid var(--border-color-primary); background: var(--block-background-fill);
  font-size: 13px; max-width: 100%; overflow-wrap: anywhere; }
.pill i { width: 8px; height: 8px; border-radius: 50%; background: #3f8f5b; flex: none; }
.pill.loading i { background: #d49a2a; animation: breathe 1.4s ease-in-out infinite; }
.pill.unavailable i { background: #c4382b; }
.leave { margin: 0; }
.leave button { padding: 0; border: 0; background: none; font: inherit; font-size: 13px;
  color: var(--body-text-color-subdued); text-decoration: underline; cursor: pointer; }
@keyframes breathe { 50% { opacity: .3; } }

.note { padding: 12px 16px; border-radius: 12px; margin: 0 0 4px; line-height: 1.5;
  background: var(--color-accent-soft); overflow-wrap: anywhere; }
.note strong { display: block; }
.note.quiet { background: none; padding: 0 4px; color: var(--body-text-color-subdued);
  font-size: 13px; }
.note.alert { border-left: 4px solid var(--color-accent); }

.card { background: var(--block-background-fill); border: 1px solid var(--border-color-primary);
  border-radius: 18px; padding: 20px !important; gap: 16px !important; }
.card .block { border-width: 0 !important; box-shadow: none; background: none;
  padding: 0 !important; overflow: visible; }
.card .form { border: none; background: none; box-shadow: none; gap: 16px; overflow: visible; }
.card .row > .form { min-width: 0; }
.card .label-wrap { padding: 4px 0; }
.eyebrow { font-size: 13px; font-weight: 600; color: var(--body-text-color-subdued); margin: 0; }

.chips { gap: 8px !important; flex-wrap: wrap !important; }
.chips button { flex: 0 0 auto; min-width: 0; border-radius: 99px; padding: 5px 13px;
  font-weight: 400; font-size: 13px; }

.scenes { gap: 18px !important; }
.scenes .scene { gap: 14px !important; flex-wrap: nowrap !important; }
.scenes .scene + .scene { border-top: 1px solid var(--border-color-primary); padding-top: 18px; }
.scene-picture { flex: 0 0 168px !important; min-width: 0 !important; }
.scene-fields { gap: 10px !important; min-width: 0 !important; }
.scene-numbers { gap: 10px !important; }
.scene-tools { gap: 2px 4px !important; flex-wrap: wrap !important; margin-left: -9px; }
.scene-tools button { min-width: 0; flex: 0 0 auto; padding: 4px 9px; font-size: 13px;
  font-weight: 400; background: none; border: none; box-shadow: none;
  color: var(--body-text-color-subdued); }
.scene-tools button.redraw { color: var(--link-text-color); font-weight: 600; }
.scene-tools button:hover:not(:disabled) { color: var(--body-text-color);
  text-decoration: underline; }
.scene-tools button:disabled { opacity: .35; }
.still { position: relative; margin: 0; aspect-ratio: 1; border-radius: 12px; overflow: hidden;
  display: grid; place-items: center; background: var(--background-fill-secondary); }
.still a { display: block; width: 100%; height: 100%; }
.still img { width: 100%; height: 100%; object-fit: contain; margin: 0; }
.still.drawing img { filter: saturate(.85); }
.still.changed img { opacity: .45; }
.still figcaption { font-size: 13px; text-align: center; padding: 6px 10px;
  color: var(--body-text-color-subdued); }
.still.changed figcaption { position: absolute; inset: auto 0 0 0; color: var(--body-text-color);
  background: var(--block-background-fill); }
.still .track { position: absolute; inset: auto 10px 10px 10px; height: 6px; border-radius: 99px;
  overflow: hidden; background: var(--border-color-primary); }
.still .bar { height: 100%; background: var(--color-accent); }

.reel { display: flex; height: 38px; border-radius: 8px; overflow: hidden; }
.reel i { font-style: normal; font-size: 13px; display: grid; place-items: center; min-width: 0;
  overflow: hidden; }
.reel .hold { background: var(--reel-hold); color: var(--reel-ink); }
.reel .transition { background: linear-gradient(to top right, var(--reel-hold) 46%,
  var(--color-accent) 47% 53%, var(--reel-hold) 54%); }
.ruler { display: flex; justify-content: space-between; font-size: 12px; padding: 3px 0 12px;
  color: var(--body-text-color-subdued); font-variant-numeric: tabular-nums; }
.gradio-container { --reel-hold: #f5cdbb; --reel-ink: #4f231a; }
.dark .gradio-container, .gradio-container.dark { --reel-hold: #6b3a29; --reel-ink: #fbe8de; }

.summary { display: flex; flex-wrap: wrap; gap: 10px 26px; }
.summary div { display: flex; flex-direction: column; }
.summary b { font-size: 21px; font-weight: 600; line-height: 1.2;
  font-variant-numeric: tabular-nums; }
.summary span, .summary p { color: var(--body-text-color-subdued); font-size: 13px; margin: 0; }
.summary p { flex-basis: 100%; }

.progress { display: flex; flex-direction: column; gap: 8px; }
.progress .track { height: 8px; border-radius: 99px; overflow: hidden;
  background: var(--border-color-primary); }
.progress .bar { height: 100%; border-radius: 99px; background: var(--color-accent);
  transition: width .25s linear; }
.progress .words { display: flex; justify-content: space-between; gap: 12px; font-size: 13px;
  font-variant-numeric: tabular-nums; }
.progress .left { color: var(--body-text-color-subdued); }

.side { position: sticky; top: 12px; align-self: flex-start; }
.row > .form { align-items: flex-end; }
.stage .empty { min-height: 300px; border-radius: 12px; gap: 10px;
  background: var(--background-fill-secondary); color: var(--body-text-color-subdued);
  font-size: 14px; flex-direction: column; }
#image-result .empty::after { content: "Your picture appears here"; }
#story-result .empty::after { content: "Your story video appears here"; }
.stage .icon-button-wrapper { border: none; }
.stage .grid-wrap { padding: 0; min-height: 0; height: auto; max-height: none; }
.cm-content, .cm-content * { color: var(--body-text-color) !important; }
.dice { align-self: flex-end; }
.stage img, .stage video { border-radius: 12px; }
.gradio-container .facts { width: 100%; border-collapse: collapse; font-size: 14px; margin: 0; }
.gradio-container .facts, .gradio-container .facts * { border: 0 !important; }
.gradio-container .facts tr + tr { border-top: 1px solid var(--border-color-primary) !important; }
.gradio-container .facts th { text-align: left; font-weight: 400; width: 32%; min-width: 96px;
  color: var(--body-text-color-subdued); padding: 6px 18px 6px 0 !important; vertical-align: top; }
.gradio-container .facts td { padding: 6px 0 !important; overflow-wrap: anywhere; }
.wall .grid-wrap { padding: 0; min-height: 0; max-height: none; overflow: visible; }
.wall .thumbnail-item { border: none; border-radius: 12px; }
.wall .thumbnail-item.selected, .wall .thumbnail-item:focus-visible {
  outline: 4px solid var(--color-accent); outline-offset: -4px; }
.wall .caption-label { inset: auto 0 0 0; max-width: none; border: 0; border-radius: 0;
  padding: 30px 10px 0; border-bottom: 8px solid transparent; line-height: 1.35;
  display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 2; white-space: normal;
  background: linear-gradient(transparent, rgb(20 14 10 / .82) 32px) border-box;
  color: #fff; font-size: 12px; font-weight: 400; }
.wall .thumbnail-lg:hover .caption-label { opacity: 1; }
.nothing { padding: 44px 20px !important; text-align: center;
  border: 1px dashed var(--border-color-primary); border-radius: 18px; }
.nothing strong { font-size: 16px; color: var(--body-text-color); margin-bottom: 4px; }
.piece .row { gap: 8px; flex-wrap: nowrap; white-space: nowrap; }
.piece .note { padding: 0; }
.piece img, .piece video { max-height: 58vh; }
.timeline img { max-width: 640px; width: 100%; margin: 0; }
.timeline .layout { justify-content: flex-start; align-items: flex-start; }
footer { padding: 8px 0 !important; }

@media (max-width: 640px) {
  .masthead { padding: 18px 4px 8px; }
  .card { padding: 15px !important; border-radius: 14px; }
  .scene-picture { flex-basis: 104px !important; }
  .actions { position: fixed; inset: auto 0 0 0; z-index: 100; padding: 10px 16px 14px;
    gap: 8px !important; background: var(--block-background-fill);
    border-top: 1px solid var(--border-color-primary); box-shadow: 0 -6px 18px rgb(0 0 0 / .08); }
  .wall .grid-container { grid-template-columns: repeat(2, 1fr); }
  #gallery-hint .nothing { display: none; }
  .piece { position: fixed; inset: 0; z-index: 200; overflow-y: auto; flex-wrap: nowrap;
    border: 0; border-radius: 0; overscroll-behavior: contain; }
}
@media (min-width: 641px) {
  .beside { position: sticky; top: 16px; }
  .piece { max-height: calc(100vh - 32px); overflow-y: auto; flex-wrap: nowrap; }
  #gallery-close { display: none; }
}
@media (prefers-reduced-motion: reduce) {
  * { animation: none !important; transition: none !important; }
}
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
