/** Where a partition is read on that is taken back: where the reader wants it, if something can lie there. */
export function rewoundTo(
  edges: { readonly beginning: bigint; readonly end: bigint },
  from: bigint | undefined,
): bigint {
  return from !== undefined && from >= edges.beginning && from <= edges.end ? from : edges.beginning;
}
