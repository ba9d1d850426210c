/**
 * What Postgres stores of a password under SCRAM-SHA-256 (RFC 5803), made here so that the password itself never
 * travels in a statement that a server may log.
 */
import { createHash, createHmac, pbkdf2, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';

const iterations = 4096;
const saltBytes = 16;
const keyBytes = 32;
const derive = promisify(pbkdf2);

/** `password`: as Postgres will be given it; printable ASCII needs no preparation. */
export async function scramVerifier(password: string): Promise<string> {
  const salt = randomBytes(saltBytes);
  const salted = await derive(password, salt, iterations, keyBytes, 'sha256');
  const clientKey = createHmac('sha256', salted).update('Client Key').digest();
  const storedKey = createHash('sha256').update(clientKey).digest('base64');
  const serverKey = createHmac('sha256', salted).update('Server Key').digest('base64');
  return `SCRAM-SHA-256$${iterations}:${salt.toString('base64')}$${storedKey}:${serverKey}`;
}
