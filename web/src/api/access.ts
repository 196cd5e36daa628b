/** What the user may do, asked of the API. The server decides again when he does it. */

import { useSyncExternalStore } from 'react';

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
const unknown: Answer = { allowed: undefined, reason: '' };
const answers = new Map<string, { answer: Answer; until: number }>();
const asking = new Set<string>();
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
  let answer: Answer = unknown;
  try {
    answer = await may(question);
  } catch {
    // Nobody knows: the button stays as it is, and the server's own answer counts.
    answer = { ...unknown, failed: true };
  }
  asking.delete(key);
  answers.set(key, { answer, until: Date.now() + LIFE_MS });
  changed.emit(undefined);
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

/** Rights may have changed: old answers count no more, and what is shown is asked again. */
export function forgetAnswers(): void {
  for (const each of answers.values()) each.until = 0;
  changed.emit(undefined);
}

signedOut.subscribe(() => {
  answers.clear();
});
