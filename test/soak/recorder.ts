/** Reads what every region's servers hold at a steady pace and keeps it as curves over the time of the soak. */
import { join } from 'node:path';
import { z } from 'zod';
import type { Demo } from '../e2e/demo.ts';
import { type MeasureName, measures, type Place, type Reading, readPlace } from './readings.ts';
import type { Curve } from './report.ts';

const everyMs = 5_000;
const requestMs = 5_000;

const processList = z.object({
  processes: z.array(z.object({ region: z.string(), process: z.string(), pid: z.number() })),
});

export class Recorder {
  readonly #demo: Demo;
  readonly #folder: string;
  readonly #elapsedS: () => number;
  readonly #taken = new Map<string, { readonly atS: number; readonly reading: Reading }[]>();
  #running: Promise<void> | null = null;
  #isStopped = false;

  constructor(demo: Demo, folder: string, elapsedS: () => number) {
    this.#demo = demo;
    this.#folder = folder;
    this.#elapsedS = elapsedS;
  }

  /** `onRound` is called after every round. */
  start(onRound: () => void): void {
    this.#running = this.#rounds(onRound);
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#running;
  }

  curves(): readonly Curve[] {
    const names = Object.keys(measures).filter((name): name is MeasureName => name in measures);
    return names.flatMap((measure) =>
      [...this.#taken].map(([region, taken]) => {
        const points = taken.flatMap(({ atS, reading }) => {
          const value = reading[measure];
          return value === null ? [] : [[atS, value] as const];
        });
        return { region, measure, name: region, points };
      }),
    );
  }

  async #rounds(onRound: () => void): Promise<void> {
    for (let round = 1; !this.#isStopped; round++) {
      await Promise.all((await this.#places()).map((place) => this.#read(place)));
      onRound();
      const restMs = round * everyMs - this.#elapsedS() * 1000;
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, restMs)));
    }
  }

  async #read({ region, place }: { readonly region: string; readonly place: Place }): Promise<void> {
    const atS = this.#elapsedS();
    const taken = this.#taken.get(region) ?? [];
    this.#taken.set(region, taken);
    taken.push({ atS, reading: await readPlace(place) });
  }

  async #places(): Promise<readonly { readonly region: string; readonly place: Place }[]> {
    const { control, regions } = this.#demo.ready;
    const response = await fetch(`${control}/processes`, { signal: AbortSignal.timeout(requestMs) });
    const { processes } = processList.parse(await response.json());
    return regions.map(({ region, database }) => {
      const pidOf = (name: string): number | null =>
        processes.find((each) => each.region === region && each.process === name && each.pid > 0)?.pid ??
        null;
      const folder = join(this.#folder, region);
      return { region, place: { regionPid: pidOf('region'), kafkaPid: pidOf('kafka'), database, folder } };
    });
  }
}
