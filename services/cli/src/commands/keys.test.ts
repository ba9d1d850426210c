import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { CliError } from '../remote/cli-error.ts';
import type { CommandIo } from '../remote/command.ts';
import { keys } from './keys.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'isthmus-keys-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

async function run(...args: readonly string[]): Promise<string> {
  let out = '';
  const io: CommandIo = {
    out: (text) => {
      out += text;
    },
    note: () => undefined,
    progress: () => undefined,
    api: '',
    admin: '',
    demo: '',
    readDemos: () => Promise.resolve([]),
    readInput: () => Promise.resolve(''),
    interrupted: new AbortController().signal,
  };
  await keys.run(args, io);
  return out;
}

const reading = (name: string): string => readFileSync(join(folder, name), 'utf8');

it('makes a key that nobody else can read, and adds its public half to those that all share', async () => {
  const shared = join(folder, 'keys.json');
  const out = await run('new', 'eu', join(folder, 'eu.key'), '--keys', shared);
  expect(out).toMatch(/^key [0-9a-f]{16} of eu\n/);
  expect(statSync(join(folder, 'eu.key')).mode & 0o777).toBe(0o600);
  expect(reading('eu.key')).toMatch(/^-----BEGIN PRIVATE KEY-----/);
  await run('new', 'us', join(folder, 'us.key'), '--keys', shared);
  const next = ['--not-before', '2027-01-01', '--not-after', '2028-01-01T00:00:00Z'];
  await run('new', 'eu', join(folder, 'eu-2.key'), '--keys', shared, ...next);
  expect(JSON.parse(reading('keys.json'))).toEqual({
    eu: [
      { key: expect.any(String) },
      {
        key: expect.any(String),
        notBefore: '2027-01-01T00:00:00.000Z',
        notAfter: '2028-01-01T00:00:00.000Z',
      },
    ],
    us: [{ key: expect.any(String) }],
  });
  expect(out + reading('keys.json')).not.toContain('PRIVATE');
});

it('never overwrites a key, and changes nothing in a dry run', async () => {
  const [path, shared] = [join(folder, 'once.key'), join(folder, 'once.json')];
  await run('new', 'eu', path, '--keys', shared, '--dry-run');
  expect(() => statSync(path)).toThrow('ENOENT');
  expect(() => statSync(shared)).toThrow('ENOENT');
  await run('new', 'eu', path, '--keys', shared);
  const before = reading('once.key') + reading('once.json');
  await expect(run('new', 'eu', path, '--keys', shared)).rejects.toThrow(/never overwritten/);
  await expect(run('new', 'eu', path, '--keys', shared, '--dry-run')).rejects.toThrow(/never overwritten/);
  expect(reading('once.key') + reading('once.json')).toBe(before);
});

it('leaves no key behind that could not be shared', async () => {
  const path = join(folder, 'alone.key');
  const nowhere = join(folder, 'nowhere', 'keys.json');
  await expect(run('new', 'eu', path, '--keys', nowhere)).rejects.toThrow('ENOENT');
  expect(() => statSync(path)).toThrow('ENOENT');
});

it('shares no more keys of a region than regions take, whatever its name', async () => {
  const shared = join(folder, 'many.json');
  const make = (number: number) =>
    run('new', 'constructor', join(folder, `many-${number}.key`), '--keys', shared);
  for (let number = 1; number <= 16; number++) await make(number);
  await expect(make(17)).rejects.toThrow(/16 keys; take out those/);
  expect(() => statSync(join(folder, 'many-17.key'))).toThrow('ENOENT');
});

it.each([
  [['old', 'eu', 'x', '--keys', 'y']],
  [['new', 'EU', 'x', '--keys', 'y']],
  [['new', 'eu', 'x']],
  [['new', 'eu', '--keys', 'y']],
  [['new', 'eu', 'x', '--keys', 'y', '--not-after', 'soon']],
  [['new', 'eu', 'x', '--keys', 'y', '--not-before', '2027-01-01', '--not-after', '2027-01-01']],
])('takes no wrong words: %j', async (args) => {
  await expect(run(...args)).rejects.toBeInstanceOf(CliError);
});
