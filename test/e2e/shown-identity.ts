/** What a region says of its identity to operators. */

export async function identityOf(admin: string): Promise<unknown> {
  return (await fetch(`${admin}/v1/identity`)).json();
}

/** Nothing while it cannot say. */
export async function guard(admin: string): Promise<{ readonly kind?: string; readonly reason?: string }> {
  const body = await identityOf(admin);
  if (body === null || typeof body !== 'object' || !('guard' in body)) return {};
  return body.guard ?? {};
}
