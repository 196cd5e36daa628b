/** What the pages know of a kind: one description each, and one page for all of them. */

import type { ParseKeys } from 'i18next';
import type { LucideIcon } from 'lucide-react';

import type { KubeObject } from '../api/objects';
import type { Manifest, Resource } from '../api/resources';
import type { Path } from './reading';
import type { ObjectState } from './state';

export interface KindColumn {
  readonly id: string;
  readonly header: ParseKeys;
  /** What is shown, sorted and found; numbers are sorted as numbers. */
  readonly value: (object: KubeObject) => string | number;
  /** Values that have a word in the user's language. */
  readonly words?: Readonly<Record<string, ParseKeys>>;
  readonly width?: string;
  readonly from?: 'medium' | 'wide';
  readonly mono?: boolean;
  /** On a narrow page it stands under the name. */
  readonly below?: boolean;
  /** The page of one shows it better. */
  readonly listOnly?: boolean;
}

interface FieldBase {
  readonly id: string;
  readonly label: ParseKeys;
  readonly hint?: ParseKeys;
  readonly required?: boolean;
  /** It is said once and never changed. */
  readonly fixed?: boolean;
}

/** A field of a form: it shows one place of the manifest, and writes it. */
export type KindField =
  | (FieldBase & {
      readonly input: 'text';
      readonly get: (manifest: object) => string;
      readonly set: (manifest: object, value: string) => object;
      readonly placeholder?: string;
      readonly mono?: boolean;
      readonly problem?: (value: string) => ParseKeys | undefined;
    })
  | (FieldBase & {
      readonly input: 'choice';
      readonly get: (manifest: object) => string;
      readonly set: (manifest: object, value: string) => object;
      readonly choices: readonly {
        readonly value: string;
        readonly label: string;
        readonly say?: ParseKeys;
      }[];
    })
  | (FieldBase & {
      readonly input: 'switch';
      readonly get: (manifest: object) => boolean;
      readonly set: (manifest: object, value: boolean) => object;
    })
  | (FieldBase & {
      /** Keys and what each holds. */
      readonly input: 'data';
      readonly secret: boolean;
    });

export interface KindForm {
  readonly fields: readonly KindField[];
}

export interface Kind {
  readonly resource: Resource;
  /** Of many; kinds without a description of their own are called as the API calls them. */
  readonly title: ParseKeys | undefined;
  /** Of one. */
  readonly one: ParseKeys | undefined;
  /** The platform finds them by itself: nobody is invited to make one. */
  readonly found?: boolean;
  readonly lead: ParseKeys | undefined;
  readonly empty: ParseKeys | undefined;
  readonly icon: LucideIcon;
  readonly columns: readonly KindColumn[];
  readonly state: (object: KubeObject) => ObjectState | undefined;
  readonly hasState: boolean;
  readonly form: KindForm | undefined;
  /** What one begins with when one makes one. */
  readonly template: (namespace: string) => Manifest;
  /** Places of an object that are shown only when somebody asks. */
  readonly hidden: readonly Path[];
  /** The main part of the page of one. */
  readonly data: 'plain' | 'secret' | undefined;
}
