/** Where a campaign ran: a figure without its commit and its machine says nothing. */
import { execFileSync } from 'node:child_process';
import { arch, cpus, platform, totalmem } from 'node:os';
import type { Need } from './scenario.ts';

export function commit(): string {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();
  } catch {
    return 'unknown';
  }
}

export function machine(): string {
  const gibibytes = Math.round(totalmem() / 2 ** 30);
  return `${cpus().length} cores, ${gibibytes} GiB, ${platform()} ${arch()}, Node ${process.versions.node}`;
}

/** Why this machine cannot stage something that needs this; `null`: it can. */
export function lackOf(needs: readonly Need[]): string | null {
  for (const need of needs) {
    if (need === 'several brokers') return 'each region has one broker here; it takes three to move a leader';
    if (process.getuid?.() !== 0) return 'it needs root';
    if (need === 'nft' && !hasNft()) return 'it needs nft (Debian package nftables) and the right to use it';
  }
  return null;
}

function hasNft(): boolean {
  try {
    execFileSync('nft', ['list', 'tables'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
