import { networkInterfaces } from 'node:os';
import { createPolicy } from '../cache/policy.ts';
import type { Config } from '../config/config.ts';
import { createAllowList } from './allow.ts';
import type { Settings } from './context.ts';

/** Compiles what a configuration means for requests. @throws CacheError `config` */
export function createSettings(config: Config): Settings {
  return {
    config,
    policy: createPolicy(config),
    allowed: createAllowList({ rules: config.allow, interfaces: networkInterfaces }),
  };
}
