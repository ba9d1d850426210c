/** The figures of one scrape of `/metrics`, by series. What is not known is `null`: neither a number nor bounded. */
export type Gauges = ReadonlyMap<string, number>;

const sample = /^isthmus_([a-z_]+)(?:\{([^}]*)\})? (\S+)$/gm;

export function parseGauges(page: string): Gauges {
  return new Map(
    [...page.matchAll(sample)].map(([, name = '', labels, text = '']) => [
      labels === undefined ? name : `${name}{${labels}}`,
      text === '+Inf' ? Number.POSITIVE_INFINITY : Number(text),
    ]),
  );
}

export function known(gauges: Gauges, series: string): number | null {
  const found = gauges.get(series);
  return found !== undefined && Number.isFinite(found) ? found : null;
}

/** Sum over all series of a name. */
export function total(gauges: Gauges, name: string): number {
  return [...gauges]
    .filter(([series]) => series === name || series.startsWith(`${name}{`))
    .reduce((sum, [, value]) => sum + value, 0);
}
