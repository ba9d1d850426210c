/** The laws as SPEC.md lists them: their numbers, and the test that each of them names. */
export interface Law {
  readonly number: string;
  readonly testFile: string;
  readonly testName: string;
}

const row = /^\| (L\d+) \| .+ \| .+ \| `([^`]+)`: (.+) \|$/gm;

export function lawsOf(specification: string): readonly Law[] {
  return [...specification.matchAll(row)].map(([, number = '', testFile = '', testName = '']) => ({
    number,
    testFile,
    testName,
  }));
}

const begin = '<!-- mutants -->';
const end = '<!-- /mutants -->';

const heads = ['| law | file | this | becomes | outcome |', '|---|---|---|---|---|'];

export interface Row {
  readonly law: string;
  readonly text: string;
}

/** The page with these rows in the table between its markers, in place of all rows of the same laws. */
export function withRows(specification: string, rows: readonly Row[]): string {
  const from = specification.indexOf(begin) + begin.length;
  const to = specification.indexOf(end);
  const renewed = new Set(rows.map(({ law }) => law));
  const kept = specification
    .slice(from, to)
    .split('\n')
    .map((text) => ({ law: /^\| (L\d+) \|/.exec(text)?.[1] ?? '', text }))
    .filter(({ law }) => law !== '' && !renewed.has(law));
  const sorted = [...kept, ...rows].toSorted((a, b) => Number(a.law.slice(1)) - Number(b.law.slice(1)));
  const table = [...heads, ...sorted.map(({ text }) => text)].join('\n');
  return `${specification.slice(0, from)}\n${table}\n${specification.slice(to)}`;
}
