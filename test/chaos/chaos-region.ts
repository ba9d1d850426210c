/** A region of a run: its servers, which faults strike, and its listeners, through which it is seen. */
import type { ClusterRegion } from '@isthmus/local/cluster';
import { RegionClient } from '../e2e/region-client.ts';

export interface ChaosRegion {
  readonly name: string;
  readonly site: ClusterRegion;
  readonly client: RegionClient;
}

export function chaosRegion(site: ClusterRegion): ChaosRegion {
  const { api, admin } = site.process;
  return { name: site.region, site, client: new RegionClient({ region: site.region, api, admin }) };
}
