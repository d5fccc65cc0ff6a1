/** What the project knows of one key of the configuration file. */
export interface Key {
  /** The name of its value among the settings. */
  readonly field: string;
  /** The value it has when unset, or words for that where there is an `example`. */
  readonly default: string;
  /** What the shipped file shows in place of the default. */
  readonly example?: string;
  /** One line of why. */
  readonly why: string;
  /** Whether a reload changes it or only a restart does. */
  readonly change: 'live' | 'restart';
  /** @throws CacheError whose reason says what to write instead. */
  readonly parse: (text: string) => unknown;
}
