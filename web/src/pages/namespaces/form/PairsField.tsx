import { Lock, Plus, Trash2 } from 'lucide-react';
import { useTranslation } from 'react-i18next';

import { isProtectedKey } from '../../../domain/namespaces';
import { Button, IconButton } from '../../../ui/Button';
import { TextField } from '../../../ui/Fields';

export interface Pair {
  row: number;
  key: string;
  value: string;
}

/** Kubernetes itself writes it. */
const NAME_LABEL = 'kubernetes.io/metadata.name';

let last = 0;

export function pair(key = '', value = ''): Pair {
  last += 1;
  return { row: last, key, value };
}

export function pairsOf(record: Record<string, string> | undefined): Pair[] {
  return Object.entries(record ?? {})
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([key, value]) => pair(key, value));
}

export function mapOf(pairs: readonly Pair[]): Map<string, string> {
  return new Map(pairs.filter((each) => each.key !== '').map((each) => [each.key, each.value]));
}

/** Labels or annotations; those that the platform protects are shown as such. */
export function PairsField(props: {
  label: string;
  add: string;
  pairs: readonly Pair[];
  onChange: (pairs: readonly Pair[]) => void;
  /** Whether protected keys may be changed, too. */
  mayProtected: boolean;
}) {
  const { label, add, pairs, onChange, mayProtected } = props;
  const { t } = useTranslation();
  const put = (next: Pair) => onChange(pairs.map((each) => (each.row === next.row ? next : each)));
  return (
    <fieldset className="pairs">
      <legend className="label">{label}</legend>
      {pairs.map((each) => {
        const guarded = isProtectedKey(each.key);
        const locked = guarded && (!mayProtected || each.key === NAME_LABEL);
        const twice = pairs.some((other) => other.row !== each.row && other.key === each.key);
        return (
          <div key={each.row} className="pair">
            <TextField
              label={t('namespaces.key')}
              mono
              value={each.key}
              isDisabled={locked}
              problem={twice && each.key !== '' ? t('namespaces.keyTwice') : undefined}
              onChange={(key) => put({ ...each, key })}
            />
            <TextField
              label={t('namespaces.value')}
              mono
              value={each.value}
              isDisabled={locked}
              onChange={(value) => put({ ...each, value })}
            />
            {locked ? (
              <span className="pair-lock" title={t('namespaces.protected')}>
                <Lock aria-label={t('namespaces.protected')} />
              </span>
            ) : (
              <IconButton
                label={t('namespaces.removeRow', { name: each.key })}
                icon={<Trash2 aria-hidden />}
                onPress={() => onChange(pairs.filter((other) => other.row !== each.row))}
              />
            )}
            {guarded && each.key !== NAME_LABEL && (
              <p className="hint pair-note">{t('namespaces.protected')}</p>
            )}
          </div>
        );
      })}
      <div>
        <Button
          size="small"
          icon={<Plus aria-hidden />}
          onPress={() => onChange([...pairs, pair()])}
        >
          {add}
        </Button>
      </div>
    </fieldset>
  );
}
