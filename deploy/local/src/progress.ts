/**
 * Tells a waiting person what a first start is loading or making.
 * Lines go to standard error, so that standard output stays for data alone. Nothing is said when the
 * caches are warm.
 */
export type Progress = (line: string) => void;

export const progressOnStderr: Progress = (line) => {
  process.stderr.write(`${line}\n`);
};
