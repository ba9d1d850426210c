/**
 * The wide area between regions: everything that passes between two of them passes here.
 * A link is directed and carries origin's changes to target. Two tunnels belong to it: the one through
 * which target reads origin's log (its Kafka, or its Postgres), and the one through which origin reaches target's admin listener.
 * Its state strikes both, for open and new connections; the link of the opposite direction is untouched,
 * and traffic inside a region never comes here.
 */
import type { Address } from './address.ts';
import { Tunnel, type TunnelState } from './tunnel.ts';

export const linkStates = ['ok', 'cut', 'delay', 'hang'] as const;
export const longestDelayMs = 60_000;

export type LinkCondition =
  | { readonly state: 'ok' | 'cut' | 'hang' }
  | { readonly state: 'delay'; readonly delayMs: number };

export interface LinkReport {
  readonly origin: string;
  readonly target: string;
  readonly state: LinkCondition['state'];
  /** Each way, at the moment; the base delay where the link is cut or hangs. */
  readonly delayMs: number;
  readonly bytesToTarget: number;
  readonly bytesToOrigin: number;
  readonly openConnections: number;
}

export interface Link {
  readonly origin: string;
  readonly target: string;
  /** Where target reads origin's log. */
  readonly log: Address;
  /** Where origin reaches target's admin listener. */
  readonly admin: Address;
  readonly leadLogTo: (address: Address) => void;
  readonly leadAdminTo: (address: Address) => void;
  readonly set: (condition: LinkCondition) => void;
  readonly report: () => LinkReport;
  readonly close: () => Promise<void>;
}

export interface LinkOptions {
  readonly origin: string;
  readonly target: string;
  /** Milliseconds each way in the state `ok`. */
  readonly baseDelayMs: number;
}

export async function openLink({ origin, target, baseDelayMs }: LinkOptions): Promise<Link> {
  const moved = { toTarget: 0, toOrigin: 0 };
  const onToTarget = (bytes: number): void => {
    moved.toTarget += bytes;
  };
  const onToOrigin = (bytes: number): void => {
    moved.toOrigin += bytes;
  };
  const state = tunnelState({ state: 'ok' }, baseDelayMs);
  const [log, admin] = await Promise.all([
    Tunnel.open({ state, counters: { onForward: onToOrigin, onBackward: onToTarget } }),
    Tunnel.open({ state, counters: { onForward: onToTarget, onBackward: onToOrigin } }),
  ]);
  let condition: LinkCondition = { state: 'ok' };
  return {
    origin,
    target,
    log: log.address,
    admin: admin.address,
    leadLogTo: (address) => log.leadTo(address),
    leadAdminTo: (address) => admin.leadTo(address),
    set: (next) => {
      condition = next;
      const changed = tunnelState(next, baseDelayMs);
      log.set(changed);
      admin.set(changed);
    },
    report: () => ({
      origin,
      target,
      state: condition.state,
      delayMs: condition.state === 'delay' ? condition.delayMs : baseDelayMs,
      bytesToTarget: moved.toTarget,
      bytesToOrigin: moved.toOrigin,
      openConnections: log.openConnections + admin.openConnections,
    }),
    close: async () => {
      await Promise.all([log.close(), admin.close()]);
    },
  };
}

function tunnelState(condition: LinkCondition, baseDelayMs: number): TunnelState {
  if (condition.state === 'cut') return { kind: 'cut' };
  if (condition.state === 'hang') return { kind: 'held' };
  return { kind: 'flowing', delayMs: condition.state === 'delay' ? condition.delayMs : baseDelayMs };
}
