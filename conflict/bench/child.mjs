/**
 * Runs a module of the benchmark in a process of its own, where what it measures is not yet loaded or alone in memory,
 * and gives the JSON that it prints.
 */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** @param {string} module @param {readonly string[]} parameters @returns {any} */
export function askChild(module, parameters) {
  const path = fileURLToPath(new URL(module, import.meta.url));
  const output = execFileSync(process.execPath, ['--expose-gc', path, ...parameters], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 2 ** 20,
  });
  return JSON.parse(output);
}
