"""How the collector's page looks: one style sheet, which the page contains; light or dark as the reader's machine has it."""

import base64
import hashlib

STYLE = """
:root { color-scheme: light dark; --ink: #14181d; --faint: #56606c; --paper: #f1f3f6; --card: #ffffff; --edge: #dfe3e8;
  --flow: #0b6e4f; --alarm: #a3260f; --alarm-paper: #fbe9e5; --note: #7a4b00; --note-paper: #fdf1da; }
@media (prefers-color-scheme: dark) { :root { --ink: #eceef1; --faint: #a2acb8; --paper: #0e1114; --card: #181c21; --edge: #2a3038;
  --flow: #4cc38a; --alarm: #ffb4a5; --alarm-paper: #43170e; --note: #ffd591; --note-paper: #3a2a0c; } }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0 auto; padding: 1.25rem; max-width: 58rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.45 system-ui, sans-serif; }
a { color: inherit; text-underline-offset: .2em; }
header, footer { display: flex; flex-wrap: wrap; gap: .25rem 1rem; justify-content: space-between; align-items: baseline; }
h1 { font-size: 1.2rem; margin: 0; }
h2 { font-size: 1.15rem; margin: 0; overflow-wrap: anywhere; }
h3 { font-size: .95rem; margin: 0; }
p { margin: .25rem 0; }
.faint { color: var(--faint); font-size: .9rem; }
section { background: var(--card); border: 1px solid var(--edge); border-radius: 1rem; padding: 1.25rem; margin: 1rem 0; }
.head { display: flex; flex-wrap: wrap; justify-content: space-between; align-items: baseline; gap: .25rem 1rem; }
.flow { font-size: 2.75rem; line-height: 1.2; font-weight: 650; color: var(--flow); margin: .25rem 0 0;
  font-variant-numeric: tabular-nums; }
.flow small { font-size: 1rem; font-weight: 500; color: var(--note); background: var(--note-paper); border-radius: .4rem;
  padding: .1rem .45rem; vertical-align: middle; }
.offline { font-size: 1.1rem; font-weight: 600; color: var(--alarm); background: var(--alarm-paper); border-radius: .5rem;
  padding: .5rem .75rem; margin: .75rem 0 0; }
dl { display: grid; grid-template-rows: auto auto; grid-auto-flow: column; grid-auto-columns: 1fr; gap: .9rem 1rem; margin: 1rem 0 0; }
dt { color: var(--faint); font-size: .85rem; }
dd { margin: 0; font-size: 1.1rem; font-weight: 550; font-variant-numeric: tabular-nums; }
dd span { display: block; font-size: .9rem; font-weight: 400; color: var(--faint); }
nav { display: flex; flex-wrap: wrap; gap: .35rem; margin: 1.25rem 0 0; }
nav a { text-decoration: none; padding: .35rem .7rem; border-radius: .5rem; border: 1px solid var(--edge); }
nav a[aria-current] { background: var(--flow); border-color: var(--flow); color: var(--card); font-weight: 600; }
nav.overview { margin: .75rem 0 0; }
nav.overview a { background: var(--card); overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
nav.overview b { color: var(--flow); }
figure { margin: 1.1rem 0 0; }
figcaption { color: var(--faint); font-size: .9rem; font-variant-numeric: tabular-nums; }
img { display: block; width: 100%; height: auto; margin-top: .4rem; }
table { border-collapse: collapse; width: 100%; margin-top: .75rem; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: .25rem 0; border-bottom: 1px solid var(--edge); font-weight: 400; }
th:first-child { text-align: left; }
thead th { color: var(--faint); font-size: .85rem; }
pre { background: var(--paper); border-radius: .5rem; padding: .75rem; overflow-x: auto; font-size: .85rem; white-space: pre-wrap;
  overflow-wrap: anywhere; }
@media (max-width: 40rem) { body { padding: .5rem; } section { padding: 1rem .75rem; border-radius: .75rem; }
  header, footer { padding: .25rem; } nav { gap: .25rem; } nav a { padding: .35rem .45rem; font-size: .9rem; }
  nav a, .more a, header a, footer a { display: inline-flex; align-items: center; justify-content: center; gap: .35rem;
    min-height: 44px; min-width: 44px; }
  .flow { font-size: 2.4rem; }
  dl { grid-template-rows: none; grid-auto-flow: row; grid-template-columns: 1fr 1fr; } }
"""
_SVG = "%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Cpath fill='%230b8a5f' d='M9 0 2 9h5l-1 7 8-10H9z'/%3E%3C/svg%3E"
ICON = f"data:image/svg+xml,{_SVG}"
POLICY = (
    f"default-src 'none'; img-src 'self' data:; style-src 'sha256-{base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()}'"
)
