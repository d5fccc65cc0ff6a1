/** How a request was handled, in the words of RFC 9211 section 2: `hit`, or else `fwd`. */
export interface CacheStatus {
  /** Answered without going forward (section 2.1). */
  readonly hit?: true;
  /** Why the request went forward (section 2.2). */
  readonly fwd?: 'bypass' | 'method' | 'uri-miss' | 'miss' | 'request' | 'stale' | 'partial';
  /** The status the source answered, if it is not the one we answer (section 2.3). */
  readonly fwdStatus?: number;
  /** The source's answer is being kept (section 2.5). */
  readonly stored?: true;
  /** The request joined another one that was on its way (section 2.6). */
  readonly collapsed?: true;
  /** Anything more, for people (section 2.8). */
  readonly detail?: string;
}

// RFC 9651 section 3.3.4.
const token = /^[A-Za-z*][!#$%&'*+\-.^_`|~\dA-Za-z:/]*$/;

/** The Cache-Status field for one request: the name of this cache and its parameters. */
export function formatCacheStatus(status: CacheStatus): string {
  const { hit, fwd, fwdStatus, stored, collapsed, detail } = status;
  return [
    'package-cache',
    ...(hit === undefined ? [] : ['hit']),
    ...(fwd === undefined ? [] : [`fwd=${fwd}`]),
    ...(fwdStatus === undefined ? [] : [`fwd-status=${fwdStatus}`]),
    ...(stored === undefined ? [] : ['stored']),
    ...(collapsed === undefined ? [] : ['collapsed']),
    ...(detail === undefined ? [] : [`detail=${tokenOrString(detail)}`]),
  ].join('; ');
}

// RFC 9211 section 2.8 allows either form. A string holds printable ASCII only (RFC 9651 section
// 3.3.3), and a name of a file may hold anything.
function tokenOrString(text: string): string {
  if (token.test(text)) return text;
  return `"${text.replaceAll(/[^ -~]/gu, '?').replaceAll(/["\\]/g, '\\$&')}"`;
}
