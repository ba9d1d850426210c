/**
 * Rules for packets on single ports of the loopback address, in a table of our own that ends with the run. They count
 * what they match, which is the proof that a fault fired. This needs root.
 */
import { execFileSync } from 'node:child_process';
import type { OnEnd } from './scenario.ts';

let tables = 0;

export class PacketRules {
  readonly #table = `isthmus_chaos_${process.pid}_${tables++}`;

  /** Each rule is in the language of nft, with `counter` where packets are to be counted. */
  constructor(rules: readonly string[], onEnd: OnEnd) {
    const chain = ['type filter hook output priority 0;', ...rules].join('\n');
    execFileSync('nft', ['-f', '-'], { input: `table inet ${this.#table} {\nchain out {\n${chain}\n}\n}\n` });
    onEnd(() => this.remove());
  }

  /** Packets that the rules have matched. */
  get matched(): number {
    const shown = execFileSync('nft', ['list', 'table', 'inet', this.#table], { encoding: 'utf8' });
    return [...shown.matchAll(/packets (\d+)/g)].reduce((sum, [, count]) => sum + Number(count), 0);
  }

  remove(): void {
    try {
      execFileSync('nft', ['delete', 'table', 'inet', this.#table], { stdio: 'ignore' });
    } catch {
      // It was removed before the end.
    }
  }
}
