/**
 * The report's style sheet: system fonts, light and dark, narrow and wide, and print.
 *
 * @module
 */

/** CSS of the page. It holds nothing from the data. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --ground: #ffffff; --sheet: #f6f7f9; --ink: #1b1f24; --soft: #57606a; --line: #d8dee4;
  --accent: #0b5cad; --warn: #8a5a00; --warn-ground: #fff7e0; --warn-line: #e8c766;
  --positive: #c2413b; --negative: #2f6db3; --plain: #31688e;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #14171b; --sheet: #1d2126; --ink: #e6e9ec; --soft: #a2abb5; --line: #343b43;
    --accent: #7db7f2; --warn: #f0c75e; --warn-ground: #2a2412; --warn-line: #6b5a1e;
    --positive: #e8746c; --negative: #6da5e0; --plain: #5fb0c9;
  }
}
* { box-sizing: border-box; }
html { scroll-behavior: smooth; scroll-padding-top: 3.5rem; -webkit-text-size-adjust: 100%; }
body {
  margin: 0; background: var(--ground); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
}
main, header.top, nav > div, footer { max-width: 71rem; margin: 0 auto; padding: 0 1.5rem; }
header.top { padding-top: 2.5rem; padding-bottom: .5rem; }
.mark { font-size: .8rem; letter-spacing: .09em; text-transform: uppercase; color: var(--soft); margin: 0 0 .4rem; }
h1 { font-size: clamp(1.6rem, 1.1rem + 2vw, 2.3rem); line-height: 1.2; margin: 0 0 .6rem; text-wrap: balance; overflow-wrap: anywhere; }
h2 { font-size: 1.35rem; margin: 3rem 0 .4rem; padding-top: 1rem; border-top: 1px solid var(--line); }
h3 { font-size: 1.02rem; margin: 1.8rem 0 .5rem; }
p, ul, ol { margin: .5rem 0; max-width: 48rem; }
.lead { font-size: 1.1rem; color: var(--ink); margin-bottom: 1rem; }
.soft { color: var(--soft); font-size: .9rem; }
a { color: var(--accent); }
code, .path { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: .86em; overflow-wrap: anywhere; }
pre { background: var(--sheet); border: 1px solid var(--line); border-radius: 6px; padding: .7rem .9rem; margin: .6rem 0; white-space: pre-wrap; overflow-wrap: anywhere; font-size: .92rem; }
nav { position: sticky; top: 0; z-index: 2; background: var(--ground); border-bottom: 1px solid var(--line); margin-top: 1rem; }
nav > div { display: flex; gap: 1.3rem; overflow-x: auto; scrollbar-width: none; }
nav a { padding: .65rem 0; white-space: nowrap; text-decoration: none; font-size: .92rem; color: var(--soft); }
nav a:hover, nav a:focus { color: var(--accent); }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr)); gap: .75rem; margin: 1.3rem 0 0; padding: 0; list-style: none; max-width: none; }
.tiles li { background: var(--sheet); border: 1px solid var(--line); border-radius: 8px; padding: .7rem .9rem; min-width: 0; }
.tiles b { display: block; font-size: 1.5rem; line-height: 1.25; font-weight: 650; font-variant-numeric: tabular-nums; }
.tiles span { font-size: .84rem; color: var(--soft); }
.tiles .bad b { color: var(--positive); }
.caution { background: var(--warn-ground); border: 1px solid var(--warn-line); border-left-width: 5px; border-radius: 8px; padding: .8rem 1.1rem; margin: 1.8rem 0 0; }
.caution h2 { all: unset; display: block; font-weight: 650; color: var(--warn); }
.caution ul { padding-left: 1.1rem; margin: .4rem 0 0; max-width: 62rem; }
.caution li { margin: .2rem 0; }
.scroll { overflow-x: auto; margin: .8rem 0; }
table { border-collapse: collapse; font-size: .93rem; font-variant-numeric: tabular-nums; }
th { text-align: left; font-weight: 600; font-size: .84rem; color: var(--soft); vertical-align: bottom; }
th, td { padding: .38rem 1rem .38rem 0; border-bottom: 1px solid var(--line); }
td { vertical-align: top; overflow-wrap: anywhere; }
td.number, th.number { text-align: right; white-space: nowrap; }
td.name { min-width: 7rem; font-weight: 550; }
td.word { white-space: nowrap; }
td.bar { padding-right: 1.2rem; }
td.bar svg { display: block; margin-top: .28rem; }
.plus { fill: var(--positive); } .minus { fill: var(--negative); } .one { fill: var(--plain); } .axis { stroke: var(--soft); }
figure { margin: 1rem 0 0; }
figure svg { display: block; max-width: none; height: auto; color: var(--ink); }
.matrices { display: flex; flex-wrap: wrap; gap: 1rem; }
.matrices figure { background: var(--sheet); border: 1px solid var(--line); border-radius: 8px; overflow-x: auto; max-width: 100%; margin: 0; }
.samples { display: grid; grid-template-columns: repeat(auto-fill, minmax(19.5rem, 1fr)); gap: 1rem; margin: 1rem 0; }
.samples figure { background: var(--sheet); border: 1px solid var(--line); border-radius: 8px; margin: 0; overflow: hidden; min-width: 0; display: flex; flex-direction: column; }
.samples svg { width: 100%; }
.samples figcaption { padding: .55rem .8rem .7rem; margin-top: auto; font-size: .86rem; border-top: 1px solid var(--line); overflow-wrap: anywhere; }
.facts { display: grid; grid-template-columns: minmax(8rem, 15rem) 1fr; gap: .1rem 1.2rem; margin: .6rem 0; font-size: .93rem; }
.facts dt { color: var(--soft); padding: .22rem 0; }
.facts dd { margin: 0; padding: .22rem 0; overflow-wrap: anywhere; }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(21rem, 100%), 1fr)); gap: 1rem; margin: .8rem 0; }
.cards > section { background: var(--sheet); border: 1px solid var(--line); border-radius: 8px; padding: .8rem 1rem; min-width: 0; }
.cards h4 { margin: 0 0 .2rem; font-size: 1rem; overflow-wrap: anywhere; }
.cards .facts { grid-template-columns: 5rem 1fr; font-size: .86rem; margin: .4rem 0 0; }
details { margin: .8rem 0; }
summary { cursor: pointer; color: var(--accent); font-size: .95rem; }
footer { margin-top: 3rem; padding-top: 1.2rem; padding-bottom: 2.5rem; border-top: 1px solid var(--line); color: var(--soft); font-size: .88rem; }
@media (max-width: 40rem) {
  main, header.top, nav > div, footer { padding-left: 1rem; padding-right: 1rem; }
  .facts { grid-template-columns: 1fr; } .facts dt { padding-bottom: 0; } .facts dd { padding-top: 0; padding-bottom: .45rem; }
  .cards .facts { grid-template-columns: 4.5rem 1fr; } .cards .facts dt, .cards .facts dd { padding: .15rem 0; }
  .samples { grid-template-columns: minmax(0, 1fr); }
  .bar { display: none; } th, td { padding-right: .8rem; } td.name { min-width: 0; }
}
@media print {
  nav { display: none; } body { font-size: 10.5pt; } figure, .cards > section, tr { break-inside: avoid; }
}
`;
