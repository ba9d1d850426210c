import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { JsonLines, JsonLinesError } from './json-lines.ts';
import { temporaryFolder } from './temporary-folder.ts';

function fileOf(text: string): { readonly path: string; readonly lines: JsonLines<{ a: number }> } {
  const path = join(temporaryFolder(), 'lines.jsonl');
  writeFileSync(path, text);
  return { path, lines: new JsonLines(path, z.object({ a: z.number() })) };
}

test('lines are read with their numbers, and a file that is not there has none', () => {
  expect(fileOf('{"a":1}\n\n{"a":2}').lines.read()).toEqual([
    { line: 1, value: { a: 1 } },
    { line: 3, value: { a: 2 } },
  ]);
  expect(new JsonLines(join(tmpdir(), 'isthmus-nowhere'), z.number()).read()).toEqual([]);
});

test('what a foreign or damaged line is, and where, is said', () => {
  const said = (text: string): readonly [unknown, string, string] => {
    const { path, lines } = fileOf(text);
    try {
      lines.read();
    } catch (reason) {
      if (reason instanceof JsonLinesError) return [reason.name, path, reason.message];
      throw reason;
    }
    return ['nothing', path, ''];
  };
  for (const foreign of ['{"a":1}\n{"b":2}\n', '{"a":1}\n{"b":2}', '{"a":1}\n{"a":"2"}\n']) {
    const [name, path, message] = said(foreign);
    expect(name).toBe('JsonLinesError');
    expect(message).toContain(`${path}, line 2: a: `);
  }
  for (const damaged of ['{"a":1}\n{"a":\n', '{"a":1}\n{"a":{"a":3}\n{"a":2}\n'])
    expect(said(damaged)[2]).toMatch(/line 2: .*JSON/);
  expect(said('{"a":1}\nnull\n')[2]).toContain('line 2: : Invalid input');
});

test('a line that was cut off is dropped, and does not swallow the next one', () => {
  const { path, lines } = fileOf('{"a":1}\n{"a":');
  expect(lines.read()).toHaveLength(1);
  lines.add({ a: 3 });
  expect(readFileSync(path, 'utf8')).toBe('{"a":1}\n{"a":3}\n');
});

test('a last line that is whole stays, with or without its end', () => {
  for (const end of ['', '\n']) {
    const { path, lines } = fileOf(`{"a":1}${end}`);
    lines.add({ a: 2 });
    lines.add({ a: 3 });
    expect(readFileSync(path, 'utf8')).toBe('{"a":1}\n{"a":2}\n{"a":3}\n');
    appendFileSync(path, '{"a":4}\n');
    expect(lines.read()).toHaveLength(4);
  }
});
