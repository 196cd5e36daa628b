/** How an object is, in a word: by what its kind says, or by what all kinds have in common. */

import type { Condition, KubeObject } from '../api/objects';
import type { Tone } from '../ui/Badge';
import { at, listAt, numberAt, textAt } from './reading';

export interface ObjectState {
  readonly tone: Tone;
  /** A word of the API, or one of ours: see `kinds.states`. */
  readonly word: string;
  readonly why?: string;
}

const tones: ReadonlyMap<string, Tone> = new Map([
  ['Active', 'ok'],
  ['Available', 'ok'],
  ['Bound', 'ok'],
  ['Complete', 'ok'],
  ['Free', 'ok'],
  ['InUse', 'accent'],
  ['Completed', 'ok'],
  ['Healthy', 'ok'],
  ['Ready', 'ok'],
  ['Running', 'ok'],
  ['Succeeded', 'ok'],
  ['Creating', 'warn'],
  ['InProgress', 'warn'],
  ['NotReady', 'warn'],
  ['Pending', 'warn'],
  ['Released', 'warn'],
  ['Terminating', 'warn'],
  ['Updating', 'warn'],
  ['Warning', 'warn'],
  ['CrashLoopBackOff', 'bad'],
  ['Error', 'bad'],
  ['Failed', 'bad'],
  ['Lost', 'bad'],
  ['Unhealthy', 'bad'],
  ['Unknown', 'neutral'],
  ['Stopped', 'neutral'],
  ['Suspended', 'neutral'],
]);

export function stateOfWord(word: string, why = ''): ObjectState {
  return { tone: tones.get(word) ?? 'neutral', word, ...(why && { why }) };
}

export function conditionsOf(object: KubeObject): readonly Condition[] {
  return listAt(object, 'status', 'conditions').filter(
    (each): each is Condition =>
      typeof at(each, 'type') === 'string' && typeof at(each, 'status') === 'string',
  );
}

const decisive = ['Ready', 'Available', 'Complete'] as const;

/** The state of any object; undefined: it has none. */
export function generalState(object: KubeObject): ObjectState | undefined {
  if (object.metadata.deletionTimestamp) return stateOfWord('Terminating');
  const word = textAt(object, 'status', 'state') || textAt(object, 'status', 'phase');
  if (word) return stateOfWord(word, textAt(object, 'status', 'message'));
  const conditions = conditionsOf(object);
  const failed = conditions.find((each) => each.type === 'Failed' && each.status === 'True');
  if (failed) return stateOfWord('Failed', failed.message);
  const found = conditions.find((each) => (decisive as readonly string[]).includes(each.type));
  if (!found) return undefined;
  return found.status === 'True'
    ? stateOfWord(found.type)
    : stateOfWord('NotReady', found.message ?? found.reason);
}

/** The state of what runs in replicas; none wanted means that somebody stopped it. */
export function replicaState(object: KubeObject): ObjectState {
  if (object.metadata.deletionTimestamp) return stateOfWord('Terminating');
  const wanted = numberAt(object, 'spec', 'replicas') ?? 1;
  const ready = numberAt(object, 'status', 'readyReplicas') ?? 0;
  if (wanted === 0) return stateOfWord('Stopped');
  const word = textAt(object, 'status', 'state');
  if (word) return stateOfWord(word);
  return stateOfWord(ready >= wanted ? 'Running' : 'Pending');
}

/** How many are ready of how many are wanted. */
export function replicas(object: KubeObject): string {
  const wanted = numberAt(object, 'spec', 'replicas') ?? 1;
  return `${numberAt(object, 'status', 'readyReplicas') ?? 0}/${wanted}`;
}
