/** The page's whole style: light and dark by what the reader prefers, and on paper. */
export const PAGE_STYLE = `
:root { color-scheme: light dark; --ink: #16202b; --soft: #5a6876; --paper: #f6f7f9; --card: #fff; --line: #dbe1e8;
  --pass: #12794a; --fail: #b3261e; --missing: #8a5a00; --skip: #66727e; --accent: #1f5fbf; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6ebf0; --soft: #9aa8b6; --paper: #10161d; --card: #18212b; --line: #2c3a48;
  --pass: #4fcf93; --fail: #ff8a80; --missing: #f0b95a; --skip: #8f9daa; --accent: #86b4ff; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 1120px; margin: 0 auto; padding: 32px 20px 56px; }
h1 { margin: 0; font-size: 15px; font-weight: 600; color: var(--soft); }
h2 { margin: 36px 0 12px; font-size: 18px; }
p { margin: 4px 0; }
code, .mono { font-family: ui-monospace, monospace; font-size: 13px; overflow-wrap: anywhere; }
.soft { color: var(--soft); }
.hero { padding: 22px 24px; margin-top: 10px; background: var(--card); border: 1px solid var(--line); border-left: 6px solid var(--c); border-radius: 10px; }
.hero strong { display: block; font-size: 30px; line-height: 1.2; letter-spacing: .01em; color: var(--c); }
.eligible, .pass, .accept { --c: var(--pass); } .ineligible, .fail, .reject { --c: var(--fail); }
.inconclusive, .missing { --c: var(--missing); } .skip { --c: var(--skip); }
.card { padding: 16px 20px; background: var(--card); border: 1px solid var(--line); border-radius: 10px; }
table { width: 100%; border-collapse: collapse; background: var(--card); border: 1px solid var(--line); border-radius: 10px; overflow: hidden; }
td, th { padding: 8px 14px; text-align: left; vertical-align: top; border-top: 1px solid var(--line); overflow-wrap: anywhere; }
tr:first-child > * { border-top: 0; } th { width: 190px; font-weight: 600; }
.badge { display: inline-block; min-width: 74px; padding: 1px 8px; border: 1px solid currentColor; border-radius: 999px;
  color: var(--c); font-size: 12px; font-weight: 700; text-align: center; white-space: nowrap; }
td.state { width: 112px; }
.piece { display: inline-block; margin-right: 14px; }
.finding { padding: 14px 0; border-top: 1px solid var(--line); } .finding:first-child { padding-top: 0; border: 0; }
.finding h3 { margin: 0 0 4px; font-size: 15px; } dl { display: grid; grid-template-columns: 90px 1fr; gap: 2px 12px; margin: 8px 0; }
dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; } ol { margin: 4px 0 0; padding-left: 22px; }
.tenants { display: grid; grid-template-columns: repeat(auto-fit, minmax(300px, 1fr)); gap: 14px; }
.tenants .card { border-top: 4px solid var(--c); } .tenants h3 { margin: 0; font-size: 16px; } .tenants strong { color: var(--c); }
.drawing { overflow-x: auto; padding: 12px 20px; margin-bottom: 10px; background: var(--card); border: 1px solid var(--line); border-radius: 10px; }
svg { display: block; } rect { fill: var(--paper); stroke: var(--line); stroke-width: 1.5; }
.box.pinned rect { stroke: var(--pass); stroke-width: 2; } .box.injected rect { stroke: var(--missing); stroke-width: 2; stroke-dasharray: 6 4; }
.box.report rect { stroke: var(--c); stroke-width: 2.5; } text { fill: var(--ink); } text.name { font-size: 12.5px; font-weight: 600; } text.note { font-size: 11.5px; fill: var(--soft); }
.arrow { fill: none; stroke: var(--soft); stroke-width: 1.8; }
footer { margin-top: 36px; color: var(--soft); font-size: 13px; }
@media print { :root { --paper: #fff; --card: #fff; --ink: #000; --soft: #444; --line: #bbb; --pass: #0b5d37; --fail: #8f1b14; --missing: #6b4600; }
  main { max-width: none; padding: 0; } svg { max-width: 100%; height: auto; } h2 { break-after: avoid; } .card, .drawing, tr { break-inside: avoid; } }
`
