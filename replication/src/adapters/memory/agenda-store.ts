/** What was asked of a region, out of stores in memory; of what there is no store nothing was asked. */
import type { Agenda, AgendaStore } from '../../ports/agenda-store.ts';
import type { DrainStore } from '../../ports/drain-store.ts';
import type { RegionId } from '../../ports/identity.ts';
import type { IncidentStore } from '../../ports/incident-store.ts';
import type { RefillStore } from '../../ports/refill-store.ts';
import type { RetirementStore } from '../../ports/retirement-store.ts';
import type { TransferJobs } from '../../ports/transfer-jobs.ts';
import type { VerificationStore } from '../../ports/verification.ts';
import type { MemoryDeadLetters } from './dead-letters.ts';

export interface MemoryAgendaGround {
  readonly refills: Pick<RefillStore, 'find'>;
  readonly drains: Pick<DrainStore, 'find'>;
  readonly retirements: Pick<RetirementStore, 'all'>;
  readonly jobs: Pick<TransferJobs, 'open'>;
  readonly verifications: Pick<VerificationStore, 'all'>;
  readonly incidents: Pick<IncidentStore, 'open'>;
  readonly records: {
    readonly deadLetters: Pick<MemoryDeadLetters, 'agenda'>;
    readonly awaited: readonly RegionId[];
  };
}

export class MemoryAgendaStore implements AgendaStore {
  readonly #ground: Partial<MemoryAgendaGround>;

  constructor(ground: Partial<MemoryAgendaGround>) {
    this.#ground = ground;
  }

  async read(): Promise<Agenda> {
    const { refills, drains, retirements, jobs, verifications, incidents, records } = this.#ground;
    return {
      refill: (await refills?.find()) ?? null,
      drained: (await drains?.find()) ?? null,
      retired: (await retirements?.all()) ?? [],
      jobs: (await jobs?.open()) ?? [],
      verifications: (await verifications?.all()) ?? [],
      incidents: (await incidents?.open()) ?? [],
      letters: records?.deadLetters.agenda() ?? { hasFates: false, leastStampMs: null },
      awaited: records?.awaited ?? [],
    };
  }
}
