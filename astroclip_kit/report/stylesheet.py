"""How a report looks: on a screen, and on paper."""

__all__ = ["STYLE"]

STYLE = """
:root { color-scheme: light; }
body { font: 15px/1.5 system-ui, sans-serif; color: #1a1a1a; background: #fff; max-width: 70rem; margin: 2rem auto;
  padding: 0 1rem; }
h1 { font-size: 1.6rem; margin-bottom: .2rem; overflow-wrap: anywhere; }
h2 { font-size: 1.2rem; margin-top: 2.2rem; border-bottom: 1px solid #ccc; }
h3 { font-size: 1rem; margin: 1.2rem 0 .4rem; }
p, li { max-width: 46rem; }
section { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .86rem; }
th, td { text-align: left; vertical-align: top; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid #e2e2e2; }
th { border-bottom: 1px solid #888; }
small { color: #555; white-space: nowrap; }
p.note { font-size: .82rem; color: #444; }
.figures { display: grid; grid-template-columns: repeat(auto-fill, minmax(20rem, 1fr)); gap: 1.6rem 1.2rem;
  margin: 1.2rem 0; align-items: start; }
figure { margin: 0; } figure.wide { grid-column: 1 / -1; }
figure img { display: block; width: 100%; max-width: 24rem; } figure.wide img { max-width: 52rem; }
figcaption { color: #333; font-size: .8rem; max-width: 46rem; margin-top: .3rem; }
.mock { background: #fff4d6; border-left: 4px solid #E69F00; padding: .5rem .8rem; }
pre { background: #f5f5f5; padding: .7rem; font-size: .8rem; white-space: pre-wrap; overflow-wrap: anywhere; }
@page { size: A4; margin: 16mm 15mm; }
@media print {
  body { margin: 0; padding: 0; max-width: none; font-size: 9.5pt; }
  section { overflow: visible; break-inside: avoid; }
  table { width: 100%; font-size: 7.5pt; } th, td { padding: .2rem .5rem .2rem 0; }
  thead { display: table-header-group; } tr { break-inside: avoid; }
  h1, h2, h3, p.about { break-after: avoid; } p { orphans: 3; widows: 3; }
  .figures { display: block; }
  figure { display: inline-block; vertical-align: top; width: 47%; margin: 0 2% 5mm 0; break-inside: avoid; }
  figure.wide { display: block; width: 100%; }
  figure img, figure.wide img { max-width: 100%; max-height: 235mm; width: auto; }
  .mock { -webkit-print-color-adjust: exact; print-color-adjust: exact; }
}
"""
