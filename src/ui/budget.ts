import { gzipSync } from 'node:zlib';
import type { Plugin } from 'vite';

/** Bytes that all scripts of the page may have together, compressed: what a first visit over a slow line costs. */
export const BUDGET = 60_000;

/** Puts a compressed copy beside each file of the page: the appliance sends it as it is. */
export function compressed(): Plugin {
  return {
    name: 'compressed',
    generateBundle(_, bundle) {
      for (const file of Object.values(bundle)) {
        const content = file.type === 'chunk' ? file.code : file.source;
        if (/\.(js|css|svg)$/.test(file.fileName)) this.emitFile({ type: 'asset', fileName: `${file.fileName}.gz`, source: gzipSync(content, { level: 9 }) });
      }
    },
  };
}

/** Fails the build when the page's scripts are larger than the budget. */
export function budget(limit = BUDGET): Plugin {
  return {
    name: 'budget',
    generateBundle(_, bundle) {
      const bytes = Object.values(bundle).reduce((sum, file) => sum + (file.type === 'chunk' ? gzipSync(file.code).length : 0), 0);
      if (bytes > limit) this.error(`The page's scripts are ${bytes} bytes (gzip); at most ${limit} are allowed.`);
      this.info(`scripts: ${bytes} of ${limit} bytes (gzip)`);
    },
  };
}
