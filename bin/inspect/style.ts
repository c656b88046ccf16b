/** The page's style: one hue each for kept tokens, noise, losses, and the strategy's own values. */
export const style = `
:root { color-scheme: light dark; --page: #fbfbfa; --card: #ffffff; --line: #dfe1e4; --text: #1d2126; --quiet: #667080; --empty: #eceef1;
  --keep: #2563c9; --noise: #d9660a; --weight: #16803c; --own: #7a3fc0; --bad: #c01c28; }
@media (prefers-color-scheme: dark) { :root { --page: #14171b; --card: #1c2026; --line: #333a43; --text: #e6e8eb; --quiet: #99a3b0;
  --empty: #2a3038; --keep: #6aa2ff; --noise: #ff9a4a; --weight: #52c878; --own: #b98bff; --bad: #ff6b72; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 76rem; padding: 2rem 1.5rem 4rem; background: var(--page); color: var(--text);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
h1 { font-size: 1.7rem; margin: 0 0 .25rem; } h2 { font-size: 1.2rem; margin: 2.5rem 0 .5rem; } h3 { font-size: 1rem; margin: 0; font-weight: 600; }
p { margin: .25rem 0; } code { font: .92em ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
.quiet { color: var(--quiet); } .unmet { color: var(--bad); } .met { color: var(--weight); }
.shares { display: grid; grid-template-columns: max-content minmax(10rem, 32rem); gap: .3rem 1rem; margin: .75rem 0 1rem; align-items: center; }
.shares dt { color: var(--quiet); } .shares dd { margin: 0; display: flex; gap: .75rem; align-items: center; white-space: nowrap; }
.shares dd b { width: 3.5rem; font-weight: 400; font-variant-numeric: tabular-nums; }
.track { flex: 1; height: .7rem; border-radius: .35rem; background: var(--empty); overflow: hidden; } .track span { display: block; height: 100%; background: var(--hue); }
.cards { display: flex; flex-wrap: wrap; gap: 1rem; align-items: flex-start; }
article { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: .9rem 1rem 1rem; max-width: 100%; }
article, dd { --hue: var(--own); } .keep, .attention { --hue: var(--keep); } .timesteps, .sigma, .generated { --hue: var(--noise); } .weight { --hue: var(--weight); }
.legend { display: flex; gap: .5rem; align-items: center; font-size: .85rem; color: var(--quiet); }
.ramp { width: 3.5rem; height: .7rem; border-radius: 2px; border: 1px solid var(--line); background: linear-gradient(90deg, var(--empty), var(--hue)); }
.ramp.mask { background: linear-gradient(90deg, var(--empty) 50%, var(--hue) 50%); }
.frames { display: flex; flex-wrap: wrap; gap: .8rem; } figure { margin: .4rem 0 0; } figcaption { font-size: .8rem; color: var(--quiet); }
svg { display: block; max-width: 100%; height: auto; } svg text { font-size: 12px; fill: var(--quiet); }
.empty { fill: var(--empty); } .level { fill: var(--hue); shape-rendering: crispEdges; } .broken { fill: var(--bad); }
.stills { position: absolute; width: 0; height: 0; } .shade { fill: #000; fill-opacity: .25; } .over { opacity: .55; }
.grid { fill: none; stroke: var(--card); stroke-width: 1px; vector-effect: non-scaling-stroke; }
.cut { fill: none; stroke: var(--text); stroke-width: 1.5px; vector-effect: non-scaling-stroke; }
.bar { fill: var(--hue); fill-opacity: .75; } .axis { stroke: var(--quiet); fill: none; } path.mark { stroke: var(--text); stroke-dasharray: 4 3; } text.mark { fill: var(--text); }
.wide { overflow-x: auto; } table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th { text-align: left; font-weight: 600; color: var(--quiet); } th, td { padding: .3rem 1.2rem .3rem 0; border-bottom: 1px solid var(--line); white-space: nowrap; }
.number { text-align: right; }
`;
