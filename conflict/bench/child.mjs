/**
 * Runs a module of the benchmark in a process of its own, where what it measures is not yet loaded or alone in memory,
 * and gives what it prints, as bytes or parsed from JSON.
 */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** @param {string} module @param {readonly string[]} parameters */
export function askChildBytes(module, parameters) {
  const path = fileURLToPath(new URL(module, import.meta.url));
  return execFileSync(process.execPath, ['--expose-gc', path, ...parameters], {
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 2 ** 28,
  });
}

/** @param {string} module @param {readonly string[]} parameters @returns {any} */
export const askChild = (module, parameters) => JSON.parse(askChildBytes(module, parameters).toString());
