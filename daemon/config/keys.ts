import { accessKeys } from './keys/access.ts';
import { diskKeys } from './keys/disk.ts';
import { limitsKeys } from './keys/limits.ts';
import { namesKeys } from './keys/names.ts';
import { serviceKeys } from './keys/service.ts';
import { upstreamKeys } from './keys/upstream.ts';

export type { Key } from './keys/key.ts';

/** Every key of the configuration file, in the order of the shipped one. */
export const keys = {
  ...serviceKeys,
  ...namesKeys,
  ...diskKeys,
  ...accessKeys,
  ...upstreamKeys,
  ...limitsKeys,
} as const;
