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

/** The page with another table between its markers. */
export function withTable(specification: string, table: string): string {
  const head = specification.slice(0, specification.indexOf(begin) + begin.length);
  return `${head}\n${table}\n${specification.slice(specification.indexOf(end))}`;
}
