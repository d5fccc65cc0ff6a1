import type { Config } from '../config/config.ts';
import { readCertificates } from '../system/certificates.ts';
import { createGarbageMeter } from '../system/garbage.ts';
import { followLayouts } from './layouts.ts';
import { createUpstream, type Upstream } from './request.ts';

/** Who we are to the sources. */
export interface Self {
  readonly version: string;
  /** By which a request that comes round is known. */
  readonly id: string;
}

/**
 * The way to the sources, as it is configured.
 *
 * @throws CacheError `config` when CA_FILE cannot be read.
 */
export async function openUpstream(config: Config, { version, id }: Self): Promise<Upstream> {
  const { caFile, upstreamProxy, upstreamNoProxy } = config;
  const upstream = createUpstream({
    userAgent: `package-cache/${version}`,
    id,
    received: createGarbageMeter(),
    ...(caFile === undefined ? {} : { ca: [await readCertificates(caFile)] }),
    ...(upstreamProxy === undefined ? {} : { proxy: upstreamProxy }),
    ...(upstreamNoProxy === undefined ? {} : { noProxy: upstreamNoProxy }),
  });
  return followLayouts(upstream);
}
