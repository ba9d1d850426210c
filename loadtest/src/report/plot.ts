/**
 * Plots as SVG text, small and self-contained: curves of percentiles, curves over time, and bars with their ranges. The
 * page that holds them needs no script and no network. Axes begin at zero, except that of percentiles, which gives each
 * further nine the same width.
 */
import type { Spread } from '../measure.ts';

export type Point = readonly [x: number, y: number];

export interface Series {
  readonly name: string;
  readonly points: readonly Point[];
}

export interface Bar extends Spread {
  readonly name: string;
}

export type Plot =
  | {
      readonly kind: 'percentiles' | 'over-time';
      readonly title: string;
      readonly unit: string;
      readonly series: readonly Series[];
    }
  | { readonly kind: 'bars'; readonly title: string; readonly unit: string; readonly bars: readonly Bar[] };

const width = 640;
const height = 300;
const frame = { left: 70, right: 20, top: 20, bottom: 44 };
const innerWidth = width - frame.left - frame.right;
const innerHeight = height - frame.top - frame.bottom;
const colours = ['#1f6feb', '#d1602d', '#2da44e', '#8250df'];
const percentileTicks = [0, 50, 90, 99, 99.9, 99.99];
const deepestNines = 4.2;

export function svgOf(plot: Plot): string {
  const body = plot.kind === 'bars' ? bars(plot.bars, plot.unit) : curves(plot);
  return `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${escapeText(plot.title)}">${body}</svg>`;
}

interface Scale {
  readonly x: (value: number) => number;
  readonly y: (value: number) => number;
}

function curves(plot: Extract<Plot, { series: readonly Series[] }>): string {
  const points = plot.series.flatMap((series) => series.points);
  const topY = niceCeiling(Math.max(...points.map(([, y]) => y), 0));
  const topX = plot.kind === 'percentiles' ? deepestNines : Math.max(...points.map(([x]) => x), 1);
  const position = plot.kind === 'percentiles' ? ninesOf : (x: number): number => x;
  const scale: Scale = {
    x: (value) => frame.left + (position(value) / topX) * innerWidth,
    y: (value) => frame.top + innerHeight * (1 - value / topY),
  };
  const ticks = plot.kind === 'percentiles' ? percentileTicks : evenTicks(niceCeiling(topX), topX);
  const unitX = plot.kind === 'percentiles' ? 'percentile' : 'seconds';
  const lines = plot.series.map((series, index) => line(series, scale, colourOf(index)));
  const legends = plot.series.map((series, index) => legend(series.name, index));
  return [axisY(topY, scale, plot.unit), axisX(ticks, scale, unitX), ...lines, ...legends].join('');
}

function line({ points }: Series, { x, y }: Scale, colour: string): string {
  const path = points.map((point) => `${x(point[0]).toFixed(1)},${y(point[1]).toFixed(1)}`).join(' ');
  return `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="2"/>`;
}

function legend(name: string, index: number): string {
  const y = frame.top + 14 + index * 18;
  const x = frame.left + 14;
  return (
    `<rect x="${x}" y="${y - 9}" width="10" height="10" fill="${colourOf(index)}"/>` +
    `<text x="${x + 16}" y="${y}">${escapeText(name)}</text>`
  );
}

function bars(all: readonly Bar[], unit: string): string {
  const top = niceCeiling(Math.max(...all.map(({ max }) => max), 0));
  const scale: Scale = { x: (value) => value, y: (value) => frame.top + innerHeight * (1 - value / top) };
  const step = innerWidth / Math.max(1, all.length);
  const drawn = all.map((bar, index) => {
    const x = frame.left + step * (index + 0.25);
    const middle = x + step / 4;
    const y = scale.y(bar.median);
    const label = `${escapeText(bar.name)}: ${shortNumber(bar.median)}`;
    return (
      `<rect x="${x}" y="${y}" width="${step / 2}" height="${frame.top + innerHeight - y}" fill="${colourOf(index)}" opacity="0.8"/>` +
      `<line x1="${middle}" x2="${middle}" y1="${scale.y(bar.max)}" y2="${scale.y(bar.min)}" stroke="currentColor" stroke-width="2"/>` +
      `<text x="${middle}" y="${height - 18}" text-anchor="middle">${label}</text>`
    );
  });
  return [axisY(top, scale, unit), ...drawn].join('');
}

function axisY(top: number, { y }: Scale, unit: string): string {
  const marks = evenTicks(top, top).map(
    (value) =>
      `<line x1="${frame.left}" x2="${width - frame.right}" y1="${y(value)}" y2="${y(value)}" class="grid"/>` +
      `<text x="${frame.left - 8}" y="${y(value) + 4}" text-anchor="end">${shortNumber(value)}</text>`,
  );
  return `${marks.join('')}<text x="4" y="12">${escapeText(unit)}</text>`;
}

function axisX(ticks: readonly number[], { x }: Scale, unit: string): string {
  const y = height - frame.bottom + 16;
  const marks = ticks.map((value) => `<text x="${x(value)}" y="${y}" text-anchor="middle">${value}</text>`);
  return `${marks.join('')}<text x="${width - frame.right}" y="${height - 8}" text-anchor="end">${unit}</text>`;
}

/** 0 for the lowest, 1 for the 90th, 2 for the 99th percentile, and so on to the deepest that is shown. */
export function ninesOf(percentile: number): number {
  return Math.min(deepestNines, -Math.log10(Math.max(1e-9, 1 - percentile / 100)));
}

/** The first of 1, 2, 2.5, 5 times a power of ten that is not below `value`. */
export function niceCeiling(value: number): number {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  const step = [1, 2, 2.5, 5, 10].find((each) => each * power >= value) ?? 10;
  return step * power;
}

function evenTicks(nice: number, top: number): readonly number[] {
  return [0, 1, 2, 3, 4, 5].map((index) => (nice * index) / 5).filter((value) => value <= top * 1.0001);
}

export function shortNumber(value: number): string {
  if (value === 0) return '0';
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toFixed(digits).replace(/\B(?=(\d{3})+(?!\d))/g, ' ');
}

function colourOf(index: number): string {
  return colours[index % colours.length] ?? 'black';
}

export function escapeText(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
