/** Runs the command line as its users do, against one demo, and reads the JSON that it prints. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { root } from '../tidy/tree.ts';

export interface CommandRun {
  readonly code: number | null;
  /** What it printed, parsed. */
  readonly answer: unknown;
}

export function isthmus(demoPid: number, command: string): Promise<CommandRun> {
  const bin = join(root, 'services/cli/bin/isthmus.js');
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [bin, ...command.split(' ')], {
      env: { ...process.env, ISTHMUS_DEMO: String(demoPid) },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let [output, errors] = ['', ''];
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      errors += chunk.toString();
    });
    child.once('close', (code) => {
      try {
        resolve({ code, answer: JSON.parse(output) });
      } catch (reason) {
        reject(new Error(`isthmus ${command} ended with ${code}: ${errors}`, { cause: reason }));
      }
    });
  });
}
