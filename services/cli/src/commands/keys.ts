/**
 * `isthmus keys new`: makes the key that a region signs its log with. The private half goes into a file of its own that
 * nobody else can read, and is never shown; the public half is added to the file of keys that all regions share. To
 * replace a key the new one is made and shared first, and signed with when every region knows it. It makes no file that
 * regions would refuse to start with.
 */
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { newKey, type RegionKey, writeKey } from '@isthmus/local/signing-keys';
import { CliError, wrongUsage } from '../remote/cli-error.ts';
import type { Command, CommandIo } from '../remote/command.ts';
import { dryRunOption, readOptions, takePositionals } from '../remote/options.ts';
import { regionName } from '../remote/region-name.ts';
import { jsonLine } from '../remote/show.ts';

const usage =
  'isthmus keys new REGION KEYFILE --keys FILE [--not-before TIME] [--not-after TIME] [--dry-run] [--json]';

const options = {
  ...dryRunOption,
  keys: { type: 'string' },
  'not-before': { type: 'string' },
  'not-after': { type: 'string' },
  json: { type: 'boolean', default: false },
} as const;

export const keys: Command = {
  name: 'keys',
  summary: 'Make the key that a region signs its log with',
  usage,
  run: async (args, io) => {
    const { values, positionals } = readOptions(args, options, usage);
    const [action, region = '', path = ''] = takePositionals(positionals, 3, usage);
    const { keys: shared } = values;
    if (action !== 'new' || shared === undefined) throw wrongUsage(`usage: ${usage}`);
    if (!regionName.test(region))
      throw wrongUsage(`${JSON.stringify(region.slice(0, 40))} is no region's name`);
    const span = { notBefore: timeOf(values['not-before']), notAfter: timeOf(values['not-after']) };
    if (span.notBefore !== undefined && span.notAfter !== undefined && span.notBefore >= span.notAfter)
      throw wrongUsage('--not-before must lie before --not-after');
    const key = newKey();
    const lists = withKey(readShared(shared), region, { key: key.publicKey, ...span });
    if (values['dry-run']) refuseExisting(path);
    else writeBoth({ path, key }, { shared, lists });
    tell(io, { region, path, shared, id: key.id, isDryRun: values['dry-run'], json: values.json });
    return 0;
  },
};

interface SharedKey {
  readonly key: string;
  readonly notBefore?: string | undefined;
  readonly notAfter?: string | undefined;
}

/** As many a region takes. */
const maxKeysOfRegion = 16;

type SharedKeys = Readonly<Record<string, unknown>>;

/** RFC 3339; `undefined` where none is given. */
function timeOf(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const at = new Date(text);
  if (Number.isNaN(at.getTime())) throw wrongUsage(`${JSON.stringify(text.slice(0, 40))} is no time`);
  return at.toISOString();
}

function withKey(lists: SharedKeys, region: string, key: SharedKey): SharedKeys {
  const known = Object.hasOwn(lists, region) ? lists[region] : [];
  if (!Array.isArray(known)) throw wrongUsage(`the file of keys holds no list for ${region}`);
  if (known.length >= maxKeysOfRegion)
    throw new CliError(1, `${region} has ${known.length} keys; take out those that have ended first`);
  return { ...lists, [region]: [...known, key] };
}

/** Empty where there is no file yet. */
function readShared(path: string): SharedKeys {
  const text = readOrNull(path);
  if (text === null) return {};
  const lists = parsed(text);
  if (lists === null || typeof lists !== 'object' || Array.isArray(lists))
    throw new CliError(1, `${path} is no file of keys: a JSON object of regions was wanted`);
  return Object.fromEntries(Object.entries(lists));
}

function readOrNull(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw unwritable(path, error);
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** A key that could not be shared is of no use, and would stand in the way of the next attempt. */
function writeBoth(
  own: { readonly path: string; readonly key: RegionKey },
  { shared, lists }: { readonly shared: string; readonly lists: SharedKeys },
): void {
  writeOwn(own.path, own.key);
  try {
    writeShared(shared, lists);
  } catch (error) {
    rmSync(own.path, { force: true });
    throw error;
  }
}

function refuseExisting(path: string): void {
  if (existsSync(path)) throw new CliError(1, `${path}: ${existing}`);
}

const existing = 'it exists, and a key is never overwritten';

function writeOwn(path: string, key: RegionKey): void {
  try {
    writeKey(path, key);
  } catch (error) {
    throw unwritable(path, error);
  }
}

/** Whole or not at all. */
function writeShared(path: string, lists: SharedKeys): void {
  const beside = `${path}.new`;
  try {
    writeFileSync(beside, `${JSON.stringify(lists, null, 2)}\n`);
    renameSync(beside, path);
  } catch (error) {
    throw unwritable(path, error);
  }
}

function unwritable(path: string, error: unknown): CliError {
  const reason = error instanceof Error && 'code' in error ? String(error.code) : 'it cannot be written';
  const why = reason === 'EEXIST' ? existing : reason;
  return new CliError(1, `${path}: ${why}`);
}

interface Made {
  readonly region: string;
  readonly path: string;
  readonly shared: string;
  readonly id: string;
  readonly isDryRun: boolean;
  readonly json: boolean;
}

function tell(io: CommandIo, { region, path, shared, id, isDryRun, json }: Made): void {
  if (json) return io.out(jsonLine({ region, keyId: id, keyFile: path, keys: shared, dryRun: isDryRun }));
  if (isDryRun) return io.out(`a key of ${region} would be written to ${path} and added to ${shared}\n`);
  io.out(
    `key ${id} of ${region}\n` +
      `  ${path}: private, for this region alone: ISTHMUS_SIGNING_KEY_FILE\n` +
      `  ${shared}: to be the same in every region: ISTHMUS_PUBLIC_KEYS_FILE\n`,
  );
}
