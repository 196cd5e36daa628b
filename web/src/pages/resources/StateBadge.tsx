import { useTranslation } from 'react-i18next';

import type { ObjectState } from '../../kinds/state';
import { State } from '../../ui/Badge';
import { useStateWord } from './useStateWord';

export function StateBadge({ state }: { state: ObjectState | undefined }) {
  const { t } = useTranslation();
  const say = useStateWord();
  if (!state) return <span className="muted">–</span>;
  return (
    <span title={state.why === undefined ? undefined : t('kinds.because', { reason: state.why })}>
      <State tone={state.tone}>
        <bdi>{say(state.word)}</bdi>
      </State>
    </span>
  );
}
