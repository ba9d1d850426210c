/**
 * What a soak found: for every measure of every region its curve and whether it is flat, the faults that fired, what the
 * load was told, and whether the regions agree at the end and no increment is lost. As text, as JSON, and as a page of
 * HTML with charts that needs nothing besides itself. All three say the same.
 */
import { escapeText, type Point, type Series, shortNumber, svgOf } from '@isthmus/loadtest/report/plot';
import type { FiredFault } from './faults.ts';
import { addedOf, type Flatness, flatnessOf, isJudged, warmUpOf } from './flatness.ts';
import { type LoadTotals, maxInFlight } from './load.ts';
import { type MeasureName, measures } from './readings.ts';

/** Of the writes that are to be made; a region that is away sheds what it cannot take. */
const leastAcknowledged = 0.5;

export interface Curve extends Series {
  readonly region: string;
  readonly measure: MeasureName;
}

export interface Soak {
  readonly about: {
    readonly startedAt: string;
    readonly commit: string;
    readonly machine: string;
    readonly minutes: number;
    readonly ratePerS: number;
    readonly seed: number;
    readonly log: string;
    readonly hasFaults: boolean;
  };
  readonly totals: LoadTotals;
  readonly faults: readonly FiredFault[];
  readonly curves: readonly Curve[];
  /** What is wrong at the end; empty: nothing. */
  readonly violations: readonly string[];
}

export interface Judged {
  readonly region: string;
  readonly measure: MeasureName;
  readonly flatness: Flatness | null;
}

export function judge(soak: Soak): readonly Judged[] {
  const totalS = soak.about.minutes * 60;
  return soak.curves
    .filter(({ points }) => points.length > 0)
    .map(({ region, measure, points }) => ({
      region,
      measure,
      flatness: judgedAs(measure, points, totalS),
    }));
}

function judgedAs(name: MeasureName, points: readonly Point[], totalS: number): Flatness | null {
  const { judgedBy, least } = measures[name];
  return flatnessOf(judgedBy === 'held' ? points : addedOf(points), { totalS, least });
}

/** A soak that is too short to be judged has not failed, and says so. */
export function hasFailed(soak: Soak): boolean {
  return wrongIn(soak).length > 0 || judge(soak).some(({ flatness }) => flatness?.verdict === 'grows');
}

/** With what it lacks: nothing can be wrong with what hardly happened, or was hardly looked at. */
function wrongIn(soak: Soak): readonly string[] {
  return [...soak.violations, ...idle(soak), ...unread(soak)];
}

function idle({ about, totals, faults }: Soak): readonly string[] {
  const wanted = about.minutes * 60 * about.ratePerS;
  const least = Math.round(wanted * leastAcknowledged);
  const isIdle = totals.acknowledged < least;
  const isCalm = about.hasFaults && faults.length === 0;
  return [
    ...(isIdle
      ? [`${totals.acknowledged} writes of ${wanted} were acknowledged, at least ${least} are needed`]
      : []),
    ...(isCalm ? ['no fault fired'] : []),
  ];
}

/** What has no log of its own is not read. */
function unread(soak: Soak): readonly string[] {
  const { about, curves } = soak;
  const totalS = about.minutes * 60;
  if (!isJudged(totalS)) return [];
  const expected = curves.filter(({ measure }) => measure !== 'kafkaMb' || about.log === 'kafka');
  if (expected.length === 0) return ['nothing was read'];
  return expected
    .filter(({ measure, points }) => judgedAs(measure, points, totalS) === null)
    .map(({ region, measure }) => `${region}  ${measures[measure].title}: read too seldom to be judged`);
}

export function textOf(soak: Soak): string {
  return `${[...headLines(soak), '', ...judge(soak).map(flatLine), '', ...wrongIn(soak)].join('\n')}\n`;
}

export function jsonOf(soak: Soak): string {
  const { about, totals, faults, curves } = soak;
  const violations = wrongIn(soak);
  return `${JSON.stringify({ about, totals, faults, violations, flatness: judge(soak), curves })}\n`;
}

/** What it came to, without the curves. */
export function summaryOf(soak: Soak): string {
  const { about, totals, faults } = soak;
  const violations = wrongIn(soak);
  const found = judge(soak).map(({ region, measure, flatness }) => {
    return {
      region,
      title: measures[measure].title,
      unit: unitOf(measure),
      first: flatness?.first,
      last: flatness?.last,
      verdict: verdictOf(flatness),
    };
  });
  const summary = {
    about,
    totals,
    faults: faults.length,
    slowestS: slowestOf(faults),
    violations,
    measures: found,
  };
  return `${JSON.stringify(summary, null, 1)}\n`;
}

function slowestOf(faults: readonly FiredFault[]): number {
  return Math.max(0, ...faults.map(({ healedAfterS }) => healedAfterS));
}

function verdictOf(flatness: Flatness | null): string {
  if (flatness === null) return 'too short to be judged';
  const { low, found, high } = flatness.growth;
  const [from, middle, to] = [low, found, high].map((share) => `${(share * 100).toFixed(1)} %`);
  const open = `${middle ?? ''} an hour, between ${from ?? ''} and ${to ?? ''}`;
  if (flatness.verdict === 'grows') return `GROWS by ${open}`;
  return flatness.verdict === 'flat' ? `flat: ${open}` : `too noisy to be called flat: ${open}`;
}

/** What is judged by what is added is told by that. */
function unitOf(name: MeasureName): string {
  const { unit, judgedBy } = measures[name];
  return judgedBy === 'held' ? unit : `${unit} added in a minute`;
}

function headLines(soak: Soak): readonly string[] {
  const { about, totals, faults } = soak;
  const violations = wrongIn(soak);
  return [
    `Soak of ${about.startedAt} at ${about.commit} on ${about.machine}: ${about.minutes} min, ${about.ratePerS} writes/s, seed ${about.seed}, log in ${about.log}.`,
    `${totals.acknowledged} acknowledged, ${totals.refused} refused, ${totals.unknown} without an answer, ${totals.shed} not sent because ${maxInFlight} waited.`,
    `${faults.length} faults; the slowest was whole again after ${slowestOf(faults).toFixed(1)} s.`,
    violations.length === 0
      ? 'The regions agree, and no increment is lost or doubled.'
      : `${violations.length} violations.`,
  ];
}

function flatLine({ region, measure, flatness }: Judged): string {
  const { title } = measures[measure];
  const verdict = verdictOf(flatness);
  if (flatness === null) return `${region}  ${title}: ${verdict}`;
  const { first, last } = flatness;
  return `${region}  ${title}: ${shortNumber(first)} -> ${shortNumber(last)} ${unitOf(measure)}, ${verdict}`;
}

const style = `
body { font: 15px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; color: #1f2328; }
svg { width: 100%; max-width: 44rem; font-size: 12px; fill: #1f2328; color: #1f2328; }
.grid { stroke: #d0d7de; } .wrong { color: #cf222e; font-weight: 600; }
figure { margin: 1rem 0; } figcaption { font-weight: 600; }
table { border-collapse: collapse; } td, th { text-align: left; padding: .2rem .8rem .2rem 0; }`;

export function htmlOf(soak: Soak): string {
  const names = Object.keys(measures).filter((name): name is MeasureName => name in measures);
  const judged = judge(soak);
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Isthmus soak</title><style>${style}</style></head><body>
<h1>Isthmus soak</h1>
${headLines(soak).map(paragraph).join('\n')}
<p>The first ${warmUpOf(soak.about.minutes * 60) / 60} minutes are warm-up: drawn, but not judged.</p>
${wrongIn(soak)
  .map((line) => `<p class="wrong">${escapeText(line)}</p>`)
  .join('\n')}
${names.map((name) => chart(soak, judged, name)).join('\n')}
${faultTable(soak.faults)}
</body></html>
`;
}

function chart({ curves }: Soak, judged: readonly Judged[], name: MeasureName): string {
  const series = curves.filter(({ measure, points }) => measure === name && points.length > 0);
  if (series.length === 0) return '';
  const { title, unit } = measures[name];
  const lines = judged.filter(({ measure }) => measure === name).map(flatLine);
  return `<figure><figcaption>${escapeText(title)}</figcaption>${svgOf({ kind: 'over-time', title, unit, series })}${lines.map(paragraph).join('')}</figure>`;
}

function faultTable(faults: readonly FiredFault[]): string {
  const rows = faults.map(
    ({ name, fromS, untilS, healedAfterS }) =>
      `<tr><td>${escapeText(name)}</td><td>${fromS.toFixed(1)}</td><td>${untilS.toFixed(1)}</td><td>${healedAfterS.toFixed(1)}</td></tr>`,
  );
  return `<h2>Faults</h2><table><tr><th>fault</th><th>from, s</th><th>until, s</th><th>whole again after, s</th></tr>${rows.join('')}</table>`;
}

function paragraph(line: string): string {
  return `<p>${escapeText(line)}</p>`;
}
