import { build as bundle, type Metafile, type Plugin } from 'esbuild';
import { KOFFI } from './native.ts';

/** Where from, and where to. */
export interface Places {
  /** The checkout. */
  readonly root: string;
  /** The directory that is laid out. */
  readonly build: string;
}

/**
 * Bundles the two programs, and the workers that the daemon starts from beside itself, with the
 * packages they import; what they share, and what they need later or never, in files of their own.
 * Neither minified nor with source maps: a stack trace names our functions as they are, and fewer
 * characters start no sooner.
 *
 * @returns the names of the packages that are in the bundles
 */
export async function bundlePrograms({ root, build }: Places): Promise<readonly string[]> {
  const { metafile } = await bundle({
    absWorkingDir: root,
    entryPoints: {
      'package-cache': 'daemon/main.ts',
      'package-cache-ctl': 'ctl/main.ts',
      worker: 'daemon/room/worker.ts',
      'copy-worker': 'daemon/room/copy-worker.ts',
      'scan-worker': 'daemon/gentoo/scan-worker.ts',
    },
    outdir: build,
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    // What only a miss needs is a file of its own, and not read before there is one.
    splitting: true,
    // CommonJS packages ask for Node's modules with it, and an ES module has none.
    banner: {
      js: "import { createRequire } from 'node:module';\nconst require = createRequire(import.meta.url);",
    },
    plugins: [koffiBeside],
    // Where node_modules lies is in no comment of the bundle: the same sources, the same bytes.
    preserveSymlinks: true,
    metafile: true,
    logLevel: 'warning',
  });
  return packagesIn(metafile);
}

/** Native code cannot be bundled, so koffi stays the package that it is. */
const koffiBeside: Plugin = {
  name: 'koffi-beside',
  setup({ onResolve }) {
    onResolve({ filter: /^koffi$/ }, () => ({ path: `./${KOFFI}`, external: true }));
  },
};

function packagesIn({ outputs }: Metafile): readonly string[] {
  const files = Object.values(outputs).flatMap(({ inputs }) => Object.keys(inputs));
  const names = files.flatMap(
    (file) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1] ?? [],
  );
  return [...new Set(names)];
}
