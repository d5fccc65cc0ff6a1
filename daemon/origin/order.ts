import type { HotStore } from '../cache/hot.ts';
import type { Layout } from '../cache/layout.ts';
import type { Meta, MetaBook } from '../cache/meta.ts';
import type { PartialBook } from '../cache/partial-book.ts';
import type { Events } from '../events.ts';
import type { Manifests } from '../gentoo/manifests.ts';
import type { Unproven } from '../gentoo/unproven.ts';
import type { Census } from '../room/census.ts';
import type { Use } from '../room/histogram.ts';
import type { Room } from '../room/room.ts';
import type { Counters } from '../stats.ts';
import type { Log } from '../system/log.ts';
import type { Asking } from './ask.ts';
import type { OriginHead } from './judge.ts';
import type { Memory } from './memory.ts';
import type { Rescue } from './rescue.ts';
import type { Route } from './route.ts';
import type { Stickiness } from './sticky.ts';

/** What is known once a source has answered. */
export type FillStart =
  | { readonly kind: 'body'; readonly head: FillHead }
  /** A source confirmed the copy we have. */
  | { readonly kind: 'unchanged' };

/** What a client may be told of a body that is still on its way. */
export interface FillHead {
  readonly length: number | undefined;
  /** Last-Modified as the entry will have it: the origin's, else the time of the fetch. */
  readonly mtime: number;
  readonly type: string | undefined;
  /** It will become an entry, if it arrives whole. */
  readonly stored: boolean;
}

/** What a fill is to fetch. */
export interface FillOrder {
  readonly route: Route;
  readonly mutable: boolean;
  /** The record of the copy we have, for a conditional request. */
  readonly previous?: Meta;
  /** The copy we have, which stays unless a source has a newer one. */
  readonly stored?: Use;
}

/** What every fill works with. */
export interface FillContext {
  readonly asking: () => Asking;
  readonly sticky: Stickiness;
  readonly layout: Layout;
  readonly store: HotStore;
  readonly meta: MetaBook;
  readonly partials: PartialBook;
  readonly room: Room;
  readonly census: Census;
  readonly manifests: Pick<Manifests, 'digestsOf'>;
  /** Where files are noted that no Manifest has a word on yet. */
  readonly unproven: Pick<Unproven, 'note'>;
  readonly rescue: Rescue;
  readonly counters: Counters;
  readonly log: Log;
  readonly events: Events;
}

/** A file that two sources have. */
export interface Agreement {
  /** Bytes. */
  readonly size: number;
  readonly hash: string;
}

/** What fills remember of keys. */
export interface FillMemories {
  /** What the sources agree on, and no Manifest has. */
  readonly agreements: Memory<Agreement>;
  /** The first byte in which a file differs from what clients got some minutes ago. */
  readonly differences: Memory<number>;
}

/** What one fill works with. */
export type FillTools = FillContext & FillMemories;

/** What a client is told of a body whose origin's head is known. */
export function fillHead(head: OriginHead): FillHead {
  return {
    length: head.length,
    mtime: head.lastModified ?? Math.floor(Date.now() / 1000),
    type: head.type,
    stored: head.framed,
  };
}
