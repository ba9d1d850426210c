/** Row 17: a broker is lost and the leaders move. It takes a region with several brokers. */
import { pair, type Scenario } from '../scenario.ts';

export const leaderMoves: Scenario = {
  ...pair,
  name: 'leader-moves',
  row: 17,
  about: 'One of three brokers is lost, and its partitions get other leaders',
  needs: ['several brokers'],
  run: () => Promise.reject(new Error('a region of several brokers is not built here')),
};
