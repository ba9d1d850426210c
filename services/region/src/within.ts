/**
 * Bounds how long an answer is waited for. What comes late, or fails because the database or the log does not serve,
 * is `null`: unknown. Other failures are bugs and come out.
 */
import { ReplicationError } from '@isthmus/replication/errors';

export async function within<T>(timeoutMs: number, answer: Promise<T>): Promise<T | null> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(resolve, timeoutMs, null);
  });
  try {
    return await Promise.race([answer, late]);
  } catch (error) {
    if (error instanceof ReplicationError) return null;
    throw error;
  } finally {
    clearTimeout(timer);
  }
}
