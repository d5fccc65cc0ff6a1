import { CacheError } from '../errors.ts';

/** One upstream base URL, taken apart once so that no request has to. */
export interface SourceUrl {
  /** Canonical, ends in `/`, without credentials: for logs, status and equality. */
  readonly url: string;
  /** `http://host:port` as undici wants it, the default port omitted. */
  readonly origin: string;
  readonly protocol: 'http:' | 'https:';
  /** Lower case, IPv6 without brackets, no trailing dot. */
  readonly hostname: string;
  readonly port: number;
  /** Begins and ends with `/`; the admin's own percent spelling is kept. */
  readonly basePath: string;
  /** A ready-made Authorization field value from `user:password@`. */
  readonly authorization?: string;
}

/**
 * Takes `http://user:password@host:port/path` apart.
 *
 * @throws CacheError `config`, whose text never holds the credentials.
 */
export function parseSourceUrl(text: string): SourceUrl {
  // No cause is ever kept here: the TypeError of `new URL` carries its input, password and all.
  const refuse = (reason: string): never => {
    throw new CacheError('config', { verb: 'use', thing: withoutCredentials(text), reason });
  };
  const { protocol, userinfo, hostPort, path } = split(text, refuse);
  const { host, port } = parseHostPort(hostPort, refuse);
  const hostname = host.replace(/^\[|\]$/g, '');
  const usual = protocol === 'http:' ? 80 : 443;
  const origin = `${protocol}//${host}${port === undefined || port === usual ? '' : `:${port}`}`;
  const basePath = parseBasePath(path, refuse);
  const authorization = userinfo === undefined ? undefined : basic(userinfo, refuse);
  return {
    url: origin + basePath,
    origin,
    protocol,
    hostname,
    port: port ?? usual,
    basePath,
    ...(authorization === undefined ? {} : { authorization }),
  };
}

/**
 * The text of any URL, even a broken one, without what may be a password: everything up to the
 * last `@`, a port that is no number, the query and the fragment.
 */
export function withoutCredentials(text: string): string {
  return text
    .replace(/^([a-z][a-z0-9+.-]*:\/\/)?.*@/is, '$1')
    .replace(/([?#]).+$/s, '$1…')
    .replace(/^((?:[a-z][a-z0-9+.-]*:\/*)?[^/:[]*):(?!\/\/|\d*(?:[/?#]|$)).*$/is, '$1:…');
}

type Refuse = (reason: string) => never;

interface Pieces {
  readonly protocol: 'http:' | 'https:';
  readonly userinfo: string | undefined;
  readonly hostPort: string;
  readonly path: string;
}

/** RFC 3986 appendix B, strictly: WHATWG URL would mend `http:\host` and `http:///host` in silence. */
function split(text: string, refuse: Refuse): Pieces {
  if (text === '') return refuse('it is empty, write http://host/');
  if (/[\s\u0000-\u001f\u007f]/.test(text)) return refuse('it holds white space');
  if (text.includes('\\')) return refuse('it holds a backslash, write /');
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1]?.toLowerCase();
  if (scheme === undefined) return refuse(schemeWanted(text));
  if (scheme !== 'http' && scheme !== 'https') {
    return refuse(`${scheme}:// is not possible, only http:// and https:// are`);
  }
  const rest = text.slice(scheme.length + 3);
  if (/[?#]/.test(rest)) return refuse('a source has no query and no fragment (? or #)');
  const slash = rest.includes('/') ? rest.indexOf('/') : rest.length;
  const authority = rest.slice(0, slash);
  const at = authority.lastIndexOf('@');
  return {
    protocol: `${scheme}:`,
    userinfo: at > 0 ? authority.slice(0, at) : undefined,
    hostPort: authority.slice(at + 1),
    path: rest.slice(slash),
  };
}

function schemeWanted(text: string): string {
  if (/^https?:/i.test(text)) return 'write // after http: or https:';
  return `it has no scheme, write http://${withoutCredentials(text).replace(/^\/+/, '')}`;
}

function parseHostPort(text: string, refuse: Refuse): { host: string; port?: number } {
  if (/^[^[\]]*:[^[\]]*:/.test(text))
    return refuse('an IPv6 address needs brackets: http://[::1]/');
  const [, name = '', portText] = /^(\[.*\]|[^:]*)(?::(.*))?$/.exec(text) ?? [];
  if (name === '') return refuse('the host is missing');
  const host = canonicalHost(name);
  if (host === undefined) return refuse('the host is no name and no address');
  if (portText === undefined) return { host };
  const port = /^\d{1,5}$/.test(portText) ? Number(portText) : 0;
  if (port < 1 || port > 65_535) return refuse('the port is no number from 1 to 65535');
  return { host, port };
}

/** Lower case, IDNA and the canonical spelling of addresses, as WHATWG URL has them. */
function canonicalHost(name: string): string | undefined {
  const parsed = URL.parse(`http://${name}/`);
  const host = parsed?.hostname.replace(/\.$/, '');
  return host === undefined || host === '' || /^\.|\.\.|\.$/.test(host) ? undefined : host;
}

function parseBasePath(path: string, refuse: Refuse): string {
  if (/(?:^|\/)(?:\.|%2e){1,2}(?:\/|$)/i.test(path)) return refuse('its path holds . or ..');
  if (/%(?![0-9a-f]{2})/i.test(path))
    return refuse('a % in its path is not followed by two digits');
  // Encodes what no request line may hold (RFC 9112 section 3.2) and leaves every escape as it is.
  const encoded = new URL(`http://host${path}`).pathname;
  return encoded.endsWith('/') ? encoded : `${encoded}/`;
}

/** RFC 7617: UTF-8, no control characters, and no colon in the user's name. */
function basic(userinfo: string, refuse: Refuse): string {
  const colon = userinfo.includes(':') ? userinfo.indexOf(':') : userinfo.length;
  const user = percentDecoded(userinfo.slice(0, colon));
  const password = percentDecoded(userinfo.slice(colon + 1));
  if (user === undefined || password === undefined) {
    return refuse('its user or password holds a bad percent-escape, write a % as %25');
  }
  if (user.includes(':') || /[\u0000-\u001f\u007f]/.test(user + password)) {
    return refuse('its user holds a colon, or user or password a control character');
  }
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
}

function percentDecoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
