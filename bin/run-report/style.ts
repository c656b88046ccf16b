/** The page's own style: nothing is fetched, and it follows the reader's choice of light or dark. */
export const style = `
:root { color-scheme: light dark; --back: #fff; --card: #f6f7f9; --text: #1c2024; --dim: #667078; --line: #dfe3e8;
  --c0: #2563eb; --c1: #d97706; --c2: #059669; --c3: #db2777; --c4: #7c3aed; --c5: #0891b2; --c6: #65a30d; --c7: #dc2626; }
@media (prefers-color-scheme: dark) { :root { --back: #14171a; --card: #1c2024; --text: #e6e9ec; --dim: #98a2ab; --line: #30363c;
  --c0: #6ea0ff; --c1: #f5a742; --c2: #3fcf98; --c3: #f472b6; --c4: #a78bfa; --c5: #22d3ee; --c6: #a3d65c; --c7: #f87171; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2rem 1.25rem 4rem; max-width: 1040px; background: var(--back); color: var(--text);
  font: 15px/1.5 system-ui, "Segoe UI", "DejaVu Sans", sans-serif; }
h1 { margin: 0; font-size: 1.7rem; line-height: 1.2; overflow-wrap: anywhere; }
h2 { margin: 2.4rem 0 .8rem; font-size: 1.15rem; }
.sub { margin: .3rem 0 1.4rem; color: var(--dim); overflow-wrap: anywhere; }
.state { display: inline-block; margin-left: .6rem; padding: .1rem .6rem; border-radius: 1rem; font-size: .8rem; font-weight: 600;
  vertical-align: middle; color: var(--back); background: var(--c2); }
.state.open { background: var(--c1); }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(200px, 1fr)); gap: .75rem; margin: 0; }
.facts div { padding: .7rem .9rem; border-radius: .6rem; background: var(--card); }
.facts dt { color: var(--dim); font-size: .8rem; }
.facts dd { margin: 0; font-size: 1.15rem; font-weight: 600; font-variant-numeric: tabular-nums; }
.facts small { display: block; color: var(--dim); font-size: .78rem; font-weight: 400; }
figure { margin: 0 0 1rem; padding: .9rem 1rem .5rem; border-radius: .6rem; background: var(--card); }
figcaption span { color: var(--dim); font-size: .85rem; }
svg { display: block; width: 100%; height: auto; margin-top: .4rem; overflow: visible; }
svg text { fill: var(--dim); font-size: 12px; font-variant-numeric: tabular-nums; }
.end { text-anchor: end; } .middle { text-anchor: middle; }
.grid { stroke: var(--line); fill: none; } .axis { stroke: var(--dim); fill: none; }
.line { fill: none; stroke: var(--c); stroke-width: 2; stroke-linejoin: round; } .line.faint { stroke-width: 1; opacity: .5; }
circle { fill: var(--c); }
.c0 { --c: var(--c0); } .c1 { --c: var(--c1); } .c2 { --c: var(--c2); } .c3 { --c: var(--c3); }
.c4 { --c: var(--c4); } .c5 { --c: var(--c5); } .c6 { --c: var(--c6); } .c7 { --c: var(--c7); }
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: 0 1rem; }
@media (max-width: 620px) { .pair { grid-template-columns: 1fr; } }
.legend { display: flex; flex-wrap: wrap; gap: .1rem 1.1rem; margin: .3rem 0 0; padding: 0; list-style: none; font-size: .85rem; }
.legend li::before { content: ""; display: inline-block; width: .9rem; height: .2rem; margin-right: .4rem; vertical-align: middle;
  background: var(--c); border-radius: 1px; }
.legend li.faint::before { opacity: .5; }
.legend i { color: var(--dim); font-style: normal; font-variant-numeric: tabular-nums; }
.scroll { overflow-x: auto; }
table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .35rem .8rem .35rem 0; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; overflow-wrap: anywhere; }
th { color: var(--dim); font-size: .85rem; font-weight: 500; } td.n, th.n { text-align: right; white-space: nowrap; padding-right: 0; }
pre { margin: 0; padding: .9rem 1rem; overflow-x: auto; border-radius: .6rem; background: var(--card);
  font: 13px/1.45 ui-monospace, "DejaVu Sans Mono", monospace; }
details { margin: .5rem 0; } summary { cursor: pointer; margin-bottom: .4rem; }
h3 { margin: 1.4rem 0 .4rem; font-size: 1rem; }
.sheet figure { margin: .5rem 0; padding: .6rem; } .sheet img { display: block; width: 100%; image-rendering: pixelated; }
.notice { padding: .6rem .9rem; border-left: 3px solid var(--c1); background: var(--card); }
@media print { body { max-width: none; } figure, .facts div { break-inside: avoid; } }
`;
