/** What the user may do, asked of the API. The server decides again when he does it. */

import { useEffect, useRef, useSyncExternalStore } from 'react';

import { request, signedOut } from './client';
import { Emitter } from './emitter';
import type { Resource } from './resources';

export interface Question {
  verb: string;
  resource: Pick<Resource, 'group' | 'plural'>;
  subresource?: string;
  namespace?: string;
  name?: string;
}

export interface Answer {
  /** undefined: not answered yet. */
  readonly allowed: boolean | undefined;
  readonly reason: string;
  /** The server could not be asked: its answer to the deed itself counts. */
  readonly failed?: boolean;
}

interface Review {
  status?: { allowed?: boolean; reason?: string };
}

const LIFE_MS = 20_000;
/** A refusal that keeps something from sight is asked about again so often: rights may come. */
export const RECHECK_MS = 3_000;
const unknown: Answer = { allowed: undefined, reason: '' };
const answers = new Map<string, { answer: Answer; until: number }>();
const asking = new Set<string>();
/** How often old answers were put out of date: what was asked before that is old when it comes. */
let generation = 0;
const changed = new Emitter<undefined>();

function keyOf(question: Question): string {
  const { verb, resource, subresource = '', namespace = '', name = '' } = question;
  return [verb, resource.group, resource.plural, subresource, namespace, name].join('\n');
}

/** Asks the server whether the user may. */
export async function may(question: Question): Promise<Answer> {
  const { verb, resource, ...place } = question;
  const resourceAttributes = { verb, group: resource.group, resource: resource.plural, ...place };
  const review = await request<Review>(
    'POST',
    '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
    {
      body: {
        apiVersion: 'authorization.k8s.io/v1',
        kind: 'SelfSubjectAccessReview',
        spec: { resourceAttributes },
      },
    },
  );
  return { allowed: review.status?.allowed ?? false, reason: review.status?.reason ?? '' };
}

async function ask(key: string, question: Question): Promise<void> {
  asking.add(key);
  const asked = generation;
  const before = answers.get(key)?.answer ?? unknown;
  let answer = before;
  try {
    answer = await may(question);
  } catch {
    // Nobody knows: what was said holds, or the server's own answer to the deed counts.
    if (before.allowed === undefined) answer = { ...unknown, failed: true };
  }
  asking.delete(key);
  const until = asked === generation ? Date.now() + LIFE_MS : 0;
  // With one right others came or went.
  if (before.allowed !== undefined && answer.allowed !== before.allowed) outdate();
  answers.set(key, { answer, until });
  changed.emit(undefined);
}

function outdate(): void {
  generation += 1;
  for (const each of answers.values()) each.until = 0;
}

function read(key: string, question: Question): Answer {
  const known = answers.get(key);
  if ((!known || known.until < Date.now()) && !asking.has(key)) void ask(key, question);
  return known?.answer ?? unknown;
}

/** Whether the user may; asked again after a while, and when rights have changed. */
export function useMay(question: Question): Answer {
  const key = keyOf(question);
  return useSyncExternalStore(changed.subscribe, () => read(key, question));
}

/** As `useMay`; a refusal is asked about again and again, for as long as somebody looks at it. */
export function useMayYet(question: Question): Answer {
  const answer = useMay(question);
  const key = keyOf(question);
  const asked = useRef(question);
  useEffect(() => {
    asked.current = question;
  });
  useEffect(() => {
    if (answer.allowed !== false) return undefined;
    const timer = setInterval(() => {
      if (document.visibilityState === 'visible' && !asking.has(key)) void ask(key, asked.current);
    }, RECHECK_MS);
    return () => clearInterval(timer);
  }, [answer.allowed, key]);
  return answer;
}

/** Rights may have changed: old answers count no more, and what is shown is asked again. */
export function forgetAnswers(): void {
  outdate();
  changed.emit(undefined);
}

signedOut.subscribe(() => {
  answers.clear();
});
