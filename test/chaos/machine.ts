/** What scenarios need of a machine, and whether this one has it. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { Need } from './scenario.ts';

export const fakeClockLibrary = '/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1';

/** Why this machine cannot stage something that needs this; `null`: it can. */
export function lackOf(needs: readonly Need[]): string | null {
  for (const need of needs) {
    if (need === 'faketime') {
      if (!existsSync(fakeClockLibrary)) return 'it needs libfaketime (Debian package libfaketime)';
    } else if (process.getuid?.() !== 0) return 'it needs root';
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
