import { expect, test } from 'vitest';
import { realAdapters } from '../place.ts';
import { filesOf, importsOf, isTest, resolveImport } from './tree.ts';
import type { SourceFile } from './tree.ts';

const sources = filesOf('.ts').filter((file) => !isTest(file));

/** Which of our packages each workspace may import. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  'conflict/tools': ['@isthmus/conflict'],
  conflict: [],
  replication: ['@isthmus/conflict'],
  'deploy/local': [],
  'deploy/grafana': [],
  'services/region': ['@isthmus/conflict', '@isthmus/replication'],
  'services/cli': ['@isthmus/local'],
  loadtest: ['@isthmus/conflict', '@isthmus/replication', '@isthmus/local', '@isthmus/cli'],
};

const rooms = [
  'journal',
  'relay',
  'applier',
  'progress',
  'links',
  'transfer',
  'tombstones',
  'sessions',
  'identity',
  'guard',
  'refill',
];

function workspaceOf(file: SourceFile): string | undefined {
  return Object.keys(allowed).find((workspace) => file.path.startsWith(`${workspace}/`));
}

function ours(specifier: string): string | undefined {
  return /^(@isthmus\/[a-z]+)(?:\/|$)/.exec(specifier)?.[1];
}

function offences(check: (file: SourceFile, specifier: string) => boolean): readonly string[] {
  return sources.flatMap((file) =>
    importsOf(file)
      .filter((specifier) => check(file, specifier))
      .map((specifier) => `${file.path} imports ${specifier}`),
  );
}

test('there is something to check', () => {
  expect(sources.length).toBeGreaterThan(20);
  expect(sources.flatMap(importsOf).length).toBeGreaterThan(50);
});

test('workspaces import only the workspaces below them', () => {
  const found = offences((file, specifier) => {
    const workspace = workspaceOf(file);
    const wanted = ours(specifier);
    return workspace !== undefined && wanted !== undefined && !allowed[workspace]?.includes(wanted);
  });
  expect(found).toEqual([]);
});

test('no relative import leaves its workspace', () => {
  const found = offences((file, specifier) => {
    const workspace = workspaceOf(file);
    if (workspace === undefined || !specifier.startsWith('.')) return false;
    return !resolveImport(file, specifier).startsWith(`${workspace}/`);
  });
  expect(found).toEqual([]);
});

test('conflict imports nothing but itself and yjs', () => {
  const found = offences(
    (file, specifier) =>
      file.path.startsWith('conflict/src/') && !specifier.startsWith('.') && specifier !== 'yjs',
  );
  expect(found).toEqual([]);
});

test('only adapters, load tests and what starts servers know the drivers of Postgres and Kafka', () => {
  const found = offences((file, specifier) => {
    if (!/^(?:pg|pg-.*|kafkajs)$/.test(specifier)) return false;
    return !['replication/src/adapters/', 'deploy/local/', 'loadtest/'].some((place) =>
      file.path.startsWith(place),
    );
  });
  expect(found).toEqual([]);
});

test('the rooms of the engine meet at ports and in the log, not in each other', () => {
  const found = offences((file, specifier) => {
    const room = /^replication\/src\/([a-z-]+)\//.exec(file.path)?.[1];
    if (room === undefined || !rooms.includes(room) || !specifier.startsWith('.')) return false;
    const target = /^replication\/src\/([a-z-]+)\//.exec(resolveImport(file, specifier))?.[1];
    return target !== undefined && target !== room && rooms.includes(target);
  });
  expect(found).toEqual([]);
});

test('the engine does not know its adapters, and adapters not the rooms', () => {
  const found = offences((file, specifier) => {
    if (!file.path.startsWith('replication/src/') || !specifier.startsWith('.')) return false;
    const target = resolveImport(file, specifier);
    const fromAdapter = file.path.startsWith('replication/src/adapters/');
    const toAdapter = target.startsWith('replication/src/adapters/');
    const toRoom = rooms.some((room) => target.startsWith(`replication/src/${room}/`));
    return fromAdapter ? toRoom : toAdapter;
  });
  expect(found).toEqual([]);
});

test('a simulated world has no adapter that reaches a server, so those may change without a new campaign', () => {
  const isIn = (path: string): boolean => realAdapters.some((folder) => path.startsWith(`${folder}/`));
  const adapters = sources.filter(({ path }) => path.startsWith('replication/src/adapters/') && !isIn(path));
  const simulated = filesOf('.ts').filter(({ path }) => /^test\/(?:checkers|simulation)\//.test(path));
  expect(simulated.length).toBeGreaterThan(0);
  const found = [...adapters, ...simulated].flatMap((file) =>
    importsOf(file)
      .map((name) => name.replace('@isthmus/replication', 'replication/src'))
      .map((name) => (name.startsWith('.') ? resolveImport(file, name) : name))
      .filter(isIn)
      .map((name) => `${file.path}: ${name}`),
  );
  expect(found).toEqual([]);
});

test('only a config.ts of a service reads the environment', () => {
  const readers = sources
    .filter((file) => /\bprocess\.env\b/.test(file.text))
    .map((file) => file.path)
    .filter((path) => !path.endsWith('/config.ts') && !path.startsWith('deploy/local/'));
  expect(readers).toEqual([]);
});

test('only a main.ts joins engine and adapters in a service', () => {
  const found = offences(
    (file, specifier) =>
      file.path.startsWith('services/') &&
      specifier.startsWith('@isthmus/replication/adapters/') &&
      !file.path.endsWith('/main.ts'),
  );
  expect(found).toEqual([]);
});
