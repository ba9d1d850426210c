/** The examples of the page about the HTTP API, against a region that has its file of collections. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { root } from '../tidy/tree.ts';
import { record, type Site, startSite } from './site.ts';

const page = readFileSync(join(root, 'services/region/README.md'), 'utf8');
const blocksOf = (language: string) =>
  [...page.matchAll(new RegExp(`\`\`\`${language}\n([\\s\\S]*?)\`\`\``, 'g'))].map(([, text = '']) => text);
const file = z.object({ collections: z.record(z.string(), z.unknown()) });

let site: Site;

beforeAll(async () => {
  const declared = blocksOf('json').find((text) => text.includes('"collections"')) ?? '';
  site = await startSite(file.parse(JSON.parse(declared)).collections);
}, 120_000);

afterAll(() => site.stop());

interface Call {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
}

/** What `curl` makes of its arguments, as far as the page uses them. */
function callOf(command: string, replaced: Readonly<Record<string, string>>): Call {
  const words = command.replaceAll('\\\n', ' ').match(/'[^']*'|"[^"]*"|\S+/g) ?? [];
  const plain = words.map((word) =>
    word
      .replace(/^(['"])([\s\S]*)\1$/, '$2')
      .replaceAll(/\$[A-Z]+|"[0-9a-f]{32}"/g, (name) => replaced[name] ?? replaced['tag'] ?? name),
  );
  const after = (option: string) => plain.flatMap((word, at) => (plain[at - 1] === option ? [word] : []));
  const headers = after('-H').map((header) => header.split(/: (.*)/s, 2));
  const [body = null] = after('-d');
  const [method = body === null ? 'GET' : 'POST'] = after('-X');
  const url = plain.find((word) => word.startsWith('http')) ?? '';
  return { method, url, headers: Object.fromEntries(headers), body };
}

it('shows calls that a region takes, from top to bottom', async () => {
  const commands = blocksOf('sh').flatMap((block) => block.split(/^(?=curl )/m));
  expect(commands.length).toBeGreaterThan(7);
  const replaced: Record<string, string> = { $API: site.apiUrl };
  const answers: unknown[] = [];
  for (const command of commands) {
    const { url, ...request } = callOf(command, replaced);
    const response = await fetch(url, request);
    const text = await response.text();
    expect(response.status, `${command}${text}`).toBeLessThan(300);
    expect(response.status, command).toBeGreaterThan(199);
    replaced['$SESSION'] = response.headers.get('isthmus-session') ?? '';
    replaced['tag'] = response.headers.get('etag') ?? '';
    answers.push(text === '' ? null : JSON.parse(text));
  }
  const shown = blocksOf('json').find((text) => text.includes('"version"')) ?? '';
  const { version: _version, updatedAt: _updatedAt, ...rest } = record.parse(JSON.parse(shown));
  expect(answers[0]).toMatchObject(rest);
  expect(Object.keys(z.looseObject({}).parse(answers[0]))).toEqual(Object.keys(JSON.parse(shown)));
  expect(answers.at(-2)).toMatchObject({
    results: [
      { status: 201 },
      { status: 200, record: { value: { title: 'Lamp', likes: 1 } } },
      { status: 204 },
    ],
  });
});

it('shows a refusal as it is', async () => {
  const shown = blocksOf('json').find((text) => text.includes('"instance"')) ?? '';
  const { instance: _instance, ...rest } = z.looseObject({ instance: z.string() }).parse(JSON.parse(shown));
  const refused = await site.patch('a', { set: { titel: 1 } });
  expect(refused.status).toBe(rest['status']);
  expect(refused.body).toMatchObject(rest);
});
