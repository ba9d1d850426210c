/** What this region seals its log with, and by whose keys it opens logs. */
import { Ed25519Opener, Ed25519Sealer, SignedRoots } from '@isthmus/replication/log/ed25519-seal';
import type { OwnSeals } from '@isthmus/replication/log/opened-logs';
import { countsAt, KeyRing, showKeyId } from '@isthmus/replication/log/signing-keys';
import { unsealed } from '@isthmus/replication/log/unsealed';
import type { RegionId } from '@isthmus/replication/ports/identity';
import type { Logger } from '@isthmus/replication/ports/logger';
import type { Config } from './config.ts';
import type { RefusedRecords } from './refused-records.ts';

type KeyedConfig = Pick<Config, 'region' | 'signingKey' | 'publicKeys'>;

export function logSeals(config: KeyedConfig, refused: RefusedRecords, nowMs: () => number): OwnSeals {
  const { region, signingKey, publicKeys } = config;
  const onRefused: OwnSeals['onRefused'] = (record) => refused.note(record);
  if (signingKey === 'none') return { region, sealer: unsealed, opener: unsealed, onRefused };
  const roots = new SignedRoots();
  const opener = new Ed25519Opener(new KeyRing(publicKeys), nowMs, roots);
  return { region, sealer: new Ed25519Sealer(region, signingKey, roots), opener, onRefused };
}

/**
 * When the last key ends by which each region is believed, of the region itself the one that it signs with, in ms since
 * the epoch; `Infinity`: never. Empty where logs are not signed.
 */
export function keyEnds({ region, signingKey, publicKeys }: KeyedConfig): ReadonlyMap<RegionId, number> {
  const ends = new Map<RegionId, number>();
  if (signingKey === 'none') return ends;
  const signing = showKeyId(signingKey.id);
  for (const key of publicKeys) {
    if (key.region === region && showKeyId(key.id) !== signing) continue;
    const endMs = key.notAfterMs ?? Number.POSITIVE_INFINITY;
    ends.set(key.region, Math.max(endMs, ends.get(key.region) ?? 0));
  }
  return ends;
}

const warnBeforeMs = 14 * 24 * 3_600_000;

/** Peers believe a key by its time, whoever holds it; the region itself goes on taking writes (I8). */
export function tellKeyTime(config: KeyedConfig, logger: Logger, nowMs: number): void {
  const { region, signingKey, publicKeys } = config;
  if (signingKey === 'none') return;
  const keyId = showKeyId(signingKey.id);
  const own = publicKeys.find((key) => key.region === region && showKeyId(key.id) === keyId);
  const until = own?.notAfterMs ?? null;
  if (own !== undefined && !countsAt(own, nowMs))
    logger.error({ keyId }, 'nobody believes this region: its signing key counts not yet, or not any more');
  else if (until !== null && until - nowMs < warnBeforeMs)
    logger.warn({ keyId, until: new Date(until).toISOString() }, 'the signing key has to be replaced soon');
  else logger.info({ keyId }, 'the region signs its log');
}
