/** All that campaigns have left in the repository, for the page about the tests. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readMutants, readSoak } from './other-proofs.ts';
import type { Found } from './page.ts';
import { readResults } from './results-file.ts';
import { readSummary } from '../simulation/campaign/summary-file.ts';
import { scenarios } from './scenario-list.ts';

export function foundIn(root: string): Found {
  const soak = join(root, 'test/campaigns/soak.json');
  return {
    scenarios,
    results: readResults(join(root, 'test/campaigns/chaos.jsonl')),
    mutants: readMutants(join(root, 'test/mutants.json')),
    simulation: readSummary(join(root, 'test/campaigns/simulation.json')),
    soak: existsSync(soak) ? readSoak(soak) : null,
  };
}
