/**
 * A file of test vectors: what it is about, and one vector on each line, so that a difference between two versions
 * shows which have changed. It is JSON that any parser takes; -0 is written as `-0.0`, because `-0` is an integer to
 * some.
 */
export interface VectorFile {
  readonly name: string;
  readonly about: string;
  /** What is common to all vectors of the file, as more members. */
  readonly common?: { readonly [name: string]: unknown };
  readonly vectors: readonly object[];
}

const minusZero = '\u{f8ff}minus zero\u{f8ff}';

export function textOfFile({ about, common = {}, vectors }: VectorFile): string {
  const members = Object.entries({ about, ...common }).map(
    ([name, value]) => `  ${text(name)}: ${text(value)},\n`,
  );
  const lines = vectors.map((vector) => `    ${text(vector)}`);
  return `{\n${members.join('')}  "vectors": [\n${lines.join(',\n')}\n  ]\n}\n`;
}

function text(value: unknown): string {
  const json = JSON.stringify(value, (_name, each: unknown) => (Object.is(each, -0) ? minusZero : each));
  return json.replaceAll(`"${minusZero}"`, '-0.0');
}
