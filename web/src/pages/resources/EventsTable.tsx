import { CalendarClock } from 'lucide-react';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';

import { uidOf, type KubeObject } from '../../api/objects';
import { EVENTS } from '../../api/resources';
import { numberAt, textAt } from '../../kinds/reading';
import { stateOfWord } from '../../kinds/state';
import { Age } from '../../ui/Age';
import { UserText } from '../../ui/Badge';
import { FilteredTable } from '../../ui/FilteredTable';
import { Listed } from '../../ui/Listed';
import { Empty } from '../../ui/Page';
import type { Column } from '../../ui/Table';
import type { Sort } from '../../ui/useRows';
import { Refused } from './Refused';
import { StateBadge } from './StateBadge';
import { useList } from './useList';
import { useStateWord } from './useStateWord';

const newestFirst: Sort = { column: 'last', descending: false };

/** When an event was last seen: of the fields that say so the one that is there. */
function lastSeen(event: KubeObject): string {
  return (
    textAt(event, 'series', 'lastObservedTime') ||
    textAt(event, 'lastTimestamp') ||
    textAt(event, 'eventTime') ||
    (event.metadata.creationTimestamp ?? '')
  );
}

const subject = (event: KubeObject) =>
  `${textAt(event, 'involvedObject', 'kind')} ${textAt(event, 'involvedObject', 'name')}`;

/** What happened in a namespace, or to one object in it. */
export function EventsTable({ namespace, about }: { namespace: string; about?: KubeObject }) {
  const { t } = useTranslation();
  const { items, freshness, error, why } = useList(EVENTS, namespace);
  const uid = about?.metadata.uid;
  const rows = useMemo(
    () =>
      uid === undefined
        ? items
        : items.filter((each) => textAt(each, 'involvedObject', 'uid') === uid),
    [items, uid],
  );
  if (why !== undefined) return <Refused what={t('kinds.tabs.events')} why={why} />;
  return (
    <Listed {...{ freshness, error }}>
      <Rows rows={rows} withSubject={about === undefined} />
    </Listed>
  );
}

function Rows({ rows, withSubject }: { rows: readonly KubeObject[]; withSubject: boolean }) {
  const { t } = useTranslation();
  return (
    <FilteredTable
      by={newestFirst}
      label={t('kinds.tabs.events')}
      rows={rows}
      columns={useColumns(withSubject)}
      rowId={uidOf}
      rowName={(row) => textAt(row, 'reason')}
      empty={
        <Empty
          icon={<CalendarClock aria-hidden />}
          title={t('kinds.noEvents')}
          hint={t('kinds.noEventsHint')}
        />
      }
    />
  );
}

function useColumns(withSubject: boolean): Column<KubeObject>[] {
  const { t } = useTranslation();
  const say = useStateWord();
  return useMemo(() => {
    const about: Column<KubeObject> = {
      id: 'about',
      header: t('kinds.columns.about'),
      from: 'medium',
      width: '24%',
      sortBy: subject,
      text: subject,
      cell: (row) => <UserText>{subject(row)}</UserText>,
    };
    return [
      {
        id: 'last',
        header: t('kinds.columns.lastSeen'),
        width: '112px',
        sortBy: (row) => -Date.parse(lastSeen(row)),
        cell: (row) => <Age of={lastSeen(row)} />,
      },
      {
        id: 'type',
        header: t('kinds.columns.type'),
        width: '112px',
        from: 'medium',
        sortBy: (row) => textAt(row, 'type'),
        text: (row) => say(textAt(row, 'type')),
        cell: (row) => <StateBadge state={stateOfWord(textAt(row, 'type') || 'Normal')} />,
      },
      {
        id: 'reason',
        header: t('kinds.columns.reason'),
        width: '170px',
        from: 'medium',
        sortBy: (row) => textAt(row, 'reason'),
        text: (row) => textAt(row, 'reason'),
        cell: (row) => <UserText>{textAt(row, 'reason')}</UserText>,
      },
      ...(withSubject ? [about] : []),
      {
        id: 'message',
        header: t('kinds.columns.message'),
        sortBy: (row) => textAt(row, 'message'),
        text: (row) => textAt(row, 'message'),
        cell: (row) => <UserText>{textAt(row, 'message')}</UserText>,
        below: (row) => <UserText>{`${textAt(row, 'reason')} · ${subject(row)}`}</UserText>,
      },
      {
        id: 'count',
        header: t('kinds.columns.count'),
        width: '80px',
        align: 'end',
        from: 'wide',
        sortBy: (row) => numberAt(row, 'series', 'count') ?? numberAt(row, 'count') ?? 1,
        cell: (row) => (
          <span className="numeric">
            {numberAt(row, 'series', 'count') ?? numberAt(row, 'count') ?? 1}
          </span>
        ),
      },
    ];
  }, [t, say, withSubject]);
}
