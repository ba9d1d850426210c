/** The contract of `Timer` on the process's own, on one that is told when time passes, and on the simulator's. */
import { ManualTimer } from '@isthmus/replication/adapters/memory/manual-timer';
import { systemTimer } from '@isthmus/replication/adapters/node/system-timer';
import { SimProcess } from '../simulation/sim-process.ts';
import { PassingTime } from './passing-time.ts';
import { timerContract } from './timer.contract.ts';

timerContract('the process', () => ({
  timer: systemTimer,
  go: (coming) => coming,
  stand: async (forMs) => {
    for (const endMs = performance.now() + forMs; performance.now() < endMs; );
  },
  close: async () => undefined,
}));

timerContract('memory', () => {
  const timer = new ManualTimer();
  return {
    timer,
    go: async (coming) => {
      let isThere = false;
      const there = coming.finally(() => {
        isThere = true;
      });
      for (;;) {
        if (isThere) return there;
        await timer.advance(1);
      }
    },
    stand: async (forMs) => timer.pause(forMs),
    close: async () => undefined,
  };
});

timerContract('the simulator', () => {
  const time = new PassingTime();
  const process = new SimProcess('eu#0', time.world);
  return {
    timer: process.timer,
    go: (coming) => coming,
    stand: async (forMs) => {
      process.stop();
      await new Promise<void>((resolve) => void time.scheduler.after(forMs, resolve));
      process.goOn();
    },
    close: () => time.end(),
  };
});
