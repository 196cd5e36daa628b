import { useTranslation } from 'react-i18next';

import type { PolicyRule } from '../../domain/roles';
import { ALL } from '../../domain/rules';
import { Tag } from '../../ui/Badge';
import '../resources/resources.css';
import './roles.css';

/** Rules as they are: what may be done with what. */
export function RulesTable({ rules }: { rules: readonly PolicyRule[] }) {
  const { t } = useTranslation();
  if (rules.length === 0) return <p className="muted">{t('roles.noRules')}</p>;
  return (
    <div className="plain-scroll">
      <table className="plain-table">
        <thead>
          <tr>
            <th scope="col">{t('roles.resources')}</th>
            <th scope="col">{t('roles.groups')}</th>
            <th scope="col">{t('roles.verbs')}</th>
          </tr>
        </thead>
        <tbody>
          {rules.map((rule, index) => (
            // Rules have no identity but their place, and here nothing moves them.
            <tr key={index}>
              <td>
                <Words
                  words={
                    rule.nonResourceURLs?.length ? rule.nonResourceURLs : (rule.resources ?? [])
                  }
                  all={t('roles.everything')}
                />
                {(rule.resourceNames ?? []).length > 0 && (
                  <div className="muted rule-names">
                    <bdi>{t('roles.onlyNames', { names: rule.resourceNames?.join(', ') })}</bdi>
                  </div>
                )}
              </td>
              <td>
                {rule.nonResourceURLs?.length ? (
                  <span className="muted">{t('roles.urls')}</span>
                ) : (
                  <Words
                    words={(rule.apiGroups ?? []).map((each) => each || 'core')}
                    all={t('roles.everyGroup')}
                  />
                )}
              </td>
              <td>
                <Words words={rule.verbs} all={t('roles.everyVerb')} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Words({ words, all }: { words: readonly string[]; all: string }) {
  return (
    <span className="labels">
      {words.map((each) => (
        <Tag key={each} tone={each === ALL ? 'warn' : 'neutral'}>
          <bdi>{each === ALL ? all : each}</bdi>
        </Tag>
      ))}
    </span>
  );
}
