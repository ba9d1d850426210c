/** The two kinds of HTTP requests that are measured: one record by PUT, and a hundred of them by batch. */
import type { HttpLanes } from './http-lane.ts';
import { collection, type Workload, type Write } from './workload.ts';

export const batchSize = 100;

export function putOne(lanes: HttpLanes, { key, value }: Write): Promise<void> {
  return lanes.send('PUT', `/v1/collections/${collection}/records/${key}`, { value });
}

export function putBatch(lanes: HttpLanes, workload: Workload): Promise<void> {
  const writes = Array.from({ length: batchSize }, () => {
    const { key, value } = workload.next();
    return { method: 'put', collection, key, value };
  });
  return lanes.send('POST', '/v1/batch', { writes });
}
