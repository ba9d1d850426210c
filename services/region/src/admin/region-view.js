/** `beat`: before it all own writes lie; `null`: they may still be under way. */
export function drainedPeers(told, peers, beat) {
  return peers.map((region) => {
    const settled = told.find(({ peer }) => peer === region)?.settledBeat ?? null;
    return { region, hasAll: settled === null ? null : beat !== null && settled >= beat };
  });
}
export function refillView(refill) {
  if (refill === null) return null;
  const { donor, state, accepted, detail, wantedAtMs, endedAtMs } = refill;
  return {
    donor,
    state,
    accepted,
    detail,
    wantedAt: new Date(wantedAtMs).toISOString(),
    endedAt: endedAtMs === null ? null : new Date(endedAtMs).toISOString(),
  };
}
//# sourceMappingURL=region-view.js.map
