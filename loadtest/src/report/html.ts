/**
 * The results as one page of HTML that needs nothing besides itself: the figures beside goals and anchors, the plots,
 * and for every scenario where the processors' time went. It says no more than the JSON beside it holds.
 */
import { goals, type Measure, meetsGoal, ratios } from '../measure.ts';
import { goalText, headLines, type Report, type Section, spreadText, usageLines } from '../report.ts';
import { escapeText, type Plot, shortNumber, svgOf } from './plot.ts';

const style = `
body { font: 15px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; color: #1f2328; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
td:nth-child(3) { white-space: nowrap; }
th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid #d0d7de; vertical-align: top; }
.met { color: #1a7f37; } .missed { color: #cf222e; font-weight: 600; }
svg { width: 100%; max-width: 44rem; font-size: 12px; fill: #1f2328; color: #1f2328; }
.grid { stroke: #d0d7de; } .busy { background: #fff8c5; padding: .5rem 1rem; }
figure { margin: 1rem 0; } figcaption { font-weight: 600; }`;

export function htmlOf(report: Report): string {
  const head = headLines(report).map((line) => `<p>${escapeText(line)}</p>`);
  const isBusy = report.sections.some(({ usage }) => usage?.isDisturbed);
  const measures = report.sections.flatMap((section) => section.measures);
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Isthmus load test</title><style>${style}</style></head><body>
<h1>Isthmus load test</h1>
<div${isBusy ? ' class="busy"' : ''}>${head.join('')}</div>
<h2>Figures beside goals and anchors</h2>
${table(measures)}
${ratioFigure(measures)}
${report.sections.map(sectionHtml).join('\n')}
</body></html>
`;
}

function table(measures: readonly Measure[]): string {
  const rows = measures.map((each) => {
    const met = meetsGoal(each);
    const verdict =
      met === null ? '' : `<span class="${met ? 'met' : 'missed'}">${escapeText(goalText(each))}</span>`;
    const anchor =
      each.anchor === undefined
        ? ''
        : `${escapeText(each.anchor.name)}: ${spreadText(each.anchor)} ${escapeText(each.anchor.unit)}`;
    return `<tr><td><code>${each.name}</code></td><td>${spreadText(each)} ${escapeText(each.unit)}</td><td>${verdict}</td><td>${anchor}</td></tr>`;
  });
  return `<table><tr><th>figure</th><th>median [min .. max] × runs</th><th>goal</th><th>anchor</th></tr>${rows.join('')}</table>`;
}

/** Every figure that has a goal, as a multiple of it. */
function ratioFigure(measures: readonly Measure[]): string {
  const bars = measures.flatMap((each) => {
    const goal = goals[each.name]?.value;
    if (goal === undefined || each.unit !== 'ratio') return [];
    const [median = 0, min = 0, max = 0] = ratios([each.median, each.min, each.max], [goal, goal, goal]);
    return [{ name: each.name, median, min, max, runs: each.runs }];
  });
  if (bars.length === 0) return '';
  return figure({ kind: 'bars', title: 'Ratios, as multiples of their goals', unit: 'of the goal', bars });
}

function sectionHtml({ scenario, measures, notes, plots, usage, failure }: Section): string {
  const lines = [...notes, ...(usage === null ? [] : usageLines(usage))];
  return `<h2>${escapeText(scenario)}</h2>
${failure === null ? '' : `<p class="missed">Failed: ${escapeText(failure)}</p>`}
${plots.map(figure).join('')}
${lines.map((line) => `<p>${escapeText(line)}</p>`).join('')}
<p>${measures.map((each) => `<code>${each.name}</code> ${shortNumber(each.median)} ${escapeText(each.unit)}`).join(', ')}</p>`;
}

function figure(plot: Plot): string {
  return `<figure><figcaption>${escapeText(plot.title)}</figcaption>${svgOf(plot)}</figure>`;
}
